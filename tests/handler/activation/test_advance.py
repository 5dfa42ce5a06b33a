"""The life of a file, from its message to its final status."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest

from handler.clock import iso, parse_iso
from tests.handler.world import ADVERTISER_ID, World, lines, people

KEY = "tiktok/vip/email_sha256/first.csv"
SECOND = "tiktok/vip/email_sha256/second.csv"


def test_a_file_creates_an_audience_that_becomes_available(world: World) -> None:
    report = world.activate(KEY, lines(people(0, 2000)))
    assert (report["status"], report["code"]) == ("submitted", "submitted")
    assert [report["rows"][name] for name in ("total", "accepted", "rejected", "overtaken")] == [2000, 2000, 0, 0]
    assert world.calls() == ["list", "upload", "create"]
    assert world.pending() == [KEY]

    world.sweep(hours=1)

    report = world.report(KEY)
    (audience,) = world.audiences()
    assert report["status"] == "available"
    assert report["audience"] == {
        "name": "vip",
        "identifier_type": "email_sha256",
        "action": "append",
        "id": audience["id"],
        "created": True,
    }
    assert report["tiktok"]["matched"] == 2000
    assert report["tiktok"]["match_rate"] == 1.0
    assert len(report["tiktok"]["request_ids"]) == 2
    assert world.members() == set(people(0, 2000))
    assert world.keys("pending/") == []
    assert world.deliver(json.dumps({"sweep": True})) == []


def test_a_second_file_waits_and_is_then_appended(world: World) -> None:
    world.activate(KEY, lines(people(0, 2000)))
    report = world.activate(SECOND, lines(people(1000, 2000)))
    assert (report["status"], report["code"]) == ("waiting", "audience_processing")
    assert report["rows"]["accepted"] == 2000
    assert world.calls() == ["list", "upload", "create"], "a file that has to wait caused a call"

    world.sweep(hours=1)
    assert world.outcome(KEY) == ("available", "available")
    assert world.outcome(SECOND) == ("submitted", "submitted")
    world.sweep(hours=1)
    report = world.report(SECOND)
    assert report["status"] == "available"
    assert report["audience"]["created"] is False
    assert (report["tiktok"]["matched_before"], report["tiktok"]["matched"]) == (2000, 3000)
    assert report["tiktok"]["match_rate"] is None
    assert world.members() == set(people(0, 3000))


def test_ten_files_for_an_audience_in_processing_share_one_append(world: World) -> None:
    world.activate(KEY, lines(people(0, 2000)))
    for number in range(10):
        world.activate(f"tiktok/vip/email_sha256/more-{number}.csv", lines(people(number * 1000, 1000)))
    world.sweep(hours=1)
    world.sweep(hours=1)
    assert world.calls("update") == ["update"]
    assert world.members() == set(people(0, 10_000))
    assert {world.outcome(key) for key in world.events} == {("available", "available")}


def test_files_of_one_batch_share_one_create(world: World) -> None:
    messages = [world.upload(f"tiktok/vip/email_sha256/{n}.csv", lines(people(n * 1000, 1000))) for n in range(5)]
    assert world.deliver(*messages) == []
    assert world.calls() == ["list", *["upload"] * 5, "create"]


def test_one_name_with_two_identifier_types_is_two_audiences(world: World) -> None:
    world.activate("tiktok/vip/email_sha256/a.csv", lines(people(0, 1000)))
    world.activate("tiktok/vip/phone_sha256/a.csv", lines(people(0, 1000)))
    assert sorted(each["calculate_type"] for each in world.audiences()) == ["EMAIL_SHA256", "PHONE_SHA256"]


def test_a_remove_after_a_waiting_append_removes_the_people(world: World) -> None:
    world.activate(KEY, lines(people(0, 3000)))
    world.activate("tiktok/vip/email_sha256/more.csv", lines(people(3000, 1000)))
    world.activate("tiktok/vip/email_sha256/remove/gone.csv", lines(people(2500, 1000)))
    for _ in range(4):
        world.sweep(hours=1)
    assert world.members() == set(people(0, 4000)) - set(people(2500, 1000))
    assert {world.outcome(key) for key in world.events} == {("available", "available")}


@pytest.mark.parametrize(
    ("action", "status"), [("remove", ("skipped", "overtaken")), ("replace", ("rejected", "out_of_order"))]
)
def test_an_append_delivered_after_a_newer_remove_or_replace_adds_no_one(
    world: World, action: str, status: tuple[str, str]
) -> None:
    world.activate(KEY, lines(people(0, 4000)))
    world.sweep(hours=1)
    late = world.upload(SECOND, lines(people(0, 1000)))
    world.activate(f"tiktok/vip/email_sha256/{action}/newer.csv", lines(people(0, 2000)))
    world.sweep(hours=1)
    assert world.deliver(late) == []
    assert world.outcome(SECOND) == status
    assert world.pending() == []


def test_an_older_remove_delivered_after_a_newer_remove_is_still_applied(world: World) -> None:
    world.activate(KEY, lines(people(0, 4000)))
    world.sweep(hours=1)
    late = world.upload("tiktok/vip/email_sha256/remove/older.csv", lines(people(0, 500)))
    world.activate("tiktok/vip/email_sha256/remove/newer.csv", lines(people(500, 500)))
    assert world.deliver(late) == []
    world.sweep(hours=1)
    world.sweep(hours=1)
    assert world.members() == set(people(1000, 3000))


def test_only_the_newer_of_two_replaces_is_sent(world: World) -> None:
    world.activate(KEY, lines(people(0, 2000)))
    older, newer = (f"tiktok/vip/email_sha256/replace/{name}.csv" for name in ("older", "newer"))
    world.activate(older, lines(people(2000, 2000)))
    world.activate(newer, lines(people(4000, 2000)))
    world.sweep(hours=1)
    world.sweep(hours=1)
    assert world.outcome(older) == ("skipped", "superseded")
    assert world.outcome(newer) == ("available", "available")
    assert world.members() == set(people(4000, 2000))
    assert world.report(newer)["tiktok"]["match_rate"] == 1.0
    assert world.calls("update") == ["update"]


def test_a_faulty_newer_replace_does_not_stop_the_older_one(world: World) -> None:
    world.activate(KEY, lines(people(0, 2000)))
    older, newer = (f"tiktok/vip/email_sha256/replace/{name}.csv" for name in ("older", "newer"))
    world.activate(older, lines(people(2000, 2000)))
    world.activate(newer, b"jane@example.com\n")
    world.sweep(hours=1)
    world.sweep(hours=1)
    assert world.outcome(newer)[0] == "rejected"
    assert world.members() == set(people(2000, 2000))


def test_a_replace_without_an_audience_creates_one(world: World) -> None:
    report = world.activate("tiktok/vip/email_sha256/replace/first.csv", lines(people(0, 2000)))
    assert report["status"] == "submitted"
    assert report["audience"]["created"] is True


def test_the_second_replace_of_a_day_waits_until_the_next_day(world: World) -> None:
    world.activate(KEY, lines(people(0, 2000)))
    world.sweep(hours=1)
    world.activate("tiktok/vip/email_sha256/replace/a.csv", lines(people(0, 1500)))
    world.sweep(hours=1)
    second = "tiktok/vip/email_sha256/replace/b.csv"
    report = world.activate(second, lines(people(0, 1200)))
    assert (report["status"], report["code"]) == ("waiting", "replaced_today")
    world.sweep(hours=24)
    world.sweep(hours=1)
    assert world.outcome(second) == ("available", "available")


@pytest.mark.parametrize("refused", [False, True])
def test_a_remove_that_would_leave_too_few_people_fails_with_an_explanation(world: World, refused: bool) -> None:
    if refused:  # by default, the emulator accepts the change and fails it later; TikTok may also refuse the call
        message = "The audience size would be less than 1,000 after the operation."
        world.tiktok.fault("update", "code", code=40002, message=message)
    world.activate(KEY, lines(people(0, 2000)))
    world.sweep(hours=1)
    key = "tiktok/vip/email_sha256/remove/most.csv"
    world.activate(key, lines(people(0, 1500)))
    world.sweep(hours=1)
    report = world.report(key)
    assert (report["status"], report["code"]) == ("failed", "too_few_left")
    assert "fewer than 1,000 people would remain" in report["reason"]
    assert world.members() == set(people(0, 2000))


@pytest.mark.parametrize("stays_valid", [False, True])
@pytest.mark.parametrize("history_at", ["end", "submit", "never"])
def test_a_finished_append_is_detected_however_tiktok_shows_it(
    world: World, history_at: str, stays_valid: bool
) -> None:
    world.tiktok.configure(history_at=history_at, stays_valid=stays_valid)
    world.activate(KEY, lines(people(0, 2000)))
    world.sweep(hours=1)
    world.activate(SECOND, lines(people(2000, 2000)))
    world.sweep()
    world.sweep(hours=1)
    if history_at == "never" and stays_valid:
        assert world.outcome(SECOND)[0] == "submitted"
        _age(world, hours=48)
        world.sweep()
    assert world.outcome(SECOND) == ("available", "available")
    assert world.members() == set(people(0, 4000))


def _age(world: World, hours: float) -> None:
    """Move the start times of the changes in the audience's state into the past."""
    (key,) = world.keys("audiences/")
    state = world.json(key)
    for entry in filter(None, (state["intent"], state["change"])):
        entry["began_at"] = iso(parse_iso(entry["began_at"]) - timedelta(hours=hours))
    world.s3.put_object(Bucket=world.bucket, Key=key, Body=json.dumps(state))


