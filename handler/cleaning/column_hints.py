"""Hints about the columns of a file that should have one identifier per line, for the reason why it is rejected."""

from __future__ import annotations

import re

from handler.cleaning.action_columns import ActionColumns, is_action_name
from handler.cleaning.counts import SeveralColumns
from handler.cleaning.row_repair import PHONE, Header, bare, delimiter_of, is_identifier, visible

_SAFE_NAME = re.compile(
    r"(?=.*(?:mail|phone|mobile|idfa|gaid|aaid|adid|maid|hash|sha|md5|device|advertis|ident|action|operation))"
    r"[a-z_][a-z0-9_ ()-]{0,39}",
    re.IGNORECASE,
)


def safe_name(name: bytes) -> str | None:
    """Return the name of a column if a reason may repeat it; None if it could be somebody's data."""
    text = name.decode(errors="replace")
    return text if _SAFE_NAME.fullmatch(text) else None


class ColumnHints:
    """Collects hints from rows with more than one column.

    The first rows say which column holds identifiers. A column of adds and removes is looked for in all rows that this
    invocation reads: advice to upload the identifiers alone would have the removed people appended.
    """

    MAX_ROWS = 100

    def __init__(self, digits: int, header: Header | None) -> None:
        self._digits = digits
        self._header = header
        self._rows = 0
        self._delimiter = b""
        self._right: set[int] = set()
        self._plain = False
        self._actions = ActionColumns()

    def add(self, line: bytes) -> None:
        """Look at one row."""
        self._rows += 1
        if self._rows > self.MAX_ROWS:
            self._actions.add_row(line.split(self._delimiter))
            return
        self._delimiter = self._header.delimiter if self._header else delimiter_of(line)
        for number, field in enumerate(visible(line).split(self._delimiter), 1):
            text = bare(field)
            if is_identifier(text, self._digits):
                self._right.add(number)
            # Without a plus or parenthesis it may as well be a date or a number of an order.
            self._plain |= b"@" in text or (text[:1] in {b"+", b"("} and PHONE.fullmatch(text) is not None)
            self._actions.add(number, [field])

    def found(self) -> SeveralColumns | None:
        """Return what was found; None if no row had more than one column."""
        if not self._rows:
            return None
        names = dict(enumerate(self._header.names, 1)) if self._header else {}
        action = next((n for n, name in names.items() if is_action_name(name.decode(errors="replace"))), None)
        action = action or self._actions.mixed() or self._actions.change_codes()
        safe = {number: text for number, name in names.items() if (text := safe_name(name))}
        return SeveralColumns(frozenset(self._right), action, safe, plain=self._plain and not self._right)
