"""Uploads that come too late: superseded by a processed replace, or out of order."""

from __future__ import annotations

from collections.abc import Sequence

from handler import reasons
from handler.activation import order
from handler.activation.order import Export
from handler.activation.turn import Turn
from handler.errors import Outcome
from handler.model import Action
from handler.report_codes import Code
from handler.state.lists import StoredList
from handler.state.pointers import Pointer


def end_late(turn: Turn, waiting: Sequence[Pointer]) -> bool:
    """End uploads that a processed replace supersedes or that come too late; return true if there are any."""
    run, state = turn.run, turn.lease.state
    sent = order.last_replace(state)
    ended = False
    for pointer in waiting:
        is_change = pointer.action is not Action.REPLACE
        if is_change and order.is_out_of_order(pointer, state, sent):
            outcome: Outcome = reasons.out_of_order()
        elif sent and order.is_superseded(pointer, sent):
            outcome = reasons.superseded()
        else:
            continue
        if report := run.report(pointer):
            run.set_outcome(report, outcome)
        ended = True
    return ended


def end_late_list(turn: Turn, export: Export) -> bool:
    """End a list that comes too late, or belongs to a list that has ended; return true if it did."""
    run, joined = turn.run, export.joined
    if joined and joined["code"] in {Code.AMBIGUOUS_REPLACE, Code.WITHDRAWN} and _has_files(turn, joined):
        outcome = reasons.list_withdrawn() if joined["code"] == Code.WITHDRAWN else reasons.ambiguous_replace()
    elif order.is_list_out_of_order(export, turn.lease.state, order.last_replace(turn.lease.state)):
        outcome = reasons.out_of_order()
    else:
        return False
    for pointer in export.pointers:
        if report := run.report(pointer):
            run.set_outcome(report, outcome)
    return True


def _has_files(turn: Turn, stored: StoredList) -> bool:
    """Return true if a file of a list still exists. If all were deleted, the next file begins another export."""
    return any(turn.versions.current(file["key"]) for file in stored["files"])
