"""Parser for delimited text: splits lines into records and fields, with quoting as in RFC 4180 and Python's csv module.

A quote opens only at the beginning of a field. A quoted field can contain delimiters, doubled quotes and line breaks.
"""

from __future__ import annotations

from itertools import accumulate
from typing import Final, NamedTuple

from handler.cleaning.counts import RejectionReason

UNCLOSED_QUOTE: Final = "unclosed_quote"


class Record(NamedTuple):
    """One row.

    Attributes:
        line: the number of its first line.
        fields: its fields without quotes.
        fault: the reason why the row cannot be split into fields; None if it can.
        ended: False if the row is the last one of the file and has no line end.
    """

    line: int
    fields: list[bytes]
    fault: str | None = None
    ended: bool = True


def read_records(
    text: bytes, delimiter: bytes, line: int, max_record: int, *, last: bool
) -> tuple[list[Record], int, bytes]:
    """Split lines into records.

    A line with an open quote and the lines after it, up to the closing quote, form one record. If there is no closing
    quote within `max_record` bytes, or a quote is misplaced, only the first line is faulty, so that a stray quote does
    not consume valid rows.

    Args:
        text: complete lines; only the last line of the file can lack a line end.
        delimiter: the byte between fields.
        line: the number of the first line.
        max_record: the maximum number of bytes in a record.
        last: True if the file ends with these lines.

    Returns:
        The records, the number of the line after them, and the rest of the text: a record with an open quote that may
        continue in the next block.
    """
    if b"\n" not in text:
        text = text.replace(b"\r", b"\n")
    lines = text.splitlines(keepends=True)
    quotes = _OpenQuotes(lines, delimiter, max_record)
    records: list[Record] = []
    at = 0
    while at < len(lines):
        content = lines[at].rstrip(b"\r\n")
        ended = len(content) < len(lines[at])
        if len(content) > max_record:
            records.append(Record(line + at, [], RejectionReason.TOO_LONG, ended))
            at += 1
            continue
        fields, open_quote, well_formed = split_fields(content, delimiter)
        line_count = 1
        if open_quote:
            joined, line_count = quotes.join(at) if well_formed else (None, 1)
            if joined is None and line_count == 0 and not last:
                return records, line + at, b"".join(lines[at:])
            fields, line_count = (joined, line_count) if joined is not None else ([], 1)
            fault = None if joined is not None else UNCLOSED_QUOTE
            records.append(Record(line + at, fields, fault, lines[at + line_count - 1].endswith((b"\n", b"\r"))))
        else:
            records.append(Record(line + at, fields, None, ended))
        at += line_count
    return records, line + at, b""


class _OpenQuotes:
    """Finds the line that closes a quote, and examines each line only once.

    A line after an open quote begins inside the quote, whichever line opened it. So a line that keeps one quote open
    keeps every other quote open. Without this shortcut, each line that opens a quote would be followed for `max_record`
    bytes, which would take minutes for one block.
    """

    def __init__(self, lines: list[bytes], delimiter: bytes, max_record: int) -> None:
        self._lines = lines
        self._delimiter = delimiter
        self._max_record = max_record
        self._line_starts = [0, *accumulate(map(len, lines))]
        self._next = 0  # next line to examine; no line between the last open quote and this line closes it

    def join(self, at: int) -> tuple[list[bytes] | None, int]:
        """Return the fields of a record that spans several lines, and its number of lines.

        The fields are None if a quote is misplaced, or if the quote is not closed within `max_record` bytes. They are
        also None if no line up to the last one closes the quote; the number of lines is then 0, because the record may
        continue in the next block.
        """
        for end in range(max(at + 1, self._next), len(self._lines)):
            self._next = end
            if self._line_starts[end + 1] - self._line_starts[at] > self._max_record:
                return None, 1
            line = self._lines[end]
            if b'"' not in line:
                continue
            # The line continues a quoted field. Without the line feed, a quote at its start would look doubled.
            _, open_quote, well_formed = split_fields(b'"\n' + line.rstrip(b"\r\n"), self._delimiter)
            if not well_formed:
                return None, 1
            if not open_quote:
                record = b"".join(self._lines[at : end + 1]).rstrip(b"\r\n")
                return split_fields(record, self._delimiter)[0], end + 1 - at
        self._next = max(self._next, len(self._lines))
        return None, 0


def split_fields(line: bytes, delimiter: bytes) -> tuple[list[bytes], bool, bool]:
    """Split a record into fields.

    Returns:
        The fields; True if a quote is still open at the end; True if every closing quote is at the end of its field.
    """
    if b'"' not in line:
        return line.split(delimiter), False, True
    fields: list[bytes] = []
    at, well_formed = 0, True
    while True:
        quoted = b""
        if line.startswith(b'"', at):
            end = at + 1
            while (quote := line.find(b'"', end)) >= 0 and line.startswith(b'"', quote + 1):
                end = quote + 2
            if quote < 0:
                return fields, True, well_formed
            quoted = line[at + 1 : quote].replace(b'""', b'"')
            at = quote + 1
        end = line.find(delimiter, at)
        rest = line[at:end] if end >= 0 else line[at:]
        well_formed &= not (quoted and rest.strip())
        fields.append(quoted + rest)
        if end < 0:
            return fields, False, well_formed
        at = end + 1
