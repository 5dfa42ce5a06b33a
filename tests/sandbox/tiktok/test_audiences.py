"""Audiences at the emulated TikTok: how they are created, processed and changed, and why changes fail."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import Any

import pytest

from sandbox.tiktok.emulator import TikTokEmulator
from tests.sandbox.tiktok.conftest import ADVERTISER, HOUR, Client, lines, people

DAY = 24 * HOUR
NOT_EDITABLE = (40002, "Audience is not editable, please check audience status")
TOO_FEW = "The operation failed: the audience size would be less than 1,000 after it."
FILE = lines(people(0, 1500))


def outcome(envelope: dict[str, object]) -> tuple[object, object]:
    return envelope["code"], envelope["message"]


def test_a_new_audience_is_valid_once_it_has_been_processed(emulator: TikTokEmulator, tiktok: Client) -> None:
    audience_id = tiktok.create(FILE)
    emulator.advance(HOUR - 60)
    assert (tiktok.details(audience_id)["is_valid"], tiktok.history(audience_id)) == (False, [])
    emulator.advance(60)
    details = tiktok.details(audience_id)
    assert (details["is_valid"], details["cover_num"], details["error_msg"]) == (True, 1500, "")
    (entry,) = tiktok.history(audience_id)
    assert (entry["action"], entry["msg"], set(entry)) == (
        "CREATE",
        "",
        {"action", "action_detail", "editor", "msg", "opt_time"},
    )


def test_times_are_in_utc_on_the_emulators_clock(emulator: TikTokEmulator, tiktok: Client) -> None:
    emulator.advance(10 * DAY)
    audience_id = tiktok.create(FILE)
    made = datetime.strptime(tiktok.details(audience_id)["create_time"], "%Y-%m-%d %H:%M:%S").replace(tzinfo=UTC)
    assert abs(made.timestamp() - time.time() - 10 * DAY) < 60
    emulator.advance(2 * HOUR)
    ended = datetime.fromisoformat(tiktok.history(audience_id)[0]["opt_time"]).replace(tzinfo=UTC)
    assert (ended - made).total_seconds() == HOUR


@pytest.mark.parametrize(
    ("action", "expected"),
    [("APPEND", people(0, 2500)), ("REMOVE", people(0, 1200)), ("REPLACE", people(1200, 2500))],
)
def test_an_update_changes_the_set_of_people(
    emulator: TikTokEmulator, tiktok: Client, ready: str, action: str, expected: tuple[str, ...]
) -> None:
    assert tiktok.update(ready, lines(people(1200, 2500)), action=action)["code"] == 0
    assert tiktok.details(ready)["is_valid"] is False
    assert emulator.members(ready) == set(people(0, 2000))
    emulator.advance(HOUR)
    assert emulator.members(ready) == set(expected)
    assert (tiktok.details(ready)["is_valid"], tiktok.details(ready)["cover_num"]) == (True, len(expected))
    assert [entry["action"] for entry in tiktok.history(ready)] == [action, "CREATE"]


def test_an_update_without_an_action_replaces(emulator: TikTokEmulator, tiktok: Client, ready: str) -> None:
    tiktok.update(ready, FILE)
    emulator.advance(HOUR)
    assert emulator.members(ready) == set(people(0, 1500))


def test_one_change_can_have_several_files(emulator: TikTokEmulator, tiktok: Client, ready: str) -> None:
    paths = [tiktok.uploaded(lines(people(start, start + 700))) for start in (3000, 3500, 4000)]
    assert tiktok.post("update", custom_audience_id=ready, action="REPLACE", file_paths=paths)["code"] == 0
    emulator.advance(HOUR)
    assert emulator.members(ready) == set(people(3000, 4700))


def test_create_is_not_idempotent_and_names_are_not_unique(emulator: TikTokEmulator, tiktok: Client) -> None:
    fields = {"custom_audience_name": "vip", "calculate_type": "EMAIL_SHA256", "file_paths": [tiktok.uploaded(FILE)]}
    ids = {tiktok.post("create", **fields)["data"]["custom_audience_id"] for _ in range(3)}
    assert len(ids) == 3
    assert [each["name"] for each in emulator.audiences()] == ["vip"] * 3


def test_the_number_of_own_audiences_is_limited(emulator: TikTokEmulator, tiktok: Client) -> None:
    emulator.seed(ADVERTISER, count=399)
    emulator.seed(ADVERTISER, count=50, is_creator=False)
    fields = {"custom_audience_name": "vip", "calculate_type": "EMAIL_SHA256", "file_paths": [tiktok.uploaded(FILE)]}
    assert tiktok.post("create", **fields)["code"] == 0
    assert outcome(tiktok.post("create", **fields)) == (
        40002,
        "The number of audiences has reached the limit of 400.",
    )


def test_an_audience_that_is_being_processed_accepts_no_change(
    emulator: TikTokEmulator, tiktok: Client, ready: str
) -> None:
    fresh = tiktok.create(FILE, name="new")
    assert outcome(tiktok.update(fresh, FILE, action="APPEND")) == NOT_EDITABLE
    assert tiktok.update(ready, FILE, action="APPEND")["code"] == 0
    assert outcome(tiktok.update(ready, FILE, action="APPEND")) == NOT_EDITABLE
    emulator.advance(HOUR)
    assert tiktok.update(ready, FILE, action="APPEND")["code"] == 0


def test_an_audience_that_stays_valid_during_an_update_still_accepts_no_change(
    emulator: TikTokEmulator, tiktok: Client, ready: str
) -> None:
    emulator.configure(stays_valid=True)
    tiktok.update(ready, FILE, action="APPEND")
    assert tiktok.details(ready)["is_valid"] is True
    assert len(tiktok.history(ready)) == 1
    assert outcome(tiktok.update(ready, FILE, action="APPEND")) == NOT_EDITABLE
    assert tiktok.details(tiktok.create(FILE))["is_valid"] is False
    emulator.advance(HOUR)
    assert len(tiktok.history(ready)) == 2


@pytest.mark.parametrize(("history_at", "before", "after"), [("end", 0, 1), ("submit", 1, 1), ("never", 0, 0)])
def test_the_history_shows_a_change_at_the_configured_time(
    emulator: TikTokEmulator, tiktok: Client, history_at: str, before: int, after: int
) -> None:
    emulator.configure(history_at=history_at)
    audience_id = tiktok.create(FILE)
    assert len(tiktok.history(audience_id)) == before
    emulator.advance(HOUR)
    assert len(tiktok.history(audience_id)) == after


def test_a_new_audience_with_fewer_than_a_thousand_matched_users_stays_too_small(
    emulator: TikTokEmulator, tiktok: Client
) -> None:
    enough, audience_id = tiktok.create(lines(people(0, 1000))), tiktok.create(lines(people(0, 999)))
    emulator.advance(10 * DAY)
    details = tiktok.details(audience_id)
    assert (details["is_valid"], details["cover_num"]) == (False, 999)
    assert details["msg"] == "Audience too small: fewer than 1,000 users were matched."
    assert outcome(tiktok.update(audience_id, FILE, action="APPEND")) == NOT_EDITABLE
    assert [each["state"] for each in emulator.audiences()] == ["ready", "too_small"]
    assert tiktok.details(enough)["is_valid"] is True


def test_the_match_rate_determines_the_number_of_matched_users(emulator: TikTokEmulator, tiktok: Client) -> None:
    emulator.configure(match_rate=0.6)
    small, large = tiktok.create(FILE), tiktok.create(lines(people(0, 2000)))
    emulator.advance(HOUR)
    assert [(each["matched"], each["members"], each["is_valid"]) for each in emulator.audiences()] == [
        (900, 1500, False),
        (1200, 2000, True),
    ]
    assert (tiktok.details(small)["cover_num"], tiktok.details(large)["cover_num"]) == (900, 1200)


@pytest.mark.parametrize(
    ("action", "file"), [("REMOVE", people(0, 1500)), ("REPLACE", people(0, 999))], ids=["remove", "replace"]
)
def test_a_change_that_leaves_too_few_users_fails_and_changes_nothing(
    emulator: TikTokEmulator, tiktok: Client, ready: str, action: str, file: tuple[str, ...]
) -> None:
    assert tiktok.update(ready, lines(file), action=action)["code"] == 0
    emulator.advance(HOUR)
    details = tiktok.details(ready)
    assert (details["is_valid"], details["cover_num"], details["error_msg"]) == (True, 2000, TOO_FEW)
    assert tiktok.history(ready)[0]["msg"] == TOO_FEW
    assert emulator.members(ready) == set(people(0, 2000))
    tiktok.update(ready, FILE, action="APPEND")
    emulator.advance(HOUR)
    assert tiktok.details(ready)["error_msg"] == ""


def test_an_update_with_faulty_rows_fails_and_changes_nothing(
    emulator: TikTokEmulator, tiktok: Client, ready: str
) -> None:
    tiktok.update(ready, FILE + b"anna@example.com\n", action="REPLACE")
    emulator.advance(HOUR)
    assert emulator.members(ready) == set(people(0, 2000))
    assert "1 rows" in tiktok.history(ready)[0]["msg"]
    assert tiktok.details(ready)["is_valid"] is True


def test_an_audience_can_be_replaced_once_a_day(emulator: TikTokEmulator, tiktok: Client, ready: str) -> None:
    assert tiktok.update(ready, FILE, action="REPLACE")["code"] == 0
    emulator.advance(DAY - 60)
    assert outcome(tiktok.update(ready, FILE, action="REPLACE")) == (
        40002,
        "There can be no more than one replace operation per day.",
    )
    emulator.advance(60)
    assert tiktok.update(ready, FILE, action="REPLACE")["code"] == 0


def test_a_replace_is_refused_while_another_is_in_progress(tiktok: Client, ready: str) -> None:
    assert tiktok.update(ready, FILE, action="REPLACE")["code"] == 0
    assert outcome(tiktok.update(ready, FILE, action="REPLACE")) == (
        40002,
        "This replace operation is rejected as there is an existing unfinished replace operation for this audience.",
    )
    assert outcome(tiktok.update(ready, FILE, action="APPEND")) == NOT_EDITABLE


def test_unmatched_identifiers_are_members_but_not_matched_users(emulator: TikTokEmulator, tiktok: Client) -> None:
    emulator.set_unmatched([*people(0, 500), *people(5000, 5100)])
    emulator.configure(match_rate=0.8)
    small, large = tiktok.create(FILE), tiktok.create(lines(people(0, 2000)))
    emulator.advance(HOUR)
    assert [(each["matched"], each["members"], each["state"]) for each in emulator.audiences()] == [
        (800, 1500, "too_small"),
        (1200, 2000, "ready"),
    ]
    tiktok.update(large, lines(people(5000, 5100)), action="APPEND")
    emulator.advance(HOUR)
    assert tiktok.details(large)["cover_num"] == 1200
    assert len(emulator.members(large)) == 2100
    assert tiktok.details(small)["is_valid"] is False


def test_a_person_can_rename_and_delete_an_audience_in_ads_manager(
    emulator: TikTokEmulator, tiktok: Client, ready: str
) -> None:
    decomposed = "Cafe\u0301"
    emulator.rename(ready, decomposed)
    assert tiktok.details(ready)["name"] == decomposed
    assert tiktok.update(ready, FILE, action="APPEND")["code"] == 0
    emulator.rename(ready, "while it is processed")
    assert tiktok.details(ready)["name"] == "while it is processed"
    emulator.delete(ready)
    assert emulator.audiences() == []
    with pytest.raises(KeyError):
        emulator.rename(ready, "vip")


def test_files_of_another_identifier_type_are_refused(tiktok: Client, ready: str) -> None:
    path = tiktok.uploaded(FILE, "PHONE_SHA256")
    envelope = tiktok.post("update", custom_audience_id=ready, action="APPEND", file_paths=[path])
    assert envelope["code"] == 40909


@pytest.mark.parametrize(
    ("seed", "message"),
    [
        ({"audience_type": "Lookalike Audience"}, "Only a customer file audience can be updated with files."),
        ({"is_creator": False}, "Only the owner of an audience can change it."),
        ({"state": "too_small"}, NOT_EDITABLE[1]),
        ({"state": "failed"}, NOT_EDITABLE[1]),
        ({"state": "processing"}, NOT_EDITABLE[1]),
        ({"created_seconds_ago": 365 * DAY}, NOT_EDITABLE[1]),
    ],
)
def test_an_update_needs_a_valid_customer_file_audience_of_the_advertiser(
    emulator: TikTokEmulator, tiktok: Client, seed: dict[str, Any], message: str
) -> None:
    (audience_id,) = emulator.seed(ADVERTISER, **seed)
    assert outcome(tiktok.update(audience_id, FILE, action="APPEND")) == (40002, message)


def test_an_unknown_audience_cannot_be_updated_deleted_or_read(tiktok: Client) -> None:
    unknown = (40002, "custom_audience_id: the audience does not exist.")
    assert outcome(tiktok.update("1", FILE, action="APPEND")) == unknown
    assert outcome(tiktok.post("delete", custom_audience_ids=["1"])) == unknown
    assert tiktok.query("get", custom_audience_ids=["1"])["data"] == {"list": []}


def test_a_name_changes_immediately(tiktok: Client, ready: str) -> None:
    assert tiktok.post("update", custom_audience_id=ready, custom_audience_name="gold")["code"] == 0
    assert tiktok.details(ready)["name"] == "gold"


def test_fields_that_the_sdk_adds_are_accepted(tiktok: Client, ready: str) -> None:
    assert tiktok.update(ready, FILE, action="APPEND", audience_enhancement=False)["code"] == 0
    created = tiktok.post(
        "create",
        custom_audience_name="vip",
        calculate_type="EMAIL_SHA256",
        file_paths=[tiktok.uploaded(FILE)],
        audience_sub_type="NORMAL",
        audience_enhancement=False,
    )
    assert created["code"] == 0
