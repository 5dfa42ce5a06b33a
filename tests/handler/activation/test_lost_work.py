"""Work that must not be lost: refused shared parts, repeated uploads, outdated parts, and deleted states."""

from __future__ import annotations

from datetime import timedelta

import pytest

from tests.handler.world import World, lines, people

VIP = "tiktok/vip/email_sha256/"
SWEEP = '{"sweep": true}'


def _small_files(world: World, count: int) -> list[str]:
    keys = [f"{VIP}small-{number}.csv" for number in range(count)]
    world.deliver_all(*(world.upload(key, lines(people(number * 40, 40))) for number, key in enumerate(keys)))
    return keys


@pytest.mark.processes
@pytest.mark.parametrize(("count", "parts"), [(49, 49), (50, 1)])
def test_fifty_small_uploads_share_a_part(world: World, count: int, parts: int) -> None:
    world.cold_start(SETTLE_SECONDS="300")
    keys = _small_files(world, count)
    world.sweep(hours=1)
    assert world.calls("upload", "create") == ["upload"] * parts + ["create"]
    assert {world.report(key)["status"] for key in keys} == {"submitted"}


@pytest.mark.processes
def test_a_refused_shared_part_fails_no_upload(world: World) -> None:
    world.cold_start(SETTLE_SECONDS="300", MAX_PART_BYTES="40000")
    keys = _small_files(world, 60)
    world.tiktok.fault("upload", "code", code=40002, message="The file is refused.")
    world.pass_time(1)
    world.deliver(SWEEP)
    world.run(hours=3, every=0.5)
    assert [world.report(key)["status"] for key in keys] == ["available"] * 60
    assert world.members() == set(people(0, 2400))


@pytest.mark.processes
def test_a_report_that_cannot_be_written_loses_no_rows_of_a_shared_part(world: World) -> None:
    world.cold_start(SETTLE_SECONDS="300", MAX_PART_BYTES="40000")
    keys = _small_files(world, 60)
    refused: list[str] = []

    def refuse(method: str, path: str) -> str | None:
        if method == "PUT" and f"reports/{keys[0]}" in path and len(refused) < 1:
            refused.append(path)
            return "403 Forbidden"
        return None

    world.hooks.before = refuse
    world.pass_time(1)
    world.deliver(SWEEP)
    world.run(hours=4, every=0.5)
    assert refused
    assert [world.report(key)["status"] for key in keys] == ["available"] * 60
    assert world.members() == set(people(0, 2400))


def test_a_multipart_upload_of_a_file_that_failed_is_not_a_copy(world: World) -> None:
    key = f"{VIP}people.csv"
    world.activate(f"{VIP}seed.csv", lines(people(0, 2000)))
    world.sweep(hours=1)
    world.tiktok.fault("update", "code", code=40002, message="The request is wrong.")
    assert world.activate(key, lines(people(5000, 1000)))["status"] == "failed"
    world.pass_time(1)
    world.deliver_all(world.multipart(key, lines(people(5000, 1000))))
    world.sweep(hours=1)
    assert world.outcome(key)[0] in {"submitted", "available"}


def test_a_temporarily_unreadable_copy_does_not_undo_a_remove(world: World) -> None:
    key = f"{VIP}people.csv"
    world.activate(f"{VIP}seed.csv", lines(people(0, 2000)))
    world.sweep(hours=1)
    world.activate(key, lines(people(5000, 1000)))
    world.sweep(hours=1)
    world.activate(f"{VIP}remove/people.csv", lines(people(5000, 500)))
    world.sweep(hours=1)
    world.cold_start(SETTLE_SECONDS="300")
    world.deliver_all(world.copy(key))
    world.pass_time(1)
    busy = ["503 Slow Down"] * 4  # at least as many as boto3's tries of one request
    world.hooks.before = lambda method, path: (
        busy.pop() if busy and method == "GET" and path == f"/{world.bucket}/{key}" else None
    )
    assert world.deliver(SWEEP) == [SWEEP]
    assert world.outcome(key) == ("waiting", "settling")
    world.sweep(hours=1)
    assert world.outcome(key) == ("skipped", "unchanged_copy")
    assert world.members() == set(people(0, 2000)) | set(people(5500, 500))


