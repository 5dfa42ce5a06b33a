"""One change at TikTok: its intent written before the call, its result after it, and its end when TikTok is done.

Whoever finds an intent without a result asks TikTok before anything is sent again.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from handler.audiences import Change, FileRef, Lease, hold_back, mark_applied
from handler.clock import iso, parse_iso
from handler.errors import Code, Failed, NotEditable, Outcome
from handler.intake import file_paths
from handler.lifecycle import (
    Stage,
    history_entry,
    made_since,
    needs_details,
    says_too_small,
    stage,
    without_old_message,
)
from handler.metrics import Metric
from handler.objects import Damaged, Missing
from handler.reports import Report, action_of, settle
from handler.run import Run
from handler.tiktok_answers import Audience, OutcomeUnknown, UploadAgain

FEW_ROWS = 1000  # people an audience has to match to be used


def submit(
    run: Run, lease: Lease, audience: Audience | None, reports: Sequence[Report], note: str = "", *, again: bool = False
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
            _fail(run, reports, refused)
        elif refused.code is Code.REQUEST_REFUSED:  # none of the files may be at fault: half of them would not tell
            for report in reports:
                submit(run, lease, audience, [report], note, again=again)
                if lease.state["change"]:
                    return
        else:
            submit(run, lease, audience, reports[: len(reports) // 2], note, again=again)


def _change(run: Run, lease: Lease, audience: Audience | None, reports: Sequence[Report], note: str) -> None:
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


def record(run: Run, lease: Lease, change: Change, request_id: str | None = None, note: str = "") -> None:
    """Write down that TikTok has taken a change: first in the audience's state, then in the files' reports."""
    reports, state = files_of(run, change), lease.state
    state["intent"], state["change"], state["hold"], state["audience_id"] = None, change, None, change["audience_id"]
    for report in reports:
        mark_applied(state, action_of(report), report["file"]["uploaded_at"])
    lease.save()
    mark_submitted(run, change, reports, request_id, note)


def mark_submitted(
    run: Run, change: Change, reports: Sequence[Report], request_id: str | None = None, note: str = ""
) -> None:
    """Bring the reports of a change's files up to `submitted`."""
    accepted = sum(report["rows"]["accepted"] or 0 for report in reports)
    few = change["call"] == "create" and accepted < FEW_ROWS
    warning = f" With {accepted} rows in all it cannot match TikTok's minimum of 1,000 people." if few else ""
    for report in reports:
        if report["status"] != "waiting":
            continue
        warnings = note + _left_out(report) + warning

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


def _left_out(report: Report) -> str:
    total, rejected = report["rows"]["total"] or 0, report["rows"]["rejected"]
    return f" {rejected:,} of {total:,} rows were left out; `rejections` says which and why." if rejected else ""


def settle_intent(run: Run, lease: Lease) -> None:
    """Find out what became of a call whose answer was never written down.

    An intent that is left is a replace that TikTok shows no sign of.

    Raises:
        OutcomeUnknown: TikTok does not show it yet.
        Waiting: TikTok cannot be asked now.
    """
    state, intent = lease.state, lease.state["intent"]
    if intent is None:
        return
    grace = timedelta(seconds=run.settings.create_grace_seconds)
    in_grace = run.now() - parse_iso(intent["began_at"]) < grace
    if intent["call"] == "create":
        # None was listed when the call went out, so one that was made since is the one.
        if made := [each for each in run.account.find(lease.key, None) if made_since(each, intent)]:
            record(run, lease, {**intent, "audience_id": made[0].id})
            return
        if in_grace:
            raise OutcomeUnknown
    else:
        audience = run.account.details(_id(intent))
        if audience:
            if history_entry(audience, intent, state["history_seen"]):
                record(run, lease, intent)
                return
            where = stage(audience, None if audience.is_valid else intent, None, run.now())
            # An append or a remove may be done again at any time, a replace only when it is not about to turn up. If
            # then TikTok refuses another, it may still: so it is not forgotten.
            if where is Stage.PROCESSING or (intent["call"] == "replace" and in_grace):
                raise OutcomeUnknown
            if intent["call"] == "replace":
                return
    state["intent"] = None
    lease.save()


