"""The rules for one line of text: its repair, its identifier, or its fault; and the header row."""

from __future__ import annotations

import re
from collections import Counter
from typing import NamedTuple

from handler.cleaning.counts import RejectionReason
from handler.cleaning.empty_values import is_null_marker

MAX_LINE = 512  # bytes without trailing spaces; an identifier with spaces and quotes needs 70
LOWER_HEX = b"0123456789abcdef"
HEX = LOWER_HEX + b"ABCDEF"
SPACES = b" \t\x0b\x0c"
DELIMITERS = b",;\t|\x01"  # the last one is Hive's

# Characters that editors and spreadsheets leave behind, in UTF-8: zero-width characters, direction marks, soft hyphens
# and byte order marks have no width; no-break spaces and the like are spaces. Latin-1's no-break space is one byte.
_INVISIBLE = re.compile(rb"\xe2\x80[\x8b-\x8f\xaa-\xae]|\xe2\x81[\xa0-\xa4]|\xef\xbb\xbf|\xc2\xad")
_WIDE_SPACE = re.compile(rb"\xc2\xa0|\xe2\x80[\x80-\x8a\xaf]|\xe2\x81\x9f|\xe3\x80\x80")
_LATIN_SPACE = b"\xa0"
_CONTROL_Z = b"\x1a"  # the end of a file in DOS, also between files that were joined
_QUOTES = (b'"', b"'")
_ENDS = SPACES + DELIMITERS
_EACH_DELIMITER = [bytes([byte]) for byte in DELIMITERS]
_PREFIXES = (b"0", b"\\")
_PREFIX = re.compile(rb"(?:0x|\\\\?x)(?=[0-9a-f])", re.IGNORECASE)  # SQL Server, Postgres
PHONE = re.compile(rb"\+?\(?[0-9][0-9 ()./-]{5,24}")
_DEVICE_ID = re.compile(rb"[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}", re.IGNORECASE)
_LONG_HEX = re.compile(rb"[0-9a-f]{16}", re.IGNORECASE)
_DELIMITER = re.compile(rb"[,;\t|\x01]")
_DELIMITER_LINE = re.compile(rb"sep=[,;\t|]?", re.IGNORECASE)  # for Excel, before the header
_RULER = re.compile(rb"-{2,}(?:[-+ |,;\t]*-)?")
_ROW_COUNT = re.compile(rb"\([0-9]+ rows?(?: affected)?\)")
_UNNAMED = b"0"  # pandas' header of a column without a name
_UNFINISHED = re.compile(rb"([\"']?)(?:0x|\\\\?x?)?([0-9a-f]*)", re.IGNORECASE)


class Header(NamedTuple):
    """A header row.

    Attributes:
        text: the row without what surrounds it.
        ruler: the dashes that psql and others write under it; empty without them.
        delimiter: the byte between names; empty if there is one name only.
        names: the names, cleaned.
    """

    text: bytes
    ruler: bytes
    delimiter: bytes
    names: tuple[bytes, ...]


def visible(line: bytes) -> bytes:
    """Remove characters without width, and turn every kind of space into a plain one."""
    if not line.isascii():
        line = _WIDE_SPACE.sub(b" ", _INVISIBLE.sub(b"", line)).strip(SPACES + _LATIN_SPACE)
    return line.strip(_CONTROL_Z) if _CONTROL_Z in line else line


def bare(line: bytes, *, one_column: bool = True) -> bytes:
    """Remove what surrounds an identifier: spaces, quotes, a prefix of hexadecimal digits, delimiters at the end.

    Args:
        line: a line without its end, or a field of it.
        one_column: False leaves delimiters alone, because the header says that they separate columns.
    """
    ends = _ENDS if one_column else SPACES
    text = visible(line)
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
    """Return True for exactly so many hexadecimal digits, in any case."""
    return len(text) == digits and not text.translate(None, HEX)


def is_header(text: bytes) -> bool:
    """Return True if the first line of a file is a header: in any language, but no identifier and nothing like one."""
    if text == _UNNAMED:
        return True
    if b"@" in text or not text.translate(None, HEX) or _LONG_HEX.search(text):
        return False
    fields = _DELIMITER.split(text)
    return not any(PHONE.fullmatch(field) or _DEVICE_ID.fullmatch(field) for field in map(bare, [text, *fields]))


def is_before_header(text: bytes) -> bool:
    """Return True for a line that may stand before the header: an empty one, or Excel's `sep=;`."""
    return not text or _DELIMITER_LINE.fullmatch(text) is not None


def fault_of(line: bytes, text: bytes, *, one_column: bool = True) -> RejectionReason:
    """Return the fault of a row or a cell that is no identifier.

    Args:
        line: the line as it is in the file.
        text: the line without what surrounds an identifier.
        one_column: False for a cell, in which delimiters do not separate columns.
    """
    if len(line) > MAX_LINE:
        start = line[:MAX_LINE].strip(SPACES)
        several = one_column and start.translate(None, DELIMITERS) != start
        return RejectionReason.MORE_THAN_ONE_COLUMN if several else RejectionReason.TOO_LONG
    if PHONE.fullmatch(text) or _DEVICE_ID.fullmatch(text):
        return RejectionReason.NOT_HASHED
    if not text.translate(None, HEX):
        return RejectionReason.WRONG_LENGTH
    if one_column and text.translate(None, DELIMITERS) != text:
        return RejectionReason.MORE_THAN_ONE_COLUMN
    return RejectionReason.NOT_HASHED if b"@" in text else RejectionReason.NOT_HEX


def is_unfinished(line: bytes, digits: int) -> bool:
    """Return True if a file's last line, which has no line end, is the beginning of a row."""
    unfinished = _UNFINISHED.fullmatch(visible(line).strip(SPACES))
    if not unfinished:
        return False
    quote, found = unfinished.groups()
    return len(found) < digits or (len(found) == digits and bool(quote))


def find_header(head: bytes) -> Header | None:
    """Return the header of a file; None if it has none.

    Args:
        head: the first bytes of the file.
    """
    lines = head.splitlines()
    for number, line in enumerate(lines, 1):
        text = bare(line)
        if is_before_header(text) or is_null_marker(text):
            continue
        delimiter = delimiter_of(text)
        if not is_header(text) or (len(line.rstrip(SPACES)) > MAX_LINE and not delimiter):
            return None
        text = bare(line, one_column=not delimiter)
        ruler = bare(lines[number], one_column=not delimiter) if number < len(lines) else b""
        names = tuple(map(bare, visible(line).split(delimiter))) if delimiter else (text,)
        return Header(text, ruler if is_ruler(ruler) else b"", delimiter, names)
    return None


def is_ruler(text: bytes) -> bool:
    """Return True for dashes as they are written under a header."""
    return _RULER.fullmatch(text) is not None


def is_row_count(text: bytes) -> bool:
    """Return True for the line that psql and SQL Server write after the last row, such as `(0 rows affected)`."""
    return _ROW_COUNT.fullmatch(text) is not None


def delimiter_of(text: bytes) -> bytes:
    """Return the delimiter that occurs most often in a line; empty if none does."""
    counts = Counter({delimiter: text.count(delimiter) for delimiter in _EACH_DELIMITER})
    delimiter, count = counts.most_common(1)[0]
    return delimiter if count else b""
