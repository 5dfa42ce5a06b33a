"""A seeded scheduler for concurrent invocations, of which exactly one runs at a time.

Every request of an invocation to AWS or TikTok is a switch point: another invocation may continue there, and this one
may be killed there. So the seed determines how invocations interleave.
"""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable
from functools import cached_property
from random import Random
from uuid import UUID


class WorkerKilled(BaseException):
    """Stops an invocation like a SIGKILL: `except Exception` does not catch it."""


class SimulatedInvocation(threading.Thread):
    """One invocation of a function.

    Attributes:
        advertiser: the name of its advertiser.
        aws_request_id: its Lambda request id.
        kill_at: the number of the switch point at which it is killed; 0 for never.
        ends_at: the simulated time, in seconds, at which it times out.
        switch_points: the number of switch points that it has reached.
        killed: true after it was killed; every later request raises WorkerKilled.
        timed_out: true if it was killed because it timed out.
        had_aws_error: true after a request to AWS failed.
        done: true after it has finished or was killed.
        failure: the exception that it raised, except WorkerKilled.
        turn: released by the scheduler to give it a turn.
    """

    def __init__(
        self,
        scheduler: Scheduler,
        advertiser: str,
        work: Callable[[SimulatedInvocation], None],
        kill_at: int,
        seconds: float,
    ) -> None:
        super().__init__(daemon=True)
        self.advertiser = advertiser
        self.aws_request_id = str(UUID(int=scheduler.random.getrandbits(128), version=4))
        self.kill_at = kill_at
        self.ends_at = scheduler.seconds() + seconds
        self.switch_points = 0
        self.timed_out = self.killed = self.had_aws_error = self.done = False
        self.failure: BaseException | None = None
        self._scheduler = scheduler
        self._work = work
        self.turn = threading.Semaphore(0)

    def run(self) -> None:
        """Wait for the first turn, then do the work."""
        self.turn.acquire()
        try:
            self._work(self)
        except WorkerKilled:
            self.killed = True
        except BaseException as error:
            self.failure = error
        self.done = True
        self._scheduler.control.release()

    def get_remaining_time_in_millis(self) -> int:
        """Return the milliseconds until Lambda stops the function."""
        return round((self.ends_at - self._scheduler.seconds()) * 1000)

    def switch_point(self) -> None:
        """Reach a switch point, at which the invocation may be killed or wait while others continue.

        Raises:
            WorkerKilled: the invocation is killed or timed out.
        """
        self.switch_points += 1
        self.timed_out |= not self.killed and self._scheduler.seconds() >= self.ends_at
        if self.killed or self.timed_out or self.switch_points == self.kill_at:
            self.killed = True
            raise WorkerKilled
        if self._scheduler.random.random() < self._scheduler.switch_probability and not _holds_a_lock():
            self._scheduler.control.release()
            self.turn.acquire()


def _holds_a_lock() -> bool:
    """Return true inside a `cached_property`: up to Python 3.11, all instances share its lock."""
    frame = sys._getframe()
    while frame.f_back:
        frame = frame.f_back
        if frame.f_code is cached_property.__get__.__code__:
            return True
    return False


class Scheduler:
    """The running invocations.

    Attributes:
        random: the source of all decisions.
        seconds: the simulated clock.
        switch_probability: the probability that a switch point gives another invocation a turn.
        running: the invocations that have started and not finished.
        current: the invocation whose turn it is; None between two turns.
        control: released by an invocation when its turn ends.
    """

    def __init__(self, random: Random, seconds: Callable[[], float], switch_probability: float = 0.3) -> None:
        self.random = random
        self.seconds = seconds
        self.switch_probability = switch_probability
        self.running: list[SimulatedInvocation] = []
        self.current: SimulatedInvocation | None = None
        self.control = threading.Semaphore(0)

    def start(self, advertiser: str, work: Callable[[SimulatedInvocation], None], kill_at: int, seconds: float) -> None:
        """Start an invocation with a run time in seconds; it waits for its first turn."""
        invocation = SimulatedInvocation(self, advertiser, work, kill_at, seconds)
        self.running.append(invocation)
        invocation.start()

    def step(self) -> SimulatedInvocation | None:
        """Give one invocation a turn; return it if it has finished or was killed, otherwise None."""
        self.current = chosen = self.random.choice(self.running)
        chosen.turn.release()
        self.control.acquire()
        self.current = None
        if not chosen.done:
            return None
        chosen.join()
        self.running.remove(chosen)
        return chosen
