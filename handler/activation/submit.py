"""One change at TikTok: the intent is stored before the call, and the result after it.

A function that finds an intent without a result checks with TikTok before it sends anything again (`resolve.py`).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from handler import reasons
from handler.activation.audience_status import MAX_PROCESSING
from handler.activation.invocation import Invocation
from handler.activation.list_turn import ListTurn, reports_of
from handler.activation.overtaking import applied_entry
from handler.cleaning.counts import RejectionReason, tally_from_json
from handler.clock import iso, parse_iso
from handler.errors import Failed, NotEditable, Outcome, OutcomeUnknown
from handler.model import Action, AudienceKey, IdentifierType
from handler.report_codes import Code
from handler.state.audience_state import Applied, Change, FileRef, set_hold
from handler.state.lease import Lease
from handler.state.lists import ListFile, read_list, write_list
from handler.state.reports import (
    FileEntry,
    Report,
    action_of,
    file_paths,
    identity,
    set_outcome,
    set_status,
    write_counts,
)
from handler.tiktok.responses import Audience

MAX_UPLOADS_AGAIN = 2  # how often parts are uploaded again after TikTok lost them
MIN_MATCHED = 1000  # people that TikTok has to match before an audience can be used


class ChangeRequest(NamedTuple):
    """The uploads that one change sends to TikTok.

    Attributes:
        action: the action of the uploads.
        reports: the reports of the uploads, or of the files of a list.
        paths: TikTok's `file_paths` of their parts.
        list_turn: the list; None for appends and removes.
        note: sentences to add to the reason in each report.
    """

    action: Action
    reports: Sequence[Report]
    paths: Sequence[str]
    list_turn: ListTurn | None = None
    note: str = ""

    @property
    def rows(self) -> int:
        """The number of accepted rows in all files."""
        if self.list_turn:
            return self.list_turn.stored["rows"] or 0
        return sum(report["rows"]["accepted"] or 0 for report in self.reports)


def request_for(reports: Sequence[Report], note: str) -> ChangeRequest:
    """Return the request for uploads of one action. Several small uploads may share a part."""
    paths = dict.fromkeys(path for report in reports for path in file_paths(report))
    return ChangeRequest(action_of(reports[0]), reports, list(paths), note=note)


def request_for_list(opened: ListTurn, note: str) -> ChangeRequest:
    """Return the request for a list."""
    paths = [upload["file_path"] for upload in opened.stored["uploads"]]
    return ChangeRequest(Action.REPLACE, opened.reports, paths, opened, note)


def submit(run: Invocation, lease: Lease, audience: Audience | None, request: ChangeRequest) -> None:
    """Send one change to TikTok: a create if there is no audience yet, otherwise an update.

    Raises:
        Failed: TikTok refuses the call or one of its files.
        UploadAgain: TikTok no longer has a part.
        Waiting: TikTok cannot make the change now, or its response was lost.
        Conflict: another function has taken the lease.
    """
    state = lease.state
    change = _change(run, audience, request)
    unresolved = state["intent"]
    if unresolved:  # the same files: the first call may still appear in the audience's history
        change["began_at"] = unresolved["began_at"]
    state["intent"] = change
    state["message_seen"] = audience.message if audience else None
    lease.save()
    try:
        if audience:
            request_id = run.tiktok.update(audience.id, request.action.value, request.paths)
        else:
            key = lease.audience
            change["audience_id"], request_id = run.tiktok.create(key.name, key.identifier_type, request.paths)
    except OutcomeUnknown:
        run.account.clear()
        raise
    except Outcome as refused:
        # TikTok did not make this change. An earlier call whose outcome is unknown may be the reason.
        state["intent"] = unresolved
        outcome = _still_unknown(run, unresolved, refused) or refused
        if isinstance(outcome, NotEditable):
            set_hold(state, change["call"], outcome, run.now())
        lease.save()
        raise outcome from None
    record_change(run, lease, change, request, request_id)


def _still_unknown(run: Invocation, unresolved: Change | None, refused: Outcome) -> NotEditable | None:
    """Return the reason to wait if TikTok may have refused a repeated change because it is processing the first call.

    TikTok does not document the message for this case. Every refusal without a known reason therefore counts, for as
    long as TikTok may take to process a change.
    """
    if unresolved is None or refused.code is not Code.REQUEST_REFUSED:
        return None
    if run.now() - parse_iso(unresolved["began_at"]) >= MAX_PROCESSING:
        return None
    return NotEditable(Code.OUTCOME_UNKNOWN, reasons.outcome_unknown().reason)


def _change(run: Invocation, audience: Audience | None, request: ChangeRequest) -> Change:
    files: Sequence[ListFile | FileEntry] = (
        request.list_turn.stored["files"][:1] if request.list_turn else [report["file"] for report in request.reports]
    )
    return {
        "call": request.action.value if audience else "create",
        "audience_id": audience.id if audience else None,
        "files": [FileRef(key=file["key"], version_id=file["version_id"]) for file in files],
        "list": request.list_turn.stored["digest"] if request.list_turn else None,
        "began_at": iso(run.now()),
        "matched_before": audience.matched if audience else None,
        "seen_processing": None,
        "reported": False,
    }


def record_change(
    run: Invocation, lease: Lease, change: Change, request: ChangeRequest, request_id: str | None = None
) -> None:
    """Record that TikTok accepted a change, first in the audience's state and then in the reports."""
    state = lease.state
    state["intent"], state["change"], state["hold"], state["audience_id"] = None, change, None, change["audience_id"]
    state["applied"] += _applied(request, change["began_at"])  # a list that is sent again has two entries
    lease.save()
    mark_submitted(run, change, request, request_id)


