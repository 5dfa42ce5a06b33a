"""Blocks of a file with columns that can be sent as they are: the usual case, recognized without splitting cells."""

from __future__ import annotations

from handler.cleaning.empty_values import empty_value_hashes
from handler.cleaning.file_rules import check_hashed
from handler.cleaning.headers import Layout
from handler.cleaning.row_repair import LOWER_HEX


class Unchanged:
    """Recognizes blocks of clean rows in a file whose columns are TikTok's, in the order in which they are sent."""

    def __init__(self, layout: Layout) -> None:
        self._digits = [column.digits for column in layout.columns]
        self._possible = layout.delimiter == b"," and [each.index for each in layout.columns] == [*range(layout.width)]
        self._frame = b"," * (layout.width - 1) + b"\n"
        self._width = sum(self._digits) + layout.width  # bytes of a row without an empty cell
        ends = [sum(self._digits[: number + 1]) + number for number in range(layout.width)]
        self._places = [*zip(ends, [*(b"," * (layout.width - 1)), ord("\n")], strict=True)]

    def filled(self, text: bytes) -> tuple[int, list[int]] | None:
        """Return the number of rows and of filled cells of each column; None if the block may need a change.

        Rows without an empty cell have one length, so that delimiters and hashes of nothing are found by strides. Only
        the cells of the other rows are looked at one by one.

        Raises:
            Rejected: a column holds device ids that were not hashed.
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
        """Return True if every cell has all its digits and none is a hash of nothing."""
        if any(text[place :: self._width] != bytes([byte]) * count for place, byte in self._places):
            return False
        begins = [0, *(place + 1 for place, _ in self._places[:-1])]
        for begin, digits in zip(begins, self._digits, strict=True):
            if empty_value_hashes(digits).find(text, begin, self._width):
                return False
            check_hashed(text, digits, begin, self._width)
        return True
