"""Faults of TikTok at each call: no upload is lost, and no call that timed out is repeated blindly."""

from __future__ import annotations

import time
from typing import Any

import pytest

from tests.handler.tiktok.altered_responses import set_timeout
from tests.handler.world import ADVERTISER_ID, World, lines, people

FIRST = "tiktok/vip/email_sha256/first.csv"
SECOND = "tiktok/vip/email_sha256/second.csv"

FAULTS: list[dict[str, Any]] = [
    {"kind": "code", "code": 40100},
    {"kind": "code", "code": 50000},
    {"kind": "code_after", "code": 50000},
    {"kind": "code_after", "code": 20001},  # partial success
    {"kind": "code", "code": 40105},
    {"kind": "code", "code": 40001},
    {"kind": "code", "code": 40900},
    {"kind": "code", "code": 40002, "message": "Audience is not editable, please check audience status"},
    {"kind": "http", "status": 429},
    {"kind": "http", "status": 500},
    {"kind": "http_after", "status": 502},
    {"kind": "cut_before"},
    {"kind": "cut_after"},
]


def _name(fault: dict[str, Any]) -> str:
    return "-".join(str(value) for key, value in fault.items() if key in {"kind", "code", "status"})


def _can_occur(call: str, fault: dict[str, Any]) -> bool:
    return fault.get("code") != 40900 or call not in {"list", "get"}


@pytest.mark.processes
@pytest.mark.parametrize("fault", FAULTS, ids=_name)
def test_one_fault_at_each_call_of_a_new_audience_does_not_change_the_result(
    world: World, fault: dict[str, Any]
) -> None:
    world.cold_start(CREATE_GRACE_SECONDS="0")
    calls = [call for call in ("list", "upload", "create") if _can_occur(call, fault)]
    for call in calls:
        world.tiktok.fault(call, **fault)
    world.activate(FIRST, lines(people(0, 2000)))
    _sweep_until_available(world, FIRST)
    assert _calls_with_fault(world) == set(calls)
    assert world.members() == set(people(0, 2000))
    assert len([each for each in world.tiktok.calls() if each["call"] == "create" and each["code"] == 0]) <= 1


@pytest.mark.processes
@pytest.mark.parametrize(
    ("call", "fault"),
    [
        pytest.param(call, fault, id=f"{call}-{_name(fault)}")
        for call in ("update", "get")
        for fault in FAULTS
        if _can_occur(call, fault)
    ],
)
def test_one_fault_at_a_call_for_an_existing_audience_does_not_change_the_result(
    world: World, call: str, fault: dict[str, Any]
) -> None:
    world.cold_start(CREATE_GRACE_SECONDS="0")
    world.tiktok.configure(stays_valid=call == "get")
    world.activate(FIRST, lines(people(0, 2000)))
    world.sweep(hours=1)
    world.tiktok.fault(call, **fault)
    world.activate(SECOND, lines(people(1000, 2000)))
    _sweep_until_available(world, SECOND)
    assert _calls_with_fault(world) == {call}
    assert world.members() == set(people(0, 3000))


def _calls_with_fault(world: World) -> set[str]:
    return {each["call"] for each in world.tiktok.calls() if each["fault"]}


def _sweep_until_available(world: World, key: str) -> None:
    for _ in range(6):
        if world.outcome(key)[0] != "available":
            world.sweep(hours=1)
    assert world.outcome(key) == ("available", "available")
    assert len(world.audiences()) == 1
    assert world.keys("pending/") == []


@pytest.mark.processes
@pytest.mark.parametrize(
    ("kind", "action"),
    [("slow_before", "append"), ("slow_after", "append"), ("slow_after", "remove"), ("slow_after", "replace")],
)
def test_a_call_that_timed_out_is_not_repeated_blindly(world: World, kind: str, action: str) -> None:
    world.activate(FIRST, lines(people(0, 4000)))
    world.sweep(hours=1)
    key = f"tiktok/vip/email_sha256/{action}/file.csv"
    world.tiktok.fault("update", kind, seconds=0.6)
    set_timeout(world, "update", seconds=0.2)
    report = world.activate(key, lines(people(0, 2000)))
    assert (report["status"], report["code"]) == ("waiting", "outcome_unknown")
    while not world.calls("update"):  # TikTok makes the change although the client no longer waits for the response
        time.sleep(0.01)
    for _ in range(3):
        world.sweep(hours=1)
    assert world.outcome(key) == ("available", "available")
    assert world.calls("update") == ["update"]