def end_change(run: Run, lease: Lease) -> None:
    """End the change that TikTok was processing: its files become available or failed.

    Raises:
        NotEditable: TikTok is not done.
        Waiting: TikTok cannot be asked now.
    """
    state, change = lease.state, lease.state["change"]
    if change is None:
        return
    audience = run.account.since(_id(change), change["seen_processing"])
    if audience is None:
        gone = Failed(
            Code.PROCESSING_FAILED,
            "The audience was deleted in Ads Manager before TikTok had processed the file: upload the file again.",
        )
        _fail(run, files_of(run, change), gone)
    else:
        if not audience.history and needs_details(audience, change, run.now()):
            ids = (each.id for each in run.account.listing().values() if each.is_creator and each.is_valid)
            details = run.account.details(audience.id, also=ids)
            audience = details.filled_in(audience) if details else audience
        said = audience.message
        audience = without_old_message(audience, state, change)
        where = stage(audience, change, state["history_seen"], run.now())
        if where is Stage.PROCESSING:
            if audience.is_valid is False and not change["seen_processing"]:
                change["seen_processing"] = iso(run.now())
                lease.save()
            raise processing()
        if where is Stage.READY:
            _make_available(run, change, audience)
        else:
            _fail(run, files_of(run, change), _end_reason(where, change, audience), audience.message)
        if audience.history:
            state["history_seen"] = iso(max(at for _, at, _ in audience.history))
        if audience.is_valid:  # of one that is too small it is the truth
            state["message_seen"] = said
    state["change"] = None
    lease.save()


def files_of(run: Run, change: Change) -> list[Report]:
    """The reports of a change's files; one that somebody deleted or damaged is passed over."""
    reports = []
    for file in change["files"]:
        try:
            reports.append(run.ledger.latest(file["key"], file["version_id"]))
        except (Missing, Damaged):
            run.logger.exception("report unreadable", extra={"key": file["key"]})
    return reports


def _make_available(run: Run, change: Change, audience: Audience) -> None:
    reports = files_of(run, change)
    accepted = sum(report["rows"]["accepted"] or 0 for report in reports)
    rated = change["call"] in {"create", "replace"} and accepted
    rate = round(audience.matched / accepted, 4) if rated else None

    def available(current: Report) -> None:
        ready = f"The audience is ready: {audience.matched:,} people match.{_left_out(current)}"
        settle(current, "available", Code.AVAILABLE, ready)
        current["tiktok"]["matched"] = audience.matched
        current["tiktok"]["match_rate"] = rate

    for report in reports:
        run.write(report, available)
    run.metrics.add(Metric.USERS_MATCHED, audience.matched)


def _end_reason(where: Stage, change: Change, audience: Audience) -> Outcome:
    said = f' TikTok says: "{audience.message.rstrip(".")}".' if audience.message else ""
    if where is Stage.TOO_SMALL and change["call"] == "create":
        return Failed(
            Code.AUDIENCE_TOO_SMALL,
            f"TikTok matched fewer than 1,000 people, so the audience cannot be used or added to.{said} "
            "Delete it in Ads Manager and upload a larger file.",
        )
    if where is Stage.TOO_SMALL or says_too_small(audience.message):
        return Failed(
            Code.TOO_FEW_LEFT,
            f"TikTok did not make the change: fewer than 1,000 people would remain.{said} "
            "Keep at least 1,000 people in the audience.",
        )
    if where is Stage.EXPIRED:
        return Failed(
            Code.PROCESSING_FAILED,
            "The audience expired before TikTok had processed the file: delete it in Ads Manager, "
            "and upload the file again.",
        )
    return Failed(
        Code.PROCESSING_FAILED, f"TikTok could not process the file.{said} Check the file and upload it again."
    )


def _fail(run: Run, reports: Sequence[Report], reason: Outcome, message: str | None = None) -> None:
    for report in reports:

        def failed(current: Report) -> None:
            settle(current, reason.status, reason.code, reason.reason)
            if message:
                current["tiktok"]["message"] = message

        run.write(report, failed)


def processing() -> NotEditable:
    """TikTok is at work on the audience's last change."""
    return NotEditable(
        Code.AUDIENCE_PROCESSING,
        "TikTok is processing this audience, up to 48 hours; the file goes through by itself afterwards.",
    )


def _id(change: Change) -> str:
    if change["audience_id"] is None:
        raise AssertionError("a change that TikTok has taken has an audience")
    return change["audience_id"]
