"""Lists under `replace/` with missing, unreadable, deleted or late files, or uploaded together with another list."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest

from tests.handler.world import World, lines, people
from tests.servers import set_last_modified

VIP = "tiktok/vip/email_sha256/"
LIST = f"{VIP}replace/customers.csv"
SWEEP = '{"sweep": true}'
MINUTE = 1 / 60


@pytest.fixture(autouse=True)
def _settling(world: World) -> None:
    world.cold_start(SETTLE_SECONDS="300")


def test_a_list_that_a_job_is_still_writing_does_not_fail_the_sweep(world: World) -> None:
    folder = f"{VIP}replace/2026-01-31/"
    world.deliver_all(world.upload(f"{VIP}seed.csv", lines(people(0, 2000))))
    world.run(hours=0.5, every=0.25)
    assert world.report(f"{VIP}seed.csv")["status"] == "submitted"
    world.tiktok.configure(processing_seconds=100 * 3600)
    world.tiktok.fault("list", "code", code=50000, times=None)
    world.deliver_all(
        world.upload(f"{folder}part-00000.csv", lines(people(0, 1000))),
        world.upload(f"{folder}_temporary/0/part-00001.csv", b""),
    )
    world.run(hours=2, every=0.25)
    assert world.report(f"{folder}part-00000.csv")["status"] == "waiting"


@pytest.mark.parametrize("name", ["0001_part_00", "manifest"])
def test_a_list_is_rejected_if_a_file_or_manifest_is_unreadable_for_an_hour(world: World, name: str) -> None:
    folder = f"{VIP}replace/2026-01-31/"
    first, unreadable, later = f"{folder}0000_part_00", f"{folder}{name}", f"{VIP}later.csv"
    world.deliver_all(*(world.upload(key, lines(people(0, 1000))) for key in (first, unreadable)))
    world.hooks.before = lambda method, path: "403 Forbidden" if method == "GET" and path.endswith(unreadable) else None
    world.pass_time(hours=1.1)
    world.deliver_all(world.upload(later, lines(people(2000, 1000))))
    for _ in range(20):
        world.pass_time(5 * MINUTE)
        world.deliver(SWEEP)
    for key in {first, unreadable} - {f"{folder}manifest"}:  # a manifest has no report
        assert world.outcome(key) == ("rejected", "list_rejected")
    assert world.report(later)["status"] == "submitted"


def test_a_new_version_of_a_rejected_list_has_its_own_upload_time(world: World) -> None:
    world.deliver_all(world.upload(LIST, b"PK\x03\x04 a workbook"))
    world.run(hours=1.5, every=0.25)
    assert world.report(LIST)["status"] == "rejected"
    world.deliver_all(world.upload(f"{VIP}new.csv", lines(people(0, 2000))))
    world.run(hours=2, every=0.25)
    assert world.report(f"{VIP}new.csv")["status"] == "available"
    world.deliver_all(world.upload(LIST, lines(people(5000, 2000))))
    world.run(hours=3, every=0.25)
    assert world.outcome(LIST) == ("available", "available")
    assert world.members() == set(people(5000, 2000))


def test_a_late_older_version_does_not_order_a_list_before_an_applied_append(world: World) -> None:
    world.deliver_all(world.upload(f"{VIP}seed.csv", lines(people(0, 2000))))
    world.run(hours=1, every=0.25)
    older = world.upload(LIST, lines(people(3000, 1000)))
    world.pass_time(10 * MINUTE)
    append = world.upload(f"{VIP}new.csv", lines(people(2000, 1000)))
    world.pass_time(MINUTE)
    newer = world.upload(LIST, lines(people(5000, 2000)))
    world.deliver_all(append, newer)
    world.run(hours=0.25)
    assert world.report(f"{VIP}new.csv")["status"] in {"submitted", "available"}
    world.deliver_all(older)
    world.run(hours=5, every=0.25)
    assert world.outcome(LIST) == ("available", "available")
    assert world.report(LIST, older)["code"] == "superseded"
    assert world.members() == set(people(5000, 2000))


def test_a_copy_of_a_waiting_list_does_not_order_it_after_a_newer_append(world: World) -> None:
    world.deliver_all(world.upload(f"{VIP}seed.csv", lines(people(0, 2000))))
    world.run(hours=1.5, every=0.25)
    world.deliver_all(world.upload(LIST, lines(people(5000, 2000))))
    world.pass_time(MINUTE)
    world.deliver_all(world.upload(f"{VIP}new.csv", lines(people(2000, 1000))))
    world.pass_time(MINUTE)
    world.deliver_all(world.copy(LIST))
    world.run(hours=5, every=0.25)
    assert world.report(f"{VIP}new.csv")["status"] == "available"
    assert world.members() == set(people(5000, 2000)) | set(people(2000, 1000))


def test_a_list_uploaded_again_after_it_was_withdrawn_is_sent(world: World) -> None:
    world.deliver_all(world.upload(LIST, lines(people(0, 1000))))
    world.delete(LIST)
    world.run(hours=1.5, every=0.25)
    assert world.outcome(LIST) == ("skipped", "withdrawn")
    world.deliver_all(world.upload(LIST, lines(people(5000, 2000))))
    world.run(hours=3, every=0.25)
    assert world.outcome(LIST) == ("available", "available")


def test_a_late_file_of_an_older_list_is_not_a_separate_list(world: World) -> None:
    older, chosen = f"{VIP}replace/a/", f"{VIP}replace/b/"
    world.deliver_all(world.upload(f"{older}1.csv", lines(people(0, 1000))))
    world.pass_time(MINUTE)
    world.deliver_all(world.upload(f"{chosen}1.csv", lines(people(5000, 2000))))
    world.pass_time(MINUTE)
    world.deliver_all(world.upload(f"{older}2.csv", lines(people(1000, 1000))))
    world.pass_time(MINUTE)
    world.deliver_all(world.upload(f"{chosen}_SUCCESS", b""))
    world.run(hours=6, every=0.25)
    assert world.outcome(f"{chosen}1.csv") == ("available", "available")
    assert world.members() == set(people(5000, 2000))
    assert world.outcome(f"{older}1.csv") == ("skipped", "superseded")
    assert world.outcome(f"{older}2.csv") == ("skipped", "superseded")


def test_an_object_whose_key_is_too_long_for_a_report_does_not_stop_a_list(world: World) -> None:
    world.upload(f"{VIP}replace/x/{'k' * 985}.csv", lines(people(0, 10)))
    world.deliver_all(world.upload(LIST, lines(people(0, 1000))))
    world.run(hours=3, every=0.25)
    assert world.outcome(LIST) == ("available", "available")


def test_a_damaged_report_of_a_finished_upload_does_not_stop_later_uploads(world: World) -> None:
    world.deliver_all(world.upload(f"{VIP}bad.csv", b"jane@example.com\n"))
    world.run(hours=0.5, every=0.25)
    assert world.report(f"{VIP}bad.csv")["status"] == "rejected"
    (report,) = world.keys("reports/")
    world.s3.put_object(Bucket=world.bucket, Key=report, Body=b"")
    world.deliver_all(world.upload(f"{VIP}good.csv", lines(people(0, 2000))))
    world.run(hours=0.5, every=0.25)
    assert world.outcome(f"{VIP}good.csv") == ("submitted", "submitted")


def test_a_list_is_incomplete_if_the_report_of_a_manifest_entry_is_damaged(world: World) -> None:
    folder, later = f"{VIP}replace/2026-01-31/", f"{VIP}later.csv"
    first, second = f"{folder}0000_part_00", f"{folder}0001_part_00"
    world.deliver_all(*(world.upload(key, lines(people(0, 1000))) for key in (first, second)))
    entries = [{"url": f"s3://{world.bucket}/{key}"} for key in (first, second)]
    world.deliver_all(world.upload(f"{folder}manifest", json.dumps({"entries": entries}).encode()))
    (report,) = (key for key in world.keys("reports/") if second in key)
    world.s3.put_object(Bucket=world.bucket, Key=report, Body=b"")
    world.deliver_all(world.upload(later, lines(people(2000, 1000))))
    world.run(hours=26, every=1)
    assert world.outcome(first) == ("rejected", "incomplete_list")
    assert world.report(later)["status"] in {"submitted", "available"}


def test_a_file_uploaded_in_the_same_second_as_a_deletion_of_its_key_is_not_withdrawn(world: World) -> None:
    world.deliver_all(world.upload(f"{VIP}base.csv", lines(people(0, 2000))))
    world.run(hours=0.5, every=0.25)
    key = f"{VIP}people.csv"
    world.upload(key, lines(people(2000, 10)))
    upload_time = world.now() + timedelta(minutes=1)
    world.pass_time(MINUTE)
    marker = world.delete(key)
    assert marker
    set_last_modified(world.bucket, key, marker, upload_time)
    again = world.upload(key, lines(people(3000, 1000)), at=upload_time)
    world.deliver_all(again)
    world.pass_time(10 * MINUTE)
    world.deliver_all(world.upload(key, lines(people(5000, 1000))))
    world.run(hours=5, every=0.25)
    assert world.report(key, again)["status"] == "available"
    assert world.members() == {*people(0, 2000), *people(3000, 1000), *people(5000, 1000)}


def test_a_list_with_a_corrected_file_is_sent_if_nothing_newer_was_applied(world: World) -> None:
    folder = f"{VIP}replace/2026-01-31/"
    before, first, second = f"{VIP}before.csv", f"{folder}part-0.csv", f"{folder}part-1.csv"
    world.deliver_all(world.upload(before, lines(people(0, 2000))))
    world.pass_time(MINUTE)
    world.deliver_all(world.upload(first, lines(people(3000, 1000))), world.upload(second, b"PK\x03\x04 a workbook"))
    world.run(hours=3, every=0.25)
    assert world.outcome(before) == ("available", "available")
    assert world.outcome(first) == ("rejected", "list_rejected")
    world.pass_time(20)
    world.deliver_all(world.upload(second, lines(people(4000, 1000))))
    world.run(hours=3, every=0.25)
    assert {world.outcome(key) for key in (first, second)} == {("available", "available")}
    assert world.members() == set(people(3000, 2000))


def test_a_corrected_file_after_a_newer_append_is_rejected_with_advice_to_upload_all_files(world: World) -> None:
    folder = f"{VIP}replace/2026-01-31/"
    first, second, append = f"{folder}part-0.csv", f"{folder}part-1.csv", f"{VIP}append.csv"
    world.deliver_all(world.upload(first, lines(people(3000, 1000))), world.upload(second, b"PK\x03\x04 a workbook"))
    world.run(hours=1.5, every=0.25)
    world.deliver_all(world.upload(append, lines(people(0, 2000))))
    world.run(hours=2, every=0.25)
    world.deliver_all(world.upload(second, lines(people(4000, 1000))))
    world.run(hours=1.5, every=0.25)
    assert world.outcome(second) == ("rejected", "out_of_order")
    assert "all of its files" in world.report(second)["reason"]
    assert world.members() == set(people(0, 2000))
    world.deliver_all(*(world.upload(key, lines(people(at, 1000))) for key, at in ((first, 3000), (second, 4000))))
    world.run(hours=3, every=0.25)
    assert {world.outcome(key) for key in (first, second)} == {("available", "available")}
    assert world.members() == set(people(3000, 2000))


@pytest.mark.processes
def test_a_list_with_too_many_parts_is_rejected_before_more_parts_are_uploaded(world: World) -> None:
    world.cold_start(SETTLE_SECONDS="0", MAX_PART_BYTES="1000")
    assert world.activate(LIST, lines(people(0, 9000)))["code"] == "too_many_parts"
    assert len(world.calls("upload")) == 500
