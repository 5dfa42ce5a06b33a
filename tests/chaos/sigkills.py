"""Real SIGKILLs: each upload is handled by a forked process, which may be killed at a request to AWS or TikTok.

Moto and the emulator are behind sockets, and the clock is real.
"""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from contextlib import redirect_stdout
from random import Random

from sandbox.tiktok.emulator import TikTokEmulator
from tests.handler.activation.process_kills import ForkServer, WriteKiller
from tests.handler.world import ADVERTISER_ID, World, lines, people
from tests.privacy import TOKEN, assert_nothing_personal
from tests.servers import embedded_aws

UPLOADS = 8
FOLDER = "tiktok/vip/email_sha256"
MAX_WRITES = 8
MAX_SWEEPS = 6


class SigkillRun:
    """A series of uploads whose functions are killed.

    Attributes:
        killed: the number of functions that were killed.
        problems: every difference between the actual and the expected results.
    """

    def __init__(self, seed: int) -> None:
        self.random = Random(seed)  # noqa: S311 - a repeatable run, no secret
        self.killed = 0
        self.problems: list[str] = []

    def execute(self) -> None:
        """Kill the functions of some uploads, let later invocations finish their work, and check the results."""
        killer = WriteKiller()
        with (
            redirect_stdout(io.StringIO()),
            embedded_aws(killer) as url,
            TikTokEmulator(accounts={ADVERTISER_ID: TOKEN}, processing_seconds=60) as tiktok,
        ):
            world, fork_server = World(url, tiktok), ForkServer()
            wanted: set[str] = set()
            for number in range(UPLOADS):
                action = "append" if number < 2 else self.random.choice(["append", "remove"])
                some = set(people(self.random.randrange(3000), 1500))
                wanted = wanted | some if action == "append" else wanted - some | set(people(9000, 1200))
                body = some if action == "append" else some - set(people(9000, 1200))
                if number == 0:
                    body, wanted = body | set(people(9000, 1200)), wanted | set(people(9000, 1200))
                message = world.upload(f"{FOLDER}/{action}/{number}.csv", lines(sorted(body)))
                self.killed += fork_server.run(world, message, lambda pid: self._arm(killer, tiktok, pid))
                killer.pid = None
                tiktok.clear_faults()
                self._finish(world, message)
            fork_server.close()
            self.problems += self._differences(world, wanted)
            assert_nothing_personal(world.written())

    def _arm(self, killer: WriteKiller, tiktok: TikTokEmulator, pid: int) -> None:
        """Choose the request at which a function is killed."""
        if self.random.random() < 0.5:
            killer.writes_left, killer.pid = self.random.randint(1, MAX_WRITES), pid
            return
        kind = self.random.choice(["kill_before", "kill_after"])
        call = self.random.choice([["list"], ["upload"], ["create", "update"]])
        for each in call:
            tiktok.fault(each, kind, pid=pid)

    def _finish(self, world: World, message: str) -> None:
        """Let the lease expire, deliver the message again, and sweep."""
        for key in world.keys("audiences/"):
            state = {**world.json(key), "held_until": None}
            world.s3.put_object(Bucket=world.bucket, Key=key, Body=json.dumps(state))
        if world.deliver(message):
            self.problems.append("SIGKILL: a redelivered message failed")
        for _ in range(MAX_SWEEPS):
            if world.keys("pending/"):
                world.sweep(hours=1)

    def _differences(self, world: World, wanted: set[str]) -> Iterator[str]:
        for key in world.events:
            if (end := world.outcome(key)) != ("available", "available"):
                yield f"SIGKILL: {key} ended as {end}"
        if len(world.audiences()) != 1:
            yield f"SIGKILL: {len(world.audiences())} audiences at TikTok, not 1"
        elif (members := world.members()) != wanted:
            yield f"SIGKILL: {len(wanted - members)} people are missing, {len(members - wanted)} are unexpected"
        for key in world.keys("pending/"):
            yield f"SIGKILL: {key} is still pending"