def test_an_audience_deleted_in_ads_manager_is_created_again(world: World) -> None:
    world.activate(KEY, lines(people(0, 2000)))
    world.sweep(hours=1)
    (old,) = world.audiences()
    world.delete_audience(old["id"])
    report = world.activate(SECOND, lines(people(2000, 2000)))
    assert report["audience"]["created"] is True
    assert report["audience"]["id"] != old["id"]


def test_files_fail_if_their_audience_is_deleted_during_processing(world: World) -> None:
    world.activate(KEY, lines(people(0, 2000)))
    world.delete_audience(world.audiences()[0]["id"])
    world.sweep(hours=1)
    assert world.outcome(KEY) == ("failed", "processing_failed")
    assert "deleted in Ads Manager" in world.report(KEY)["reason"]


def test_a_new_audience_that_is_not_listed_yet_is_not_created_twice(world: World) -> None:
    world.tiktok.configure(list_lag_seconds=7200)
    world.activate(KEY, lines(people(0, 2000)))
    world.sweep(hours=1)
    world.activate(SECOND, lines(people(2000, 2000)))
    world.sweep(hours=1)
    assert world.calls("create") == ["create"]
    assert world.members() == set(people(0, 4000))


def test_similar_audiences_are_not_used(world: World) -> None:
    world.tiktok.seed(ADVERTISER_ID, name="vip", calculate_type="PHONE_SHA256")
    world.tiktok.seed(ADVERTISER_ID, name="vip", is_creator=False)
    world.tiktok.seed(ADVERTISER_ID, name="vip", audience_type="Lookalike Audience")
    world.tiktok.seed(ADVERTISER_ID, name="Vip")
    report = world.activate(KEY, lines(people(0, 2000)))
    assert report["audience"]["created"] is True


