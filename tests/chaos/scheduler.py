"""A seeded scheduler: concurrent invocations of which exactly one runs at a time, and whose kill is a step of its own.

Every request of an invocation to AWS or TikTok is a place where another invocation may go on, and where this one may be
killed. So the seed alone decides how they interleave.
"""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable
from functools import cached_property
from random import Random
from uuid import UUID


class WorkerKilled(BaseException):
    """Ends an invocation as a SIGKILL would: no `except Exception` sees it."""


class SimulatedInvocation(threading.Thread):
    """One invocation of a function.

    Attributes:
        advertiser: the name of its advertiser.
        aws_request_id: Lambda's id of it.
        kill_at: the number of the place where it is killed; 0 for never.
        ends_at: the second at which Lambda stops it.
        places: the number of places it has reached.
        dead: true once it was killed; it reaches nothing from then on.
        timed_out: true if it was killed because its time was over.
        disturbed: true once AWS failed one of its requests.
        failure: what it raised.
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
        self.places = 0
        self.timed_out = self.dead = self.disturbed = self.done = False
        self.failure: BaseException | None = None
        self._scheduler = scheduler
        self._work = work
        self.turn = threading.Semaphore(0)

    def run(self) -> None:
        """Do the work, from the first turn on."""
        self.turn.acquire()
        try:
            self._work(self)
        except WorkerKilled:
            self.dead = True
        except BaseException as error:
            self.failure = error
        self.done = True
        self._scheduler.back.release()

    def get_remaining_time_in_millis(self) -> int:
        """Return the milliseconds until Lambda stops the function."""
        return round((self.ends_at - self._scheduler.seconds()) * 1000)

    def place(self) -> None:
        """Reach a place where it may be killed, or another invocation may go on."""
        self.places += 1
        self.timed_out |= not self.dead and self._scheduler.seconds() >= self.ends_at
        if self.dead or self.timed_out or self.places == self.kill_at:
            self.dead = True
            raise WorkerKilled
        if self._scheduler.random.random() < self._scheduler.switching and not _holds_a_lock():
            self._scheduler.back.release()
            self.turn.acquire()


def _holds_a_lock() -> bool:
    """Return true inside a `cached_property`: up to Python 3.11 all instances share its lock."""
    frame = sys._getframe()
    while frame.f_back:
        frame = frame.f_back
        if frame.f_code is cached_property.__get__.__code__:
            return True
    return False


class Scheduler:
    """The invocations that run at the moment.

    Attributes:
        random: decides everything.
        seconds: the simulated clock.
        switching: probability that a place is a change to another invocation.
        current: the invocation whose turn it is; None between two turns.
    """

    def __init__(self, random: Random, seconds: Callable[[], float], switching: float = 0.3) -> None:
        self.random = random
        self.seconds = seconds
        self.switching = switching
        self.running: list[SimulatedInvocation] = []
        self.current: SimulatedInvocation | None = None
        self.back = threading.Semaphore(0)

    def start(self, advertiser: str, work: Callable[[SimulatedInvocation], None], kill_at: int, seconds: float) -> None:
        """Start an invocation with so many seconds of run time; its first turn comes later."""
        invocation = SimulatedInvocation(self, advertiser, work, kill_at, seconds)
        self.running.append(invocation)
        invocation.start()

    def step(self) -> SimulatedInvocation | None:
        """Give one invocation a turn; return it if that was its last."""
        self.current = chosen = self.random.choice(self.running)
        chosen.turn.release()
        self.back.acquire()
        self.current = None
        if not chosen.done:
            return None
        chosen.join()
        self.running.remove(chosen)
        return chosen
