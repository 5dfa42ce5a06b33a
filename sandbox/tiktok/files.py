"""Uploaded files at the emulated TikTok: the people in their rows, and the invalid rows."""

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
# The headers of a MULTIPLE_TYPES file, in lower case, from TikTok's portal page "Create a Customer File Audience".
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
        people: the people in the valid rows.
        faults: kind of fault -> the number of rows. All files: `bom`, `header`, `blank_line`, `crlf`. Without columns:
            `not_hex`, `wrong_length`. With columns: `field_count`, `empty_field`, `no_identifier`, `not_identifier`.
    """

    people: People
    faults: Counter[str]


@dataclass
class UploadedFile:
    """An uploaded file, to which a `file_path` refers.

    Attributes:
        content: the content, which is empty after the rows have been read.
        accepts_empty_fields: the setting at the time of the upload.
    """

    calculate_type: str
    content: bytes = field(repr=False)
    accepts_empty_fields: bool

    @cached_property
    def rows(self) -> Rows:
        """The rows, which are read when the first change with this file ends."""
        data, self.content = self.content, b""
        if self.calculate_type == MULTIPLE_TYPES:
            return read_columns(data, accepts_empty_fields=self.accepts_empty_fields)
        return read_identifiers(data, WIDTHS[self.calculate_type])


def read_identifiers(data: bytes, width: int) -> Rows:
    """Read a file with one hash of `width` bytes per line. The line feed at the end is optional.

    TikTok does not document how it treats other rows, so all of them count as faulty.
    """
    content, length = data.removesuffix(b"\n"), 2 * width
    rows, rest = divmod(len(content) + 1, length + 1)
    # A file without faults, which is the usual case, is checked as a whole.
    if not rest and content[length :: length + 1] == content.translate(None, _HEX) == b"\n" * (rows - 1):
        return Rows(Identifiers.of(width, bytes.fromhex(content.decode("ascii"))), Counter())
    lines = content.split(b"\n") if data else []
    faults = [_line_fault(line, length, first=number == 0) for number, line in enumerate(lines)]
    good = b"".join(line for line, fault in zip(lines, faults, strict=True) if not fault)
    return Rows(Identifiers.of(width, bytes.fromhex(good.decode("ascii"))), Counter(filter(None, faults)))


def read_columns(data: bytes, *, accepts_empty_fields: bool) -> Rows:
    """Read a MULTIPLE_TYPES file: a header row, then rows with the same number of comma-separated fields.

    A column can occur up to three times. Quotes, spaces and other delimiters are faults.
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
