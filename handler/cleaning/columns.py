"""Cleaning of files with columns: each row has one or more identifiers of one person.

Identifier columns are found by their names in the header row, cleaned by the rules for single identifiers, and written
under TikTok's headers in a fixed order. Other columns are left out. Quotes are read as in RFC 4180 and Python's csv
module. A faulty cell becomes empty. A row is rejected only if it has no valid identifier, has the wrong number of
fields or an unclosed quote, is too long, or is cut off at the end of the file.

Most blocks are processed by column: split once, checked once per column, and joined again.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import chain, pairwise

from handler import reasons
from handler.cleaning.action_columns import ActionColumns
from handler.cleaning.cells import CellCleaner
from handler.cleaning.clean_blocks import CleanBlockDetector
from handler.cleaning.column_hints import safe_name
from handler.cleaning.counts import ColumnCounts, Progress, RejectionReason, Tally
from handler.cleaning.empty_values import is_null_marker
from handler.cleaning.file_rules import check_hashed
from handler.cleaning.headers import Layout
from handler.cleaning.lines import cut_at_line_ends
from handler.cleaning.records import UNCLOSED_QUOTE, Record, read_records, split_fields
from handler.cleaning.row_repair import (
    is_cut_off,
    is_identifier,
    is_row_count,
    is_underline,
    may_precede_header,
    normalize_spaces,
    stripped,
)
from handler.cleaning.rows import Block

MAX_NAME_LENGTH = 40  # characters
_HASH_DIGITS = (64, 32)  # of SHA-256 and MD5


def clean_columns(chunks: Iterable[bytes], layout: Layout, block_bytes: int, max_record: int) -> Iterator[Block]:
    """Clean a file with columns block by block. The rows do not include the header row.

    Args:
        chunks: the entire file, in pieces of any size.
        layout: the columns of the file.
        block_bytes: the block size.
        max_record: the maximum number of bytes in a row, including quoted line breaks.

    Raises:
        Rejected: a column mixes additions and removals, or holds identifiers that are not hashed.
    """
    progress = Progress(tally=Tally(columns=tuple(ColumnCounts(_short_name(column.name)) for column in layout.columns)))
    cleaner = _BlockCleaner(layout, max_record)
    rest = b""  # an incomplete record at the end of the previous block
    read = 0
    end = (0, b"")  # marks the end; it differs from every block, because a block has at least one byte
    blocks = chain(cut_at_line_ends(chunks, block_bytes, max_record), [end])
    for (size, lines), following in pairwise(blocks):
        read += size
        cell_cleaner = CellCleaner(progress.tally)
        rows, line, rest = cleaner.clean(rest + lines, progress.next_line, cell_cleaner, last=following is end)
        progress = Progress(read - len(rest), line, cell_cleaner.tally())
        yield Block(rows, cell_cleaner.accepted, progress)
    cleaner.check_change_codes()


def _short_name(name: str) -> str:
    """Return a column name for reports and reasons, truncated because a name can have any length."""
    return name[:MAX_NAME_LENGTH]


class _BlockCleaner:
    """Cleans the blocks of one file."""

    def __init__(self, layout: Layout, max_record: int) -> None:
        self._layout = layout
        self._max_record = max_record
        self._clean_blocks = CleanBlockDetector(layout)
        self._actions = ActionColumns(layout.left_out)
        self._header_expected = True
        self._header: list[bytes] = []
        self._header_line = 1
        self._no_rows_yet = True

    def clean(self, text: bytes, line: int, cell_cleaner: CellCleaner, *, last: bool) -> tuple[bytes, int, bytes]:
        """Clean the text of a block, which begins at the start of a record.

        Args:
            text: the text of the block.
            line: the number of its first line.
            cell_cleaner: cleans and counts the cells of this block.
            last: True if the file ends with this block.

        Returns:
            The rows under TikTok's headers, without the header row; the number of the next line; and an incomplete
            record at the end of the block.
        """
        if self._header_expected:
            skipped, text = self._without_header(text, line)
            line += skipped
        if counts := self._clean_blocks.count_cells(text):
            count, filled = counts
            cell_cleaner.accept(count, filled)
            return text, line + count, b""
        first = self._layout.columns[0].index
        if (columns := self._split(text)) is not None and self._header[first] not in columns[first]:
            count = len(columns[0])
            return self._clean_rows(columns, range(line, line + count), cell_cleaner), line + count, b""
        records, line, rest = read_records(text, self._layout.delimiter, line, self._max_record, last=last)
        good = [record for record in records if self._is_valid(record, cell_cleaner)]
        columns = [list(cells) for cells in zip(*(record.fields for record in good), strict=True)]
        rows = self._clean_rows(columns, [record.line for record in good], cell_cleaner) if good else b""
        return rows, line, rest

    def _without_header(self, text: bytes, first_line: int) -> tuple[int, bytes]:
        """Return the number of lines up to and including the header row and its underline, and the text after them.

        If the text ends before the header row, return the total number of its lines and an empty text.
        """
        lines = text.splitlines(keepends=True)
        for number, line in enumerate(lines, 1):
            if not may_precede_header(stripped(line.rstrip(b"\r\n"))):
                self._header_expected = False
                self._header_line = first_line + number - 1
                self._header, _, _ = split_fields(normalize_spaces(line.rstrip(b"\r\n")), self._layout.delimiter)
                underlines = int(number < len(lines) and is_underline(stripped(lines[number].rstrip(b"\r\n"))))
                return number + underlines, b"".join(lines[number + underlines :])
        return len(lines), b""

    def _split(self, text: bytes) -> list[list[bytes]] | None:
        """Return the columns of a block; None if its records must be read one by one.

        That is the case if the block has quotes, blank lines, carriage returns without line feeds, lines with the wrong
        number of fields, an incomplete last line, or rows that may be too long.
        """
        delimiter, width = self._layout.delimiter, self._layout.width
        if b'"' in text or not text.endswith(b"\n"):
            return None
        if b"\r" in text:
            text = text.replace(b"\r\n", b"\n")
            if b"\r" in text:
                return None
        frame = text.translate(None, self._layout.cell_bytes)
        if frame != (delimiter * (width - 1) + b"\n") * (len(frame) // width):
            return None
        if text.startswith(b"\n") or b"\n\n" in text:
            return None
        cells = text.replace(b"\n", delimiter).split(delimiter)
        columns = [cells[index:-1:width] for index in range(width)]
        if len(text) > self._max_record and columns[0]:
            longest = sum(max(map(len, columns[index])) for index in self._layout.left_out)
            if longest > self._max_record // 2:
                return None
        return columns

    def _is_valid(self, record: Record, cell_cleaner: CellCleaner) -> bool:
        """Return True if a record is a complete row, and add the empty cells that are missing at its end.

        Any other record is rejected unless it is blank, a repeated header row, or the row count of a query tool.
        """
        layout = self._layout
        only_field = record.fields[0] if len(record.fields) == 1 else b""
        if record.fields == self._header or (only_field and is_row_count(stripped(only_field))):
            return False
        if not record.ended and cell_cleaner.row_seen:
            cell = record.fields[-1] if record.fields else b""
            digits = next((each.digits for each in layout.columns if each.index == layout.width - 1), 0)
            cut_off = len(record.fields) == layout.width and digits and cell.strip() and is_cut_off(cell, digits)
            if record.fault == UNCLOSED_QUOTE or 0 < len(record.fields) < layout.width or cut_off:
                cell_cleaner.reject_row(record.line, RejectionReason.CUT_OFF)
                return False
        if record.fault is RejectionReason.TOO_LONG:
            cell_cleaner.reject_row(record.line, RejectionReason.TOO_LONG)
            return False
        if not any(map(stripped, record.fields)) and record.fault is None:
            return False
        if not record.fault and self._lacks_empty_cells(record.fields):
            record.fields.extend([b""] * (layout.width - len(record.fields)))
        if record.fault or len(record.fields) != layout.width:
            cell_cleaner.reject_row(record.line, RejectionReason.WRONG_NUMBER_OF_FIELDS)
            return False
        cell_cleaner.row_seen = True
        return True

    def _lacks_empty_cells(self, fields: list[bytes]) -> bool:
        """Return True if only empty cells at the end of a row are missing, as in files that Excel writes.

        A row that is split in two or has a different delimiter also has too few fields. So at least one identifier
        column must hold an identifier, and no identifier column may hold anything else.
        """
        present = [column for column in self._layout.columns if column.index < len(fields)]
        texts = [(stripped(fields[column.index]), column.digits) for column in present]
        filled = [is_identifier(text, digits) for text, digits in texts if text and not is_null_marker(text)]
        return len(fields) < self._layout.width and bool(filled) and all(filled)

    def _clean_rows(self, columns: list[list[bytes]], lines: range | list[int], cell_cleaner: CellCleaner) -> bytes:
        """Clean the identifier columns of some rows, and return the rows under TikTok's headers."""
        self._check_actions(columns)
        if self._no_rows_yet:
            self._no_rows_yet = False
            self._report_left_out_hashes(columns, cell_cleaner)
        for index in self._layout.plain_text:
            if any(text and not is_null_marker(text) for text in map(stripped, columns[index])):
                raise reasons.plain_text_column(index + 1)
        cleaned = [
            cell_cleaner.clean_column(number, _short_name(column.name), columns[column.index], column.digits, lines)
            for number, column in enumerate(self._layout.columns)
        ]
        for column, identifiers in zip(self._layout.columns, cleaned, strict=True):
            check_hashed(b"".join(identifiers), column.digits, width=column.digits)
        rows = [*map(b",".join, zip(*cleaned, strict=True))]
        empty = b"," * (len(cleaned) - 1)
        if empty in rows:
            cell_cleaner.count_empty_rows([index for index, row in enumerate(rows) if row == empty], lines)
            rows = [row for row in rows if row != empty]
        cell_cleaner.accepted += len(rows)
        return b"\n".join([*rows, b""])

    def _check_actions(self, columns: list[list[bytes]]) -> None:
        """Reject a file that mixes additions and removals in the rows so far.

        Reading of a file with columns always starts at its beginning, so all of its rows are examined. Other files of
        the same list are not.
        """
        for index in self._actions.columns:
            self._actions.add(index, columns[index])
        if (mixed := self._actions.mixed()) is not None:
            raise reasons.adds_and_removes(f"column {mixed + 1}")

    def check_change_codes(self) -> None:
        """Reject a file with change codes for deletions and for other changes, after all of its rows were read."""
        # A column that holds only D may contain country codes instead of deletions.
        if (column := self._actions.change_codes(min_codes=2)) is not None:
            raise reasons.adds_and_removes(f"column {column + 1}")

    def _report_left_out_hashes(self, columns: list[list[bytes]], cell_cleaner: CellCleaner) -> None:
        """Report each column of hashes that is left out, so that users know which identifiers are not sent."""
        for index in self._layout.left_out:
            if _are_hashes(columns[index]):
                name = safe_name(self._layout.names[index].encode()) or f"column {index + 1}"
                cell_cleaner.report_left_out_column(index, self._header_line, name)


def _are_hashes(cells: list[bytes]) -> bool:
    """Return True if all cells with a value are hashes of the same length, and at least one cell has a value."""
    digits = 0
    for text in map(stripped, cells):
        if text and not is_null_marker(text):
            digits = digits or len(text)
            if digits not in _HASH_DIGITS or not is_identifier(text, digits):
                return False
    return digits > 0
