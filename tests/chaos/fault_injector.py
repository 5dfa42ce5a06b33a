"""The faults: AWS errors, killed functions, exhausted limits, expired tokens, and audiences that people change."""

from __future__ import annotations

from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING, Any

from tests.chaos.wire import DAY_LIMIT, MINUTE_LIMIT

if TYPE_CHECKING:
    from tests.chaos.run import ChaosRun, SimulatedAdvertiser

FAULT_RATE = 0.06  # share of TikTok calls with a fault
AWS_FAILS, SQS_FAILS, OUTAGE_FAILS = 0.003, 0.05, 0.5  # shares of failed requests
KILLED = 0.05  # share of killed invocations
MAX_KILL_POINT = 60  # highest switch point at which an invocation is killed
MAX_PROCESSING = 20 * 3600  # maximum seconds that TikTok takes to process a change
RUN_TIME, SHORT = 900.0, 0.05  # seconds per invocation; share of invocations that have less
GARBAGE = ("not JSON", '{"sweep": false}', '{"detail-type": "Object Created", "source": "aws.s3"}')


class FaultInjector:
    """The faults, chosen from the run's seed.

    All faults except late and duplicate events stop at the end of the period for which uploads are planned, so that
    every upload can finish.

    Attributes:
        is_stopped: true after the faults have stopped.
        outage: the names of the advertisers with an AWS outage.
    """

    def __init__(self, run: ChaosRun) -> None:
        self.run = run
        self.random = run.random
        self.is_stopped = False
        self.outage: set[str] = set()

    def plan_all(self) -> None:
        """Schedule the faults that have a time of their own, and turn on the random faults of TikTok calls."""
        run, random = self.run, self.random
        start, seconds = run.now(), int(run.size.days * 86400)
        times = iter(lambda: start + timedelta(seconds=random.randrange(3600, seconds)), None)
        run.wire.fault_rate = FAULT_RATE
        run.tiktok.configure(list_lag_seconds=600)
        for advertiser in run.advertisers:
            for _ in range(max(1, round(run.size.days))):
                run.plan.at(next(times), partial(self._aws_outage, advertiser))
                run.plan.at(next(times), partial(self._rotate, advertiser))
                run.plan.at(next(times), partial(self._rename, advertiser))
                run.plan.at(next(times), partial(self._garbage, advertiser))
            run.plan.at(next(times), partial(self._delete_audience, advertiser))
        for _ in range(max(2, round(run.size.days * 4))):
            run.plan.at(next(times), self._minute_limit)
            run.plan.at(next(times), self._processing)
            run.plan.at(next(times), self._slow_hour)
        run.plan.at(next(times), self._day_limit)
        run.plan.at(start + timedelta(seconds=seconds + 3600), self._stop)

    def _stop(self) -> None:
        self.is_stopped = True
        self.run.wire.fault_rate = 0.0
        self.run.tiktok.configure(processing_seconds=3600, list_lag_seconds=0)
        self.outage.clear()

    # Faults of AWS.

    def before_aws(self, advertiser: SimulatedAdvertiser) -> str | None:
        """Return the status line of an error that replaces a request to AWS, or None for no error.

        Raises:
            WorkerKilled: the invocation is killed or times out before the request.
        """
        me = self.run.scheduler.current
        if me is None:
            return None
        me.switch_point()
        probability = OUTAGE_FAILS if advertiser.name in self.outage else AWS_FAILS
        if self.is_stopped or self.random.random() >= probability:
            return None
        me.had_aws_error = True
        self.run.faults["AWS errors"] += 1
        return self.random.choice(["503 Slow Down", "500 Internal Error"])

    def after_aws(self, method: str, key: str) -> str | None:
        """Return the status line of an error that replaces the response to a handled request, or None for no error.

        Raises:
            WorkerKilled: the invocation is killed or times out after the request.
        """
        me = self.run.scheduler.current
        if me is None:
            return None
        me.switch_point()
        if self.is_stopped or self.random.random() >= AWS_FAILS:
            return None
        me.had_aws_error = True
        self.run.faults["AWS responses lost"] += 1
        if method == "PUT" and key.startswith("reports/"):
            return "412 Precondition Failed"  # the result when the SDK retries a write that had succeeded
        return "500 Internal Error"

    def sqs_fails(self) -> bool:
        """Return true if this request to SQS fails."""
        me = self.run.scheduler.current
        if me is None or self.is_stopped or self.random.random() >= SQS_FAILS:
            return False
        me.had_aws_error = True
        self.run.faults["SQS errors"] += 1
        return True

    def kill_at(self) -> int:
        """Return the switch point at which a new invocation is killed, or 0 if it is not killed."""
        return self.random.randint(1, MAX_KILL_POINT) if not self.is_stopped and self.random.random() < KILLED else 0

    def run_time(self) -> float:
        """Return the run time of a new invocation in seconds; sometimes it is too short for the work."""
        return self.random.uniform(1, 90) if not self.is_stopped and self.random.random() < SHORT else RUN_TIME

    def delays(self) -> list[timedelta]:
        """Return the delays of the events of an upload: short or long, and sometimes more than one event."""
        random = self.random
        late = timedelta(seconds=random.choice([1, 1, 2, 2, 5, 20, 60, 600, random.randrange(30_000)]))
        delays = [late]
        while random.random() < 0.15:
            self.run.faults["duplicate messages"] += 1
            delays.append(late + timedelta(seconds=random.randrange(90_000)))
        self.run.faults["delayed messages"] += late > timedelta(minutes=1)
        return delays

    def _aws_outage(self, advertiser: SimulatedAdvertiser) -> None:
        self.outage.add(advertiser.name)
        self.run.faults["AWS outages"] += 1
        end = self.run.now() + timedelta(minutes=self.random.randint(5, 40))
        self.run.plan.at(end, lambda: self.outage.discard(advertiser.name))

    def _garbage(self, advertiser: SimulatedAdvertiser) -> None:
        body = self.random.choice(GARBAGE)
        advertiser.poison.append(body)
        advertiser.queue.put(body)

    # Faults of TikTok.

    def _minute_limit(self) -> None:
        self.run.wire.limits[MINUTE_LIMIT] = self.run.now() + timedelta(minutes=5)

    def _day_limit(self) -> None:
        tomorrow = (self.run.now() + timedelta(days=1)).replace(hour=0, minute=0, second=0, microsecond=0)
        self.run.wire.limits[DAY_LIMIT] = tomorrow

    def _slow_hour(self) -> None:
        """Make TikTok respond so slowly that a sweep is still running when the next one starts."""
        self.run.wire.slow_until = self.run.now() + timedelta(hours=1)
        self.run.faults["slow hours"] += 1

    def _processing(self) -> None:
        self.run.tiktok.configure(
            processing_seconds=self.random.choice([300, 3600, 6 * 3600, MAX_PROCESSING]),
            stays_valid=self.random.random() < 0.3,
            history_at=self.random.choice(["end", "submit"]),
            list_lag_seconds=self.random.choice([0, 120, 600, 840]),  # less than CREATE_GRACE_SECONDS, 900
        )
        self.run.faults["processing windows"] += 1

    def _rotate(self, advertiser: SimulatedAdvertiser) -> None:
        """Replace the token at TikTok; the secret gets the new token immediately or later."""
        advertiser.token = f"act.token-{self.run.seed}-{advertiser.id[-2:]}-{len(advertiser.tokens)}"
        advertiser.tokens.append(advertiser.token)
        self.run.tiktok.set_account(advertiser.id, advertiser.token)
        self.run.faults["tokens expired"] += 1
        time = self.run.now() + timedelta(seconds=self.random.choice([0, 0, 600, 20_000]))
        self.run.plan.at(time, lambda: self.run.set_secret(advertiser, advertiser.token))

    def _rename(self, advertiser: SimulatedAdvertiser) -> None:
        """Rename a registered audience, as a person does in Ads Manager. Others are found only by their name."""
        if registered := self._registered(advertiser):
            audience = self.random.choice(registered)
            self.run.tiktok.rename(audience["id"], f"{audience['name']} (renamed)")
            self.run.faults["audiences renamed"] += 1

    def _delete_audience(self, advertiser: SimulatedAdvertiser) -> None:
        """Delete an audience that the connector created and that has no unfinished change, as a person does."""
        own = [each for each in self._registered(advertiser) if each["id"] not in advertiser.preexisting.values()]
        if not own:
            return
        audience = self.random.choice(own)
        self.run.tiktok.delete(audience["id"])
        name, identifier_type = audience["name"].replace(" (renamed)", ""), str(audience["calculate_type"]).lower()
        self.run.deleted[advertiser.id][audience["id"]] = (name, identifier_type, self.run.now())
        self.run.faults["audiences deleted"] += 1

    def _registered(self, advertiser: SimulatedAdvertiser) -> list[dict[str, Any]]:
        """Return the audiences at TikTok that the connector has registered and that have no unfinished change."""
        states = [self.run.json(advertiser, key) or {} for key in self.run.keys(advertiser, "audiences/")]
        ids = {each.get("audience_id") for each in states if not each.get("change") and not each.get("intent")}
        return [each for each in self.run.tiktok.audiences(advertiser.id) if each["id"] in ids]
