"""The cleaning of files with columns: several identifiers for one person in each row.

Columns are found by their names in the header, cleaned by the rules for single identifiers, and written under TikTok's
headers in one order. Other columns are left out. Quotes are read as in RFC 4180 and by Python's csv module. A faulty
cell is left empty; a row is rejected only if no identifier is left, or if its number of fields is wrong.

Most blocks are read column by column: split once, checked once for each column, and joined again.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import chain, pairwise
from typing import NamedTuple

from handler import reasons
from handler.cleaning.action_columns import ActionColumns
from handler.cleaning.cells import CellCleaner
from handler.cleaning.column_hints import safe_name
from handler.cleaning.counts import ColumnCounts, Progress, RejectionReason, Tally
from handler.cleaning.empty_values import is_null_marker
from handler.cleaning.file_rules import check_hashed
from handler.cleaning.headers import Layout
from handler.cleaning.lines import cut_at_line_ends
from handler.cleaning.records import UNFINISHED, Record, read_records, split_fields
from handler.cleaning.row_repair import (
    bare,
    is_before_header,
    is_identifier,
    is_row_count,
    is_ruler,
    is_unfinished,
    visible,
)
from handler.cleaning.rows import Block
from handler.cleaning.unchanged import Unchanged

MAX_SHOWN_NAME = 40  # characters
_HASH_DIGITS = (64, 32)  # of SHA-256 and MD5


def clean_columns(chunks: Iterable[bytes], layout: Layout, block_bytes: int, max_record: int) -> Iterator[Block]:
    """Clean a file with columns from its beginning, block by block; its rows do not include the header.

    Args:
        chunks: the whole file, in pieces of any size.
        layout: the columns by the file's header.
        block_bytes: bytes of the file in a block.
        max_record: bytes of the longest row, quoted line breaks included.

    Raises:
        Rejected: a column mixes adds and removes, or holds identifiers that were not hashed.
    """
    progress = Progress(tally=Tally(columns=tuple(ColumnCounts(_shown(column.name)) for column in layout.columns)))
    columns = _Columns(layout, max_record)
    carried = b""
    read = 0
    end = (0, b"")  # stands after the last block, which has at least one byte
    blocks = chain(cut_at_line_ends(chunks, block_bytes, max_record), [end])
    for (size, lines), following in pairwise(blocks):
        read += size
        block_rows = columns.read(carried + lines, progress, last=following is end)
        carried = block_rows.carried
        progress = Progress(read - len(carried), block_rows.line, block_rows.tally)
        yield Block(block_rows.rows, block_rows.accepted, progress)
    columns.check_change_codes()


def _shown(name: str) -> str:
    """Return a column's name as reports and reasons show it: a header of any length must not fill them."""
    return name[:MAX_SHOWN_NAME]


class _Cleaned(NamedTuple):
    """The clean rows of a block, and the unfinished record at its end."""

    rows: bytes
    accepted: int
    line: int
    tally: Tally
    carried: bytes


