"""Reports of waiting uploads: each upload is read once for each reason, however many sweeps run."""

from __future__ import annotations

import pytest

from tests.handler.world import World, lines, people

VIP = "tiktok/vip/email_sha256/"


def _requests_of_a_sweep(world: World) -> list[str]:
    seen: list[str] = []
    world.hooks.before = lambda method, path: seen.append(f"{method} {path}")
    world.sweep()
    world.hooks.before = lambda *_: None
    return seen


def test_a_sweep_does_not_read_uploads_that_already_have_the_reason(world: World) -> None:
    world.activate(f"{VIP}base.csv", lines(people(0, 2000)))
    for number in range(20):
        world.upload(f"{VIP}{number}.csv", lines(people(number, 10)))
    assert world.deliver(*[world.events[f"{VIP}{number}.csv"] for number in range(20)]) == []
    world.sweep()
    requests = _requests_of_a_sweep(world)
    assert len(requests) <= 10, requests
    report = world.report(f"{VIP}7.csv")
    assert (report["status"], report["code"], report["rows"]["total"]) == ("waiting", "audience_processing", 10)


def test_a_later_upload_gets_the_reason_too(world: World) -> None:
    world.activate(f"{VIP}base.csv", lines(people(0, 2000)))
    for number in range(3):
        world.activate(f"{VIP}{number}.csv", lines(people(number, 10)))
        world.sweep(hours=0.1)
        assert world.outcome(f"{VIP}{number}.csv") == ("waiting", "audience_processing")


def test_an_upload_whose_registration_was_interrupted_gets_the_reason_later(world: World) -> None:
    world.tiktok.configure(processing_seconds=40 * 3600)
    world.activate(f"{VIP}base.csv", lines(people(0, 2000)))
    killed = f"{VIP}killed.csv"
    message = world.upload(killed, lines(people(3000, 10)))
    world.hooks.before = lambda method, path: "403 Forbidden" if method == "PUT" and "/pending/" in path else None
    assert world.deliver(message) == [message]
    world.hooks.before = lambda *_: None
    world.activate(f"{VIP}other.csv", lines(people(4000, 10)))
    world.sweep(hours=1.5)
    assert world.deliver(message) == []
    world.sweep()
    report = world.report(killed)
    assert (report["code"], report["rows"]["total"]) == ("audience_processing", 10)
    world.tiktok.configure(processing_seconds=3600)
    for _ in range(3):
        world.sweep(hours=25)
    assert world.outcome(killed) == ("available", "available")
    assert world.keys("pending/") == []


@pytest.mark.parametrize("files", [1, 2])
def test_a_list_with_a_deleted_report_does_not_fail_the_sweep(world: World, files: int) -> None:
    world.cold_start(SETTLE_SECONDS="300")
    world.tiktok.configure(processing_seconds=40 * 3600)
    world.deliver_all(world.upload(f"{VIP}base.csv", lines(people(0, 2000))))
    world.run(hours=0.5, every=0.25)
    for number in range(files):
        world.deliver_all(world.upload(f"{VIP}replace/part-{number}.csv", lines(people(0, 1000))))
    (report,) = (key for key in world.keys("reports/") if "part-0" in key)
    world.s3.delete_object(Bucket=world.bucket, Key=report)
    world.run(hours=3, every=0.5)
    assert "report unreadable" in world.log.getvalue()
