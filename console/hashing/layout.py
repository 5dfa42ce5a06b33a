"""The layout of a text file: its delimiter, its header, and where its records end."""

from __future__ import annotations

import csv
import io
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

from console.hashing.values import DEVICE_ID, bare, email_in, hash_in, is_nothing, phone_in

DELIMITERS = ",;\t|"
SAMPLE_RECORDS = 1000
MAX_RECORD_BYTES = 1 << 17  # a quoted field that goes on for longer is a stray quote
_EXCEL_SEPARATOR = re.compile(rb'"?sep=([,;\t|])"?\r?\n', re.IGNORECASE)
_MANY_DIGITS = re.compile(r"[0-9]{5}")
_WORD = re.compile(r"[^\W\d_]{3}")  # a name may have digits too: `segment_20260131`
_LINE_END = re.compile(r"\r\n|\r|\n")
csv.field_size_limit((1 << 31) - 1)


@dataclass(frozen=True)
class FileLayout:
    """The layout of a file.

    Attributes:
        delimiter: None for a file of one column.
        header: names of the columns; None if the first line is data.
        sample: the first records below the header, as text.
        skipped_bytes: Excel's `sep=;` line, which is no record.
    """

    delimiter: str | None
    header: tuple[str, ...] | None
    sample: list[list[str]]
    skipped_bytes: int = 0

    @property
    def width(self) -> int:
        """Number of columns."""
        return max((len(record) for record in self.sample), default=len(self.header or ()))

    def name(self, column: int) -> str:
        """Return the name of a column for people: from the header, or its number."""
        if self.header and column < len(self.header) and self.header[column]:
            return self.header[column]
        return f"column {column + 1}"


def detect(head: bytes, encoding: str, *, complete: bool) -> FileLayout:
    """Find the layout of a file from its first bytes.

    Args:
        head: the first bytes, in `encoding`.
        encoding: `utf-8` or `cp1252`.
        complete: `head` is the whole file; otherwise its last, unfinished record is left out.
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
    header = tuple(bare(cell) for cell in records[0]) if records and _is_header(records[0]) else None
    return FileLayout(delimiter, header, records[1:] if header else records, skipped)


def last_record_end(data: bytes, delimiter: bytes) -> int:
    """Return where the last whole record ends, or 0 if none does. `data` begins at a record.

    A quoted field may hold line ends. A quote opens a field only at its beginning; elsewhere it stands for itself.
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
    """Yield the records of a text; one column if there is no delimiter."""
    if delimiter is None:
        yield from ([line] for line in _LINE_END.split(text))
        return
    yield from csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)


def _delimiter(text: str) -> str | None:
    """Return the delimiter that cuts most records into the same number of columns, at least two.

    Where several do, as in `a@example.com;12,50`, the one with addresses between its cuts.
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
        addresses = sum("@" in cell and bool(email_in(bare(cell))) for record in found for cell in record)
        score = (count / len(found), addresses, width)
        if width > 1 and score > best:
            best, chosen = score, delimiter
    return chosen


def _is_header(record: list[str]) -> bool:
    """Return whether a first record names columns: words, and nothing that looks like data."""
    cells = [bare(cell) for cell in record]
    if not any(any(character.isalpha() for character in cell) and not is_nothing(cell) for cell in cells):
        return False
    return not any(
        "@" in cell
        or (_MANY_DIGITS.search(cell) and (phone_in(cell) or not _WORD.search(cell)))
        or hash_in(cell)
        or DEVICE_ID.fullmatch(cell.lower())
        for cell in cells
    )
