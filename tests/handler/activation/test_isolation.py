"""Isolation: a fault in one file, object or function does not affect the others."""

from __future__ import annotations

import json
import threading

import pytest

from handler import app
from handler.activation.advance import advance
from handler.events.keys import parse_key
from tests.handler.world import Context, World, lines, people

VIP = "tiktok/vip/email_sha256/"
SEED, FIRST, SECOND = f"{VIP}seed.csv", f"{VIP}first.csv", f"{VIP}second.csv"
SWEEP = '{"sweep": true}'
NOT_EDITABLE = "Audience is not editable, please check audience status"


def _delete(world: World, key: str) -> None:
    version = json.loads(world.events[key])["detail"]["object"]["version-id"]
    world.s3.delete_object(Bucket=world.bucket, Key=key, VersionId=version)


def _metrics(printed: str) -> dict[str, float]:
    sums: dict[str, float] = {}
    for line in printed.splitlines():
        entry = json.loads(line)
        for metric in entry["_aws"]["CloudWatchMetrics"][0]["Metrics"]:
            sums[metric["Name"]] = sums.get(metric["Name"], 0) + sum(entry[metric["Name"]])
    return sums


def test_only_the_file_deleted_before_a_repeated_upload_fails(world: World) -> None:
    world.activate(SEED, lines(people(0, 2000)))
    world.sweep(hours=1)
    for key, first in ((FIRST, 2000), (SECOND, 3000)):
        world.pass_time(hours=1)
        world.tiktok.fault("update", "code", code=40002, message=NOT_EDITABLE)
        world.activate(key, lines(people(first, 1000)))
    world.tiktok.forget_files()
    _delete(world, FIRST)
    world.sweep(hours=1)
    assert world.outcome(FIRST) == ("failed", "object_missing")
    assert world.outcome(SECOND) == ("submitted", "submitted")


@pytest.mark.parametrize("damage", ["report deleted", "report empty", "pointer empty", "pointer without a key"])
def test_a_damaged_report_or_pointer_does_not_stop_other_files(world: World, damage: str) -> None:
    world.tiktok.fault("list", "code", code=50000, times=None)
    world.activate(FIRST, lines(people(0, 1000)))
    world.tiktok.clear_faults()
    (pointer,) = world.keys("pending/")
    (report,) = world.keys("reports/")
    match damage:
        case "report deleted":
            world.s3.delete_object(Bucket=world.bucket, Key=report)
        case "report empty":
            world.s3.put_object(Bucket=world.bucket, Key=report, Body=b"")
        case _:
            world.s3.put_object(
                Bucket=world.bucket, Key=pointer, Body=b"{}" if damage == "pointer without a key" else b""
            )
    report_of_second = world.activate(SECOND, lines(people(1000, 1000)))
    assert report_of_second["status"] == "submitted"
    world.sweep(hours=1)
    assert world.outcome(SECOND) == ("available", "available")
    assert "report unreadable" in world.log.getvalue()
    assert pointer in world.keys("pending/")


def test_a_state_with_missing_fields_gets_their_defaults(world: World) -> None:
    world.activate(FIRST, lines(people(0, 1000)))
    (state,) = world.keys("audiences/")
    known = world.json(state)
    del known["appended_up_to"], known["message_seen"]
    world.s3.put_object(Bucket=world.bucket, Key=state, Body=json.dumps(known))
    world.sweep(hours=1)
    assert world.outcome(FIRST) == ("available", "available")


def test_an_unreadable_waiting_file_fails_only_its_own_message(world: World) -> None:
    hooks = world.hooks
    world.activate(SEED, lines(people(0, 2000)))
    hooks.before = lambda method, path: "403 Forbidden" if method == "GET" and path.endswith(f"/{FIRST}") else None
    messages = [world.upload(FIRST, lines(people(0, 1000))), world.upload(SECOND, b"jane@example.com\n")]
    assert world.deliver(*messages) == messages[:1]
    assert world.outcome(FIRST) == ("waiting", "audience_processing")
    assert world.outcome(SECOND) == ("rejected", "no_valid_row")


