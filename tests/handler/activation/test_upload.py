"""One file from S3 to uploaded parts: over several invocations, by Range or read again, every row once."""

from __future__ import annotations

import dataclasses
import gzip
import json
from typing import cast

import pytest

from handler import app
from handler.activation.invocation import Invocation
from handler.activation.upload import upload
from handler.clock import Deadline
from handler.errors import OutOfTime, Rejected
from handler.report_codes import Code
from handler.state.reports import Report
from tests.handler.world import ADVERTISER_ID, Context, World, lines, people

KEY = "tiktok/vip/email_sha256/large.csv"


@pytest.mark.parametrize("zipped", [False, True], ids=["plain", "gz"])
def test_a_large_file_goes_on_where_the_last_invocation_stopped(world: World, zipped: bool) -> None:
    world.cold_start(MAX_PART_BYTES="13000")
    body = b"email_sha256\r\n" + lines(people(0, 2000)).replace(b"\n", b"\r\n") + b"jane@example.com\r\n"
    key = KEY + ".gz" if zipped else KEY
    world.tiktok.fault("upload", "slow", seconds=0.15, times=None)
    message = world.upload(key, gzip.compress(body) if zipped else body)
    invocations = 0
    messages = [message]
    while messages:
        invocations += 1
        assert world.deliver(*messages, seconds=1.2) == []
        messages = world.messages()
        if messages:
            report = world.report(key, message)
            assert (report["status"], report["code"]) == ("waiting", "continuing")
            assert report["progress"]["next_line"] == 2 + report["rows"]["total"]
    assert invocations > 1
    report = world.report(key, message)
    assert report["status"] == "submitted"
    assert report["rows"] == {"total": 2001, "accepted": 2000, "rejected": 1}
    assert report["rejections"] == [{"line": 2002, "reason": "not_hashed"}]
    assert sum(part["rows"] for part in report["uploads"]) == 2000
    assert report["progress"] == {"next_byte": None, "next_line": None}
    assert world.calls("create") == ["create"]
    assert len(world.calls("upload")) == len(report["uploads"]), "no part twice"
    world.sweep(hours=1)
    assert world.members() == set(people(0, 2000))


def test_a_file_that_cannot_end_one_part_in_a_whole_invocation_is_refused(world: World) -> None:
    world.tiktok.fault("any", "cut_before", times=None)
    report = world.activate(KEY, lines(people(0, 1000)))
    assert report["status"] == "waiting"
    with pytest.raises(Rejected) as refused:
        upload(_at(world, 0.0, 0.0, 100.0), cast("Report", report))
    assert refused.value.code is Code.NO_PROGRESS


def test_a_file_that_was_begun_late_goes_on_instead(world: World) -> None:
    world.tiktok.fault("any", "cut_before", times=None)
    report = world.activate(KEY, lines(people(0, 1000)))
    with pytest.raises(OutOfTime):
        upload(_at(world, 0.0, 30.0, 100.0), cast("Report", report))


def test_little_that_becomes_much_is_stopped_in_time(world: World) -> None:
    """Lines of one letter cost the most time; a chunk of S3's holds hundreds of megabytes of them, compressed."""
    key = f"{KEY}.gz"
    message = world.upload(key, gzip.compress(b"a\n" * 20_000_000))
    assert world.deliver(message, seconds=2) == []
    report = world.report(key)  # read to its end, it would have no valid row
    assert (report["status"], report["code"]) == ("rejected", "no_progress")
    assert "without .gz" in report["reason"]


def test_a_file_that_twice_makes_no_progress_is_refused(world: World) -> None:
    world.tiktok.fault("any", "cut_before", times=None)
    report = {**world.activate(KEY, lines(people(0, 1000))), "code": "continuing"}
    with pytest.raises(Rejected):
        upload(_at(world, 0.0, 40.0, 100.0), cast("Report", report))
    with pytest.raises(OutOfTime):
        upload(_at(world, 0.0, 60.0, 100.0), cast("Report", report))


def test_files_of_one_create_are_warned_of_together(world: World) -> None:
    sizes = {f"tiktok/vip/email_sha256/{n}.csv": 600 for n in range(2)}
    sizes |= {f"tiktok/few/email_sha256/{n}.csv": 400 for n in range(2)}
    messages = [world.upload(key, lines(people(n * 1000, size))) for n, (key, size) in enumerate(sizes.items())]
    assert world.deliver(*messages) == []
    warned = {key: "With 800 rows in all it cannot match" in world.report(key)["reason"] for key in sizes}
    assert warned == {key: "/few/" in key for key in sizes}


@pytest.mark.parametrize("state", ["new", "processing"])
def test_a_file_that_is_refused_for_its_rows_reports_them(world: World, state: str) -> None:
    if state == "processing":
        world.tiktok.seed(ADVERTISER_ID, name="vip", state="processing")
    report = world.activate(KEY, lines(people(0, 5)) + b"jane@example.com\n" * 5)
    assert (report["status"], report["code"]) == ("rejected", Code.TOO_MANY_REJECTED)
    assert report["rows"] == {"total": 10, "accepted": 5, "rejected": 5}
    assert report["rejections"] == [{"line": line, "reason": "not_hashed"} for line in range(6, 11)]


def _at(world: World, *moments: float) -> Invocation:
    """An invocation of 100 seconds: when it began, when its file began, and when the first chunk came."""
    clock = iter(moments)
    run = app._new_run(world.here, Context())
    return dataclasses.replace(run, deadline=Deadline(100, clock=lambda: next(clock)))


def test_a_refusal_found_at_the_end_changes_nothing_at_tiktok(world: World) -> None:
    world.cold_start(MAX_PART_BYTES="13000")
    report = world.activate(KEY, lines(people(0, 1000)) + b"jane@example.com\n" * 500)
    assert (report["status"], report["code"]) == ("rejected", "too_many_rejected")
    assert "create" not in world.calls()
    assert world.audiences() == []


def test_a_refused_small_file_is_not_even_uploaded(world: World) -> None:
    world.activate(KEY, lines(people(0, 10)) + b"jane@example.com\n" * 5)
    assert world.calls() == ["list"]


def test_a_file_of_too_many_parts_is_refused_with_what_to_do(world: World) -> None:
    world.cold_start(MAX_PART_BYTES="1000")
    world.tiktok.fault("list", "code", code=50000, times=None)
    body = lines(people(0, 8000))
    message = world.upload(KEY, body)
    assert world.deliver(message) == []
    # As if an earlier invocation had uploaded as much as goes into one change.
    report, rows = world.report(KEY), 7500
    report["rows"] = {"total": rows, "accepted": rows, "rejected": 0}
    report["uploads"] = [{"rows": 15, "bytes": 975, "file_path": f"{number:016}"} for number in range(500)]
    report["progress"] = {"next_byte": 65 * rows, "next_line": rows + 1}
    (key,) = world.keys("reports/")
    world.s3.put_object(Bucket=world.bucket, Key=key, Body=json.dumps(report))
    world.tiktok.clear_faults()
    world.sweep()
    report = world.report(KEY)
    assert (report["status"], report["code"]) == ("rejected", "too_many_parts")
    assert "split it" in report["reason"]


def test_rows_are_uploaded_as_tiktok_wants_them(world: World) -> None:
    body = b'\xef\xbb\xbfhashed email\r\n\r\n "' + people(0, 1)[0].upper().encode() + b'" \r\n' + lines(people(1, 1500))
    world.activate(KEY, body)
    world.sweep(hours=1)
    (audience,) = world.audiences()
    assert world.members() == set(people(0, 1501))
    assert not any(audience["bad_rows"].values())
