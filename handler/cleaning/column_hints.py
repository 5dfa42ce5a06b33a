"""Hints about the columns of a file that should have one identifier per line. They make a rejection more specific."""

from __future__ import annotations

import re

from handler.cleaning.action_columns import ActionColumns, is_action_name
from handler.cleaning.row_repair import PHONE, Header, delimiter_of, is_identifier, normalize_spaces, stripped
from handler.reasons import ColumnHints

_SAFE_NAME = re.compile(
    r"(?=.*(?:mail|phone|mobile|idfa|gaid|aaid|adid|maid|hash|sha|md5|device|advertis|ident|action|operation))"
    r"[a-z_][a-z0-9_ ()-]{0,39}",
    re.IGNORECASE,
)


def safe_name(name: bytes) -> str | None:
    """Return a column name if a reason can repeat it; None if it could be personal data."""
    text = name.decode(errors="replace")
    return text if _SAFE_NAME.fullmatch(text) else None


class ColumnHintCollector:
    """Collects hints from rows with more than one column.

    The first rows show which columns hold identifiers. The search for action columns covers all rows that this
    invocation reads. Otherwise, a user who follows the advice to upload only the identifiers could append people who
    should be removed.
    """

    MAX_ROWS = 100

    def __init__(self, digits: int, header: Header | None) -> None:
        self._digits = digits
        self._header = header
        self._rows = 0
        self._delimiter = b""
        self._identifiers: set[int] = set()
        self._plain_text = False
        self._actions = ActionColumns()

    def add(self, line: bytes) -> None:
        """Add one row."""
        self._rows += 1
        if self._rows > self.MAX_ROWS:
            self._actions.add_row(line.split(self._delimiter))
            return
        self._delimiter = self._header.delimiter if self._header else delimiter_of(line)
        for number, field in enumerate(normalize_spaces(line).split(self._delimiter), 1):
            text = stripped(field)
            if is_identifier(text, self._digits):
                self._identifiers.add(number)
            # Without a plus sign or parenthesis, a number could also be a date or an order number.
            self._plain_text |= b"@" in text or (text[:1] in {b"+", b"("} and PHONE.fullmatch(text) is not None)
            self._actions.add(number, [field])

    def hints(self) -> ColumnHints | None:
        """Return the hints; None if no row was added."""
        if not self._rows:
            return None
        names = enumerate(self._header.names, 1) if self._header else ()
        action = next((number for number, name in names if is_action_name(name.decode(errors="replace"))), None)
        action = action or self._actions.mixed() or self._actions.change_codes()
        return ColumnHints(
            identifier_column=self._label(min(self._identifiers)) if len(self._identifiers) == 1 else None,
            action_column=self._label(action) if action else None,
            several_identifier_columns=len(self._identifiers) > 1,
            plain_text=self._plain_text and not self._identifiers,
        )

    def _label(self, number: int) -> str:
        """Return the number of a column, with its name if a reason can repeat it."""
        names = self._header.names if self._header else ()
        name = safe_name(names[number - 1]) if number <= len(names) else None
        return f'column {number} ("{name}")' if name else f"column {number}"
