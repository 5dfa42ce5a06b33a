"""Detection of the layout of a text file: delimiter, header, and the ends of records."""

from __future__ import annotations

import csv
import io
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

from console.hashing.values import DEVICE_ID, extract_email, extract_hash, extract_phone, is_empty_value, stripped

DELIMITERS = ",;\t|"
SAMPLE_RECORDS = 1000
MAX_RECORD_BYTES = 1 << 17  # in a longer quoted field, the opening quote is treated as a stray quote
_EXCEL_SEPARATOR = re.compile(rb'"?sep=([,;\t|])"?\r?\n', re.IGNORECASE)
_MANY_DIGITS = re.compile(r"[0-9]{5}")
_WORD = re.compile(r"[^\W\d_]{3}")  # a column name may also contain digits: `segment_20260131`
_LINE_END = re.compile(r"\r\n|\r|\n")
csv.field_size_limit((1 << 31) - 1)


@dataclass(frozen=True)
class FileLayout:
    """The layout of a file.

    Attributes:
        delimiter: the delimiter; None for a file with one column.
        header: the names of the columns; None if the first line is data.
        sample: the first records after the header, about 1,000 at most.
        skipped_bytes: the length of Excel's `sep=;` line, which is not a record; 0 if there is none.
    """

    delimiter: str | None
    header: tuple[str, ...] | None
    sample: list[list[str]]
    skipped_bytes: int = 0

    @property
    def width(self) -> int:
        """The number of columns."""
        return max((len(record) for record in self.sample), default=len(self.header or ()))

    def name(self, column: int) -> str:
        """Return the name of a column for messages: from the header, or `column` and its number."""
        if self.header and column < len(self.header) and self.header[column]:
            return self.header[column]
        return f"column {column + 1}"


def detect(head: bytes, encoding: str, *, complete: bool) -> FileLayout:
    """Detect the layout of a file from its first bytes.

    Args:
        head: the first bytes of the text.
        encoding: the encoding of `head`: `utf-8` or `cp1252`.
        complete: True if `head` is the entire file. Otherwise the last, incomplete record is ignored.
    """
    skipped = 0
    delimiter: str | None = None
    if separator := _EXCEL_SEPARATOR.match(head):
        skipped, delimiter = separator.end(), separator[1].decode()
        head = head[skipped:]
    if not complete:
        head = head[: last_record_end(head, (delimiter or ",").encode()) or len(head)]
    text = head.decode(encoding, errors="replace")
    delimiter = delimiter or _delimiter(text)
    records = list(_first_records(text, delimiter))
    header = tuple(stripped(cell) for cell in records[0]) if records and _is_header(records[0]) else None
    return FileLayout(delimiter, header, records[1:] if header else records, skipped)


def last_record_end(data: bytes, delimiter: bytes) -> int:
    """Return the end of the last complete record, or 0 if there is none. `data` begins with a record.

    A quoted field may contain line ends. Only a quote at the start of a field opens a quoted field; any other quote is
    an ordinary character.
    """
    end = data.rfind(b"\n") + 1 or data.rfind(b"\r", 0, len(data) - 1) + 1
    if data.count(b'"', 0, end) % 2 == 0:
        return end
    quoted = re.compile(rb"(?:\A|(?<=[\r\n" + re.escape(delimiter) + rb']))"(?:[^"]|"")*+("|\Z)')
    fields = [(match.start(), match.end(), match[1]) for match in quoted.finditer(data[:end])]
    if not fields or fields[-1][2]:
        return end
    open_at = at = fields.pop()[0]
    while at:
        at = max(data.rfind(b"\n", 0, at), data.rfind(b"\r", 0, at)) + 1
        while fields and fields[-1][0] >= at:
            fields.pop()
        if not (fields and fields[-1][1] > at):
            break
        at = fields.pop()[0]
    if at or len(data) - open_at < MAX_RECORD_BYTES:
        return at
    return data.find(b"\n") + 1


def _first_records(text: str, delimiter: str | None) -> Iterator[list[str]]:
    found = 0
    for record in records(text, delimiter):
        if not any(record):
            continue
        yield record
        found += 1
        if found > SAMPLE_RECORDS:
            return


def records(text: str, delimiter: str | None) -> Iterator[list[str]]:
    """Yield the records of a text. Without a delimiter, each line is a record with one field."""
    if delimiter is None:
        yield from ([line] for line in _LINE_END.split(text))
        return
    yield from csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)


def _delimiter(text: str) -> str | None:
    """Return the delimiter that splits most records, at least half, into the same number of columns, at least two.

    If several delimiters do so for the same share of records, as in `a@example.com;12,50`, return the one that yields
    the most email addresses, and then the most columns. Return None if no delimiter fits.
    """
    best: tuple[float, int, int] = (0.5, 0, 1)
    chosen = None
    for delimiter in DELIMITERS:
        if delimiter not in text:
            continue
        found = list(_first_records(text, delimiter))
        if not found:
            continue
        (width, count), *_ = Counter(map(len, found)).most_common(1)
        addresses = sum("@" in cell and bool(extract_email(stripped(cell))) for record in found for cell in record)
        score = (count / len(found), addresses, width)
        if width > 1 and score > best:
            best, chosen = score, delimiter
    return chosen


def _is_header(record: list[str]) -> bool:
    """Return whether the first record is a header: a cell contains letters, and no cell looks like data."""
    cells = [stripped(cell) for cell in record]
    if not any(any(character.isalpha() for character in cell) and not is_empty_value(cell) for cell in cells):
        return False
    return not any(
        "@" in cell
        or (_MANY_DIGITS.search(cell) and (extract_phone(cell) or not _WORD.search(cell)))
        or extract_hash(cell)
        or DEVICE_ID.fullmatch(cell.lower())
        for cell in cells
    )
