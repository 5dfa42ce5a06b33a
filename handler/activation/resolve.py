"""The end of one change at TikTok."""

from __future__ import annotations

from datetime import timedelta

from handler import reasons
from handler.activation.audience_status import (
    Stage,
    history_entry,
    made_since,
    needs_details,
    stage,
    without_old_message,
)
from handler.activation.invocation import Invocation
from handler.activation.submit import audience_id, fail, files_of, left_out, processing, record
from handler.clock import iso, parse_iso
from handler.errors import Failed, Outcome
from handler.metrics import Metric
from handler.report_codes import Code
from handler.state.audience_state import Change
from handler.state.lease import Lease
from handler.state.reports import Report, settle
from handler.tiktok.responses import Audience
from handler.tiktok.wording import says_too_small


def resolve_intent(run: Invocation, lease: Lease) -> None:
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
        if made := [each for each in run.account.find(lease.key, None, list) if made_since(each, intent)]:
            record(run, lease, {**intent, "audience_id": made[0].id})
            return
        if in_grace:
            raise reasons.outcome_unknown()
    else:
        audience = run.account.details(audience_id(intent))
        if audience:
            if history_entry(audience, intent, state["history_seen"]):
                record(run, lease, intent)
                return
            where = stage(audience, None if audience.is_valid else intent, None, run.now())
            # An append or a remove may be done again at any time, a replace only when it is not about to turn up. If
            # then TikTok refuses another, it may still: so it is not forgotten.
            if where is Stage.PROCESSING or (intent["call"] == "replace" and in_grace):
                raise reasons.outcome_unknown()
            if intent["call"] == "replace":
                return
    state["intent"] = None
    lease.save()


def end_change(run: Invocation, lease: Lease) -> None:
    """End the change that TikTok was processing: its files become available or failed.

    Raises:
        NotEditable: TikTok is not done.
        Waiting: TikTok cannot be asked now.
    """
    state, change = lease.state, lease.state["change"]
    if change is None:
        return
    audience = run.account.since(audience_id(change), change["seen_processing"])
    if audience is None:
        gone = Failed(
            Code.PROCESSING_FAILED,
            "The audience was deleted in Ads Manager before TikTok had processed the file: upload the file again.",
        )
        fail(run, files_of(run, change), gone)
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
            fail(run, files_of(run, change), _end_reason(where, change, audience), audience.message)
        if audience.history:
            state["history_seen"] = iso(max(at for _, at, _ in audience.history))
        if audience.is_valid:  # of one that is too small it is the truth
            state["message_seen"] = said
    state["change"] = None
    lease.save()


def _make_available(run: Invocation, change: Change, audience: Audience) -> None:
    reports = files_of(run, change)
    accepted = sum(report["rows"]["accepted"] or 0 for report in reports)
    rated = change["call"] in {"create", "replace"} and accepted
    rate = round(audience.matched / accepted, 4) if rated else None

    def available(current: Report) -> None:
        ready = f"The audience is ready: {audience.matched:,} people match.{left_out(current)}"
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
