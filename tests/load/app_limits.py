"""The limits of one TikTok app: `python -m tests.load.app_limits` prints how many advertisers it supports.

TikTok counts calls per app, for all advertisers together: 10 a second, 600 a minute, 864,000 a day in the basic tier.
The number of calls for a sweep and for a change is measured with the real handler. Then a few days with many
advertisers are simulated from a seed.
"""

from __future__ import annotations

import argparse
import contextlib
import heapq
import io
import json
import sys
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from random import Random

from sandbox.tiktok.emulator import TikTokEmulator
from tests.handler.world import ADVERTISER_ID, World, lines, people
from tests.privacy import TOKEN
from tests.servers import InProcessAws

PER_SECOND, PER_MINUTE, PER_DAY = 10, 600, 864_000
MINUTE_PAUSE = 300.0  # the pause that TikTok advises after the minute limit; the simulation refuses calls meanwhile
SWEEP, SETTLE, DAY = 300.0, 300.0, 86_400.0
CALL_SECONDS = 0.3
MAX_TRIES, BACKOFF = 3, (0.5, 1.2)  # as in the handler's TikTok client
PROCESSING = (3600.0, 48 * 3600.0)  # range of TikTok's processing time for a change, in seconds
LATE = 2 * 3600.0  # seconds; a file that is sent later than this after it was ready is late
MAX_LATE = 0.01  # maximum share of late files
NIGHTLY = 0.5  # share of files that arrive in the two hours after midnight; the others arrive at any time of the day
NUMBERS = (500, 1000, 1500, 2000, 2500)


@dataclass(frozen=True)
class SweepCalls:
    """The numbers of TikTok calls that the real handler makes in a sweep.

    Attributes:
        idle_sweep: calls of a sweep that sends nothing.
        sending_sweep: calls of a sweep that sends one file to an existing audience.
    """

    idle_sweep: int
    sending_sweep: int


