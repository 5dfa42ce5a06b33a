"""Concurrent functions: they create one audience and make one change, which includes every file."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from tests.handler.world import ADVERTISER_ID, World, lines, people

FIRST = "tiktok/vip/email_sha256/first.csv"


def deliver_concurrently(world: World, *messages: str) -> list[Any]:
    """Deliver each message to its own function, all at the same time."""
    with ThreadPoolExecutor(len(messages)) as pool:
        return list(pool.map(world.deliver, messages))


@pytest.mark.processes
@pytest.mark.parametrize("others", [0, 150, 250])
def test_ten_concurrent_functions_create_one_audience(world: World, others: int) -> None:
    world.tiktok.seed(ADVERTISER_ID, count=others)
    messages = [world.upload(f"tiktok/vip/email_sha256/{n}.csv", lines(people(n * 1000, 1000))) for n in range(10)]
    assert deliver_concurrently(world, *messages) == [[]] * 10
    for _ in range(2):
        world.sweep(hours=1)
    assert world.calls("create") == ["create"]
    assert world.members() == set(people(0, 10_000))
    assert {world.outcome(key) for key in world.events} == {("available", "available")}
    assert world.keys("pending/") == []


@pytest.mark.parametrize("action", ["append", "remove", "replace"])
def test_one_event_delivered_to_two_functions_is_one_change(world: World, action: str) -> None:
    world.activate(FIRST, lines(people(0, 4000)))
    world.sweep(hours=1)
    key = f"tiktok/vip/email_sha256/{action}/file.csv"
    message = world.upload(key, lines(people(3000, 2000)))
    assert deliver_concurrently(world, message, message) == [[], []]
    assert world.outcome(key) == ("submitted", "submitted")
    assert world.calls("update") == ["update"]
    world.sweep(hours=1)
    assert world.outcome(key) == ("available", "available")


def test_concurrent_sweeps_and_an_upload_make_one_change(world: World) -> None:
    world.activate(FIRST, lines(people(0, 2000)))
    world.tiktok.advance(3600)
    message = world.upload("tiktok/vip/email_sha256/second.csv", lines(people(2000, 2000)))
    assert deliver_concurrently(world, message, json.dumps({"sweep": True}), json.dumps({"sweep": True})) == [
        [],
        [],
        [],
    ]
    world.sweep()
    world.sweep(hours=1)
    assert world.calls("update") == ["update"]
    assert world.members() == set(people(0, 4000))


def test_a_function_without_the_lease_counts_its_file_and_leaves_it_pending(world: World) -> None:
    world.activate(FIRST, lines(people(0, 2000)))
    (key,) = world.keys("audiences/")
    held = {**world.json(key), "holder": "another", "held_until": "2999-01-01T00:00:00Z"}
    world.s3.put_object(Bucket=world.bucket, Key=key, Body=json.dumps(held))
    report = world.activate("tiktok/vip/email_sha256/second.csv", lines(people(0, 2000)))
    assert (report["status"], report["code"]) == ("waiting", "received")
    assert report["rows"]["accepted"] == 2000
    bad = world.activate("tiktok/vip/email_sha256/bad.csv", b"jane@example.com\n")
    assert bad["status"] == "rejected"
    assert sorted(world.pending()) == [FIRST, "tiktok/vip/email_sha256/second.csv"]
    assert world.json(key) == held
