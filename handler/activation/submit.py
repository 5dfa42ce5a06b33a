"""One change at TikTok: its intent is written before the call, its result after it.

A function that finds an intent without a result asks TikTok before anything is sent again (`resolve.py`).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from handler import reasons
from handler.activation.audience_status import MAX_PROCESSING
from handler.activation.invocation import Invocation
from handler.activation.list_turn import ListTurn, reports_of
from handler.activation.overtaking import applied
from handler.activation.report_counts import tally_from_json, write_counts
from handler.cleaning.counts import RejectionReason
from handler.clock import iso, parse_iso
from handler.errors import Failed, NotEditable, Outcome, OutcomeUnknown
from handler.model import Action, AudienceKey, IdentifierType
from handler.report_codes import Code
from handler.state.audience_state import Applied, Change, FileRef, hold_back
from handler.state.lease import Lease
from handler.state.lists import read_list, write_list
from handler.state.reports import Report, action_of, file_paths, identity, set_outcome, set_status
from handler.tiktok.responses import Audience

MAX_UPLOADS_AGAIN = 2  # times that parts are uploaded again after TikTok lost them
MIN_MATCHED = 1000  # people that an audience has to match to be used (TikTok)


class ChangeRequest(NamedTuple):
    """The files of one change.

    Attributes:
        action: what happens to the audience.
        reports: the uploads, or the files of a list.
        paths: TikTok's names of their parts.
        list_turn: the list; None for appends and removes.
        note: sentences for the reports.
    """

    action: Action
    reports: Sequence[Report]
    paths: Sequence[str]
    list_turn: ListTurn | None = None
    note: str = ""

    @property
    def rows(self) -> int:
        """Accepted rows of all files."""
        if self.list_turn:
            return self.list_turn.stored["rows"] or 0
        return sum(report["rows"]["accepted"] or 0 for report in self.reports)


def request_for(reports: Sequence[Report], note: str) -> ChangeRequest:
    """Return the request for uploads of one action. Small uploads may share a part."""
    paths = dict.fromkeys(path for report in reports for path in file_paths(report))
    return ChangeRequest(action_of(reports[0]), reports, list(paths), note=note)


def request_for_list(turn: ListTurn, note: str) -> ChangeRequest:
    """Return the request for a list."""
    paths = [upload["file_path"] for upload in turn.stored["uploads"]]
    return ChangeRequest(Action.REPLACE, turn.reports, paths, turn, note)


def submit(run: Invocation, lease: Lease, audience: Audience | None, request: ChangeRequest) -> None:
    """Ask TikTok for one change: a create if there is no audience yet.

    Raises:
        Failed: TikTok refuses the call or one of its files.
        UploadAgain: TikTok no longer has a part.
        Waiting: TikTok cannot take it now, or its answer was lost.
    """
    state = lease.state
    change = _change(run, audience, request)
    unresolved = state["intent"]
    if unresolved:  # the same files: their first call may still show in the audience's history
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
        run.account.forget()
        raise
    except Outcome as refused:
        # With any other answer TikTok has not made the change. An earlier call of unknown outcome may be the reason.
        state["intent"] = unresolved
        outcome = _unknown_still(run, unresolved, refused) or refused
        if isinstance(outcome, NotEditable):
            hold_back(state, change["call"], outcome, run.now())
        lease.save()
        raise outcome from None
    record(run, lease, change, request, request_id)


def _unknown_still(run: Invocation, unresolved: Change | None, refused: Outcome) -> NotEditable | None:
    """Return the reason to wait if a change that is sent again is refused because TikTok may be at work on the first.

    TikTok's words for this are not documented. So a request that is wrong for no known reason counts, as long as TikTok
    may take to process a change.
    """
    if unresolved is None or refused.code is not Code.REQUEST_REFUSED:
        return None
    if run.now() - parse_iso(unresolved["began_at"]) >= MAX_PROCESSING:
        return None
    return NotEditable(Code.OUTCOME_UNKNOWN, reasons.outcome_unknown().reason)


def _change(run: Invocation, audience: Audience | None, request: ChangeRequest) -> Change:
    files = request.reports[:1] if request.list_turn else request.reports
    return {
        "call": request.action.value if audience else "create",
        "audience_id": audience.id if audience else None,
        "files": [FileRef(key=report["file"]["key"], version_id=report["file"]["version_id"]) for report in files],
        "list": request.list_turn.stored["digest"] if request.list_turn else None,
        "began_at": iso(run.now()),
        "matched_before": audience.matched if audience else None,
        "seen_processing": None,
        "reported": False,
    }


def record(
    run: Invocation, lease: Lease, change: Change, request: ChangeRequest, request_id: str | None = None
) -> None:
    """Write down that TikTok has accepted a change: first in the audience's state, then in the reports."""
    state = lease.state
    state["intent"], state["change"], state["hold"], state["audience_id"] = None, change, None, change["audience_id"]
    state["applied"] += _applied(request, change["began_at"])  # a list that is sent again is applied twice
    lease.save()
    mark_submitted(run, change, request, request_id)


def _applied(request: ChangeRequest, sent_at: str) -> list[Applied]:
    if not request.list_turn:
        return [applied(report, sent_at) for report in request.reports]
    entry = applied(request.reports[0], sent_at)
    stored = request.list_turn.stored
    return [{**entry, "uploaded_at": stored["first_uploaded_at"], "rows": stored["rows"] or 0}]


def request_of(run: Invocation, lease: Lease, change: Change) -> ChangeRequest:
    """Return the request behind a change that an earlier invocation made.

    A report that somebody deleted or damaged is left out.
    """
    if change["list"]:
        stored = read_list(run.store, lease.audience, change["list"])
        if stored:
            turn = ListTurn(
                lease.audience, stored, reports_of(run, stored["files"]), reports_of(run, stored["outdated"])
            )
            return request_for_list(turn, "")
    action = Action(change["call"]) if change["call"] != "create" else Action.APPEND
    return ChangeRequest(action, reports_of(run, change["files"]), [])


def restore_change(run: Invocation, lease: Lease, reports: Sequence[Report]) -> None:
    """Make the change of submitted uploads anew from their reports, because somebody deleted the audience's state."""
    newest = [run.ledger.read_again(*identity(report)) for report in reports]
    reports = [report for report in newest if report["status"] == "submitted"]
    if not reports:  # another function has ended them
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
    record(run, lease, change, request)


def mark_submitted(run: Invocation, change: Change, request: ChangeRequest, request_id: str | None = None) -> None:
    """Bring the reports of a change up to `submitted`. A function that was killed may have left some behind."""
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
    """Return the sentences about rows and columns that were left out."""
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
    """Return a sentence about the audiences that a remove does not touch, although they have the same name.

    Raises:
        Waiting: a call to TikTok failed.
    """
    return reasons.other_identifier_types(run.account.same_name(audience.name, audience.identifier_type))


def explained(audience: AudienceKey, refused: Failed) -> Failed:
    """Return a refusal by TikTok, with a note if the file has columns: their format is documented only in part."""
    if audience.identifier_type is not IdentifierType.MULTIPLE_TYPES:
        return refused
    return Failed(refused.code, refused.reason + reasons.note_on_columns())