def measure_calls() -> SweepCalls:
    """Count the calls of the real handler for an existing audience."""
    with (
        contextlib.redirect_stdout(io.StringIO()),
        TikTokEmulator(accounts={ADVERTISER_ID: TOKEN}, processing_seconds=48 * 3600) as tiktok,
    ):
        world = World(InProcessAws(), tiktok)
        world.activate("tiktok/vip/email_sha256/first.csv", lines(people(0, 3000)))
        world.sweep(hours=49)
        world.cold_start(SETTLE_SECONDS="300")
        world.deliver_all(world.upload("tiktok/vip/email_sha256/second.csv", lines(people(3000, 1000))))
        tiktok.clear_calls()
        world.sweep(hours=0.2)
        sending_sweep = len(world.calls())
        world.sweep(hours=0.2)
        tiktok.clear_calls()
        for _ in range(10):
            world.sweep(hours=0.2)
        return SweepCalls(-(-len(world.calls()) // 10), sending_sweep)


@dataclass
class App:
    """TikTok's call counters for one app.

    Attributes:
        recent: the times of the calls in the last second.
        minute: the times of the calls in the last minute.
        today: the number of calls on the current day.
        day: the number of the current day.
        paused_until: the time until which every call is refused because the minute limit was exhausted.
        calls: the number of calls.
        refused: the number of refused calls.
    """

    recent: deque[float] = field(default_factory=deque)
    minute: deque[float] = field(default_factory=deque)
    today: int = 0
    day: int = 0
    paused_until: float = 0.0
    calls: int = 0
    refused: int = 0

    def accepts(self, now: float) -> bool:
        """Count a call; return false if a limit is exhausted. A refused call counts, too."""
        self.calls += 1
        while self.recent and self.recent[0] <= now - 1:
            self.recent.popleft()
        while self.minute and self.minute[0] <= now - 60:
            self.minute.popleft()
        if int(now // DAY) > self.day:
            self.day, self.today = int(now // DAY), 0
        fits = len(self.recent) < PER_SECOND and now >= self.paused_until and self.today < PER_DAY
        if fits and len(self.minute) >= PER_MINUTE:
            self.paused_until, fits = now + MINUTE_PAUSE, False
        self.recent.append(now)
        self.minute.append(now)
        self.today += 1
        self.refused += not fits
        return fits


@dataclass
class SimulatedAudience:
    """One audience.

    Attributes:
        waiting: the times at which its unsent files settle, oldest first, including files that arrive later.
        busy_until: the time at which TikTok has processed its latest change.
        is_submitted: true after a change was sent, until a sweep notices that TikTok has processed it.
    """

    waiting: list[float] = field(default_factory=list)
    busy_until: float = 0.0
    is_submitted: bool = False

    def has_settled(self, now: float) -> bool:
        """Return true if an unsent file has settled."""
        return bool(self.waiting) and self.waiting[0] <= now


@dataclass
class Fleet:
    """Many advertisers that share one app.

    Attributes:
        advertisers: the number of advertisers.
        files_a_day: files per advertiser.
        audiences: audiences per advertiser.
        calls: the calls that a sweep makes.
        random: the source of all random choices.
        app: the app that they share.
        sent: the number of files that were sent or were left at the end.
        late: the number of these files that were late.
    """

    advertisers: int
    files_a_day: int
    audiences: int
    calls: SweepCalls
    random: Random
    app: App = field(default_factory=App)
    sent: int = 0
    late: int = 0

    def simulate(self, days: int) -> None:
        """Simulate some days with a sweep per advertiser every five minutes. Files left at the end can be late, too."""
        accounts = [self._account(days) for _ in range(self.advertisers)]
        sweeps = [(self.random.uniform(0, SWEEP), number) for number in range(self.advertisers)]
        heapq.heapify(sweeps)
        while sweeps[0][0] < days * DAY:
            now, number = sweeps[0]
            heapq.heapreplace(sweeps, (now + SWEEP, number))
            self._sweep(accounts[number], now)
        for account in accounts:
            for audience in account:
                self._count(audience, audience.waiting, days * DAY)

    def _account(self, days: int) -> list[SimulatedAudience]:
        """Return an advertiser's audiences, with the times at which the files of all days settle."""
        random = self.random
        account = [SimulatedAudience() for _ in range(self.audiences)]
        for _ in range(self.files_a_day * days):
            hour = random.uniform(0, 2) if random.random() < NIGHTLY else random.uniform(0, 24)
            random.choice(account).waiting.append(random.randrange(days) * DAY + hour * 3600 + SETTLE)
        for audience in account:
            audience.waiting.sort()
        return account

    def _sweep(self, account: list[SimulatedAudience], now: float) -> None:
        if not any(each.is_submitted or each.has_settled(now) for each in account):
            return  # nothing is pending: no call
        now, succeeded = self._call(now, self.calls.idle_sweep)
        for audience in account:
            if not succeeded:
                return
            audience.is_submitted &= now < audience.busy_until
            if audience.is_submitted or not audience.has_settled(now):
                continue
            due = [each for each in audience.waiting if each <= now]
            now, succeeded = self._call(now, self.calls.sending_sweep - self.calls.idle_sweep)
            if succeeded:
                self._count(audience, due, now)
                audience.waiting = audience.waiting[len(due) :]
                audience.busy_until, audience.is_submitted = now + self.random.uniform(*PROCESSING), True

    def _count(self, audience: SimulatedAudience, files: Sequence[float], now: float) -> None:
        self.sent += len(files)
        self.late += sum(now - max(each, audience.busy_until) > LATE for each in files)

    def _call(self, now: float, calls: int) -> tuple[float, bool]:
        """Make calls with the client's retries; return the time after them, and false if the client gave up."""
        for _ in range(calls):
            for _ in range(MAX_TRIES):
                now += CALL_SECONDS
                if self.app.accepts(now):
                    break
                now += self.random.uniform(*BACKOFF)
            else:
                return now, False
        return now, True


def main(arguments: Sequence[str] | None = None) -> int:
    """Print how many advertisers, up to 2,500, one app supports at several upload rates."""
    parser = argparse.ArgumentParser(prog="python -m tests.load.app_limits", description=main.__doc__)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--days", type=int, default=2)
    parser.add_argument("--audiences", type=int, default=4, help="audiences per advertiser")
    parser.add_argument("--files", type=int, nargs="+", default=[1, 10, 100], help="files per advertiser and day")
    options = parser.parse_args(arguments)
    calls = measure_calls()
    print(json.dumps({"calls_of_a_sweep": calls.idle_sweep, "calls_with_a_file": calls.sending_sweep}))
    for files in options.files:
        supported = 0
        for number in NUMBERS:
            random = Random(options.seed)  # noqa: S311 - a simulation
            fleet = Fleet(number, files, options.audiences, calls, random)
            fleet.simulate(options.days)
            late = fleet.late / max(1, fleet.sent)
            refused = fleet.app.refused / max(1, fleet.app.calls)
            result = {"files_a_day_each": files, "advertisers": number, "late": late, "refused": refused}
            print(json.dumps({name: round(value, 4) for name, value in result.items()}), flush=True)
            if late > MAX_LATE:
                break
            supported = number
        print(json.dumps({"files_a_day_each": files, "supported": supported, "files_a_day": supported * files}))
    return 0


if __name__ == "__main__":
    sys.exit(main())