def _applied(request: ChangeRequest, sent_at: str) -> list[Applied]:
    if not request.list_turn:
        return [applied_entry(report, sent_at) for report in request.reports]
    stored = request.list_turn.stored
    first = stored["files"][0]  # not from a report, which may be missing
    return [
        {
            "key": first["key"],
            "version_id": first["version_id"],
            "action": request.action.value,
            "uploaded_at": stored["first_uploaded_at"],
            "sent_at": sent_at,
            "rows": stored["rows"] or 0,
        }
    ]


def request_for_change(run: Invocation, lease: Lease, change: Change) -> ChangeRequest:
    """Return the request for a change in the audience's state. Its `paths` are empty unless it sent a list.

    Reports that someone deleted or damaged are left out. If someone deleted the list object, the request has only the
    report of the list's first file.
    """
    if change["list"]:
        stored = read_list(run.store, lease.audience, change["list"])
        if stored:
            opened = ListTurn(
                lease.audience, stored, reports_of(run, stored["files"]), reports_of(run, stored["outdated"])
            )
            return request_for_list(opened, "")
    action = Action(change["call"]) if change["call"] != "create" else Action.APPEND
    return ChangeRequest(action, reports_of(run, change["files"]), [])


def restore_change(run: Invocation, lease: Lease, reports: Sequence[Report]) -> None:
    """Restore the change of submitted uploads from their reports after someone deleted the audience's state."""
    newest = [run.ledger.read_again(*identity(report)) for report in reports]
    reports = [report for report in newest if report["status"] == "submitted"]
    if not reports:  # another function has finished them
        return
    request, audience = request_for(reports, ""), reports[0]["audience"]
    change: Change = {
        **_change(run, None, request),
        "call": "create" if audience and audience["created"] else request.action.value,
        "audience_id": audience and audience["id"],
        "began_at": reports[0]["updated_at"],
        "matched_before": reports[0]["tiktok"]["matched_before"],
    }
    run.logger.error("submitted uploads without a change", extra={"key": reports[0]["file"]["key"]})
    record_change(run, lease, change, request)


def mark_submitted(run: Invocation, change: Change, request: ChangeRequest, request_id: str | None = None) -> None:
    """Set the reports of a change to `submitted`, including those that a killed function did not update."""
    warning = reasons.few_rows(request.rows) if change["call"] == "create" and request.rows < MIN_MATCHED else ""
    if request.list_turn and request.list_turn.stored["status"] != "submitted":
        request.list_turn.stored["status"], request.list_turn.stored["code"] = "submitted", Code.SUBMITTED.value
        write_list(run.store, request.list_turn.audience, request.list_turn.stored)
    files = request.list_turn.stored["files"] if request.list_turn else []
    counts = {(file["key"], file["version_id"]): file["counts"] for file in files}
    for report in request.reports:
        if report["status"] != "waiting":
            continue

        def submitted(current: Report) -> None:
            if counted := counts.get(identity(current)):
                tally = tally_from_json(counted)
                write_counts(current, tally)
                if not tally.accepted:
                    set_outcome(current, reasons.empty_file_of_list())
                    return
            notes = request.note + notes_on_rows(current) + warning
            set_status(current, "submitted", Code.SUBMITTED, reasons.submitted(notes))
            if current["audience"]:
                current["audience"]["id"] = change["audience_id"]
                current["audience"]["created"] = change["call"] == "create"
            current["tiktok"]["matched_before"] = change["matched_before"]
            if request_id and request_id not in current["tiktok"]["request_ids"]:
                current["tiktok"]["request_ids"].append(request_id)

        run.write(report, submitted)
    change["reported"] = True


def notes_on_rows(report: Report) -> str:
    """Return sentences about rows and columns that were left out."""
    rows = report["rows"]
    columns = [
        each["column"] or "" for each in report["rejections"] if each["reason"] == RejectionReason.COLUMN_LEFT_OUT
    ]
    return (
        reasons.rows_left_out(rows["rejected"] or 0, rows["total"] or 0)
        + reasons.columns_left_out(columns)
        + reasons.rows_overtaken(rows["overtaken"] or 0)
    )


def note_on_other_types(run: Invocation, audience: AudienceKey) -> str:
    """Return a sentence about audiences of the same name that a remove does not change.

    Raises:
        Waiting: a call to TikTok failed.
    """
    return reasons.other_identifier_types(run.account.types_with_name(audience.name, audience.identifier_type))


def with_columns_note(audience: AudienceKey, refused: Failed) -> Failed:
    """Return TikTok's refusal, with a note if the file has columns: TikTok documents their format only in part."""
    if audience.identifier_type is not IdentifierType.MULTIPLE_TYPES:
        return refused
    return Failed(refused.code, refused.reason + reasons.NOTE_ON_COLUMNS)
