"""Lists that are about to be sent, or that TikTok is processing, while other functions run and newer files arrive."""

from __future__ import annotations

import pytest

from tests.handler.world import World, lines, people

FOLDER = "tiktok/vip/email_sha256/replace/full"


@pytest.fixture
def settling(world: World) -> World:
    world.cold_start(SETTLE_SECONDS="300")
    return world


def test_a_faulty_new_list_in_the_same_folder_does_not_affect_the_list_in_processing(settling: World) -> None:
    settling.tiktok.configure(processing_seconds=20 * 3600)
    first = settling.upload(f"{FOLDER}/part-0", lines(people(0, 2000)))
    settling.deliver(first)
    settling.sweep(hours=1.1)
    assert settling.report(f"{FOLDER}/part-0", first)["status"] == "submitted"
    settling.pass_time(8)
    second = settling.upload(f"{FOLDER}/part-0", lines([*people(2000, 20), *["no hash"] * 20]))
    settling.deliver(second)
    for _ in range(3):
        settling.sweep(hours=1.1)
    assert settling.report(f"{FOLDER}/part-0", first)["status"] == "submitted"
    settling.run(hours=12, every=1)
    assert settling.report(f"{FOLDER}/part-0", first)["status"] == "available"
    assert settling.report(f"{FOLDER}/part-0", second)["code"] == "too_many_rejected"
    assert settling.calls("create", "update") == ["create"]
    assert settling.members() == set(people(0, 2000))


def test_a_list_waits_for_a_file_registered_after_the_sweep_listed_the_pointers(settling: World) -> None:
    settling.deliver(settling.upload(f"{FOLDER}/part-0", lines(people(0, 1000))))
    late = settling.upload(f"{FOLDER}/part-1", lines(people(1000, 1000)))
    settling.pass_time(1.1)

    def register(_: str, path: str) -> None:
        if "/audiences/" in path:
            settling.hooks.before = lambda *_: None
            settling.deliver(late)

    settling.hooks.before = register
    settling.sweep()
    assert settling.calls("create") == []
    settling.run(hours=3, every=1.1)
    assert settling.calls("create", "update") == ["create"]
    assert settling.members() == set(people(0, 2000))


def test_a_list_finished_after_the_sweep_listed_the_pointers_is_not_sent_again(settling: World) -> None:
    settling.deliver(settling.upload(f"{FOLDER}/part-0", lines(people(0, 2000))))
    settling.sweep(hours=1.1)
    assert settling.outcome(f"{FOLDER}/part-0") == ("submitted", "submitted")
    settling.pass_time(25)

    def end(_: str, path: str) -> None:
        if "/audiences/" in path:
            settling.hooks.before = lambda *_: None
            settling.sweep()
            assert settling.outcome(f"{FOLDER}/part-0") == ("available", "available")

    settling.hooks.before = end
    settling.sweep()
    settling.run(hours=3, every=1.1)
    assert settling.calls("create", "update") == ["create"]
    assert settling.outcome(f"{FOLDER}/part-0") == ("available", "available")
    assert settling.keys("pending/") == []


def _lose_a_replace(world: World, kind: str) -> str:
    """Cut the connection of a replace, before or after TikTok accepts it, and return the message of its file.

    TikTok shows a replace only once it is done.
    """
    world.deliver_all(world.upload("tiktok/vip/email_sha256/base.csv", lines(people(0, 4000))))
    world.run(hours=3, every=0.5)
    world.tiktok.configure(processing_seconds=6 * 3600, stays_valid=True)
    world.tiktok.fault("update", kind)
    message = world.upload(f"{FOLDER}/part-0", lines(people(0, 3000)))
    world.deliver_all(message)
    world.sweep(hours=1.1)
    assert world.outcome(f"{FOLDER}/part-0") == ("waiting", "outcome_unknown")
    return message


@pytest.mark.processes
@pytest.mark.parametrize("kind", ["cut_after", "cut_before"])
def test_a_newer_version_is_not_mistaken_for_a_list_whose_outcome_is_unknown(settling: World, kind: str) -> None:
    key = f"{FOLDER}/part-0"
    first = _lose_a_replace(settling, kind)
    second = settling.upload(key, lines(people(1000, 3000)))
    settling.deliver_all(second)
    settling.run(hours=40, every=1.1)
    assert [settling.report(key, each)["status"] for each in (first, second)] == ["available"] * 2
    assert settling.members() == set(people(1000, 3000))


@pytest.mark.parametrize("code", [40100, 50000])
def test_a_replace_of_unknown_outcome_is_still_resolved_after_another_call_failed(settling: World, code: int) -> None:
    _lose_a_replace(settling, "cut_after")
    settling.tiktok.fault("update", "code", code=code, times=None)
    settling.run(hours=2, every=0.5)
    settling.tiktok.clear_faults()
    settling.run(hours=6, every=0.5)
    assert settling.outcome(f"{FOLDER}/part-0") == ("available", "available")
    done = [each for each in settling.tiktok.calls() if each["call"] == "update" and each["code"] == 0]
    assert len(done) <= 1  # the call whose response was lost


