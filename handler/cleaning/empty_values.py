"""Rows that identify no one: NULL markers, and hashes of empty values.

Tools that hash missing values produce thousands of identical rows that look valid: the hash of an empty string, of
"null", of the column's name, or of the all-zero device id of a person who opted out of tracking. A row of only zeros is
treated in the same way.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable

# Markers that tools write for a missing value, in lower case. Sources: documentation of Snowflake, Hive, pandas, R,
# Excel and others.
_MARKERS = r"\n null (null) <null> [null] none nan nat na n/a #n/a <na> nil undefined"
NULL_MARKERS = frozenset(_MARKERS.encode().split())
_MIXED_CASE = r"\N NaN NaT N/A #N/A <NA>"
# Placeholders that people and tools write into a cell, and phone numbers whose digits are missing.
_PLACEHOLDERS = "- 0 unknown Unknown UNKNOWN (blank) + +nan +NaN +None +null +NULL"
# Column names as export tools write them. The last four are default names of columns without an alias.
_COLUMNS = """
    email Email phone Phone mobile idfa gaid aaid maid adid device_id phone_number email_address hashed_email
    hashed_phone email_hash phone_hash email_sha256 phone_sha256 idfa_sha256 gaid_sha256 maid_sha256 first_sha256
    idfa_md5 gaid_md5 maid_md5 first_md5 hash value E-Mail _col0 _c0 f0_ ?column?
"""
_COLUMNS_WITH_SPACES = ("Email Address", "Phone Number", "(No column name)")
_ZERO_IDS = ("00000000-0000-0000-0000-000000000000", "0" * 32)


def _empty_values() -> Iterable[str]:
    yield from ("", " ", "\u00a0", "\n", "\r", "\r\n", *_MIXED_CASE.split(), *_PLACEHOLDERS.split())
    yield from (*_COLUMNS_WITH_SPACES, *_ZERO_IDS)
    for text in _MARKERS.split():
        yield from (text, text.upper(), text.capitalize())
    for text in _COLUMNS.split():
        yield from (text, text.upper())


def is_null_marker(text: bytes) -> bool:
    r"""Return True if `text`, a row or cell already stripped of quotes and spaces, is a NULL marker.

    Example:
        >>> is_null_marker(rb"\N"), is_null_marker(b"nan"), is_null_marker(b"anna")
        (True, True, False)
    """
    return text.lower() in NULL_MARKERS


class EmptyValueHashes:
    """The hashes of all empty values with one algorithm, and a fast exact search for them.

    Looking up every row in a set would take two thirds of the time that computing the MD5 takes. So the search first
    filters all rows at the same time by three pairs of digits: strided slices become big integers, each pair of digits
    becomes one byte, and a table maps each byte to the groups of hashes with this pair. Only the few rows whose three
    pairs have a group in common are looked up in the set.

    Attributes:
        rows: the hashes and a row of only zeros, as hexadecimal digits in lower case.
    """

    def __init__(self, digits: int) -> None:
        """Compute the hashes; `digits` is 64 for SHA-256 and 32 for MD5."""
        algorithm = "sha256" if digits == hashlib.sha256().digest_size * 2 else "md5"
        values = map(str.encode, _empty_values())
        hashes = (hashlib.new(algorithm, value, usedforsecurity=False).hexdigest() for value in values)
        # A device id of only zeros is not a hash, but it identifies no one. Without hyphens, it looks like an MD5.
        self.rows = frozenset(each.encode() for each in (*hashes, "0" * digits))
        self._digits = digits
        self._tables = [(first, _group_table(self.rows, first)) for first in (0, 2, 4)]

    def find(self, rows: bytes, begin: int = 0, width: int = 0) -> list[int]:
        """Return the indices of the rows that are hashes of empty values, in ascending order.

        Args:
            rows: clean rows of equal length.
            begin: the offset of the hash in a row.
            width: the number of bytes in a row; by default one hash and a line feed.
        """
        width = width or self._digits + 1
        count = len(rows) // width
        low_bits = _LOW_BITS if count <= _MAX_MASKED else int.from_bytes(b"\x1f" * count, "little")
        common = -1
        for first, table in self._tables:
            left = int.from_bytes(rows[begin + first :: width], "little")
            right = int.from_bytes(rows[begin + first + 1 :: width], "little")
            pairs = (left & low_bits) << 3 ^ right
            common &= int.from_bytes(pairs.to_bytes(count, "little").translate(table), "little")
        if not common:
            return []
        marks = common.to_bytes(count, "little").translate(_MARK)
        found = []
        index = marks.find(b"\1")
        while index >= 0:
            at = begin + index * width
            if rows[at : at + self._digits] in self.rows:
                found.append(index)
            index = marks.find(b"\1", index + 1)
        return found


_GROUPS = 8  # one bit per group
_MAX_MASKED = 1 << 14  # rows; more than a block has
_LOW_BITS = int.from_bytes(b"\x1f" * _MAX_MASKED, "little")
_MARK = bytes([0, *[1] * 255])


def _pair_key(left: int, right: int) -> int:
    """Combine two ASCII digits into eight bits. `find` does the same for all rows at the same time."""
    return (left & 0x1F) << 3 ^ right


def _group_table(rows: frozenset[bytes], first: int) -> bytes:
    """Return a table that maps a pair of digits to the groups of hashes that have this pair at offset `first`."""
    ordered = sorted(rows, key=lambda row: (_pair_key(row[0], row[1]), row))
    table = bytearray(256)
    for index, row in enumerate(ordered):
        table[_pair_key(row[first], row[first + 1])] |= 1 << index * _GROUPS // len(ordered)
    return bytes(table)


_BY_DIGITS = {digits: EmptyValueHashes(digits) for digits in (64, 32)}


def empty_value_hashes(digits: int) -> EmptyValueHashes:
    """Return the hashes of empty values that have `digits` hexadecimal digits: 64 (SHA-256) or 32 (MD5)."""
    return _BY_DIGITS[digits]
