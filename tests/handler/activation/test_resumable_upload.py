"""The upload of one file: each row is uploaded once, even if several invocations read the file."""

from __future__ import annotations

import gzip
import json

import pytest

from handler.report_codes import Code
from tests.handler.world import ADVERTISER_ID, World, lines, people

KEY = "tiktok/vip/email_sha256/large.csv"


@pytest.mark.processes
@pytest.mark.parametrize("zipped", [False, True], ids=["plain", "gz"])
def test_a_large_file_continues_where_the_last_invocation_stopped(world: World, zipped: bool) -> None:
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
    rows = report["rows"]
    assert (rows["total"], rows["accepted"], rows["rejected"], rows["overtaken"]) == (2001, 2000, 1, 0)
    assert report["rejected_by_reason"] == {"not_hashed": 1}
    assert report["rejections"] == [{"line": 2002, "reason": "not_hashed", "column": None}]
    assert sum(part["rows"] for part in report["uploads"]) == 2000
    assert report["progress"] == {"next_byte": None, "next_line": None}
    assert world.calls("create") == ["create"]
    assert len(world.calls("upload")) == len(report["uploads"]), "a part was uploaded twice"
    world.sweep(hours=1)
    assert world.members() == set(people(0, 2000))


@pytest.mark.processes
@pytest.mark.parametrize("finishes_at_last", [True, False])
def test_a_file_that_finishes_no_part_in_three_invocations_is_rejected(world: World, finishes_at_last: bool) -> None:
    """Lines of one letter are the slowest to clean, and one compressed chunk can expand to hundreds of megabytes."""
    key = f"{KEY}.gz"
    slow = gzip.compress(b"a\n" * 400_000)
    message = world.upload(key, slow)
    for _ in range(2):
        assert world.deliver(message, seconds=0.5) == []
        report = world.report(key)
        assert (report["status"], report["code"]) == ("waiting", "continuing")
        assert world.messages() != []
    assert world.deliver(message, seconds=0.5 if not finishes_at_last else 900) == []
    report = world.report(key)
    code = "no_valid_row" if finishes_at_last else "no_progress"
    assert (report["status"], report["code"]) == ("rejected", code)


def test_the_warning_about_few_rows_counts_all_files_of_a_create(world: World) -> None:
    sizes = {f"tiktok/vip/email_sha256/{n}.csv": 600 for n in range(2)}
    sizes |= {f"tiktok/few/email_sha256/{n}.csv": 400 for n in range(2)}
    messages = [world.upload(key, lines(people(n * 1000, size))) for n, (key, size) in enumerate(sizes.items())]
    assert world.deliver(*messages) == []
    warned = {key: "With 800 rows, the audience cannot reach" in world.report(key)["reason"] for key in sizes}
    assert warned == {key: "/few/" in key for key in sizes}


@pytest.mark.parametrize("state", ["new", "processing"])
def test_a_file_rejected_for_its_rows_reports_counts_and_lines(world: World, state: str) -> None:
    if state == "processing":
        world.tiktok.seed(ADVERTISER_ID, name="vip", state="processing")
    report = world.activate(KEY, lines(people(0, 5)) + b"jane@example.com\n" * 5)
    assert (report["status"], report["code"]) == ("rejected", Code.TOO_MANY_REJECTED)
    assert [report["rows"][name] for name in ("total", "accepted", "rejected")] == [10, 5, 5]
    assert report["rejections"] == [{"line": line, "reason": "not_hashed", "column": None} for line in range(6, 11)]


def test_a_file_rejected_after_its_last_row_changes_nothing_at_tiktok(world: World) -> None:
    world.cold_start(MAX_PART_BYTES="13000")
    report = world.activate(KEY, lines(people(0, 1000)) + b"jane@example.com\n" * 500)
    assert (report["status"], report["code"]) == ("rejected", "too_many_rejected")
    assert "create" not in world.calls()
    assert world.audiences() == []


def test_a_small_rejected_file_is_not_uploaded(world: World) -> None:
    world.activate(KEY, lines(people(0, 10)) + b"jane@example.com\n" * 5)
    assert world.calls() == ["list"]


def test_a_file_with_too_many_parts_is_rejected_with_advice(world: World) -> None:
    world.cold_start(MAX_PART_BYTES="1000")
    world.tiktok.fault("list", "code", code=50000, times=None)
    body = lines(people(0, 8000))
    message = world.upload(KEY, body)
    assert world.deliver(message) == []
    # As if an earlier invocation had uploaded the maximum number of parts.
    report, rows = world.report(KEY), 7500
    report["rows"] = {"total": rows, "accepted": rows, "rejected": 0, "overtaken": 0, "md5": "0" * 32}
    report["uploads"] = [{"rows": 15, "bytes": 975, "file_path": f"{number:016}"} for number in range(500)]
    report["progress"] = {"next_byte": 65 * rows, "next_line": rows + 1}
    (key,) = world.keys("reports/")
    world.s3.put_object(Bucket=world.bucket, Key=key, Body=json.dumps(report))
    world.tiktok.clear_faults()
    world.sweep()
    report = world.report(KEY)
    assert (report["status"], report["code"]) == ("rejected", "too_many_parts")
    assert "Split it" in report["reason"]


def test_rows_are_uploaded_in_tiktoks_format(world: World) -> None:
    body = b'\xef\xbb\xbfhashed email\r\n\r\n "' + people(0, 1)[0].upper().encode() + b'" \r\n' + lines(people(1, 1500))
    world.activate(KEY, body)
    world.sweep(hours=1)
    (audience,) = world.audiences()
    assert world.members() == set(people(0, 1501))
    assert not any(audience["bad_rows"].values())