def test_parts_cleaned_before_a_newer_remove_are_replaced_after_the_waiting_reason_changed(world: World) -> None:
    append, newer, older = f"{VIP}append.csv", f"{VIP}remove/newer.csv", f"{VIP}remove/older.csv"
    world.activate(f"{VIP}seed.csv", lines(people(0, 3000)))
    world.sweep(hours=1)
    world.cold_start(SETTLE_SECONDS="300")
    late = world.upload(older, lines(people(0, 1)))
    world.pass_time(1)
    world.deliver_all(world.upload(append, lines(people(5000, 1000))))
    world.pass_time(0.2)
    world.tiktok.fault("update", "code", code=40100, times=None)
    world.sweep()
    world.tiktok.clear_faults()
    assert world.report(append)["uploads"]
    world.deliver_all(late, world.upload(newer, lines(people(5000, 1))))
    world.pass_time(1)
    world.hooks.after = lambda _, path: world.pass_time(2 / 3600) if "/audiences/" in path else None
    world.sweep()
    assert world.report(newer)["status"] == "submitted"
    world.sweep(5 / 60)
    world.run(hours=4, every=0.5)
    assert world.outcome(append) == ("available", "available")
    assert people(5000, 1)[0] not in world.members()


def test_a_submitted_upload_whose_state_was_deleted_does_not_stop_others(world: World) -> None:
    first, second = f"{VIP}first.csv", f"{VIP}second.csv"
    world.activate(first, lines(people(0, 1000)))
    (state,) = world.keys("audiences/")
    world.s3.delete_object(Bucket=world.bucket, Key=state)
    world.pass_time(3)
    world.activate(second, lines(people(1000, 1000)))
    for _ in range(2):
        world.sweep(hours=3)
    assert world.outcome(second) == ("available", "available")
    assert world.outcome(first) == ("available", "available")
    assert world.calls("create", "update") == ["create", "update"]
    assert world.keys("pending/") == []


def test_a_submitted_remove_whose_state_was_deleted_can_still_fail(world: World) -> None:
    world.activate(f"{VIP}base.csv", lines(people(0, 2000)))
    world.sweep(hours=1)
    removal = f"{VIP}remove/most.csv"
    world.activate(removal, lines(people(0, 1500)))
    for key in world.keys("audiences/"):
        world.s3.delete_object(Bucket=world.bucket, Key=key)
    for _ in range(3):
        world.sweep(hours=1)
    assert world.outcome(removal) == ("failed", "too_few_left")
    assert world.calls("create", "update") == ["create", "update"]


def test_a_submitted_list_whose_state_was_deleted_still_becomes_available(world: World) -> None:
    world.cold_start(SETTLE_SECONDS="300")
    keys = [f"{VIP}replace/run/{number}.csv" for number in range(2)]
    world.deliver_all(*(world.upload(key, lines(people(number * 1000, 1000))) for number, key in enumerate(keys)))
    world.sweep(hours=1.1)
    assert {world.outcome(key) for key in keys} == {("submitted", "submitted")}
    for key in world.keys("audiences/"):
        world.s3.delete_object(Bucket=world.bucket, Key=key)
    world.run(hours=30, every=1.1)
    assert {world.outcome(key) for key in keys} == {("available", "available")}
    assert world.members() == set(people(0, 2000))


@pytest.mark.parametrize("action", ["append", "remove"])
def test_parts_cleaned_before_a_change_of_unknown_outcome_are_replaced(world: World, action: str) -> None:
    other = {"append": "remove", "remove": "append"}[action]
    world.activate(f"{VIP}base.csv", lines(people(0, 4000)))
    world.sweep(hours=1.1)
    earlier = world.now()
    world.pass_time(1)
    first = 6000 if action == "append" else 0
    world.tiktok.fault("update", "code", code=40100, times=3)
    assert world.activate(f"{VIP}{action}/waits.csv", lines(people(first, 100)))["uploads"]
    late = world.upload(f"{VIP}{other}/late.csv", lines(people(1000, 10)), at=earlier + timedelta(minutes=5))
    newer = world.upload(f"{VIP}{other}/newer.csv", lines(people(first, 50)))
    world.tiktok.fault("update", "cut_after")
    world.hooks.after = lambda _, path: world.pass_time(2 / 3600) if "/audiences/" in path else None
    world.deliver(late, newer)
    world.hooks.after = lambda *_: None
    assert world.report(f"{VIP}{action}/waits.csv")["code"] == "outcome_unknown"
    world.run(hours=5, every=0.7)
    assert world.outcome(f"{VIP}{action}/waits.csv") == ("available", "available")
    assert bool(set(people(first, 50)) & world.members()) == (other == "append")
    assert bool(set(people(first + 50, 50)) & world.members()) == (action == "append")