@pytest.mark.parametrize("listed", [True, False])
@pytest.mark.parametrize("others", [0, 150, 250])
def test_an_existing_audience_is_found_on_any_page(world: World, others: int, listed: bool) -> None:
    world.tiktok.configure(lists_calculate_type=listed)
    world.tiktok.seed(ADVERTISER_ID, count=others)
    (vip,) = world.tiktok.seed(ADVERTISER_ID, name="vip", members=people(0, 1000))
    report = world.activate(KEY, lines(people(1000, 1000)))
    assert report["audience"]["id"] == vip
    assert report["audience"]["created"] is False
    assert world.tiktok.members(vip) == set(people(0, 1000))
    world.sweep(hours=1)
    assert world.tiktok.members(vip) == set(people(0, 2000))


def test_the_oldest_of_two_equal_audiences_is_used_and_the_report_says_so(world: World) -> None:
    world.tiktok.seed(ADVERTISER_ID, name="vip", created_seconds_ago=1000)
    (oldest,) = world.tiktok.seed(ADVERTISER_ID, name="vip", created_seconds_ago=9000)
    report = world.activate(KEY, lines(people(0, 2000)))
    assert report["audience"]["id"] == oldest
    assert "2 audiences with this name and identifier type" in report["reason"]


def test_a_file_waits_for_a_too_small_audience_until_the_audience_is_deleted(world: World) -> None:
    (small,) = world.tiktok.seed(ADVERTISER_ID, name="vip", state="too_small", people=5)
    report = world.activate(KEY, lines(people(0, 2000)))
    assert (report["status"], report["code"]) == ("waiting", "audience_too_small")
    world.delete_audience(small)
    world.sweep()
    assert world.outcome(KEY) == ("submitted", "submitted")


