"""The stage of an audience, from `is_valid`, history, messages and time."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any, cast

import pytest

from handler.activation.audience_status import Stage, needs_details, stage
from handler.clock import iso
from handler.state.audience_state import Change
from handler.tiktok.responses import Audience

NOW = datetime(2026, 1, 31, 12, tzinfo=UTC)


def hours_ago(hours: float) -> datetime:
    return NOW - timedelta(hours=hours)


def audience(*, is_valid: bool | None, **changes: Any) -> Audience:
    known: dict[str, Any] = {
        "id": "1", "name": "vip", "kind": "Customer File Audience", "calculate_type": "EMAIL_SHA256",
        "is_creator": True, "is_valid": is_valid, "matched": 0, "created_at": hours_ago(1), "expires_at": None,
        "message": "", "failed": False,
    }  # fmt: skip
    return Audience(**{**known, **changes})


def change(call: Any, hours: float, **changes: Any) -> Change:
    made: dict[str, Any] = {
        "call": call, "audience_id": "1", "files": [], "began_at": iso(hours_ago(hours)), "matched_before": None,
        "seen_processing": False,
    }  # fmt: skip
    return cast("Change", {**made, **changes})


APPENDED = (("APPEND", hours_ago(1), ""),)
DONE = (("APPEND", hours_ago(1), "done"),)
FAILED = (("APPEND", hours_ago(1), "less than 1,000"),)


@pytest.mark.parametrize(
    ("found", "made", "expected"),
    [
        (audience(is_valid=True), None, Stage.READY),
        (audience(is_valid=False), None, Stage.PROCESSING),
        (audience(is_valid=False), change("create", 1), Stage.PROCESSING),
        (audience(is_valid=True), change("create", 1), Stage.READY),
        # `is_valid` may stay true during an update. Then an entry in the history or the end of 48 hours decides.
        (audience(is_valid=True), change("append", 1), Stage.PROCESSING),
        (audience(is_valid=True, history=APPENDED), change("append", 1), Stage.READY),
        (audience(is_valid=True, history=APPENDED), change("remove", 1), Stage.PROCESSING),
        (audience(is_valid=True, history=APPENDED), change("append", 0.5), Stage.PROCESSING),
        (audience(is_valid=True), change("append", 47.9), Stage.PROCESSING),
        (audience(is_valid=True), change("append", 48), Stage.READY),
        # `is_valid` was false and is true again.
        (audience(is_valid=True), change("append", 1, seen_processing=True), Stage.READY),
        (audience(is_valid=True, history=FAILED), change("append", 1), Stage.CHANGE_FAILED),
        (audience(is_valid=True, failed=True), change("append", 1, seen_processing=True), Stage.CHANGE_FAILED),
        # An old error does not fail a new change that the history shows as done.
        (audience(is_valid=True, failed=True, history=DONE), change("append", 1), Stage.READY),
        # Too small: TikTok says so, or the audience has not become valid within three days of its last change.
        (audience(is_valid=False, message="The audience is too small."), change("create", 1), Stage.TOO_SMALL),
        (audience(is_valid=False, created_at=hours_ago(71.9)), change("create", 71.9), Stage.PROCESSING),
        (audience(is_valid=False, created_at=hours_ago(72)), change("create", 72), Stage.TOO_SMALL),
        (audience(is_valid=False, created_at=hours_ago(100), history=APPENDED), None, Stage.PROCESSING),
        (audience(is_valid=False, created_at=hours_ago(100)), change("append", 1), Stage.PROCESSING),
        (audience(is_valid=False, created_at=None), None, Stage.PROCESSING),
        # `is_valid` is unknown.
        (audience(is_valid=None, created_at=hours_ago(100)), None, Stage.PROCESSING),
        # A valid audience may be in use, so it counts as expired only a day after its expiry time.
        (audience(is_valid=True, expires_at=hours_ago(24)), None, Stage.EXPIRED),
        (audience(is_valid=True, expires_at=hours_ago(23)), None, Stage.READY),
        (audience(is_valid=False, expires_at=hours_ago(0)), None, Stage.EXPIRED),
        (audience(is_valid=False, expires_at=hours_ago(1)), change("append", 1), Stage.EXPIRED),
        (audience(is_valid=True, expires_at=hours_ago(-1)), None, Stage.READY),
    ],
)  # fmt: skip
def test_the_stage_is_determined_from_validity_history_message_and_time(
    found: Audience, made: Change | None, expected: Stage
) -> None:
    assert stage(found, made, None, NOW) is expected


@pytest.mark.parametrize(
    "message",
    [
        "Successfully appended 21000 users",
        "Appended 21,000 users",
        "Finished. 0 errors",
        "12 invalid rows were skipped",
        "12 rows could not be processed and were skipped",
        "Update finished: 4 errors, 11000 rows",
        "Update failed: 0",
        "The audience needs at least 1,000 users",
    ],
)
def test_a_success_message_in_the_history_does_not_fail_the_change(message: str) -> None:
    found = audience(is_valid=True, history=(("APPEND", hours_ago(1), message),))
    assert stage(found, change("append", 1), None, NOW) is Stage.READY


@pytest.mark.parametrize(
    "message",
    [
        "The operation failed: 3 rows of its files are not valid identifiers.",
        "Append has been rejected",
        "FAILED",
        "Internal error",
        "Failed to update the audience",
        "The file could not be processed",
        "The operation failed: the audience size would be less than 1,000 after it.",
        "Not enough matched users",
    ],
)
def test_a_failure_message_in_the_history_fails_the_change(message: str) -> None:
    found = audience(is_valid=True, history=(("APPEND", hours_ago(1), message),))
    assert stage(found, change("append", 1), None, NOW) is Stage.CHANGE_FAILED


@pytest.mark.parametrize(
    ("message", "too_small"),
    [
        ("Audience too small: fewer than 1,000 users were matched.", True),
        ("The number of matched users is below the minimum", True),
        ("Insufficient audience size", True),
        ("less than 1000 matched", True),
        ("Processing 31000 rows", False),
        ("Processing takes less than 48 hours", False),
        ("An audience needs at least 1,000 people", False),
        ("fewer than 1,000,000 rows", False),
    ],
)
def test_only_clear_messages_make_an_audience_too_small(message: str, too_small: bool) -> None:
    found = audience(is_valid=False, message=message)
    assert stage(found, change("create", 1), None, NOW) is (Stage.TOO_SMALL if too_small else Stage.PROCESSING)


def test_a_history_entry_of_an_earlier_change_does_not_finish_this_one() -> None:
    found = audience(is_valid=True, history=APPENDED)
    seen = iso(hours_ago(1))
    assert stage(found, change("append", 1), seen, NOW) is Stage.PROCESSING


@pytest.mark.parametrize(
    ("found", "made", "needed"),
    [
        (audience(is_valid=True), None, False),
        (audience(is_valid=True), change("create", 1), False),
        (audience(is_valid=True), change("append", 1), True),
        (audience(is_valid=True), change("append", 1, seen_processing=True), True),
        (audience(is_valid=False), change("create", 1), False),
        (audience(is_valid=None), None, True),
        (audience(is_valid=False, created_at=hours_ago(80)), None, True),
        (audience(is_valid=False, created_at=hours_ago(80), message="too small"), None, False),
    ],
)
def test_details_are_requested_only_if_the_listing_is_not_enough(
    found: Audience, made: Change | None, needed: bool
) -> None:
    assert needs_details(found, made, NOW) is needed
