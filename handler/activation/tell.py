"""Telling: waiting uploads get the reason why they wait, and are counted once, so that faults are reported at once."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from contextlib import suppress

from handler import reasons
from handler.activation import order
from handler.activation.invocation import Invocation
from handler.activation.list_turn import end_list, open_list
from handler.activation.list_upload import count_list, is_counted, note_counts
from handler.activation.order import Export
from handler.activation.overtaking import is_stale
from handler.activation.prepare import count_or_end
from handler.activation.turn import Turn
from handler.clock import iso, parse_iso
from handler.errors import Outcome, OutOfTime, Waiting
from handler.model import Action
from handler.report_codes import Code
from handler.state.audience_state import Change, FileRef, State
from handler.state.lease import Lease
from handler.state.pointers import Pointer
from handler.state.reports import Report, forget_uploads, identity

# Only a list waits for these; the other uploads wait for the list.
_OF_LISTS = {Code.REPLACED_TODAY, Code.SHRINKS_TOO_MUCH}


def tell(turn: Turn, pointers: Sequence[Pointer], reason: Waiting) -> None:
    """Write the reason why uploads wait into their reports, once, and count those that were not read yet.

    Uploads that have been given a reason are not read again until the reason changes.

    Args:
        turn: the audience's turn.
        pointers: the waiting uploads.
        reason: why nothing more can go now.
    """
    run, state = turn.run, turn.lease.state
    if reason.code is Code.SETTLING or run.deadline.near():
        return
    for pointer in _not_told(pointers, state, reason):
        if run.deadline.near():
            return
        _tell_one(turn, pointer, reason)
    if pointers:
        newest = max(pointer.registered_at for pointer in pointers)
        last = sum(pointer.registered_at == newest for pointer in pointers)
        state["told"] = {"code": reason.code.value, "registered_up_to": iso(newest), "last": last}
    _count_lists(turn, pointers, reason)


def _not_told(pointers: Sequence[Pointer], state: State, reason: Waiting) -> list[Pointer]:
    """Return the uploads that have not been given this reason or could not be read. Times are whole seconds."""
    told = state["told"]
    if told is None or told["code"] != reason.code:
        return list(pointers)
    up_to = parse_iso(told["registered_up_to"])
    last = [pointer for pointer in pointers if pointer.registered_at == up_to]
    later = [pointer for pointer in pointers if pointer.registered_at > up_to]
    again = [pointer for pointer in pointers if pointer.digest in state["unreadable"] and pointer.registered_at < up_to]
    if len(last) == told["last"]:
        last = [pointer for pointer in last if pointer.digest in state["unreadable"]]
    return [*again, *last, *later]


def count_alone(run: Invocation, pointers: Iterable[Pointer]) -> None:
    """Count uploads while another function holds the audience's lease."""
    for pointer in pointers:
        if pointer.action is not Action.REPLACE and (report := run.report(pointer)):
            _count(run, None, report)


def _tell_one(turn: Turn, pointer: Pointer, reason: Waiting) -> None:
    run, state = turn.run, turn.lease.state
    report = run.report(pointer)
    if report is None:
        return
    # What is written now would hide that its parts are older than a change, or than one of unknown outcome.
    if report["uploads"] and (is_stale(state, report) or _is_behind(state["intent"], report)):
        report = run.write(report, forget_uploads)
    waits_for_list = reason.code in _OF_LISTS and pointer.action is not Action.REPLACE
    report = run.set_outcome(report, reasons.behind_older_upload() if waits_for_list else reason)
    if pointer.action is not Action.REPLACE:
        _count(run, turn.lease, report)


def _is_behind(intent: Change | None, report: Report) -> bool:
    key, version_id = identity(report)
    return intent is not None and FileRef(key=key, version_id=version_id) not in intent["files"]


def _count(run: Invocation, lease: Lease | None, report: Report) -> None:
    if report["status"] == "waiting":
        with suppress(OutOfTime):  # it is counted when its turn comes
            count_or_end(run, lease, report)


def _must_stay(turn: Turn, export: Export) -> bool:
    """Return true if the stored list must stay as it is.

    TikTok is processing it, or it has ended and says which files a late one joins, or which end it shares.
    """
    change = turn.lease.state["change"] or turn.lease.state["intent"]
    in_progress = change["list"] if change else None
    return export.digest == in_progress or bool(export.joined and export.joined["status"] not in {None, "waiting"})


def _count_lists(turn: Turn, pointers: Sequence[Pointer], reason: Waiting) -> None:
    """Count the newest list if it is complete and only TikTok keeps it waiting."""
    run = turn.run
    replaces = [pointer for pointer in pointers if pointer.action is Action.REPLACE]
    lists = order.exports(replaces, turn.lists, run.settle, turn.deleted_lists)
    if not lists or not order.is_complete(lists, run.settle, run.now()):
        return
    for export in lists[-1:] if run.settle else lists:
        if run.deadline.near():
            return
        if not _must_stay(turn, export) and not is_counted(run, turn.lease.audience, export.digest):
            _count_list(turn, export, reason)


def _count_list(turn: Turn, export: Export, reason: Waiting) -> None:
    run = turn.run
    if None in [run.report(pointer) for pointer in export.pointers]:  # one has ended or cannot be read
        return
    try:
        opened = open_list(run, turn.lease, export, turn.versions)
    except Waiting:  # files are missing, and their reports say so
        return
    if opened is None:
        return
    for report in opened.reports:
        if report["code"] == Code.SETTLING:  # files were missing
            run.set_outcome(report, reason)
    try:
        count_list(run, turn.lease, opened)
        note_counts(run, opened)
    except Waiting:
        return
    except Outcome as fault:
        end_list(run, opened, fault)
