"""The rows of uploaded files: sets of hashes that take little memory, and what is wrong with rows that are none.

A hash is held as its 16 or 32 bytes, in 256 buckets by its first byte; a Python set of the same takes five times that.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

_HEX = b"0123456789abcdefABCDEF"
_ROWS_AT_ONCE = 16_384
_BOM = b"\xef\xbb\xbf"
_HEADER = re.compile(rb"[A-Za-z][A-Za-z0-9 _.,\"-]*")


class Identifiers:
    """An immutable set of hashes of one width, in bytes."""

    def __init__(self, width: int, buckets: list[bytes] | None = None) -> None:
        self._width = width
        self._buckets = buckets or [b""] * 256

    @classmethod
    def of(cls, width: int, packed: bytes) -> Identifiers:
        """The set of hashes that stand one after the other in `packed`."""
        buckets = [bytearray() for _ in range(256)]
        for start in range(0, len(packed), width):
            buckets[packed[start]] += packed[start : start + width]
        return cls(width, [b"".join(_cut(bucket, width)) for bucket in buckets])

    @classmethod
    def from_hex(cls, width: int, identifiers: Iterable[str]) -> Identifiers:
        """The set of the given hashes."""
        return cls.of(width, bytes.fromhex("".join(identifiers)))

    @classmethod
    def union(cls, width: int, sets: Sequence[Identifiers]) -> Identifiers:
        """Everything that is in one of the sets."""
        return cls(
            width,
            [b"".join(set().union(*(_cut(each._buckets[number], width) for each in sets))) for number in range(256)],
        )

    def __len__(self) -> int:
        return sum(map(len, self._buckets)) // self._width

    def __iter__(self) -> Iterator[str]:
        for bucket in self._buckets:
            yield from (each.hex() for each in _cut(bucket, self._width))

    def __sub__(self, other: Identifiers) -> Identifiers:
        width = self._width
        return Identifiers(
            width,
            [
                b"".join(_cut(mine, width) - _cut(theirs, width))
                for mine, theirs in zip(self._buckets, other._buckets, strict=True)
            ],
        )


def _cut(packed: bytes | bytearray, width: int) -> set[bytes]:
    whole = bytes(packed)
    return {whole[start : start + width] for start in range(0, len(whole), width)}


@dataclass
class Rows:
    """What a file holds.

    Attributes:
        identifiers: its hashes.
        bad: kind of fault (`bom`, `header`, `blank_line`, `crlf`, `not_hex`, `wrong_length`) -> rows that have it.
    """

    identifiers: Identifiers
    bad: Counter[str] = field(default_factory=Counter)


def read_rows(data: bytes, width: int) -> Rows:
    """Read a file with one hash of `width` bytes per line; the last line may lack its newline.

    What TikTok does with anything else is not known, so every other row counts as bad.
    """
    packed = bytearray()
    bad: Counter[str] = Counter()
    length = 2 * width
    position = 0
    while position < len(data):
        block = data[position : position + _ROWS_AT_ONCE * (length + 1)]
        rows, rest = divmod(len(block), length + 1)
        # Clean rows, the usual case, are checked and decoded many at once.
        newlines = b"\n" * rows
        if not rest and block[length :: length + 1] == newlines and block.translate(None, _HEX) == newlines:
            packed += bytes.fromhex(block.decode("ascii"))
            position += len(block)
            continue
        end = data.find(b"\n", position + len(block) - 1)
        end = len(data) if end < 0 else end
        for number, line in enumerate(data[position:end].split(b"\n")):
            fault = _fault(line, length, first=position == 0 and number == 0)
            if fault:
                bad[fault] += 1
            else:
                packed += bytes.fromhex(line.decode("ascii"))
        position = end + 1
    return Rows(Identifiers.of(width, bytes(packed)), bad)


def _fault(line: bytes, length: int, *, first: bool) -> str | None:
    if first and line.startswith(_BOM):
        return "bom"
    if b"\r" in line:
        return "crlf"
    if not line.strip():
        return "blank_line"
    if line.translate(None, _HEX):
        return "header" if first and _HEADER.fullmatch(line) else "not_hex"
    return None if len(line) == length else "wrong_length"
