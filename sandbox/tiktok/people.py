"""Sets of people: hashes of one identifier type, or rows with several identifiers per person."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from itertools import chain

SHA256_BYTES, MD5_BYTES = 32, 16
MULTIPLE_TYPES = "MULTIPLE_TYPES"
WIDTHS = {  # identifier type -> number of bytes in a hash
    **dict.fromkeys(("EMAIL_SHA256", "PHONE_SHA256", "IDFA_SHA256", "GAID_SHA256", "FIRST_SHA256"), SHA256_BYTES),
    **dict.fromkeys(("IDFA_MD5", "GAID_MD5", "FIRST_MD5"), MD5_BYTES),
}


class Identifiers:
    """An immutable set of hashes that all have `width` bytes.

    The hashes are packed in 256 buckets, one for each first byte. A Python set would need five times as much memory.
    """

    def __init__(self, width: int, buckets: list[bytes] | None = None) -> None:
        self._width = width
        self._buckets = buckets or [b""] * 256

    @classmethod
    def of(cls, width: int, packed: bytes) -> Identifiers:
        """Return the set of the concatenated hashes in `packed`."""
        buckets = [bytearray() for _ in range(256)]
        for start in range(0, len(packed), width):
            buckets[packed[start]] += packed[start : start + width]
        return cls(width, [b"".join(_split(bucket, width)) for bucket in buckets])

    @classmethod
    def from_hex(cls, width: int, identifiers: Iterable[str]) -> Identifiers:
        """Return the set of the hexadecimal hashes that have this width."""
        return cls.of(width, bytes.fromhex("".join(each for each in identifiers if len(each) == 2 * width)))

    def union(self, *others: Identifiers) -> Identifiers:
        """Return the union of this set and others."""
        sets, width = (self, *others), self._width
        merged = (set().union(*(_split(each._buckets[number], width) for each in sets)) for number in range(256))
        return Identifiers(width, [b"".join(bucket) for bucket in merged])

    def matched(self, unmatched: Collection[str]) -> int:
        """Return the number of hashes that are not in `unmatched`."""
        return len(self - Identifiers.from_hex(self._width, unmatched)) if unmatched else len(self)

    def __len__(self) -> int:
        return sum(map(len, self._buckets)) // self._width

    def __iter__(self) -> Iterator[str]:
        for bucket in self._buckets:
            yield from (each.hex() for each in _split(bucket, self._width))

    def __sub__(self, other: Identifiers) -> Identifiers:
        width, pairs = self._width, zip(self._buckets, other._buckets, strict=True)
        return Identifiers(width, [b"".join(_split(mine, width) - _split(theirs, width)) for mine, theirs in pairs])


class PersonRows:
    """An immutable set of rows from MULTIPLE_TYPES files. Each row is one person, known by any of its identifiers.

    A row is a string of its non-empty fields as `header=value` in lower case, sorted and joined with commas. Column
    order and empty fields make no difference, and equal rows count once. Removing a row removes every row that
    shares an identifier with it.
    """

    def __init__(self, rows: Iterable[str] = ()) -> None:
        self._rows = frozenset(rows)

    def union(self, *others: PersonRows) -> PersonRows:
        """Return the union of this set and others."""
        return PersonRows(chain(self, *others))

    def matched(self, unmatched: Collection[str]) -> int:
        """Return the number of rows with at least one identifier that is not in `unmatched`."""
        return sum(any(field.partition("=")[2] not in unmatched for field in row.split(",")) for row in self)

    def __len__(self) -> int:
        return len(self._rows)

    def __iter__(self) -> Iterator[str]:
        return iter(self._rows)

    def __sub__(self, other: PersonRows) -> PersonRows:
        removed = {field for row in other for field in row.split(",")}
        return PersonRows(row for row in self if removed.isdisjoint(row.split(",")))


People = Identifiers | PersonRows


def union(calculate_type: str | None, sets: Iterable[People]) -> People:
    """Return the union of sets of people with the same identifier type."""
    width = WIDTHS.get(calculate_type or "", SHA256_BYTES)
    empty: People = PersonRows() if calculate_type == MULTIPLE_TYPES else Identifiers(width)
    people: People = empty.union(*sets)  # type: ignore[arg-type]  # all sets are of one type
    return people


def _split(packed: bytes | bytearray, width: int) -> set[bytes]:
    data = bytes(packed)
    return {data[start : start + width] for start in range(0, len(data), width)}