@pytest.mark.parametrize("kind", ["cut_after", "cut_before"])
def test_a_replace_of_unknown_outcome_is_resolved_although_its_only_report_was_deleted(
    settling: World, kind: str
) -> None:
    message = _lose_a_replace(settling, kind)
    _delete_report(settling, f"{FOLDER}/part-0", message)
    settling.run(hours=30, every=1.1)
    assert settling.members() == set(people(0, 3000))
    key = "tiktok/vip/email_sha256/append/next.csv"
    settling.deliver_all(settling.upload(key, lines(people(9000, 1000))))
    settling.run(hours=9, every=1.1)
    assert settling.outcome(key) == ("available", "available")
    assert settling.members() == {*people(0, 3000), *people(9000, 1000)}


def test_a_list_is_uploaded_again_although_one_of_its_reports_was_deleted(settling: World) -> None:
    settling.deliver_all(settling.upload("tiktok/vip/email_sha256/base.csv", lines(people(0, 4000))))
    settling.run(hours=3, every=0.5)
    settling.tiktok.fault("update", "cut_before")
    messages = [settling.upload(f"{FOLDER}/part-{n}", lines(people(n * 1500, 1500))) for n in range(2)]
    settling.deliver_all(*messages)
    settling.sweep(hours=1.1)
    assert settling.outcome(f"{FOLDER}/part-0") == ("waiting", "outcome_unknown")
    _delete_report(settling, f"{FOLDER}/part-0", messages[0])
    settling.tiktok.fault("update", "code", code=40100, times=None)
    settling.sweep(hours=1.1)
    assert settling.outcome(f"{FOLDER}/part-1") == ("waiting", "tiktok_throttled")
    settling.tiktok.clear_faults()
    settling.tiktok.fault("update", "code", code=40905)
    settling.run(hours=5, every=1.1)
    assert settling.outcome(f"{FOLDER}/part-1") == ("available", "available")
    assert settling.members() == set(people(0, 3000))


def _delete_report(world: World, key: str, message: str) -> None:
    world.s3.delete_object(Bucket=world.bucket, Key=f"reports/{key}/{world.version_id(message)}.json")


def test_a_list_is_not_sent_without_a_temporarily_unreadable_file(settling: World) -> None:
    settling.deliver(settling.upload(f"{FOLDER}/part-0", lines(people(0, 3000))))
    settling.deliver(settling.multipart(f"{FOLDER}/part-1", lines(people(3000, 2000))))
    settling.run(hours=3, every=1.1)
    settling.pass_time(24)
    settling.deliver(settling.upload(f"{FOLDER}/part-0", lines(people(1, 3000))))
    settling.deliver(settling.multipart(f"{FOLDER}/part-1", lines(people(3001, 2000))))
    settling.deliver(settling.upload("tiktok/vip/email_sha256/append/new.csv", lines(people(9000, 10))))
    settling.pass_time(1.1)
    settling.hooks.before = lambda method, path: (
        "503 Slow Down" if method == "GET" and path.endswith("/full/part-1") else None
    )
    assert settling.deliver('{"sweep": true}')
    settling.hooks.before = lambda *_: None
    assert settling.calls("create", "update") == ["create"]
    settling.run(hours=5, every=1.1)
    assert settling.outcome("tiktok/vip/email_sha256/append/new.csv") == ("available", "available")
    assert settling.members() == {*people(1, 5000), *people(9000, 10)}


@pytest.mark.parametrize("damaged", [False, True])
def test_a_list_is_not_sent_without_a_file_whose_report_was_deleted_or_damaged(
    settling: World, *, damaged: bool
) -> None:
    settling.deliver(settling.upload(f"{FOLDER}/part-0", lines(people(0, 3000))))
    message = settling.upload(f"{FOLDER}/part-1", lines(people(3000, 2000)))
    settling.deliver(message)
    stored_report = {"Bucket": settling.bucket, "Key": f"reports/{FOLDER}/part-1/{settling.version_id(message)}.json"}
    if damaged:
        settling.s3.put_object(**stored_report, Body=b"{")  # type: ignore[arg-type]  # both values are strings
    else:
        settling.s3.delete_object(**stored_report)  # type: ignore[arg-type]  # as above
    settling.run(hours=3, every=1.1)
    assert settling.calls("create") == []


def test_a_list_is_sent_after_six_hours_even_if_new_files_keep_arriving(settling: World) -> None:
    settling.activate("tiktok/vip/email_sha256/append/base.csv", lines(people(0, 2000)))
    settling.run(hours=2, every=1.1)
    settling.tiktok.configure(processing_seconds=8 * 3600)
    settling.deliver(settling.upload("tiktok/vip/email_sha256/append/x.csv", lines(people(7000, 10))))
    settling.sweep(hours=0.2)
    for number in range(20):  # TikTok is still processing when the list has waited for six hours
        settling.deliver(settling.upload(f"{FOLDER}/part-{number}", lines(people(number * 1000, 1000))))
        settling.sweep(hours=0.5)
    assert settling.report(f"{FOLDER}/part-0")["status"] in {"submitted", "available"}


def test_a_list_for_a_new_audience_is_not_compared_with_the_list_of_a_deleted_audience(settling: World) -> None:
    settling.deliver(settling.upload(f"{FOLDER}/part-0", lines(people(0, 9000))))
    settling.run(hours=3, every=1.1)
    settling.delete_audience(settling.audiences()[0]["id"])
    settling.pass_time(24)
    settling.deliver(settling.upload(f"{FOLDER}/part-0", lines(people(0, 3000))))
    settling.run(hours=3, every=1.1)
    assert settling.outcome(f"{FOLDER}/part-0") == ("available", "available")
