"""Detection of blocks of a file with columns that can be sent unchanged, without splitting every row into cells."""

from __future__ import annotations

from handler.cleaning.empty_values import empty_value_hashes
from handler.cleaning.file_rules import check_hashed
from handler.cleaning.headers import Layout
from handler.cleaning.row_repair import LOWER_HEX


class CleanBlockDetector:
    """Detects blocks of clean rows in a file whose columns are exactly those to send, in the same order."""

    def __init__(self, layout: Layout) -> None:
        self._digits = [column.digits for column in layout.columns]
        self._possible = layout.delimiter == b"," and [each.index for each in layout.columns] == [*range(layout.width)]
        self._frame = b"," * (layout.width - 1) + b"\n"
        self._width = sum(self._digits) + layout.width  # bytes of a row without empty cells
        ends = [sum(self._digits[: number + 1]) + number for number in range(layout.width)]
        self._places = [*zip(ends, [*(b"," * (layout.width - 1)), ord("\n")], strict=True)]

    def count_cells(self, text: bytes) -> tuple[int, list[int]] | None:
        """Return the number of rows and the number of filled cells in each column; None if a row may need cleaning.

        All rows without empty cells have the same length, so strided slices find delimiters and hashes of empty values.
        Only the other rows are split into cells.

        Raises:
            Rejected: a column holds device ids that are not hashed.
        """
        frame = text.translate(None, LOWER_HEX) if self._possible else b""
        count = len(frame) // len(self._frame)
        if not frame or frame != self._frame * count:
            return None
        if len(text) == count * self._width:
            return (count, [count] * len(self._digits)) if self._is_full(text, count) else None
        lines = text.splitlines(keepends=True)
        full = [line for line in lines if len(line) == self._width]
        others = [line for line in lines if len(line) != self._width]
        if not self._is_full(b"".join(full), len(full)):
            return None
        cells = b"".join(others).replace(b"\n", b",").split(b",")
        filled = []
        for number, digits in enumerate(self._digits):
            column = cells[number : -1 : len(self._digits)]
            if not set(map(len, column)) <= {0, digits} or not empty_value_hashes(digits).rows.isdisjoint(column):
                return None
            check_hashed(b"".join(column), digits, width=digits)
            filled.append(count - column.count(b""))
        return (count, filled) if self._frame not in others else None

    def _is_full(self, text: bytes, count: int) -> bool:
        """Return True if every cell has all its digits and none is the hash of an empty value."""
        if any(text[place :: self._width] != bytes([byte]) * count for place, byte in self._places):
            return False
        begins = [0, *(place + 1 for place, _ in self._places[:-1])]
        for begin, digits in zip(begins, self._digits, strict=True):
            if empty_value_hashes(digits).find(text, begin, self._width):
                return False
            check_hashed(text, digits, begin, self._width)
        return True
