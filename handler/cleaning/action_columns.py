"""Columns that say whether a person is added or removed, found by their names or their cells."""

from __future__ import annotations

import re
from collections.abc import Iterable

from handler.cleaning.row_repair import bare

_ACTION_NAMES = """
    audience_action action action_type operation operation_type op change change_type add_remove add_or_remove is_add
    is_added membership membership_status segment_action user_action
"""
_ADD_WORDS = frozenset(
    b"""
    add added append insert inserted upsert subscribe subscribed opt_in opted_in optin enter entered
""".split()
)
_REMOVE_WORDS = frozenset(
    b"""
    remove removed delete deleted unsubscribe unsubscribed opt_out opted_out optout exit exited
""".split()
)
_CHANGE_CODES = frozenset([b"I", b"U", b"D"])  # insert, update and delete, in files of DMS and other change capture
_TO_WORD = bytes.maketrans(b"- ", b"__")


def is_action_name(name: str) -> bool:
    """Return True if a header names a column that says whether a person is added or removed."""
    return re.sub(r"[\W_]+", "_", name.lower()).strip("_") in _ACTION_NAMES.split()


def action_word(text: bytes) -> str | None:
    """Return "add" or "remove" if a field asks for one of them."""
    text = text.lower().translate(_TO_WORD)
    return "add" if text in _ADD_WORDS else "remove" if text in _REMOVE_WORDS else None


class ActionColumns:
    """Looks for a column whose cells say whether a person is added or removed, by all of its rows that are read.

    Such a column has few different values, and may be sorted by them. A column that turns out to have many, as names
    and cities have, is not looked at any more.
    """

    MAX_VALUES = 20

    def __init__(self, columns: Iterable[int] = ()) -> None:
        self._values: dict[int, set[bytes]] = {column: set() for column in columns}
        self._many: set[int] = set()

    @property
    def columns(self) -> list[int]:
        """The columns with few different values so far."""
        return [*self._values]

    def add(self, column: int, cells: Iterable[bytes]) -> None:
        """Look at cells of a column."""
        if column in self._many:
            return
        values = self._values.setdefault(column, set())
        values.update(cells)
        if len(values) > self.MAX_VALUES:
            del self._values[column]
            self._many.add(column)

    def add_row(self, fields: list[bytes]) -> None:
        """Look at the cells of one row, if their columns, numbered from 1, were seen before."""
        width = len(fields)
        new = [n for n, values in self._values.items() if n <= width and fields[n - 1] not in values]
        for column in new:
            self.add(column, fields[column - 1 : column])

    def mixed(self) -> int | None:
        """Return the first column with additions and removals; None if there is none."""
        for column, values in sorted(self._values.items()):
            if len(values) > 1 and {"add", "remove"} <= {action_word(bare(value)) for value in values}:
                return column
        return None

    def change_codes(self, min_codes: int = 1) -> int | None:
        """Return the first column whose every cell is a code of a change, some of them deletions; None without one.

        One letter says little, so this is right only once all rows were looked at.
        """
        for column, values in sorted(self._values.items()):
            codes = {bare(value).upper() for value in values}
            if b"D" in codes and codes <= _CHANGE_CODES and len(codes) >= min_codes:
                return column
        return None
