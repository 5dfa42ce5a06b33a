"""Late uploads: those that a newer replace supersedes, and those that arrive out of order."""

from __future__ import annotations

from collections.abc import Sequence

from handler import reasons
from handler.activation import exports, order
from handler.activation.exports import Export
from handler.activation.list_turn import gather_list, set_list_outcome
from handler.activation.turn import Turn
from handler.errors import Outcome
from handler.report_codes import Code
from handler.state.pending_pointers import Pointer


def end_late_uploads(turn: Turn, changes: Sequence[Pointer]) -> bool:
    """Finish appends and removes that are superseded or out of order; return true if there are any."""
    run, state = turn.run, turn.lease.state
    sent = order.last_replace(state)
    ended = False
    for pointer in changes:
        if order.is_out_of_order(pointer, state, sent):
            outcome: Outcome = reasons.out_of_order()
        elif sent and order.position_of(pointer) < order.applied_position(sent):
            outcome = reasons.superseded()
        else:
            continue
        if report := run.report(pointer):
            run.set_outcome(report, outcome)
        ended = True
    return ended


def end_late_list(turn: Turn, export: Export) -> bool:
    """Finish a list that is superseded, is out of order, or belongs to an ambiguous or withdrawn list.

    A list is superseded as a unit, even if its last file is newer than the first file of the list that was sent.

    Returns:
        True if the list was finished.
    """
    run, joined, state = turn.run, export.joined, turn.lease.state
    sent = order.last_replace(state)
    store_list = False
    if joined and joined["code"] in {Code.AMBIGUOUS_REPLACE, Code.WITHDRAWN}:
        outcome: Outcome = reasons.list_withdrawn() if joined["code"] == Code.WITHDRAWN else reasons.ambiguous_replace()
        store_list = True
    elif exports.is_list_out_of_order(export, state, sent):
        outcome = reasons.list_out_of_order()
    elif sent and exports.is_older(export, sent):
        outcome = reasons.superseded()
        # Once it is stored, later files of the list join it and are superseded too.
        store_list = bool(run.settle) and export.digest not in turn.lists
    else:
        return False
    if store_list:
        set_list_outcome(run, gather_list(turn, export), outcome)
        return True
    for pointer in export.pointers:
        if report := run.report(pointer):
            run.set_outcome(report, outcome)
    return True
