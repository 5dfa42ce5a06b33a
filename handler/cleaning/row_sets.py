"""Sets of rows in memory, used to leave out rows that newer uploads name.

A set stores 128 bits of each row: the first half of a SHA-256, a complete MD5, or a digest of a row with columns. If a
set of a million rows is compared with a billion rows, the probability that two different rows have the same 128 bits is
less than 1 in 10^23. A million rows take 94 MiB, whatever their length.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from itertools import compress

from handler.cleaning.parts import Part

MAX_ROWS = 1_000_000
_KEY_BYTES = 16


class RowSet:
    """The accepted rows of uploads of one identifier type.

    Args:
        digits: the number of hexadecimal digits of a row; 0 for rows with columns.
    """

    def __init__(self, digits: int) -> None:
        self._digits = digits
        self._keys: set[bytes] = set()

    def __len__(self) -> int:
        return len(self._keys)

    def add(self, rows: bytes) -> None:
        """Add a block of rows."""
        self._keys.update(self._keys_of(rows))

    def leave_out(self, rows: bytes) -> bytes:
        """Return a block without the rows that are in this set."""
        keys = self._keys_of(rows)
        if self._keys.isdisjoint(keys):
            return rows
        return self._select(rows, (key not in self._keys for key in keys))

    def only(self, rows: bytes) -> bytes:
        """Return the rows of a block that are in this set."""
        return self._select(rows, (key in self._keys for key in self._keys_of(rows)))

    def _select(self, rows: bytes, choices: Iterable[bool]) -> bytes:
        return b"".join(compress(rows.splitlines(keepends=True), choices))

    def _keys_of(self, rows: bytes) -> list[bytes]:
        if not self._digits:
            return [hashlib.blake2b(row, digest_size=_KEY_BYTES).digest() for row in rows.splitlines()]
        raw, width = bytes.fromhex(rows.decode("ascii")), self._digits // 2
        return [raw[at : at + _KEY_BYTES] for at in range(0, len(raw), width)]


def collect(blocks: Iterable[bytes], digits: int, max_rows: int = MAX_ROWS) -> RowSet | None:
    """Return the set of all rows in some blocks; None if there are more than `max_rows` different rows."""
    found = RowSet(digits)
    for rows in blocks:
        found.add(rows)
        if len(found) > max_rows:
            return None
    return found


def row_blocks(parts: Iterable[Part]) -> Iterator[bytes]:
    """Yield the rows of parts in blocks, without headers."""
    for part in parts:
        yield from part.chunks[1:] if part.header else part.chunks