def test_only_the_refused_file_of_a_call_fails(world: World) -> None:
    world.activate(KEY, lines(people(0, 2000)))
    keys = [f"tiktok/vip/email_sha256/{number}.csv" for number in range(3)]
    for number, key in enumerate(keys):
        world.activate(key, lines(people(2000 + number * 1000, 1000)))
    # TikTok refuses the call with all three files, and then the call with only the first file.
    world.tiktok.fault("update", "code", code=40908, times=2)
    for _ in range(4):
        world.sweep(hours=1)
    outcomes = [world.outcome(key) for key in keys]
    assert sorted(outcomes) == [("available", "available"), ("available", "available"), ("failed", "file_refused")]


@pytest.mark.parametrize("kind", ["forgotten", "damaged"])
def test_a_part_that_tiktok_lost_is_uploaded_again(world: World, kind: str) -> None:
    if kind == "damaged":
        world.tiktok.fault("upload", "code", code=40900)
    else:
        world.tiktok.fault("create", "code", code=40905)
    assert world.activate(KEY, lines(people(0, 2000)))["status"] == "submitted"
    assert world.calls("upload") == ["upload", "upload"]


def test_a_sweep_lists_audiences_once_however_many_there_are(world: World) -> None:
    for number in range(6):
        world.activate(f"tiktok/audience {number}/email_sha256/a.csv", lines(people(0, 1000)))
    world.tiktok.clear_calls()
    world.sweep(hours=1)
    assert world.calls() == ["list"]
    assert {world.outcome(key) for key in world.events} == {("available", "available")}
    world.tiktok.clear_calls()
    world.sweep()
    assert world.calls() == [], "a sweep without pending uploads made a call"


def test_keys_are_not_url_decoded(world: World) -> None:
    key = "tiktok/a+b 100% ü/email_sha256/march+april %2B.csv"
    assert world.activate(key, lines(people(0, 2000)))["status"] == "submitted"
    assert world.audiences()[0]["name"] == "a+b 100% ü"


def test_an_encoded_key_is_decoded_if_only_the_decoded_object_exists(world: World) -> None:
    key = "tiktok/a b/email_sha256/file.csv"
    message = world.upload(key, lines(people(0, 2000)))
    assert world.deliver(message.replace("a b", "a+b")) == []
    assert world.outcome(key) == ("submitted", "submitted")


def test_a_large_file_is_sent_in_several_parts_of_one_create(world: World) -> None:
    world.cold_start(MAX_PART_BYTES="65000")
    report = world.activate(KEY, lines(people(0, 4500)))
    assert len(report["uploads"]) == 5
    assert all(upload["bytes"] == 65 * upload["rows"] <= 65000 for upload in report["uploads"])
    assert world.calls("create") == ["create"]
    world.sweep(hours=1)
    assert world.members() == set(people(0, 4500))
