"""Rows that stand for nobody: NULL markers, and hashes of nothing.

Tools that hash a missing value produce valid-looking rows, thousands of times the same: the hash of an empty string, of
"null", of the column's own name, or of the all-zero device id of people who refuse tracking. Zeros alone count too.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable

# What tools write for a missing value, in lower case; documented by Snowflake, Hive, pandas, R, Excel and others.
_MARKERS = r"\n null (null) <null> [null] none nan nat na n/a #n/a <na> nil undefined"
NULL_MARKERS = frozenset(_MARKERS.encode().split())
_MIXED_CASE = r"\N NaN NaT N/A #N/A <NA>"
# Placeholders that people and tools write into a cell, and the text of a phone number whose parts are missing.
_PLACEHOLDERS = "- 0 unknown Unknown UNKNOWN (blank) + +nan +NaN +None +null +NULL"
# Names of columns as exporters write them; the last four are for columns without an alias.
_COLUMNS = """
    email Email phone Phone mobile idfa gaid aaid maid adid device_id phone_number email_address hashed_email
    hashed_phone email_hash phone_hash email_sha256 phone_sha256 idfa_sha256 gaid_sha256 maid_sha256 first_sha256
    idfa_md5 gaid_md5 maid_md5 first_md5 hash value E-Mail _col0 _c0 f0_ ?column?
"""
_COLUMNS_WITH_SPACES = ("Email Address", "Phone Number", "(No column name)")
_ZERO_IDS = ("00000000-0000-0000-0000-000000000000", "0" * 32)


def _values() -> Iterable[str]:
    yield from ("", " ", "\u00a0", "\n", "\r", "\r\n", *_MIXED_CASE.split(), *_PLACEHOLDERS.split())
    yield from (*_COLUMNS_WITH_SPACES, *_ZERO_IDS)
    for text in _MARKERS.split():
        yield from (text, text.upper(), text.capitalize())
    for text in _COLUMNS.split():
        yield from (text, text.upper())


def is_null_marker(bare: bytes) -> bool:
    r"""Return True if a line without its quotes and spaces stands for a missing value.

    Example:
        >>> is_null_marker(rb"\N"), is_null_marker(b"nan"), is_null_marker(b"anna")
        (True, True, False)
    """
    return bare.lower() in NULL_MARKERS


class EmptyValueHashes:
    """The hashes of nothing of one length, and a fast exact search for them.

    Looking up every row in a set would cost two thirds of the time of its MD5. So the search first compares three pairs
    of digits of all rows at once: strided slices become big integers, each pair of digits one byte, and a table gives
    each byte the groups of hashes that have this pair. Only the few rows with a group in common are looked up.
    """

    def __init__(self, digits: int) -> None:
        """Compute the hashes; `digits` is 64 for SHA-256 and 32 for MD5."""
        algorithm = "sha256" if digits == hashlib.sha256().digest_size * 2 else "md5"
        hashes = (hashlib.new(algorithm, value.encode(), usedforsecurity=False).hexdigest() for value in _values())
        # A device id of only zeros is no hash, but stands for nobody either. Without hyphens it looks like an MD5.
        self.rows = frozenset(each.encode() for each in (*hashes, "0" * digits))
        self._digits = digits
        self._tables = [(first, _groups(self.rows, first)) for first in (0, 2, 4)]

    def find(self, rows: bytes, begin: int = 0, width: int = 0) -> list[int]:
        """Return the indices of the hashes of nothing among clean rows, in order.

        Args:
            rows: rows of the same length.
            begin: the position of the hash in a row.
            width: bytes of a row; those of a hash and a line feed if left out.
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


_GROUPS = 8  # one bit each
_MAX_MASKED = 1 << 14  # rows; more than a block has
_LOW_BITS = int.from_bytes(b"\x1f" * _MAX_MASKED, "little")
_MARK = bytes([0, *[1] * 255])


def _key(left: int, right: int) -> int:
    """Combine two ASCII digits in eight bits; `find` does the same for all rows at once."""
    return (left & 0x1F) << 3 ^ right


def _groups(rows: frozenset[bytes], first: int) -> bytes:
    """Return the table from the key of two digits to the groups of hashes that have them at a place."""
    ordered = sorted(rows, key=lambda row: (_key(row[0], row[1]), row))
    table = bytearray(256)
    for index, row in enumerate(ordered):
        table[_key(row[first], row[first + 1])] |= 1 << index * _GROUPS // len(ordered)
    return bytes(table)


_BY_DIGITS = {digits: EmptyValueHashes(digits) for digits in (64, 32)}


def empty_value_hashes(digits: int) -> EmptyValueHashes:
    """Return the hashes of nothing with so many hexadecimal digits, 64 or 32."""
    return _BY_DIGITS[digits]
