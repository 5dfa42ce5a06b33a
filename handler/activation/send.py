"""The next step of an audience's turn: choose the uploads to send, and send them to TikTok in one call."""

from __future__ import annotations

from collections.abc import Sequence

from handler import reasons
from handler.activation import exports, order
from handler.activation.audience_choice import check_hold, choose_audience, register_unregistered
from handler.activation.copies import skip_unchanged_copies
from handler.activation.exports import Export
from handler.activation.late_uploads import end_late_list, end_late_uploads
from handler.activation.overtaking import applied_entry
from handler.activation.prepare import count_or_end, prepare, record_stall
from handler.activation.send_list import send_list, send_list_again
from handler.activation.submit import (
    MAX_UPLOADS_AGAIN,
    note_on_other_types,
    request_for,
    request_for_change,
    restore_change,
    submit,
    with_columns_note,
)
from handler.activation.turn import Turn
from handler.activation.versions import is_applied_when_deleted
from handler.clock import iso
from handler.errors import Failed, OutOfTime, UploadAgain
from handler.model import Action
from handler.state.audience_state import Change
from handler.state.pending_pointers import Pointer, upload_digest
from handler.state.reports import Report, clear_uploads, identity
from handler.tiktok.account import MAX_AUDIENCES
from handler.tiktok.responses import Audience


def send_next(turn: Turn) -> None:
    """Send the next uploads, or finish uploads that cannot be sent.

    Raises:
        Waiting: no more uploads can be sent now, for the reason in the exception.
    """
    run, state = turn.run, turn.lease.state
    if state["change"]:
        raise reasons.audience_processing()
    if state["intent"] and _send_again(turn, state["intent"]):
        return
    waiting = turn.waiting()
    replaces = [pointer for pointer in waiting if pointer.action is Action.REPLACE]
    changes = [pointer for pointer in waiting if pointer.action is not Action.REPLACE]
    if since := turn.held_up_since():
        replaces, changes = [], [pointer for pointer in changes if pointer.uploaded_at < since]
    if end_late_uploads(turn, changes):
        return
    lists = exports.find_exports(replaces, turn.lists, run.settle, turn.deleted_lists)
    late = [export for export in lists if end_late_list(turn, export)]
    if late:
        return
    complete = bool(lists) and exports.is_complete(lists, run.settle, run.now())
    if complete:
        # A finished file must not be sent again, and a copy of an old list must not compete with a new one.
        if _have_finished(turn, replaces) or skip_unchanged_copies(turn, replaces):
            return
        send_list(turn, lists)
        return
    _send_settled(turn, changes, lists)


def _send_again(turn: Turn, intent: Change) -> bool:
    """Repeat a change whose outcome is unknown, with the same uploads, before any other change.

    If the repeated change included other uploads, the result of the first call would be mistaken for the result of all.

    Returns:
        False if the uploads have finished meanwhile or the audience no longer exists. The intent is then dropped.
    """
    if intent["list"]:
        return send_list_again(turn, intent)
    run, state = turn.run, turn.lease.state
    request = request_for_change(run, turn.lease, intent)
    # TikTok may have applied these uploads, so it is too late to withdraw one whose object was deleted.
    if reports := [report for report in request.reports if report["status"] == "waiting"]:
        check_hold(turn, request.action)
        audience, note = choose_audience(turn)
        if audience:
            note += note_on_other_types(run, turn.lease.audience) if request.action is Action.REMOVE else ""
            _send(turn, audience, reports, note, MAX_UPLOADS_AGAIN)
            return True
    state["intent"] = None
    return False


def _send_settled(turn: Turn, changes: Sequence[Pointer], lists: Sequence[Export]) -> None:
    """Send the next appends or removes that have settled and are older than all lists that wait."""
    run = turn.run
    before = [pointer for pointer in changes if not lists or order.position_of(pointer) < (lists[0].first, 0)]
    if not order.is_ready(before, run.settle, run.now()):
        raise reasons.settling()
    settled = [pointer for pointer in before if order.has_waited(pointer, run.settle, run.now())]
    if skip_unchanged_copies(turn, before) or _end_replaced_versions(turn, before):
        return
    may_create = bool(lists) or any(pointer.action is Action.APPEND for pointer in before)
    _send_changes(turn, settled, may_create=may_create)


def _have_finished(turn: Turn, pointers: Sequence[Pointer]) -> bool:
    """Return true if an upload was finished since the pointers were listed, or if its report cannot be read."""
    return None in [turn.run.report(pointer) for pointer in pointers]


