"""Rules for one line of text: repair a row, find its fault, and recognize header rows and other lines without data."""

from __future__ import annotations

import re
from collections import Counter
from typing import NamedTuple

from handler.cleaning.counts import RejectionReason
from handler.cleaning.empty_values import is_null_marker

MAX_LINE = 512  # bytes, without trailing spaces; an identifier with spaces and quotes has about 70
LOWER_HEX = b"0123456789abcdef"
HEX = LOWER_HEX + b"ABCDEF"
SPACES = b" \t\x0b\x0c"
DELIMITERS = b",;\t|\x01"  # \x01 is the default in Hive

# Characters that editors and spreadsheets leave behind, in UTF-8. Zero-width characters, direction marks, soft hyphens
# and byte order marks are invisible. No-break spaces and similar characters are spaces. Latin-1's no-break space is a
# single byte.
_INVISIBLE = re.compile(rb"\xe2\x80[\x8b-\x8f\xaa-\xae]|\xe2\x81[\xa0-\xa4]|\xef\xbb\xbf|\xc2\xad")
_UNICODE_SPACE = re.compile(rb"\xc2\xa0|\xe2\x80[\x80-\x8a\xaf]|\xe2\x81\x9f|\xe3\x80\x80")
_LATIN1_NO_BREAK_SPACE = b"\xa0"
_CONTROL_Z = b"\x1a"  # end of file in DOS; also occurs in the middle of concatenated files
_QUOTES = (b'"', b"'")
_TRAILING = SPACES + DELIMITERS
_EACH_DELIMITER = [bytes([byte]) for byte in DELIMITERS]
_PREFIXES = (b"0", b"\\")
_PREFIX = re.compile(rb"(?:0x|\\\\?x)(?=[0-9a-f])", re.IGNORECASE)  # SQL Server, Postgres
PHONE = re.compile(rb"\+?\(?[0-9][0-9 ()./-]{5,24}")
_DEVICE_ID = re.compile(rb"[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}", re.IGNORECASE)
_LONG_HEX = re.compile(rb"[0-9a-f]{16}", re.IGNORECASE)
_DELIMITER = re.compile(rb"[,;\t|\x01]")
_DELIMITER_LINE = re.compile(rb"sep=[,;\t|]?", re.IGNORECASE)  # tells Excel the delimiter; precedes the header row
_UNDERLINE = re.compile(rb"-{2,}(?:[-+ |,;\t]*-)?")
_ROW_COUNT = re.compile(rb"\([0-9]+ rows?(?: affected)?\)")
_UNNAMED = b"0"  # header that pandas writes for a column without a name
_CUT_OFF_ROW = re.compile(rb"([\"']?)(?:0x|\\\\?x?)?([0-9a-f]*)", re.IGNORECASE)


class Header(NamedTuple):
    """A header row.

    Attributes:
        text: the row without surrounding spaces and quotes.
        underline: the line of dashes that psql and other tools write below the header; empty if there is none.
        delimiter: the byte between names; empty if there is only one name.
        names: the column names without surrounding spaces and quotes.
    """

    text: bytes
    underline: bytes
    delimiter: bytes
    names: tuple[bytes, ...]


def normalize_spaces(line: bytes) -> bytes:
    """Remove invisible characters and Ctrl-Z at both ends, and replace every kind of Unicode space with a plain space.

    A line with characters outside ASCII also loses its surrounding spaces.
    """
    if not line.isascii():
        line = _UNICODE_SPACE.sub(b" ", _INVISIBLE.sub(b"", line)).strip(SPACES + _LATIN1_NO_BREAK_SPACE)
    return line.strip(_CONTROL_Z) if _CONTROL_Z in line else line


def stripped(line: bytes, *, one_column: bool = True) -> bytes:
    """Remove spaces and quotes around an identifier, a prefix such as `0x`, and trailing delimiters.

    Args:
        line: a line without its line end, or a field.
        one_column: False keeps delimiters, because the header shows that they separate columns.
    """
    ends = _TRAILING if one_column else SPACES
    text = normalize_spaces(line)
    while True:
        shorter = text.lstrip(SPACES).rstrip(ends)
        if len(shorter) > 1 and shorter[:1] in _QUOTES and shorter[0] == shorter[-1]:
            shorter = shorter[1:-1]
        if len(shorter) == len(text):
            break
        text = shorter
    if text[:1] in _PREFIXES and (prefix := _PREFIX.match(text)):
        text = text[prefix.end() :]
    return text


