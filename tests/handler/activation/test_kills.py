"""A function that is killed at any step: the next delivery or sweep completes its work."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator

import pytest

from sandbox.tiktok.emulator import TikTokEmulator
from tests.handler.activation.process_kills import ForkServer, WriteKiller
from tests.handler.world import ADVERTISER_ID, World, lines, people
from tests.privacy import TOKEN, assert_nothing_personal
from tests.servers import InProcessAws, embedded_aws

pytestmark = pytest.mark.processes

KEY = "tiktok/vip/email_sha256/first.csv"
SECOND = "tiktok/vip/email_sha256/second.csv"
SWEEP = json.dumps({"sweep": True})


@pytest.fixture(scope="module")
def fork_server() -> Iterator[ForkServer]:
    fork_server = ForkServer()
    yield fork_server
    printed = fork_server.printed()
    fork_server.close()
    assert_nothing_personal([printed])


@pytest.fixture(scope="module")
def killer() -> WriteKiller:
    return WriteKiller()


@pytest.fixture(scope="module")
def killer_url(killer: WriteKiller) -> Iterator[str]:
    with embedded_aws(killer) as url:
        yield url


@pytest.fixture
def world(killer_url: str) -> Iterator[World]:
    with TikTokEmulator(accounts={ADVERTISER_ID: TOKEN}, processing_seconds=3600) as tiktok:
        world = World(killer_url, tiktok)
        yield world
        assert_nothing_personal(world.written())


def _kill_after(killer: WriteKiller, writes: int) -> Callable[[int], None]:
    def prepare_kill(pid: int) -> None:
        killer.writes_left, killer.pid = writes, pid

    return prepare_kill


def _finish(world: World, message: str) -> None:
    """Expire the lease, deliver the message again, and run sweeps, as happens after a kill."""
    for key in world.keys("audiences/"):
        state = world.json(key)
        if state["held_until"]:
            world.s3.put_object(
                Bucket=world.bucket, Key=key, Body=json.dumps({**state, "held_until": "2026-01-01T00:00:00Z"})
            )
    assert world.deliver(message) == []
    for _ in range(3):
        if world.keys("pending/"):
            world.sweep(hours=1)


def _check(world: World, expected: set[str]) -> None:
    assert {world.outcome(key) for key in world.events} == {("available", "available")}
    assert world.members() == expected
    assert world.keys("pending/") == []


# Scenario -> the files that are activated first, the file that is delivered next (None for a sweep), and the hours
# until a sweep between the two (0 for no sweep).
SCENARIOS = {
    "create": ([], KEY, 0),
    "append": ([KEY], SECOND, 1),
    "end": ([KEY], None, 0),
}


class Killed(BaseException):
    """Simulates a kill of a function in this process. No `except Exception` catches it."""


def _kill_at(world: World, step: int) -> None:
    """Make AWS end the function after write number `step`.

    Later requests, such as those of `finally` clauses, are refused, because a killed process sends none. A kill right
    after a write is the same as a kill right before the next one, because nothing that a later delivery could see
    changes in between.
    """
    left = step

    def count(method: str, _: str) -> None:
        nonlocal left
        left -= method not in {"GET", "HEAD"}
        if left <= 0:
            raise Killed

    def refuse(*_: str) -> None:
        if left <= 0:
            raise Killed

    world.hooks.before, world.hooks.after = refuse, count


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_work_completes_after_a_kill_at_any_write_to_aws(
    aws: InProcessAws, scenario: str, capsys: pytest.CaptureFixture[str]
) -> None:
    for step in range(1, 60):
        with TikTokEmulator(accounts={ADVERTISER_ID: TOKEN}, processing_seconds=3600) as tiktok:
            world = World(aws, tiktok)
            world.cold_start(CREATE_GRACE_SECONDS="0")
            message = _prepare(world, scenario)
            _kill_at(world, step)
            try:
                world.deliver(message)
                killed = False
            except Killed:
                killed = True
            world.hooks.before = world.hooks.after = lambda *_: None
            world.cold_start(CREATE_GRACE_SECONDS="0")
            _finish(world, message)
            _check(world, _expected(scenario))
            if scenario != "end":
                assert len(world.calls("create")) == 1
            printed = capsys.readouterr().out
            assert_nothing_personal([*world.written(), printed])
        if not killed:
            assert step > 4
            assert ("FilesAvailable" if scenario == "end" else "FilesSubmitted") in printed
            return
    pytest.fail("the function made 59 writes or more")


@pytest.mark.parametrize(("scenario", "step"), [("create", 5), ("append", 6), ("end", 3)])
def test_work_completes_after_a_sigkill_at_a_write_to_aws(
    world: World, killer: WriteKiller, fork_server: ForkServer, scenario: str, step: int
) -> None:
    world.cold_start(CREATE_GRACE_SECONDS="0")
    message = _prepare(world, scenario)
    assert fork_server.run(world, message, _kill_after(killer, step))
    killer.pid = None
    _finish(world, message)
    _check(world, _expected(scenario))


def _prepare(world: World, scenario: str) -> str:
    before, then, hours = SCENARIOS[scenario]
    for key in before:
        world.activate(key, lines(people(0, 1000)))
    if hours:
        world.sweep(hours=hours)
    if then is None:
        world.pass_time(hours=1)
        return SWEEP
    return world.upload(then, lines(people(1000, 1000)))


def _expected(scenario: str) -> set[str]:
    return {"create": set(people(1000, 1000)), "append": set(people(0, 2000)), "end": set(people(0, 1000))}[scenario]


@pytest.mark.parametrize(
    ("scenario", "call", "kind"),
    [
        ("create", "list", "kill_before"),
        ("create", "list", "kill_after"),
        ("create", "upload", "kill_before"),
        ("create", "upload", "kill_after"),
        ("create", "create", "kill_before"),
        ("create", "create", "kill_after"),
        ("append", "update", "kill_before"),
        ("append", "update", "kill_after"),
    ],
)
def test_work_completes_after_a_sigkill_at_a_call_to_tiktok(
    world: World, fork_server: ForkServer, scenario: str, call: str, kind: str
) -> None:
    world.cold_start(CREATE_GRACE_SECONDS="0")
    message = _prepare(world, scenario)
    assert fork_server.run(world, message, lambda pid: world.tiktok.fault(call, kind, pid=pid))
    _finish(world, message)
    _check(world, _expected(scenario))
    assert len(world.audiences()) == 1


def test_a_create_whose_function_was_killed_is_searched_for_before_another_create(
    world: World, fork_server: ForkServer
) -> None:
    world.tiktok.configure(list_lag_seconds=1800)
    message = _prepare(world, "create")
    assert fork_server.run(world, message, lambda pid: world.tiktok.fault("create", "kill_after", pid=pid))
    _deliver_after_lease(world, message)
    assert world.outcome(KEY) == ("waiting", "outcome_unknown")
    world.sweep(hours=1)
    world.sweep(hours=1)
    _check(world, _expected("create"))


def _deliver_after_lease(world: World, message: str) -> None:
    (key,) = world.keys("audiences/")
    state = {**world.json(key), "held_until": None}
    world.s3.put_object(Bucket=world.bucket, Key=key, Body=json.dumps(state))
    assert world.deliver(message) == []