def _end_replaced_versions(turn: Turn, pointers: Sequence[Pointer]) -> bool:
    """Skip appends that a newer version of the same key replaced shortly afterward; return true if there are any."""
    overwritten = order.overwritten(pointers, turn.run.settle)
    for versions in overwritten:
        reports = [report for pointer in versions if (report := turn.run.report(pointer))]
        for report in sorted(reports, key=turn.versions.sort_key)[:-1]:
            turn.run.set_outcome(report, reasons.newer_version())
    return bool(overwritten)


def _send_changes(turn: Turn, settled: Sequence[Pointer], *, may_create: bool) -> None:
    """Send the next appends or removes in one call.

    Args:
        turn: the audience's turn.
        settled: the uploads that can be sent.
        may_create: true if a waiting upload could create the audience.
    """
    run, lease = turn.run, turn.lease
    check_hold(turn, order.next_action(settled, has_audience=lease.state["audience_id"] is not None))
    audience, note = choose_audience(turn)
    action = order.next_action(settled, has_audience=audience is not None)
    if audience is None and action is Action.REMOVE and may_create:
        raise reasons.behind_older_upload()
    same = [pointer for pointer in settled if pointer.action is action]
    pointers = same if order.can_pass(settled, action) else order.neighbors(settled, action)
    found = [report for pointer in order.in_order(pointers) if (report := run.report(pointer))]
    if submitted := [report for report in found if report["status"] != "waiting"]:
        restore_change(run, lease, submitted)
        raise reasons.audience_processing()
    reports = _without_withdrawn(turn, found)
    if not reports:
        return
    if audience is None:
        if action is Action.REMOVE:
            _end_without_audience(turn, reports)
            return
        register_unregistered(turn, [report["file"]["key"] for report in reports])
        if run.account.count() >= MAX_AUDIENCES:
            raise reasons.audience_limit_reached()
    if action is Action.REMOVE:
        note += note_on_other_types(run, lease.audience)
    _send(turn, audience, reports, note, MAX_UPLOADS_AGAIN)


def _end_without_audience(turn: Turn, reports: Sequence[Report]) -> None:
    """Reject removes that have no audience. Their rows count as applied, because an older append may still arrive."""
    run, lease = turn.run, turn.lease
    note = note_on_other_types(run, lease.audience)
    counted = []
    for report in reports:
        try:
            if ready := count_or_end(run, lease, report):
                counted.append(ready)
        except OutOfTime:
            if not record_stall(lease, upload_digest(*identity(report)), progress=False):
                raise
            run.set_outcome(report, reasons.no_progress())
    lease.state["applied"] += [applied_entry(report, iso(run.now())) for report in counted]
    lease.save()
    for report in counted:
        run.set_outcome(report, reasons.nothing_to_remove_from(note))


def _send(turn: Turn, audience: Audience | None, reports: Sequence[Report], note: str, uploads_again: int) -> None:
    """Upload and submit uploads of one action.

    If TikTok lost parts, upload them again up to `uploads_again` times. If TikTok refuses the uploads, send each half,
    to find the faulty upload.
    """
    run, lease = turn.run, turn.lease
    ready = prepare(turn, reports)
    if not ready:
        return
    try:
        submit(run, lease, audience, request_for(ready, note))
    except UploadAgain as refused:
        if uploads_again:
            forgotten = [run.write(report, clear_uploads) for report in ready]
            _send(turn, audience, forgotten, note, uploads_again - 1)
        else:
            _send_halves(turn, audience, ready, note, refused)
    except Failed as refused:
        _send_halves(turn, audience, ready, note, refused)


def _send_halves(turn: Turn, audience: Audience | None, reports: Sequence[Report], note: str, refused: Failed) -> None:
    if len(reports) == 1:
        turn.run.set_outcome(reports[0], with_columns_note(turn.lease.audience, refused))
        return
    middle = len(reports) // 2
    for half in (reports[:middle], reports[middle:]):
        _send(turn, audience, half, note, 0)
        if turn.lease.state["change"]:
            return


def _without_withdrawn(turn: Turn, reports: Sequence[Report]) -> list[Report]:
    """Withdraw uploads that were deleted before their turn, unless they are applied anyway; return the others."""
    kept = []
    for report in reports:
        if not is_applied_when_deleted(report) and turn.versions.is_deleted(report):
            turn.run.set_outcome(report, reasons.withdrawn())
        else:
            kept.append(report)
    return kept