def test_a_throttled_invocation_makes_no_further_call(world: World) -> None:
    world.tiktok.fault("any", "code", code=40100, times=None)
    messages = [world.upload(f"tiktok/{name}/email_sha256/a.csv", lines(people(0, 1000))) for name in "abcdef"]
    assert world.deliver(*messages) == []
    assert len(world.calls()) == 3, "only the quick retries of the first call"
    assert {world.outcome(key) for key in world.events} == {("waiting", "tiktok_throttled")}
    world.tiktok.clear_faults()
    world.sweep()
    assert {world.outcome(key) for key in world.events} == {("submitted", "submitted")}


def test_a_call_waits_until_the_limit_per_second_is_over(world: World) -> None:
    waits: list[float] = []
    world.function = world.function._replace(pause=waits.append)
    world.tiktok.fault("create", "code", code=40100, times=2)
    assert world.activate(FIRST, lines(people(0, 1000)))["status"] == "submitted"
    assert len(set(waits)) == 2, "with jitter"
    assert all(0.5 <= seconds <= 1.2 for seconds in waits)


def test_a_warm_function_reads_the_secret_once(world: World) -> None:
    world.activate(FIRST, lines(people(0, 1000)))
    world.secrets.delete_secret(SecretId=world.secret_arn, ForceDeleteWithoutRecovery=True)
    assert world.activate("tiktok/gold/email_sha256/a.csv", lines(people(0, 1000)))["status"] == "submitted"


def test_a_listing_that_fails_after_the_first_page_is_not_used(world: World) -> None:
    world.tiktok.fault("list", "code", code=50000, times=None, after=1)
    world.tiktok.seed("7000000000000000001", count=150)
    report = world.activate(FIRST, lines(people(0, 1000)))
    assert (report["status"], report["code"]) == ("waiting", "tiktok_unavailable")
    assert world.calls("create") == []


def test_an_unreadable_state_of_one_audience_does_not_stop_the_batch(world: World) -> None:
    broken = world.upload(FIRST, lines(people(0, 1000)))
    good = world.upload("tiktok/gold/email_sha256/a.csv", lines(people(0, 1000)))
    world.s3.put_object(Bucket=world.bucket, Key="audiences/email_sha256/vip.json", Body=b"not JSON")
    assert world.deliver(broken, good) == [broken]
    assert world.outcome("tiktok/gold/email_sha256/a.csv") == ("submitted", "submitted")


def test_a_message_that_there_is_no_time_for_is_returned(world: World) -> None:
    messages = [world.upload(f"tiktok/{name}/email_sha256/a.csv", lines(people(0, 1000))) for name in "ab"]
    assert world.deliver(*messages, seconds=30) == [messages[1]]
    assert world.outcome("tiktok/a/email_sha256/a.csv") == ("submitted", "submitted")
    assert world.pending() == ["tiktok/a/email_sha256/a.csv", "tiktok/b/email_sha256/a.csv"]


@pytest.mark.parametrize("code", [40001, 40002, 40012])
def test_uploads_wait_until_the_terms_are_accepted(world: World, code: int) -> None:
    message = "Please accept the Custom Audience Terms in TikTok Ads Manager."
    world.tiktok.fault("upload", "code", code=code, message=message, times=None)
    messages = [world.upload(f"tiktok/{name}/email_sha256/a.csv", lines(people(0, 1000))) for name in "ab"]
    assert world.deliver(*messages) == []
    assert {world.outcome(key) for key in world.events} == {("waiting", "terms_not_accepted")}
    assert world.calls("upload") == ["upload"], "the circuit breaker stops the other upload"
    reason = world.report("tiktok/a/email_sha256/a.csv")["reason"]
    assert f"Advertiser {ADVERTISER_ID} has not accepted" in reason
    world.tiktok.clear_faults()
    world.sweep()
    assert {world.outcome(key) for key in world.events} == {("submitted", "submitted")}
