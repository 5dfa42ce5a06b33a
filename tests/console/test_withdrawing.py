"""Tests that waiting uploads are withdrawn, but not uploads that TikTok may already have received."""

from __future__ import annotations

from console.reports import Report
from console.withdrawing import Withdrawal, withdraw_under_lease
from handler.model import AudienceKey, IdentifierType
from handler.state.lease import lease_on
from handler.state.objects import ObjectStore
from tests.handler.world import World, lines, people

VIP = "tiktok/vip/email_sha256/"
FULL = f"{VIP}replace/full/"


def withdraw(world: World, *reports: Report) -> list[Withdrawal]:
    store = ObjectStore(world.s3, world.bucket)
    with lease_on(store, AudienceKey(IdentifierType.EMAIL_SHA256, "vip"), "console", 60, world.now) as lease:
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
