"""Tests that waiting uploads are withdrawn, but not uploads that TikTok may already have received."""

from __future__ import annotations

import pytest

from console import aws, withdrawing
from console.errors import ConsoleError
from console.reports import Report
from console.stack import Connector, Location
from console.withdrawing import Withdrawal, withdraw_under_lease
from handler.model import AudienceKey, IdentifierType
from handler.state.audience_state import state_key
from handler.state.lease import lease_on
from handler.state.objects import ObjectStore
from tests.handler.world import World, lines, people

VIP = "tiktok/vip/email_sha256/"
VIP_AUDIENCE = AudienceKey(IdentifierType.EMAIL_SHA256, "vip")
FULL = f"{VIP}replace/full/"


def withdraw(world: World, *reports: Report) -> list[Withdrawal]:
    store = ObjectStore(world.s3, world.bucket)
    with lease_on(store, VIP_AUDIENCE, "console", 60, world.now) as lease:
        assert lease
        return withdraw_under_lease(store, lease, reports)


def test_a_list_with_an_unknown_outcome_is_not_withdrawn(world: World) -> None:
    world.cold_start(SETTLE_SECONDS="300")
    world.deliver_all(world.upload(f"{VIP}base.csv", lines(people(0, 4000))))
    world.run(hours=3, every=0.5)
    world.tiktok.configure(processing_seconds=6 * 3600, stays_valid=True)
    world.tiktok.fault("update", "cut_after")
    keys = [f"{FULL}part-{number}" for number in range(3)]
    world.deliver_all(*(world.upload(key, lines(people(n * 1000, 1000))) for n, key in enumerate(keys)))
    world.sweep(hours=1.1)
    assert {world.outcome(key) for key in keys} == {("waiting", "outcome_unknown")}
    done = withdraw(world, *(world.report(key) for key in keys))
    assert [each.refused for each in done] == ["it is being sent to TikTok"] * 3
    world.run(hours=30, every=1)
    assert {world.outcome(key) for key in keys} == {("available", "available")}
    assert world.members() == set(people(0, 3000))


def test_all_files_of_a_waiting_list_are_withdrawn(world: World) -> None:
    world.cold_start(SETTLE_SECONDS="300")
    keys = [f"{FULL}part-{number}" for number in range(3)]
    world.deliver_all(*(world.upload(key, lines(people(n * 1000, 1000))) for n, key in enumerate(keys)))
    assert [each.refused for each in withdraw(world, *(world.report(key) for key in keys))] == [None] * 3
    late = world.upload(f"{FULL}part-3", lines(people(3000, 1000)))
    world.deliver_all(late)
    world.run(hours=3, every=0.5)
    assert {world.outcome(key) for key in [*keys, f"{FULL}part-3"]} == {("skipped", "withdrawn")}
    assert world.calls("create") == []


@pytest.mark.parametrize("content", [b"no json", None])
def test_a_state_that_is_damaged_and_a_report_that_is_missing_are_errors(
    world: World, monkeypatch: pytest.MonkeyPatch, content: bytes | None
) -> None:
    world.cold_start(SETTLE_SECONDS="300")
    key = f"{VIP}a.csv"
    world.deliver_all(world.upload(key, lines(people(0, 1200))))
    report = world.report(key)
    location = f"reports/{key}/{report['file']['version_id']}.json"
    if content is None:
        world.s3.delete_object(Bucket=world.bucket, Key=location)
    else:
        location = state_key(VIP_AUDIENCE)
        world.s3.put_object(Bucket=world.bucket, Key=location, Body=content)
    monkeypatch.setattr(aws, "s3", lambda _: world.s3)
    with pytest.raises(ConsoleError, match=rf"for acme\. .*{location}.* try again\.$"):
        withdrawing.withdraw(Connector("acme", {"bucket": world.bucket}, Location("test")), [report])
