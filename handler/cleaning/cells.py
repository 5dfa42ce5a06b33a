"""Cleaning of the cells in identifier columns, with the counts and rejections of one block."""

from __future__ import annotations

from collections import Counter

from handler.cleaning.counts import MAX_REJECTIONS, Rejection, RejectionReason, Tally
from handler.cleaning.empty_values import empty_value_hashes, is_null_marker
from handler.cleaning.row_repair import LOWER_HEX, fault_of, is_identifier, stripped


class CellCleaner:
    """Cleans the cells of one block, and counts its rows and faults.

    Attributes:
        accepted: the number of accepted rows in the block.
        row_seen: True if an earlier block had a row, or this block has had a complete row so far.
    """

    def __init__(self, before: Tally) -> None:
        self.accepted = 0
        self.row_seen = before.accepted + before.rejected > 0
        self._before = before
        self._room = MAX_REJECTIONS - len(before.rejections)
        self._rejected = 0
        self._null_rows = 0
        self._cut_off = False
        self._faults: Counter[str] = Counter()
        self._rejections: list[tuple[int, int, Rejection]] = []  # line, column number, rejection
        self._filled = [column.filled for column in before.columns]
        self._faulty = [column.faulty for column in before.columns]
        # Indices of rows in which a cell became empty, one set for each cause. They tell `count_empty_rows` why a row
        # has no identifiers.
        self._fault_rows: set[int] = set()
        self._empty_value_rows: set[int] = set()
        self._null_marker_rows: set[int] = set()

    def clean_column(
        self, number: int, name: str, cells: list[bytes], digits: int, lines: range | list[int]
    ) -> list[bytes]:
        """Return the clean cells of one column. A cell without a valid identifier becomes empty.

        Args:
            number: the position among the identifier columns, from 0.
            name: the column name for rejections.
            cells: the cells to clean.
            digits: the number of hexadecimal digits of an identifier.
            lines: the line number of each cell.
        """
        empty_hashes = empty_value_hashes(digits).rows
        if (
            set(map(len, cells)) <= {0, digits}
            and not b"".join(cells).translate(None, LOWER_HEX)
            and empty_hashes.isdisjoint(cells)
        ):
            self._filled[number] += len(cells) - cells.count(b"")
            return cells
        cleaned = cells.copy()
        listed = 0
        for index, cell in enumerate(cells):
            if not cell or (len(cell) == digits and not cell.translate(None, LOWER_HEX) and cell not in empty_hashes):
                continue
            text = stripped(cell)
            cleaned[index] = b""
            if is_identifier(text, digits):
                text = text.lower()
                if text in empty_hashes:
                    self._empty_value_rows.add(index)
                else:
                    cleaned[index] = text
            elif is_null_marker(text):
                self._null_marker_rows.add(index)
            elif text:
                reason = fault_of(cell, text, one_column=False)
                self._fault_rows.add(index)
                self._faults[reason.value] += 1
                self._faulty[number] += 1
                listed += 1
                if listed <= self._room:
                    length = len(text) if reason is RejectionReason.WRONG_LENGTH else None
                    self._rejections.append((lines[index], number, Rejection(lines[index], reason, name, length)))
        self._filled[number] += len(cleaned) - cleaned.count(b"") + listed
        return cleaned

    def accept(self, count: int, filled: list[int]) -> None:
        """Accept `count` clean rows; `filled` is the number of filled cells in each column."""
        self.accepted += count
        self._filled = [before + cells for before, cells in zip(self._filled, filled, strict=True)]

    def count_empty_rows(self, indices: list[int], lines: range | list[int]) -> None:
        """Count rows without identifiers as rejected or as NULL markers. Rows of empty cells are not counted."""
        for index in indices:
            if index in self._fault_rows:
                self._rejected += 1  # the faulty cells are already reported
            elif index in self._empty_value_rows:
                self.reject_row(lines[index], RejectionReason.HASH_OF_NOTHING)
            elif index in self._null_marker_rows:
                self._null_rows += 1

    def reject_row(self, line: int, reason: RejectionReason) -> None:
        """Reject an entire row."""
        self._rejected += 1
        self._faults[reason.value] += 1
        self._cut_off |= reason is RejectionReason.CUT_OFF
        self._rejections.append((line, -1, Rejection(line, reason)))

    def report_left_out_column(self, index: int, line: int, name: str) -> None:
        """Report that a column of hashes is left out. `line` is the line of the header row."""
        self._faults[RejectionReason.COLUMN_LEFT_OUT.value] += 1
        self._rejections.append((line, index, Rejection(line, RejectionReason.COLUMN_LEFT_OUT, name)))

    def tally(self) -> Tally:
        """Return the file's counts with the rows of this block added."""
        before = self._before
        by_reason = Counter(before.rejected_by_reason)
        by_reason.update(self._faults)
        ordered = sorted(self._rejections, key=lambda each: each[:2])[: self._room]
        return before._replace(
            total=before.total + self.accepted + self._rejected,
            accepted=before.accepted + self.accepted,
            rejected=before.rejected + self._rejected,
            rejections=(*before.rejections, *(rejection for _, _, rejection in ordered)),
            rejected_by_reason=dict(by_reason),
            null_markers=before.null_markers + self._null_rows,
            cut_off=before.cut_off or self._cut_off,
            columns=tuple(
                column._replace(filled=filled, faulty=faulty)
                for column, filled, faulty in zip(before.columns, self._filled, self._faulty, strict=True)
            ),
        )
