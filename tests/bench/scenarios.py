"""TikTok calls and S3 requests of complete scenarios, in a simulated world: counted, not timed."""

from __future__ import annotations

import contextlib
import io
from collections.abc import Iterator
from uuid import UUID

from sandbox.tiktok.emulator import TikTokEmulator
from tests.bench.rounds import ROUNDS, print_progress
from tests.handler.world import ADVERTISER_ID, World, lines, people
from tests.privacy import TOKEN
from tests.servers import InProcessAws

FOLDER = "tiktok/vip/email_sha256"
DAYS = 30
PART_FILES = 200
WAITING = 10_000


@contextlib.contextmanager
def _world() -> Iterator[World]:
    """Yield a world with an audience of 3,000 people and the default settling time; discard its printed output."""
    with (
        contextlib.redirect_stdout(io.StringIO()),
        TikTokEmulator(accounts={ADVERTISER_ID: TOKEN}, processing_seconds=48 * 3600) as tiktok,
    ):
        world = World(InProcessAws(), tiktok)
        world.activate(f"{FOLDER}/first.csv", lines(people(0, 3000)))
        world.sweep(hours=49)
        world.cold_start(SETTLE_SECONDS="300")
        yield world


def backlog_calls(days: int = DAYS) -> list[float]:
    """Count the changes at TikTok for the appends and removes of many days that waited for a valid access token."""
    with _world() as world:
        world.set_secret("{}")
        for day in range(days):
            append = world.upload(f"{FOLDER}/append/{day}.csv", lines(people(3000 + day * 100, 100)))
            remove = world.upload(f"{FOLDER}/remove/{day}.csv", lines(people(day * 10, 10)))
            world.deliver_all(append, remove)
            world.sweep(hours=24)
        world.tiktok.clear_calls()
        world.restore_secret()
        for _ in range(6):
            world.sweep(hours=25)
        _check(world, [key for key in world.events if "/first" not in key])
        if world.members() != set(people(days * 10, 3000 + days * 90)):
            raise RuntimeError("The audience does not hold the people that it should.")
        return [float(len(world.calls("create", "update")))]


def replace_calls(files: int = PART_FILES) -> list[float]:
    """Count the TikTok calls for a replace that consists of many part files, once the list is complete."""
    with _world() as world:
        run = f"{FOLDER}/replace/2026-01-31"
        keys = [f"{run}/part-{number:05d}-{UUID(int=number)}-c000.csv" for number in range(files)]
        messages = [world.upload(key, lines(people(number * 20, 20))) for number, key in enumerate(keys)]
        world.deliver_all(*messages)
        world.pass_time(hours=2)
        world.tiktok.clear_calls()
        world.sweep()
        if {world.outcome(key)[0] for key in keys} != {"submitted"}:
            raise RuntimeError(f"The list was not submitted: {world.report(keys[0])['reason']}")
        return [float(len(world.calls()))]


def sweep_10k(waiting: int = WAITING) -> list[float]:
    """Count the S3 requests of a sweep while many uploads wait for an audience that TikTok is processing."""
    with _world() as world:
        world.deliver_all(world.upload(f"{FOLDER}/busy.csv", lines(people(5000, 1000))))
        world.sweep(hours=0.5)
        for first in range(0, waiting, 500):
            numbers = range(first, min(first + 500, waiting))
            world.deliver_all(*(world.upload(f"{FOLDER}/{number}.csv", lines(people(number, 1))) for number in numbers))
            print_progress(f"  {numbers.stop} uploads wait")
        world.sweep(hours=0.2)  # brings the reports up to date
        requests: list[str] = []
        world.hooks.before = lambda _, path: requests.append(path) if path.startswith(f"/{world.bucket}") else None
        counts = []
        for _ in range(ROUNDS):
            requests.clear()
            world.sweep(hours=0.2)
            counts.append(float(len(requests)))
        if len(world.keys("pending/")) < waiting:
            raise RuntimeError("Not all uploads wait.")
        return counts


def _check(world: World, keys: list[str]) -> None:
    """Check that every upload was applied or skipped.

    Raises:
        RuntimeError: an upload was neither applied nor skipped; the message has its report's reason.
    """
    for key in keys:
        report = world.report(key)
        if report["status"] not in {"available", "skipped"}:
            raise RuntimeError(f"{key} is {report['status']}: {report['reason']}")