class _Columns:
    """The columns of one file."""

    def __init__(self, layout: Layout, max_record: int) -> None:
        self._layout = layout
        self._max_record = max_record
        self._unchanged = Unchanged(layout)
        self._actions = ActionColumns(layout.others)
        self._header_ahead = True
        self._header: list[bytes] = []
        self._header_line = 1
        self._first = True  # no row was seen yet

    def read(self, text: bytes, progress: Progress, *, last: bool) -> _Cleaned:
        """Clean the text of a block, which begins with a record."""
        line = progress.next_line
        found = CellCleaner(progress.tally)
        if self._header_ahead:
            skipped, text = self._without_header(text)
            line += skipped
            self._header_line = line - 1
        if unchanged := self._unchanged.filled(text):
            count, filled = unchanged
            found.take(count, filled)
            return _Cleaned(text, count, line + count, found.tally(), b"")
        first = self._layout.columns[0].index
        if (columns := self._split(text)) is not None and self._header[first] not in columns[first]:
            count = len(columns[0])
            rows = self._clean(columns, range(line, line + count), found)
            return _Cleaned(rows, found.accepted, line + count, found.tally(), b"")
        records, line, carried = read_records(text, self._layout.delimiter, line, self._max_record, last=last)
        good = [record for record in records if self._is_row(record, found)]
        columns = [list(cells) for cells in zip(*(record.fields for record in good), strict=True)]
        rows = self._clean(columns, [record.line for record in good], found) if good else b""
        return _Cleaned(rows, found.accepted, line, found.tally(), carried)

    def _without_header(self, text: bytes) -> tuple[int, bytes]:
        lines = text.splitlines(keepends=True)
        for number, line in enumerate(lines, 1):
            if not is_before_header(bare(line.rstrip(b"\r\n"))):
                self._header_ahead = False
                self._header, _, _ = split_fields(visible(line.rstrip(b"\r\n")), self._layout.delimiter)
                rulers = int(number < len(lines) and is_ruler(bare(lines[number].rstrip(b"\r\n"))))
                return number + rulers, b"".join(lines[number + rulers :])
        return len(lines), b""

    def _split(self, text: bytes) -> list[list[bytes]] | None:
        """Return the columns of a block without quotes in which every line has all fields; otherwise None."""
        delimiter, width = self._layout.delimiter, self._layout.width
        if b'"' in text or not text.endswith(b"\n"):
            return None
        if b"\r" in text:
            text = text.replace(b"\r\n", b"\n")
            if b"\r" in text:
                return None
        frame = text.translate(None, self._layout.not_frame)
        if frame != (delimiter * (width - 1) + b"\n") * (len(frame) // width):
            return None
        if text.startswith(b"\n") or b"\n\n" in text:
            return None
        cells = text.replace(b"\n", delimiter).split(delimiter)
        columns = [cells[index:-1:width] for index in range(width)]
        if len(text) > self._max_record and columns[0]:
            longest = sum(max(map(len, columns[index])) for index in self._layout.others)
            if longest > self._max_record // 2:
                return None
        return columns

    def _is_row(self, record: Record, found: CellCleaner) -> bool:
        """Return True if a record has all fields; report it otherwise, unless it is empty or no row of the table."""
        layout = self._layout
        alone = record.fields[0] if len(record.fields) == 1 else b""
        if record.fields == self._header or (alone and is_row_count(bare(alone))):
            return False
        if not record.ended and found.complete:
            cell = record.fields[-1] if record.fields else b""
            digits = next((each.digits for each in layout.columns if each.index == layout.width - 1), 0)
            unfinished = len(record.fields) == layout.width and digits and cell.strip() and is_unfinished(cell, digits)
            if record.fault == UNFINISHED or 0 < len(record.fields) < layout.width or unfinished:
                found.reject_row(record.line, RejectionReason.CUT_OFF)
                return False
        if record.fault is RejectionReason.TOO_LONG:
            found.reject_row(record.line, RejectionReason.TOO_LONG)
            return False
        if not any(map(bare, record.fields)) and record.fault is None:
            return False
        if not record.fault and self._lacks_empty_cells(record.fields):
            record.fields.extend([b""] * (layout.width - len(record.fields)))
        if record.fault or len(record.fields) != layout.width:
            found.reject_row(record.line, RejectionReason.WRONG_NUMBER_OF_FIELDS)
            return False
        found.complete = True
        return True

    def _lacks_empty_cells(self, fields: list[bytes]) -> bool:
        """Return True if only empty cells at the end are missing, as in files of Excel.

        A row that was broken in two or has another delimiter also has too few fields. So those that are there must have
        an identifier, and nothing else where the header names identifiers.
        """
        there = [column for column in self._layout.columns if column.index < len(fields)]
        texts = [(bare(fields[column.index]), column.digits) for column in there]
        filled = [is_identifier(text, digits) for text, digits in texts if text and not is_null_marker(text)]
        return len(fields) < self._layout.width and bool(filled) and all(filled)

    def _clean(self, cells: list[list[bytes]], lines: range | list[int], found: CellCleaner) -> bytes:
        """Clean the identifier columns of neighboring rows, and return the rows under TikTok's headers."""
        self._check_actions(cells)
        if self._first:
            self._first = False
            self._note_hashes(cells, found)
        for index in self._layout.plain:
            if any(text and not is_null_marker(text) for text in map(bare, cells[index])):
                raise reasons.plain_text_column(index + 1)
        cleaned = [
            found.clean_column(number, _shown(column.name), cells[column.index], column.digits, lines)
            for number, column in enumerate(self._layout.columns)
        ]
        for column, identifiers in zip(self._layout.columns, cleaned, strict=True):
            check_hashed(b"".join(identifiers), column.digits, width=column.digits)
        rows = [*map(b",".join, zip(*cleaned, strict=True))]
        empty = b"," * (len(cleaned) - 1)
        if empty in rows:
            found.judge_empty([index for index, row in enumerate(rows) if row == empty], lines)
            rows = [row for row in rows if row != empty]
        found.accepted += len(rows)
        return b"\n".join([*rows, b""])

    def _check_actions(self, cells: list[list[bytes]]) -> None:
        """Refuse a file that mixes adds and removes, in these rows or together with those before.

        A file that continues is read from its beginning, so all rows of a file are looked at, but not those of the
        other files of a list.
        """
        for index in self._actions.columns:
            self._actions.add(index, cells[index])
        if (mixed := self._actions.mixed()) is not None:
            raise reasons.adds_and_removes(f"column {mixed + 1}")

    def check_change_codes(self) -> None:
        """Refuse a file that mixes insertions and deletions by their codes, after all of its rows were read."""
        if (codes := self._actions.change_codes(min_codes=2)) is not None:  # D alone may be Germany
            raise reasons.adds_and_removes(f"column {codes + 1}")

    def _note_hashes(self, cells: list[list[bytes]], found: CellCleaner) -> None:
        """Report the columns of hashes that are left out, so that no identifiers get lost without a word."""
        for index in self._layout.others:
            if _are_hashes(cells[index]):
                name = safe_name(self._layout.names[index].encode()) or f"column {index + 1}"
                found.leave_out(index, self._header_line, name)


def _are_hashes(cells: list[bytes]) -> bool:
    """Return True if all cells that are not empty are hashes of one kind, and there are any."""
    digits = 0
    for text in map(bare, cells):
        if text and not is_null_marker(text):
            digits = digits or len(text)
            if digits not in _HASH_DIGITS or not is_identifier(text, digits):
                return False
    return digits > 0