def is_identifier(text: bytes, digits: int) -> bool:
    """Return True if the text consists of exactly `digits` hexadecimal digits, in upper or lower case."""
    return len(text) == digits and not text.translate(None, HEX)


def is_header(text: bytes) -> bool:
    """Return True if the first line of a file is a header row.

    A header can be in any language, so it is any line that does not contain or resemble an identifier.
    """
    if text == _UNNAMED:
        return True
    if b"@" in text or not text.translate(None, HEX) or _LONG_HEX.search(text):
        return False
    fields = _DELIMITER.split(text)
    return not any(PHONE.fullmatch(field) or _DEVICE_ID.fullmatch(field) for field in map(stripped, [text, *fields]))


def may_precede_header(text: bytes) -> bool:
    """Return True if a line can precede the header row: an empty line, or Excel's `sep=;`."""
    return not text or _DELIMITER_LINE.fullmatch(text) is not None


def fault_of(line: bytes, text: bytes, *, one_column: bool = True) -> RejectionReason:
    """Return the fault of a row or cell that is not an identifier.

    Args:
        line: the row or cell as it is in the file.
        text: the row or cell as returned by `stripped`.
        one_column: False for a cell, in which delimiters do not separate columns.
    """
    if len(line) > MAX_LINE:
        start = line[:MAX_LINE].strip(SPACES)
        delimited = one_column and start.translate(None, DELIMITERS) != start
        return RejectionReason.MORE_THAN_ONE_COLUMN if delimited else RejectionReason.TOO_LONG
    if PHONE.fullmatch(text) or _DEVICE_ID.fullmatch(text):
        return RejectionReason.NOT_HASHED
    if not text.translate(None, HEX):
        return RejectionReason.WRONG_LENGTH
    if one_column and text.translate(None, DELIMITERS) != text:
        return RejectionReason.MORE_THAN_ONE_COLUMN
    return RejectionReason.NOT_HASHED if b"@" in text else RejectionReason.NOT_HEX


def is_cut_off(line: bytes, digits: int) -> bool:
    """Return True if the last line of a file, which has no line end, is an incomplete row."""
    match = _CUT_OFF_ROW.fullmatch(normalize_spaces(line).strip(SPACES))
    if not match:
        return False
    quote, found = match.groups()
    return len(found) < digits or (len(found) == digits and bool(quote))


def find_header(head: bytes) -> Header | None:
    """Return the header row of a file; None if it has none.

    Args:
        head: the first bytes of the file.
    """
    lines = head.splitlines()
    for number, line in enumerate(lines, 1):
        text = stripped(line)
        if may_precede_header(text) or is_null_marker(text):
            continue
        delimiter = delimiter_of(text)
        if not is_header(text) or (len(line.rstrip(SPACES)) > MAX_LINE and not delimiter):
            return None
        text = stripped(line, one_column=not delimiter)
        underline = stripped(lines[number], one_column=not delimiter) if number < len(lines) else b""
        names = tuple(map(stripped, normalize_spaces(line).split(delimiter))) if delimiter else (text,)
        return Header(text, underline if is_underline(underline) else b"", delimiter, names)
    return None


def is_underline(text: bytes) -> bool:
    """Return True for a line of dashes, as query tools write it below a header row."""
    return _UNDERLINE.fullmatch(text) is not None


def is_row_count(text: bytes) -> bool:
    """Return True for the line that psql and SQL Server print after the last row, such as `(0 rows affected)`."""
    return _ROW_COUNT.fullmatch(text) is not None


def delimiter_of(text: bytes) -> bytes:
    """Return the delimiter that occurs most often in a line; empty if there is none."""
    counts = Counter({delimiter: text.count(delimiter) for delimiter in _EACH_DELIMITER})
    delimiter, count = counts.most_common(1)[0]
    return delimiter if count else b""
