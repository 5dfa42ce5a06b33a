"""A function killed at any of its steps leaves what the next delivery or sweep completes."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator

import pytest

from sandbox.tiktok.emulator import TikTokEmulator
from tests.handler.activation.killing import Trap, Zygote
from tests.handler.world import ADVERTISER_ID, World, lines, people
from tests.privacy import TOKEN, assert_nothing_personal
from tests.servers import InProcessAws, embedded_aws

pytestmark = pytest.mark.processes

KEY = "tiktok/vip/email_sha256/first.csv"
SECOND = "tiktok/vip/email_sha256/second.csv"
SWEEP = json.dumps({"sweep": True})


@pytest.fixture(scope="module")
def zygote() -> Iterator[Zygote]:
    zygote = Zygote()
    yield zygote
    printed = zygote.printed()
    zygote.close()
    assert_nothing_personal([printed])


@pytest.fixture(scope="module")
def trap() -> Iterator[tuple[Trap, str]]:
    trap = Trap()
    with embedded_aws(trap) as url:
        yield trap, url


@pytest.fixture
def world(trap: tuple[Trap, str]) -> Iterator[World]:
    with TikTokEmulator(accounts={ADVERTISER_ID: TOKEN}, processing_seconds=3600) as tiktok:
        world = World(trap[1], tiktok)
        yield world
        assert_nothing_personal(world.written())


def _armed(spring: Trap, step: int) -> Callable[[int], None]:
    return lambda pid: _set(spring, pid, step)


def _finish(world: World, message: str) -> None:
    """Let happen what follows a kill: the lease ends, the message is delivered again, sweeps run."""
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


SCENES = {
    "create": ([], KEY, 0),
    "append": ([KEY], SECOND, 1),
    "end": ([KEY], None, 0),
}


class Killed(BaseException):
    """Ends a function of this process as a kill would: no `except Exception` sees it."""


def _kill_at(world: World, step: int) -> None:
    """End the function once its n-th write to AWS is done, which is before the next one, too.

    Nothing that its `finally` clauses ask for is done. Between two writes nothing changes that the next delivery could
    find.
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

    world.gate.before, world.gate.after = refuse, count


@pytest.mark.parametrize("scene", SCENES)
def test_killed_at_any_write_to_aws(aws: InProcessAws, scene: str, capsys: pytest.CaptureFixture[str]) -> None:
    for step in range(1, 60):
        with TikTokEmulator(accounts={ADVERTISER_ID: TOKEN}, processing_seconds=3600) as tiktok:
            world = World(aws, tiktok)
            world.cold_start(CREATE_GRACE_SECONDS="0")
            message = _prepare(world, scene)
            _kill_at(world, step)
            try:
                world.deliver(message)
                killed = False
            except Killed:
                killed = True
            world.gate.before = world.gate.after = lambda *_: None
            world.cold_start(CREATE_GRACE_SECONDS="0")
            _finish(world, message)
            _check(world, _expected(scene))
            if scene != "end":
                assert len(world.calls("create")) == 1
            printed = capsys.readouterr().out
            assert_nothing_personal([*world.written(), printed])
        if not killed:
            assert step > 4
            assert ("FilesAvailable" if scene == "end" else "FilesSubmitted") in printed
            return
    pytest.fail("the function never came to its end")


@pytest.mark.parametrize(("scene", "step"), [("create", 5), ("append", 6), ("end", 3)])
def test_a_process_killed_at_a_write_to_aws(
    world: World, trap: tuple[Trap, str], zygote: Zygote, scene: str, step: int
) -> None:
    spring, _ = trap
    world.cold_start(CREATE_GRACE_SECONDS="0")
    message = _prepare(world, scene)
    assert zygote.run(world, message, _armed(spring, step))
    spring.pid = None
    _finish(world, message)
    _check(world, _expected(scene))


def _set(trap: Trap, pid: int, step: int) -> None:
    trap.left, trap.pid = step, pid


def _prepare(world: World, scene: str) -> str:
    before, then, hours = SCENES[scene]
    for key in before:
        world.activate(key, lines(people(0, 1000)))
    if hours:
        world.sweep(hours=hours)
    if then is None:
        world.pass_time(hours=1)
        return SWEEP
    return world.upload(then, lines(people(1000, 1000)))


def _expected(scene: str) -> set[str]:
    return {"create": set(people(1000, 1000)), "append": set(people(0, 2000)), "end": set(people(0, 1000))}[scene]


@pytest.mark.parametrize(
    ("scene", "call", "kind"),
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
def test_killed_at_a_call_to_tiktok(world: World, zygote: Zygote, scene: str, call: str, kind: str) -> None:
    world.cold_start(CREATE_GRACE_SECONDS="0")
    message = _prepare(world, scene)
    assert zygote.run(world, message, lambda pid: world.tiktok.fault(call, kind, pid=pid))
    _finish(world, message)
    _check(world, _expected(scene))
    assert len(world.audiences()) == 1


def test_a_killed_create_is_looked_for_before_another_is_made(world: World, zygote: Zygote) -> None:
    world.tiktok.configure(list_lag_seconds=1800)
    message = _prepare(world, "create")
    assert zygote.run(world, message, lambda pid: world.tiktok.fault("create", "kill_after", pid=pid))
    _finish_one(world, message)
    assert world.outcome(KEY) == ("waiting", "outcome_unknown")
    world.sweep(hours=1)
    world.sweep(hours=1)
    _check(world, _expected("create"))


def _finish_one(world: World, message: str) -> None:
    (key,) = world.keys("audiences/")
    state = {**world.json(key), "held_until": None}
    world.s3.put_object(Bucket=world.bucket, Key=key, Body=json.dumps(state))
    assert world.deliver(message) == []
