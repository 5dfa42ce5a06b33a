"""Uploads that come too late: superseded by a processed replace, or out of order."""

from __future__ import annotations

from collections.abc import Sequence

from handler import reasons
from handler.activation import order
from handler.activation.list_turn import end_list, gather_list
from handler.activation.order import Export
from handler.activation.turn import Turn
from handler.errors import Outcome
from handler.report_codes import Code
from handler.state.pointers import Pointer


def end_late(turn: Turn, changes: Sequence[Pointer]) -> bool:
    """End appends and removes that a processed replace supersedes or that come too late; return true if any did."""
    run, state = turn.run, turn.lease.state
    sent = order.last_replace(state)
    ended = False
    for pointer in changes:
        if order.is_out_of_order(pointer, state, sent):
            outcome: Outcome = reasons.out_of_order()
        elif sent and order.moment(pointer) < order.applied_moment(sent):
            outcome = reasons.superseded()
        else:
            continue
        if report := run.report(pointer):
            run.set_outcome(report, outcome)
        ended = True
    return ended


def end_late_list(turn: Turn, export: Export) -> bool:
    """End a list that is superseded, comes too late, or shares the end of its list; return true if it did.

    A list is superseded as a whole: its last file may be newer than the first one of the list that was sent.
    """
    run, joined, state = turn.run, export.joined, turn.lease.state
    sent = order.last_replace(state)
    if joined and joined["code"] in {Code.AMBIGUOUS_REPLACE, Code.WITHDRAWN}:
        outcome: Outcome = reasons.list_withdrawn() if joined["code"] == Code.WITHDRAWN else reasons.ambiguous_replace()
        end_list(run, gather_list(run, turn.lease.audience, export, turn.versions), outcome)
    elif order.is_list_out_of_order(export, state, sent):
        outcome = reasons.list_out_of_order()
    elif sent and order.is_older(export, sent):
        outcome = reasons.superseded()
        if run.settle and export.digest not in turn.lists:  # a file of it that comes later shares its place
            end_list(run, gather_list(run, turn.lease.audience, export, turn.versions), outcome)
    else:
        return False
    for pointer in export.pointers:
        if report := run.report(pointer):
            run.set_outcome(report, outcome)
    return True