def test_a_file_that_a_sweep_cannot_read_fails_the_sweep(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    hooks = world.hooks
    for key, first in ((SEED, 0), (FIRST, 2000)):
        world.activate(key, lines(people(first, 2000)))
    hooks.before = lambda method, path: "403 Forbidden" if method == "GET" and path.endswith(f"/{FIRST}") else None
    world.pass_time(hours=1)
    assert world.deliver(SWEEP) == [SWEEP]
    assert _metrics(capsys.readouterr().out)["WaitingSeconds"] > 0
    hooks.before = lambda *_: None
    world.sweep()
    assert world.outcome(FIRST) == ("submitted", "submitted")


def test_a_failed_listing_of_pending_uploads_fails_only_the_sweep(world: World) -> None:
    hooks = world.hooks
    message = world.upload(FIRST, lines(people(0, 1000)))
    busy = ["503 Slow Down"] * 4  # at least as many as boto3's tries of one request
    hooks.before = lambda method, path: busy.pop() if busy and method == "GET" and path == f"/{world.bucket}" else None
    world.deliver(message)  # the listing of this function fails
    busy[:] = ["403 Forbidden"]
    assert world.deliver("nonsense", SWEEP) == ["nonsense", SWEEP]
    world.sweep()
    assert world.outcome(FIRST) == ("submitted", "submitted")


def test_without_the_lease_an_unreadable_file_fails_only_its_own_message(world: World) -> None:
    hooks = world.hooks
    world.activate(SEED, lines(people(0, 2000)))
    (state,) = world.keys("audiences/")
    held = {**world.json(state), "holder": "another", "held_until": "2999-01-01T00:00:00Z"}
    world.s3.put_object(Bucket=world.bucket, Key=state, Body=json.dumps(held))
    hooks.before = lambda method, path: "403 Forbidden" if method == "GET" and path.endswith(f"/{FIRST}") else None
    messages = [world.upload(FIRST, lines(people(0, 1000))), world.upload(SECOND, lines(people(0, 1000)))]
    assert world.deliver(*messages) == messages[:1]
    assert world.report(SECOND)["rows"]["accepted"] == 1000


@pytest.mark.parametrize("body", [b"garbage", b"{}", b"[]"])
def test_a_report_damaged_during_processing_does_not_stop_later_files(world: World, body: bytes) -> None:
    world.activate(FIRST, lines(people(0, 2000)))
    (report,) = world.keys("reports/")
    world.activate(SECOND, lines(people(2000, 2000)))
    world.s3.put_object(Bucket=world.bucket, Key=report, Body=body)
    world.sweep(hours=1)
    world.sweep(hours=1)
    assert world.outcome(SECOND) == ("available", "available")


def test_a_second_upload_of_a_key_fails_its_message_without_versioning(world: World) -> None:
    world.s3.put_bucket_versioning(Bucket=world.bucket, VersioningConfiguration={"Status": "Suspended"})
    first, second = (world.upload(FIRST, lines(people(n, 2000))) for n in (0, 2000))
    assert world.deliver(first) == []
    assert world.deliver(first) == []
    assert world.deliver(second) == [second]
    assert "versioning is suspended" in world.log.getvalue()


def test_a_message_without_attributes_is_handled(world: World) -> None:
    record = {"messageId": "1", "receiptHandle": "1", "body": world.upload(FIRST, lines(people(0, 1000)))}
    assert app.handle(world.function, {"Records": [record]}, Context()) == {"batchItemFailures": []}
    assert world.outcome(FIRST) == ("submitted", "submitted")


def test_an_unavailable_tiktok_is_not_called_for_every_audience(world: World) -> None:
    world.tiktok.fault("list", "code", code=50000, times=None)
    for number in range(3):
        world.activate(f"tiktok/audience {number}/email_sha256/file.csv", lines(people(0, 1000)))
    world.tiktok.clear_calls()
    world.sweep()
    assert world.calls() == ["list"] * 3  # one call with its quick retries


@pytest.mark.parametrize("path", ["/reports/", "/audiences/"])
@pytest.mark.parametrize("write", [1, 2, 4])
def test_a_write_whose_response_is_lost_is_not_repeated(world: World, path: str, write: int) -> None:
    hooks = world.hooks
    writes = iter(range(1, 100))

    def lose(method: str, where: str) -> str | None:
        lost = method == "PUT" and path in where and next(writes) == write
        return "500 Internal Server Error" if lost else None

    hooks.after = lose
    report = world.activate(FIRST, lines(people(0, 1000)))
    assert (report["status"], len(report["uploads"])) == ("submitted", 1)
    assert [call["files"] for call in world.tiktok.calls() if call["call"] == "create"] == [1]


@pytest.mark.processes
def test_a_replace_whose_file_is_deleted_during_the_upload_is_not_sent(world: World) -> None:
    hooks = world.hooks
    world.cold_start(MAX_PART_BYTES="70000")
    world.activate(SEED, lines(people(0, 2000)))
    world.sweep(hours=1)
    key = f"{VIP}replace/all.csv"
    message = world.upload(key, lines(people(5000, 5000)))
    being_read = threading.Event()

    def delete(method: str, path: str) -> None:
        if method == "GET" and path.endswith(f"/{key}") and not being_read.is_set():
            being_read.set()
            _delete(world, key)

    hooks.after = delete
    world.tiktok.fault("upload", "slow", seconds=1.0)  # slows the first part, so that the other function runs meanwhile
    uploader = threading.Thread(target=world.deliver, args=(message,))
    uploader.start()
    assert being_read.wait(20)
    world.deliver(message)
    uploader.join()
    assert world.outcome(key) == ("skipped", "withdrawn")
    assert world.calls("update") == []
    world.sweep(hours=1)
    assert world.members() == set(people(0, 2000))


def test_a_status_written_by_another_function_is_not_counted_again(
    world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    hooks = world.hooks
    first, second = world.upload(FIRST, lines(people(0, 1000))), world.upload(SECOND, lines(people(1000, 1000)))
    reading, resume = threading.Event(), threading.Event()

    def hold(method: str, where: str) -> str | None:
        if method == "GET" and where.endswith(f"/{SECOND}") and not reading.is_set():
            reading.set()
            resume.wait(20)
        return None

    world.deliver(first)
    hooks.before = hold
    counting = threading.Thread(target=world.deliver, args=(second,))
    counting.start()
    assert reading.wait(20)
    # Expire the lease of the counting function, so that a sweep sends the file meanwhile.
    (state,) = world.keys("audiences/")
    world.s3.put_object(Bucket=world.bucket, Key=state, Body=json.dumps({**world.json(state), "held_until": None}))
    world.sweep(hours=1)
    resume.set()
    counting.join()
    world.sweep(hours=1)
    assert world.members() == set(people(0, 2000))
    counted = _metrics(capsys.readouterr().out)
    assert (counted["FilesSubmitted"], counted["RowsAccepted"], counted["FilesAvailable"]) == (2, 2000, 2)


def test_a_listing_older_than_the_change_does_not_finish_it(world: World) -> None:
    world.activate(SEED, lines(people(0, 2000)))
    world.sweep(hours=1)
    long_sweep = app.new_invocation(world.function, Context())
    long_sweep.account.snapshot()
    removal = f"{VIP}remove/some.csv"
    world.activate(removal, lines(people(0, 1500)))
    world.sweep(hours=0.2)
    advance(long_sweep, parse_key(SEED).audience)
    assert world.outcome(removal) == ("submitted", "submitted")
    world.sweep(hours=1)
    assert world.outcome(removal) == ("failed", "too_few_left")


def test_a_listing_older_than_the_change_does_not_prove_that_it_was_processing(world: World) -> None:
    """The listing shows that TikTok is processing the previous change."""
    world.activate(SEED, lines(people(0, 2000)))
    world.sweep(hours=1)
    world.activate(FIRST, lines(people(2000, 10)))
    world.activate(SECOND, lines(people(3000, 10)))
    world.sweep(hours=0.5)
    long_sweep = app.new_invocation(world.function, Context())
    long_sweep.account.snapshot()
    world.tiktok.configure(stays_valid=True)
    world.sweep(hours=0.5)
    assert (world.outcome(FIRST)[0], world.outcome(SECOND)[0]) == ("available", "submitted")
    advance(long_sweep, parse_key(SEED).audience, sweep=True)
    world.sweep(hours=0.1)
    assert world.outcome(SECOND) == ("submitted", "submitted")
    world.sweep(hours=1)
    assert world.outcome(SECOND) == ("available", "available")


@pytest.mark.processes
def test_the_message_to_continue_is_sent_after_the_lease_is_released(world: World) -> None:
    """Otherwise, the next function could find the lease taken and delete the message."""
    hooks = world.hooks
    world.cold_start(MAX_PART_BYTES="70000")
    message = world.upload(FIRST, lines(people(0, 5000)))
    holders: list[object] = []

    def see(_: str, path: str) -> None:
        if path in {"/secretsmanager.GetSecretValue", "/AmazonSQS.SendMessage"}:
            holders.extend(world.json(key)["holder"] for key in world.keys("audiences/"))

    hooks.before = see
    world.tiktok.fault("upload", "slow", seconds=0.4, times=None)
    assert world.deliver(message, seconds=2) == []
    hooks.before = lambda *_: None
    assert world.outcome(FIRST) == ("waiting", "continuing")
    assert len(world.messages()) == 1
    assert holders[0] is not None
    assert holders[-1] is None


def test_a_broken_stream_of_a_remove_without_an_audience_stops_no_other_upload(world: World) -> None:
    first, second = f"{VIP}remove/first.csv", f"{VIP}remove/second.csv"

    def broken(method: str, path: str) -> str | None:
        if method == "GET" and path.endswith(f"{world.bucket}/{first}"):
            raise ConnectionResetError("the stream broke")
        return None

    world.cold_start(SETTLE_SECONDS="300")
    world.deliver_all(*(world.upload(key, lines(people(0, 10))) for key in (first, second)))
    world.pass_time(hours=0.2)
    world.hooks.before = broken
    assert world.deliver(SWEEP) == [SWEEP]
    assert world.outcome(first) == ("waiting", "settling")
    assert world.outcome(second) == ("rejected", "nothing_to_remove_from")
