"""The result of one change at TikTok: resolve calls whose response was lost, and finish processed changes."""

from __future__ import annotations

from datetime import timedelta

from handler import reasons
from handler.activation.audience_status import (
    Stage,
    created_since,
    history_entry,
    needs_details,
    stage,
    without_old_message,
)
from handler.activation.list_turn import set_list_outcome
from handler.activation.submit import (
    MIN_MATCHED,
    ChangeRequest,
    note_on_other_types,
    notes_on_rows,
    record_change,
    request_for_change,
    with_columns_note,
)
from handler.activation.turn import Turn
from handler.clock import iso, parse_iso
from handler.errors import Failed
from handler.metrics import Metric
from handler.report_codes import Code
from handler.state.audience_state import Change, remove_applied
from handler.state.lists import write_list
from handler.state.reports import Report, set_outcome, set_status
from handler.tiktok.responses import Audience
from handler.tiktok.wording import says_too_small


def resolve_intent(turn: Turn) -> None:
    """Find out whether TikTok made the change of an intent without a result.

    If TikTok shows no sign of an update, the intent is kept, and the same update is sent again before any other change.
    TikTok may still show the first call later, and its result must not be mistaken for that of another change. The
    intent is dropped if the audience of an update no longer exists, or if a create left no audience within the
    grace period.

    Raises:
        OutcomeUnknown: TikTok does not show the change yet.
        Waiting: a call to TikTok failed.
    """
    run, lease, state = turn.run, turn.lease, turn.lease.state
    intent = state["intent"]
    if intent is None:
        return
    in_grace = run.now() - parse_iso(intent["began_at"]) < timedelta(seconds=run.settings.create_grace_seconds)
    if intent["call"] == "create":
        # No audience of this name was listed before the call, so an audience created since then is its result.
        found = run.account.find(lease.audience, None, turn.registered_elsewhere)
        if made := [each for each in found if created_since(each, intent)]:
            created: Change = {**intent, "audience_id": made[0].id}
            record_change(run, lease, created, request_for_change(run, lease, intent))
            return
        if in_grace:
            raise reasons.outcome_unknown()
    elif audience := run.account.details(_audience_id(intent)):
        if history_entry(audience, intent, state["history_seen"]):
            record_change(run, lease, intent, request_for_change(run, lease, intent))
            return
        if audience.is_valid is None and (listed := run.account.snapshot().by_id.get(audience.id)):
            audience = audience.completed_from(listed)  # the listing has the fields that `get` left out
        found_stage = stage(audience, None if audience.is_valid else intent, None, run.now())
        # Repeating an append or remove is safe. A replace must not be repeated while the first may still appear.
        if found_stage is Stage.PROCESSING or (intent["call"] == "replace" and in_grace):
            raise reasons.outcome_unknown()
        return
    state["intent"] = None
    lease.save()


def finish_change(turn: Turn, change: Change) -> None:
    """Finish the change that TikTok was processing: its uploads become `available` or `failed`.

    Raises:
        NotEditable: TikTok is still processing the change.
        Waiting: a call to TikTok failed.
    """
    run, lease = turn.run, turn.lease
    audience = run.account.read_since(_audience_id(change), change["seen_processing"] or change["began_at"])
    if audience is None:
        _fail(turn, change, request_for_change(run, lease, change), reasons.deleted_while_processing())
    else:
        _finish_with(turn, change, audience)
    lease.state["change"] = None
    lease.save()


def _finish_with(turn: Turn, change: Change, audience: Audience) -> None:
    run, lease, state = turn.run, turn.lease, turn.lease.state
    if not audience.history and needs_details(audience, change, run.now()):
        ids = (each.id for each in run.account.snapshot().by_id.values() if each.is_creator and each.is_valid)
        details = run.account.details(audience.id, also=ids)
        audience = details.completed_from(audience) if details else audience
    message = audience.message
    audience = without_old_message(audience, state, change)
    found_stage = stage(audience, change, state["history_seen"], run.now())
    if found_stage is Stage.PROCESSING:
        if audience.is_valid is False and not change["seen_processing"]:
            change["seen_processing"] = iso(run.now())
            lease.save()
        raise reasons.audience_processing()
    request = request_for_change(run, lease, change)
    if found_stage is Stage.READY:
        _make_available(turn, change, request, audience)
    else:
        outcome = _failure(found_stage, change, audience)
        if audience.message and not says_too_small(audience.message):
            outcome = with_columns_note(lease.audience, outcome)
        _fail(turn, change, request, outcome, audience.message)
    if audience.history:
        state["history_seen"] = iso(max(at for _, at, _ in audience.history))
    # Do not record the message of a too-small audience: the next check must not ignore it as old.
    if audience.is_valid:
        state["message_seen"] = message


def _make_available(turn: Turn, change: Change, request: ChangeRequest, audience: Audience) -> None:
    run, lease = turn.run, turn.lease
    rows = request.rows
    rated = change["call"] in {"create", "replace"} and rows
    rate = round(audience.matched / rows, 4) if rated else None
    sent = sum((each["rows"]["accepted"] or 0) - (each["rows"]["overtaken"] or 0) for each in request.reports)
    before = change["matched_before"]
    unmatched = change["call"] == "append" and sent >= MIN_MATCHED and before is not None and audience.matched <= before
    note = reasons.renamed(audience.name) if audience.name not in {"", lease.audience.name} else ""
    if change["call"] == "remove":
        note += note_on_other_types(run, lease.audience)
    sentence = reasons.available_without_growth if unmatched else reasons.available

    def available(current: Report) -> None:
        set_status(current, "available", Code.AVAILABLE, sentence(audience.matched, notes_on_rows(current) + note))
        current["tiktok"]["matched"] = audience.matched
        current["tiktok"]["match_rate"] = rate

    for report in request.reports:
        run.write(report, available)
    if opened := request.list_turn:
        lease.state["list_rows"] = rows
        opened.stored["status"], opened.stored["code"] = "available", Code.AVAILABLE.value
        write_list(run.store, lease.audience, opened.stored)
        for report in opened.outdated:
            run.set_outcome(report, reasons.superseded())
    run.metrics.add(Metric.USERS_MATCHED, audience.matched)
    run.metrics.add(Metric.AUDIENCES_UNMATCHED, int(unmatched))


def _failure(found_stage: Stage, change: Change, audience: Audience) -> Failed:
    message = f' TikTok says: "{audience.message.rstrip(".")}".' if audience.message else ""
    if found_stage is Stage.TOO_SMALL and change["call"] == "create":
        return reasons.created_too_small(message)
    if found_stage is Stage.TOO_SMALL or says_too_small(audience.message):
        return reasons.too_few_left_after_change(message)
    if found_stage is Stage.EXPIRED:
        return reasons.expired_while_processing()
    return reasons.processing_failed(message)


def _fail(turn: Turn, change: Change, request: ChangeRequest, outcome: Failed, message: str = "") -> None:
    """Set the outcome of a failed change's uploads, which no longer count as applied."""

    def failed(current: Report) -> None:
        set_outcome(current, outcome)
        current["tiktok"]["message"] = message or None

    for report in request.reports:
        turn.run.write(report, failed, alarm=outcome.alarm)
    remove_applied(turn.lease.state, change)
    if request.list_turn:
        set_list_outcome(turn.run, request.list_turn, outcome)


def _audience_id(change: Change) -> str:
    if change["audience_id"] is None:
        raise AssertionError("Only the intent of a create has no audience id.")
    return change["audience_id"]
