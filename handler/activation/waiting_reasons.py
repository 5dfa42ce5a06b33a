"""The reports of waiting uploads: the reason why each upload waits, and its row counts."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from contextlib import suppress

from handler import reasons
from handler.activation import exports
from handler.activation.exports import Export
from handler.activation.invocation import Invocation
from handler.activation.list_turn import open_list, set_list_outcome
from handler.activation.list_upload import count_list, is_counted, record_counts
from handler.activation.overtaking import is_stale
from handler.activation.prepare import count_or_end
from handler.activation.turn import Turn
from handler.clock import iso, parse_iso
from handler.errors import Outcome, OutOfTime, Waiting
from handler.model import Action
from handler.report_codes import Code
from handler.state.audience_state import Change, FileRef, State
from handler.state.lease import Lease
from handler.state.pending_pointers import Pointer
from handler.state.reports import Report, clear_uploads, identity

# Reasons that apply only to a list. The reports of other uploads say that an older upload is sent first.
_LIST_CODES = {Code.REPLACED_TODAY, Code.SHRINKS_TOO_MUCH}


def write_waiting_reason(turn: Turn, pointers: Sequence[Pointer], reason: Waiting) -> None:
    """Write the reason why uploads wait into their reports, and count the rows of uploads that were not counted yet.

    The reports are not read again until the reason changes. Nothing is written while the uploads settle, or if the
    invocation is about to end.

    Args:
        turn: the audience's turn.
        pointers: the pointers of the waiting uploads.
        reason: the reason why no more uploads can be sent now.
    """
    run, state = turn.run, turn.lease.state
    if reason.code is Code.SETTLING or run.deadline.near():
        return
    for pointer in _without_reason(pointers, state, reason):
        if run.deadline.near():
            return
        _write_reason(turn, pointer, reason)
    if pointers:
        newest = max(pointer.registered_at for pointer in pointers)
        last = sum(pointer.registered_at == newest for pointer in pointers)
        state["told"] = {"code": reason.code.value, "registered_up_to": iso(newest), "last": last}
    _count_lists(turn, pointers, reason)


def _without_reason(pointers: Sequence[Pointer], state: State, reason: Waiting) -> list[Pointer]:
    """Return the uploads that do not have this reason yet or could not be read.

    Times are stored in whole seconds, so more uploads may have been registered in the last second after the reason was
    stored.
    """
    written = state["told"]
    if written is None or written["code"] != reason.code:
        return list(pointers)
    up_to = parse_iso(written["registered_up_to"])
    last = [pointer for pointer in pointers if pointer.registered_at == up_to]
    later = [pointer for pointer in pointers if pointer.registered_at > up_to]
    again = [pointer for pointer in pointers if pointer.digest in state["unreadable"] and pointer.registered_at < up_to]
    if len(last) == written["last"]:
        last = [pointer for pointer in last if pointer.digest in state["unreadable"]]
    return [*again, *last, *later]


def count_without_lease(run: Invocation, pointers: Iterable[Pointer]) -> None:
    """Count the rows of appends and removes while another function holds the lease on the audience."""
    for pointer in pointers:
        if pointer.action is not Action.REPLACE and (report := run.report(pointer)):
            _count(run, None, report)


def _write_reason(turn: Turn, pointer: Pointer, reason: Waiting) -> None:
    run, state = turn.run, turn.lease.state
    report = run.report(pointer)
    if report is None:
        return
    # First discard parts that are older than a change. Writing the reason sets `updated_at`, which would hide their
    # age.
    if report["uploads"] and (is_stale(state, report) or _is_outside(state["intent"], report)):
        report = run.write(report, clear_uploads)
    waits_for_list = reason.code in _LIST_CODES and pointer.action is not Action.REPLACE
    report = run.set_outcome(report, reasons.behind_older_upload() if waits_for_list else reason)
    if pointer.action is not Action.REPLACE:
        _count(run, turn.lease, report)


def _is_outside(intent: Change | None, report: Report) -> bool:
    key, version_id = identity(report)
    return intent is not None and FileRef(key=key, version_id=version_id) not in intent["files"]


def _count(run: Invocation, lease: Lease | None, report: Report) -> None:
    if report["status"] == "waiting":
        with suppress(OutOfTime):  # counted when it is sent
            count_or_end(run, lease, report)


def _must_not_change(turn: Turn, export: Export) -> bool:
    """Return true if the stored list must not be overwritten.

    Either TikTok may be processing the list, or the list is finished and later files need it to get the same outcome.
    """
    change = turn.lease.state["change"] or turn.lease.state["intent"]
    in_progress = change["list"] if change else None
    return export.digest == in_progress or bool(export.joined and export.joined["status"] not in {None, "waiting"})


def _count_lists(turn: Turn, pointers: Sequence[Pointer], reason: Waiting) -> None:
    """Count the newest list if it is complete and waits only for TikTok; without settling, count every list."""
    run = turn.run
    replaces = [pointer for pointer in pointers if pointer.action is Action.REPLACE]
    lists = exports.find_exports(replaces, turn.lists, run.settle, turn.deleted_lists)
    if not lists or not exports.is_complete(lists, run.settle, run.now()):
        return
    for export in lists[-1:] if run.settle else lists:
        if run.deadline.near():
            return
        if not _must_not_change(turn, export) and not is_counted(run, turn.lease.audience, export.digest):
            _count_list(turn, export, reason)


def _count_list(turn: Turn, export: Export, reason: Waiting) -> None:
    run = turn.run
    if None in [run.report(pointer) for pointer in export.pointers]:  # a file is finished or its report cannot be read
        return
    try:
        opened = open_list(turn, export)
    except Waiting:  # files are missing, as `open_list` has written into the reports
        return
    if opened is None:
        return
    for report in opened.reports:
        if report["code"] == Code.SETTLING:  # files were missing before
            run.set_outcome(report, reason)
    try:
        count_list(turn, opened)
        record_counts(run, opened)
    except Waiting:
        return
    except Outcome as fault:
        set_list_outcome(run, opened, fault)
