"""The next list of an audience: choose the list, upload its files, and send it to TikTok."""

from __future__ import annotations

from collections.abc import Sequence

from handler import reasons
from handler.activation import exports
from handler.activation.audience_choice import check_hold, choose_audience, register_unregistered
from handler.activation.exports import Export
from handler.activation.invocation import Invocation
from handler.activation.list_turn import ListTurn, check_deleted, gather_list, open_list, set_list_outcome
from handler.activation.list_upload import forget_list_uploads, record_counts, upload_list
from handler.activation.submit import MAX_UPLOADS_AGAIN, request_for_change, request_for_list, submit, with_columns_note
from handler.activation.turn import Turn
from handler.activation.versions import Versions
from handler.clock import parse_iso
from handler.errors import Failed, Outcome, OutOfTime, UploadAgain, Waiting
from handler.events.keys import SUCCESS_MARKER
from handler.model import Action
from handler.state.audience_state import Change
from handler.state.reports import identity
from handler.tiktok.account import MAX_AUDIENCES
from handler.tiktok.responses import Audience


def send_list(turn: Turn, lists: Sequence[Export]) -> None:
    """Send one list, or set the outcome of lists that cannot be sent.

    It sends the newest list or, of several lists that were uploaded together, the only one with a `_SUCCESS` marker.

    Raises:
        Waiting: no list can be sent now.
    """
    run = turn.run
    if _end_deleted_exports(turn, lists):
        return
    chosen = _choose_list(turn, lists)
    if chosen is None:
        return
    check_hold(turn, Action.REPLACE)
    audience, note = choose_audience(turn)
    keys = [report["file"]["key"] for pointer in chosen.pointers if (report := run.report(pointer))]
    register_unregistered(turn, keys)
    if audience is None and run.account.count() >= MAX_AUDIENCES:
        raise reasons.audience_limit_reached()
    opened = open_list(turn, chosen)
    if opened is None:
        return
    _reopen(run, opened)
    _send(turn, audience, opened, note)


def send_list_again(turn: Turn, intent: Change) -> bool:
    """Repeat a replace whose outcome is unknown, with the same files.

    Nothing else is sent before it: the audience's history shows only that there was a replace, so the result of the
    first call would be mistaken for the result of the newer list.

    Returns:
        False if the list has finished or its list object was deleted meanwhile. The intent is then dropped.
    """
    opened = request_for_change(turn.run, turn.lease, intent).list_turn
    if opened is None or opened.stored["status"] != "waiting":
        turn.lease.state["intent"] = None
        return False
    check_hold(turn, Action.REPLACE)
    audience, note = choose_audience(turn)
    _send(turn, audience, opened, note)
    return True


def _send(turn: Turn, audience: Audience | None, opened: ListTurn, note: str) -> None:
    """Send a list, or set its outcome if it cannot be sent."""
    run = turn.run
    try:
        _upload_and_submit(turn, audience, opened, note)
    except OutOfTime:
        raise
    except Waiting:
        record_counts(run, opened)
        raise
    except Failed as refused:
        set_list_outcome(run, opened, with_columns_note(turn.lease.audience, refused))
    except Outcome as outcome:
        set_list_outcome(run, opened, outcome)


def _reopen(run: Invocation, opened: ListTurn) -> None:
    """Set the finished files of a list back to `waiting`, because the list is sent again."""
    for index, report in enumerate(opened.reports):
        if report["status"] != "waiting":
            opened.reports[index] = run.ledger.reopen(report)


def _upload_and_submit(turn: Turn, audience: Audience | None, opened: ListTurn, note: str) -> None:
    if audience is None:  # a new audience has no previous list to compare the size with
        turn.lease.state["list_rows"] = None
    for uploads_left in reversed(range(MAX_UPLOADS_AGAIN + 1)):
        upload_list(turn, opened)
        # With an intent, TikTok may have applied the list already, so it is too late to withdraw the list.
        if not turn.lease.state["intent"]:
            check_deleted(opened, Versions(turn.run))  # a new listing: files may have been deleted during the upload
        try:
            submit(turn.run, turn.lease, audience, request_for_list(opened, note))
        except UploadAgain:
            if not uploads_left:
                raise
            forget_list_uploads(turn.run, opened)
        else:
            return


def _end_deleted_exports(turn: Turn, lists: Sequence[Export]) -> bool:
    """Withdraw the deleted files of a list if they were all deleted before its other files were uploaded.

    Files uploaded after the deletion are another export: in overwrite mode, Spark deletes the files of the previous
    run and writes files with other names.

    Returns:
        True if files were withdrawn.
    """
    run, found = turn.run, False
    for export in lists:
        reports = [report for pointer in export.pointers if (report := run.report(pointer))]
        gone = [(at, report) for report in reports if (at := turn.versions.deleted_at(report))]
        deleted = {identity(report) for _, report in gone}
        kept = [report for report in reports if identity(report) not in deleted]
        names = {report["file"]["key"] for report in kept}
        if not kept or all(report["file"]["key"] in names for _, report in gone):
            continue
        if max(at for at, _ in gone) <= min(parse_iso(report["file"]["uploaded_at"]) for report in kept):
            for _, report in gone:
                run.set_outcome(report, reasons.list_withdrawn())
            found = True
    return found


def _choose_list(turn: Turn, lists: Sequence[Export]) -> Export | None:
    """Return the list to send; None if lists were withdrawn or rejected instead.

    If several lists were uploaded together, those with a deleted file are withdrawn. Of the others, the one with a
    `_SUCCESS` marker is sent. If none or several have one, it is unclear which list is meant, so all are rejected.
    """
    run = turn.run
    together = exports.uploaded_together(lists, run.settle)
    if len(together) == 1:
        return together[0]
    gathered = [(export, gather_list(turn, export)) for export in together]
    if _end_withdrawn(turn, [opened for _, opened in gathered]):
        return None
    finished = [
        export for export, opened in gathered if turn.versions.has_newer_marker(SUCCESS_MARKER, opened.stored["files"])
    ]
    chosen = finished[0] if len(finished) == 1 else None
    for export, opened in gathered:
        # A list older than the chosen one is superseded later. A newer list, or one of the same second,
        # would replace the chosen list, so it is rejected.
        if chosen is None or (export is not chosen and export.first >= chosen.first):
            set_list_outcome(run, opened, reasons.ambiguous_replace())
    return chosen


def _end_withdrawn(turn: Turn, lists: Sequence[ListTurn]) -> bool:
    """Withdraw the lists that have a deleted file, so that the others can be sent; return true if there are any."""
    found = False
    for opened in lists:
        try:
            check_deleted(opened, turn.versions)
        except Outcome as withdrawn:
            set_list_outcome(turn.run, opened, withdrawn)
            found = True
    return found
