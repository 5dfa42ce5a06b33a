"""Tests of the latest time until which an upload waits."""

from __future__ import annotations

from datetime import timedelta

import pytest

from console.reports import parse_time, waits_until
from tests.handler.world import World, lines, people


@pytest.mark.parametrize(("action", "hours"), [("append", 1), ("remove", 1), ("replace", 6)])
def test_a_replace_settles_for_six_hours_at_most(world: World, action: str, hours: int) -> None:
    world.cold_start(SETTLE_SECONDS="300")
    key = f"tiktok/vip/email_sha256/{action}/a.csv"
    world.deliver_all(world.upload(key, lines(people(0, 1200))))
    report = world.report(key)
    assert report["code"] == "settling"
    assert waits_until(report) == parse_time(report["received_at"]) + timedelta(hours=hours)
