"""Records of delimited text: lines split into fields, quotes as in RFC 4180 and as Python's csv module reads them.

A quote opens only at the beginning of a field. A quoted field may hold delimiters, doubled quotes and line breaks.
"""

from __future__ import annotations

from itertools import accumulate
from typing import Final, NamedTuple

from handler.cleaning.counts import RejectionReason

UNFINISHED: Final = "unfinished"  # a quote that is opened and never closed


class Record(NamedTuple):
    """One row.

    Attributes:
        line: the number of its first line.
        fields: its fields without quotes.
        fault: the reason why its fields cannot be told apart; None if they can.
        ended: False for the last row of a file without a line end.
    """

    line: int
    fields: list[bytes]
    fault: str | None = None
    ended: bool = True


def read_records(
    text: bytes, delimiter: bytes, line: int, max_record: int, *, last: bool
) -> tuple[list[Record], int, bytes]:
    """Split lines into records.

    A line with an open quote is read together with the lines after it up to the closing quote. If there is none within
    `max_record` bytes, or the quotes do not add up, only that line is faulty: a stray quote must not swallow good rows.

    Args:
        text: whole lines; only the last one of the file can lack its line end.
        delimiter: the byte between fields.
        line: the number of the first line.
        max_record: bytes of the longest record.
        last: True if the file ends with these lines.

    Returns:
        The records, the number of the line after them, and the text from an open quote on that may continue after
        these lines.
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
        fields, open_quote, tidy = split_fields(content, delimiter)
        taken = 1
        if open_quote:
            joined, taken = quotes.join(at) if tidy else (None, 1)
            if joined is None and taken == 0 and not last:
                return records, line + at, b"".join(lines[at:])
            fields, taken = (joined, taken) if joined is not None else ([], 1)
            fault = None if joined is not None else UNFINISHED
            records.append(Record(line + at, fields, fault, lines[at + taken - 1].endswith((b"\n", b"\r"))))
        else:
            records.append(Record(line + at, fields, None, ended))
        at += taken
    return records, line + at, b""


class _OpenQuotes:
    """Finds the line that closes a quote, and looks at each line once.

    A line after an open quote begins inside it, whichever line opened it. So a line that leaves one quote open leaves
    every other one open too. Without this, lines that each open a quote would all be followed for `max_record` bytes,
    which took minutes for a block.
    """

    def __init__(self, lines: list[bytes], delimiter: bytes, max_record: int) -> None:
        self._lines = lines
        self._delimiter = delimiter
        self._max_record = max_record
        self._begins = [0, *accumulate(map(len, lines))]
        self._next = 0  # all lines between the last open quote and this one leave it open

    def join(self, at: int) -> tuple[list[bytes] | None, int]:
        """Return the fields of a record that spans lines, and how many; no lines if it goes on after the last one."""
        for end in range(max(at + 1, self._next), len(self._lines)):
            self._next = end
            if self._begins[end + 1] - self._begins[at] > self._max_record:
                return None, 1
            line = self._lines[end]
            if b'"' not in line:
                continue
            # The quoted text is not empty: the line feed stands for the end of the line before.
            _, open_quote, tidy = split_fields(b'"\n' + line.rstrip(b"\r\n"), self._delimiter)
            if not tidy:
                return None, 1
            if not open_quote:
                record = b"".join(self._lines[at : end + 1]).rstrip(b"\r\n")
                return split_fields(record, self._delimiter)[0], end + 1 - at
        self._next = max(self._next, len(self._lines))
        return None, 0


def split_fields(line: bytes, delimiter: bytes) -> tuple[list[bytes], bool, bool]:
    """Split a record into fields.

    Returns:
        The fields; True if a quote is still open at the end; True if every closing quote ends its field.
    """
    if b'"' not in line:
        return line.split(delimiter), False, True
    fields: list[bytes] = []
    at, tidy = 0, True
    while True:
        quoted = b""
        if line.startswith(b'"', at):
            end = at + 1
            while (quote := line.find(b'"', end)) >= 0 and line.startswith(b'"', quote + 1):
                end = quote + 2
            if quote < 0:
                return fields, True, tidy
            quoted = line[at + 1 : quote].replace(b'""', b'"')
            at = quote + 1
        end = line.find(delimiter, at)
        rest = line[at:end] if end >= 0 else line[at:]
        tidy &= not (quoted and rest.strip())
        fields.append(quoted + rest)
        if end < 0:
            return fields, False, tidy
        at = end + 1
