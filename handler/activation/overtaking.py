"""Overtaken rows: an upload leaves out the rows of newer uploads of the other action that were already applied.

The rows of the newer uploads are held in memory. If there are too many, the upload's own rows are held instead. See
`handler.cleaning.row_sets` for the limit and its memory use.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime

from handler import reasons
from handler.activation.invocation import Invocation
from handler.activation.order import newer_applied
from handler.activation.reading import read_parts
from handler.cleaning.row_sets import MAX_ROWS, RowSet, collect, row_blocks
from handler.clock import parse_iso
from handler.errors import Failed
from handler.model import Action, IdentifierType
from handler.state.audience_state import Applied, State
from handler.state.reports import Report, action_of, identity

Keep = Callable[[bytes], bytes]  # takes a block of accepted rows and returns the rows to send


class Overtaking:
    """Filters for the rows of uploads during one turn. Row sets are reused for uploads with the same newer uploads."""

    def __init__(self, run: Invocation, state: State, identifier_type: IdentifierType) -> None:
        self._run = run
        self._state = state
        self._type = identifier_type
        self._sets: dict[tuple[tuple[str, str], ...], RowSet | None] = {}

    def filter(self, action: Action, uploaded_at: datetime, uploads: Sequence[tuple[str, str]]) -> Keep | None:
        """Return the filter for the rows of an upload or list; None if no newer upload overtakes its rows.

        Args:
            action: the upload's action.
            uploaded_at: the upload time; for a list, the upload time of its first file.
            uploads: the key and version id of the upload, or of each file of the list.

        Raises:
            Rejected: neither side fits into memory, a newer upload can no longer be read, or the upload itself is
                faulty.
            Failed: the newer uploads do not fit into memory, and the upload itself can no longer be read.
            OutOfTime: the invocation is about to end.
        """
        newer = newer_applied(self._state, action, uploaded_at)
        if not newer:
            return None
        identities = tuple(sorted((each["key"], each["version_id"]) for each in newer))
        if identities not in self._sets:
            fits = sum(each["rows"] for each in newer) <= MAX_ROWS
            self._sets[identities] = collect(self._newer_blocks(identities), self._type.digits) if fits else None
        overtaking = self._sets[identities]
        if overtaking is None:
            own = collect(self._blocks(uploads), self._type.digits)
            if own is None:
                raise reasons.too_large_to_overtake()
            overtaking = RowSet(self._type.digits)
            for rows in self._newer_blocks(identities):
                overtaking.add(own.only(rows))
        return overtaking.leave_out

    def _blocks(self, identities: Sequence[tuple[str, str]]) -> Iterator[bytes]:
        for key, version_id in identities:
            yield from row_blocks(read_parts(self._run, key, version_id, self._type))

    def _newer_blocks(self, identities: Sequence[tuple[str, str]]) -> Iterator[bytes]:
        try:
            yield from self._blocks(identities)
        except Failed:
            raise reasons.newer_upload_unreadable() from None


def is_stale(state: State, report: Report) -> bool:
    """Return true if a newer upload that overtakes rows was applied after parts of this upload were cleaned."""
    newer = newer_applied(state, action_of(report), parse_iso(report["file"]["uploaded_at"]))
    return any(each["sent_at"] >= report["updated_at"] for each in newer)


def applied_entry(report: Report, sent_at: str) -> Applied:
    """Return the entry for an upload in the state's `applied`."""
    key, version_id = identity(report)
    return {
        "key": key,
        "version_id": version_id,
        "action": action_of(report).value,
        "uploaded_at": report["file"]["uploaded_at"],
        "sent_at": sent_at,
        "rows": report["rows"]["accepted"] or 0,
    }
