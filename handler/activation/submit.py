"""One change at TikTok: its intent written before the call, its result after it, and its end when TikTok is done.

Whoever finds an intent without a result asks TikTok before anything is sent again.
"""

from __future__ import annotations

from collections.abc import Sequence

from handler import reasons
from handler.activation.invocation import Invocation
from handler.activation.upload import file_paths
from handler.clock import iso
from handler.errors import Damaged, Failed, Missing, NotEditable, Outcome, OutcomeUnknown, UploadAgain
from handler.report_codes import Code
from handler.state.audience_state import Change, FileRef, hold_back, mark_applied
from handler.state.lease import Lease
from handler.state.reports import Report, action_of, settle
from handler.tiktok.responses import Audience

FEW_ROWS = 1000  # people an audience has to match to be used


def submit(
    run: Invocation,
    lease: Lease,
    audience: Audience | None,
    reports: Sequence[Report],
    note: str = "",
    *,
    again: bool = False,
) -> None:
    """Ask TikTok for one change with all parts of these files: a create if there is no audience yet.

    A call that is refused for its files is tried with half of them, down to the one that is at fault; one that is
    refused for itself, file by file. With `again` their parts are to be uploaded anew if TikTok no longer has them.

    Raises:
        Waiting: the files keep their place.
        UploadAgain: TikTok no longer has their parts, with `again`.
    """
    try:
        _change(run, lease, audience, reports, note)
    except Failed as refused:
        if isinstance(refused, UploadAgain) and again:
            raise
        if len(reports) == 1:
            fail(run, reports, refused)
        elif refused.code is Code.REQUEST_REFUSED:  # none of the files may be at fault: half of them would not tell
            for report in reports:
                submit(run, lease, audience, [report], note, again=again)
                if lease.state["change"]:
                    return
        else:
            submit(run, lease, audience, reports[: len(reports) // 2], note, again=again)


def _change(run: Invocation, lease: Lease, audience: Audience | None, reports: Sequence[Report], note: str) -> None:
    action = action_of(reports[0])
    change: Change = {
        "call": action.value if audience else "create",
        "audience_id": audience.id if audience else None,
        "files": [FileRef(key=report["file"]["key"], version_id=report["file"]["version_id"]) for report in reports],
        "began_at": iso(run.now()),
        "matched_before": audience.matched if audience else None,
        "seen_processing": None,
    }
    unsettled = lease.state["intent"]
    lease.state["intent"] = change
    lease.state["message_seen"] = audience.message if audience else None
    lease.save()
    paths = [path for report in reports for path in file_paths(report)]
    try:
        if audience:
            request_id = run.tiktok.update(audience.id, action.value, paths)
        else:
            change["audience_id"], request_id = run.tiktok.create(lease.key.name, lease.key.identifier_type, paths)
    except OutcomeUnknown:
        run.account.forget()
        raise
    except Outcome as refused:
        # Anything else TikTok says, it says without having done the work.
        lease.state["intent"] = None
        if isinstance(refused, NotEditable):
            lease.state["intent"] = unsettled  # a replace after all, which hinders this change
            hold_back(lease.state, change["call"], refused, run.now())
        lease.save()
        raise
    record(run, lease, change, request_id, note)


def record(run: Invocation, lease: Lease, change: Change, request_id: str | None = None, note: str = "") -> None:
    """Write down that TikTok has taken a change: first in the audience's state, then in the files' reports."""
    reports, state = files_of(run, change), lease.state
    state["intent"], state["change"], state["hold"], state["audience_id"] = None, change, None, change["audience_id"]
    for report in reports:
        mark_applied(state, action_of(report), report["file"]["uploaded_at"])
    lease.save()
    mark_submitted(run, change, reports, request_id, note)


def mark_submitted(
    run: Invocation, change: Change, reports: Sequence[Report], request_id: str | None = None, note: str = ""
) -> None:
    """Bring the reports of a change's files up to `submitted`."""
    accepted = sum(report["rows"]["accepted"] or 0 for report in reports)
    few = change["call"] == "create" and accepted < FEW_ROWS
    warning = f" With {accepted} rows in all it cannot match TikTok's minimum of 1,000 people." if few else ""
    for report in reports:
        if report["status"] != "waiting":
            continue
        warnings = note + left_out(report) + warning

        def submitted(current: Report, warnings: str = warnings) -> None:
            settle(
                current,
                "submitted",
                Code.SUBMITTED,
                f"TikTok has taken the file and processes it within 48 hours.{warnings}",
            )
            if current["audience"]:
                current["audience"]["id"] = change["audience_id"]
                current["audience"]["created"] = change["call"] == "create"
            current["tiktok"]["matched_before"] = change["matched_before"]
            if request_id:
                current["tiktok"]["request_ids"].append(request_id)

        run.write(report, submitted)


def left_out(report: Report) -> str:
    """Return a sentence about the rows that were left out, empty if there are none."""
    total, rejected = report["rows"]["total"] or 0, report["rows"]["rejected"]
    return f" {rejected:,} of {total:,} rows were left out; `rejections` says which and why." if rejected else ""


def files_of(run: Invocation, change: Change) -> list[Report]:
    """The reports of a change's files; one that somebody deleted or damaged is passed over."""
    reports = []
    for file in change["files"]:
        try:
            reports.append(run.ledger.latest(file["key"], file["version_id"]))
        except (Missing, Damaged):
            run.logger.exception("report unreadable", extra={"key": file["key"]})
    return reports


def fail(run: Invocation, reports: Sequence[Report], reason: Outcome, message: str | None = None) -> None:
    """Write down that the uploads of a change failed."""
    for report in reports:

        def failed(current: Report) -> None:
            settle(current, reason.status, reason.code, reason.reason)
            if message:
                current["tiktok"]["message"] = message

        run.write(report, failed)


def processing() -> NotEditable:
    """TikTok is at work on the audience's last change."""
    return reasons.audience_processing()


def audience_id(change: Change) -> str:
    """Return the id of the audience that a change is for."""
    if change["audience_id"] is None:
        raise AssertionError("a change that TikTok has taken has an audience")
    return change["audience_id"]
