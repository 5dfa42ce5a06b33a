"""Action columns: columns that say whether a person is added or removed, recognized by their names or cells."""

from __future__ import annotations

import re
from collections.abc import Iterable

from handler.cleaning.row_repair import stripped

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
_CHANGE_CODES = frozenset([b"I", b"U", b"D"])  # insert, update, delete: as AWS DMS and similar tools write them
_TO_WORD = bytes.maketrans(b"- ", b"__")


def is_action_name(name: str) -> bool:
    """Return True if a column with this name says whether a person is added or removed."""
    return re.sub(r"[\W_]+", "_", name.lower()).strip("_") in _ACTION_NAMES.split()


def action_word(text: bytes) -> str | None:
    """Return "add" or "remove" if the text of a cell means one of them; None otherwise."""
    text = text.lower().translate(_TO_WORD)
    return "add" if text in _ADD_WORDS else "remove" if text in _REMOVE_WORDS else None


class ActionColumns:
    """Finds columns whose cells say whether a person is added or removed.

    An action column has few different values, but a file may be sorted by them, so all rows are examined. A column with
    more than `MAX_VALUES` different values, such as names or cities, is no longer examined.
    """

    MAX_VALUES = 20

    def __init__(self, columns: Iterable[int] = ()) -> None:
        self._values: dict[int, set[bytes]] = {column: set() for column in columns}
        self._excluded: set[int] = set()  # columns with too many values

    @property
    def columns(self) -> list[int]:
        """The columns that have had few different values so far."""
        return [*self._values]

    def add(self, column: int, cells: Iterable[bytes]) -> None:
        """Add the values of some cells of a column."""
        if column in self._excluded:
            return
        values = self._values.setdefault(column, set())
        values.update(cells)
        if len(values) > self.MAX_VALUES:
            del self._values[column]
            self._excluded.add(column)

    def add_row(self, fields: list[bytes]) -> None:
        """Add the values of one row to the columns, numbered from 1, that are still examined."""
        width = len(fields)
        new = [n for n, values in self._values.items() if n <= width and fields[n - 1] not in values]
        for column in new:
            self.add(column, fields[column - 1 : column])

    def mixed(self) -> int | None:
        """Return the first column with both additions and removals; None if there is none."""
        for column, values in sorted(self._values.items()):
            if len(values) > 1 and {"add", "remove"} <= {action_word(stripped(value)) for value in values}:
                return column
        return None

    def change_codes(self, min_codes: int = 1) -> int | None:
        """Return the first column that holds only change codes, including deletions; None if there is none.

        A single letter can have other meanings, so the result is reliable only after all rows were added.

        Args:
            min_codes: the minimum number of different codes in the column.
        """
        for column, values in sorted(self._values.items()):
            codes = {stripped(value).upper() for value in values}
            if b"D" in codes and codes <= _CHANGE_CODES and len(codes) >= min_codes:
                return column
        return None
