"""Uploaded files at the emulated TikTok: which people their rows name, and which rows are faulty."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass, field
from functools import cached_property

from sandbox.tiktok.people import MULTIPLE_TYPES, WIDTHS, Identifiers, People, PersonRows

_HEX = b"0123456789abcdefABCDEF"
_BOM = b"\xef\xbb\xbf"
_HEADER = re.compile(rb"[A-Za-z][A-Za-z0-9 _.,\"-]*")
_MAX_SAME_HEADER = 3
_SHA256, _MD5 = re.compile(r"[0-9a-f]{64}"), re.compile(r"[0-9a-f]{32}")
# Headers of a MULTIPLE_TYPES file, in lower case, from TikTok's portal page "Create a Customer File Audience".
_COLUMNS = {
    "maid": re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}"),
    "phone_sha256": _SHA256,
    "email_sha256": _SHA256,
    "maid_sha256": _SHA256,
    "maid_md5": _MD5,
}


@dataclass(frozen=True)
class Rows:
    """The content of a file.

    Attributes:
        people: whom its rows name.
        faults: kind of fault -> rows that have it. Kinds are `bom`, `header`, `blank_line`, `crlf`, `not_hex` and
            `wrong_length`; with columns also `field_count`, `empty_field`, `no_identifier` and `not_identifier`.
    """

    people: People
    faults: Counter[str]


@dataclass
class UploadedFile:
    """A file behind a `file_path`.

    Attributes:
        content: empty once its rows have been read.
        accepts_empty_fields: as the setting was at its upload.
    """

    calculate_type: str
    content: bytes = field(repr=False)
    accepts_empty_fields: bool

    @cached_property
    def rows(self) -> Rows:
        """Its rows, which are read at the end of the first change with it."""
        data, self.content = self.content, b""
        if self.calculate_type == MULTIPLE_TYPES:
            return read_columns(data, accepts_empty_fields=self.accepts_empty_fields)
        return read_identifiers(data, WIDTHS[self.calculate_type])


def read_identifiers(data: bytes, width: int) -> Rows:
    """Read a file with one hash of `width` bytes per line; the last line may lack its line feed.

    TikTok does not say what it does with anything else, so every other row counts as faulty.
    """
    whole, length = data.removesuffix(b"\n"), 2 * width
    rows, rest = divmod(len(whole) + 1, length + 1)
    # A clean file, the usual case, is checked at once.
    if not rest and whole[length :: length + 1] == whole.translate(None, _HEX) == b"\n" * (rows - 1):
        return Rows(Identifiers.of(width, bytes.fromhex(whole.decode("ascii"))), Counter())
    lines = whole.split(b"\n") if data else []
    faults = [_line_fault(line, length, first=number == 0) for number, line in enumerate(lines)]
    good = b"".join(line for line, fault in zip(lines, faults, strict=True) if not fault)
    return Rows(Identifiers.of(width, bytes.fromhex(good.decode("ascii"))), Counter(filter(None, faults)))


def read_columns(data: bytes, *, accepts_empty_fields: bool) -> Rows:
    """Read a MULTIPLE_TYPES file: a header row, then rows with as many comma-separated fields as the header.

    A header may occur up to three times. Quotes, spaces and other delimiters are faults.
    """
    header, *lines = data.removesuffix(b"\n").split(b"\n")
    names = header.decode("latin-1").lower().split(",")
    if not set(names) <= _COLUMNS.keys() or max(Counter(names).values()) > _MAX_SAME_HEADER:
        return Rows(PersonRows(), Counter({"bom" if header.startswith(_BOM) else "header": 1}))
    rows: set[str] = set()
    faults: Counter[str] = Counter()
    for line in lines:
        fields = line.decode("latin-1").lower().split(",")
        fault = _row_fault(line, names, fields, accepts_empty_fields=accepts_empty_fields)
        if fault:
            faults[fault] += 1
        else:
            filled = (f"{name}={value}" for name, value in zip(names, fields, strict=True) if value)
            rows.add(",".join(sorted(filled)))
    return Rows(PersonRows(rows), faults)


def _line_fault(line: bytes, length: int, *, first: bool) -> str | None:
    if first and line.startswith(_BOM):
        return "bom"
    if b"\r" in line:
        return "crlf"
    if not line.strip():
        return "blank_line"
    if line.translate(None, _HEX):
        return "header" if first and _HEADER.fullmatch(line) else "not_hex"
    return None if len(line) == length else "wrong_length"


def _row_fault(line: bytes, names: list[str], fields: list[str], *, accepts_empty_fields: bool) -> str | None:
    if b"\r" in line:
        return "crlf"
    if not line.strip():
        return "blank_line"
    if len(fields) != len(names):
        return "field_count"
    if not any(fields):
        return "no_identifier"
    if not accepts_empty_fields and not all(fields):
        return "empty_field"
    valid = all(_COLUMNS[name].fullmatch(value) for name, value in zip(names, fields, strict=True) if value)
    return None if valid else "not_identifier"
