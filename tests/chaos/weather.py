"""The weather: when AWS fails, functions are killed, limits are used up, tokens expire and people rename audiences."""

from __future__ import annotations

from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING, Any

from tests.chaos.wire import DAY_LIMIT, MINUTE_LIMIT

if TYPE_CHECKING:
    from tests.chaos.run import ChaosRun, Tenant

ROUGH = 0.06  # share of TikTok's calls that meet a fault
AWS_FAILS, SQS_FAILS, OUTAGE_FAILS = 0.003, 0.05, 0.5
KILLED = 0.05  # share of invocations
KILL_WITHIN = 60  # places
MAX_PROCESSING = 20 * 3600  # seconds from an accepted change to its end
RUN_TIME, SHORT = 900.0, 0.05  # seconds of an invocation; share of invocations that have less
GARBAGE = ("not JSON", '{"sweep": false}', '{"detail-type": "Object Created", "source": "aws.s3"}')


class Weather:
    """The faults, from the run's seed. At the end of the uploads it turns calm, so that everything can end."""

    def __init__(self, run: ChaosRun) -> None:
        self.run = run
        self.random = run.random
        self.calm = False
        self.outage: set[str] = set()

    def plan_all(self) -> None:
        """Put what happens at a time of its own on the timeline."""
        run, random = self.run, self.random
        begin, seconds = run.now(), int(run.size.days * 86400)
        moments = iter(lambda: begin + timedelta(seconds=random.randrange(3600, seconds)), None)
        run.wire.rough = ROUGH
        run.tiktok.configure(list_lag_seconds=600)
        for one in run.advertisers:
            for _ in range(max(1, round(run.size.days))):
                run.plan.at(next(moments), partial(self._aws_outage, one))
                run.plan.at(next(moments), partial(self._rotate, one))
                run.plan.at(next(moments), partial(self._rename, one))
                run.plan.at(next(moments), partial(self._garbage, one))
            run.plan.at(next(moments), partial(self._delete_audience, one))
        for _ in range(max(2, round(run.size.days * 4))):
            run.plan.at(next(moments), self._minute_limit)
            run.plan.at(next(moments), self._processing)
            run.plan.at(next(moments), self._slow_hour)
        run.plan.at(next(moments), self._day_limit)
        run.plan.at(begin + timedelta(seconds=seconds + 3600), self._turn_calm)

    def _turn_calm(self) -> None:
        self.calm = True
        self.run.wire.rough = 0.0
        self.run.tiktok.configure(processing_seconds=3600, list_lag_seconds=0)
        self.outage.clear()

    # At AWS.

    def before_aws(self, one: Tenant) -> str | None:
        """Return how AWS refuses a request of a function, None if it does not."""
        me = self.run.scheduler.current
        if me is None:
            return None
        me.place()
        probability = OUTAGE_FAILS if one.name in self.outage else AWS_FAILS
        if self.calm or self.random.random() >= probability:
            return None
        me.disturbed = True
        self.run.faults["AWS errors"] += 1
        return self.random.choice(["503 Slow Down", "500 Internal Error"])

    def after_aws(self, method: str, key: str) -> str | None:
        """Return the answer that is lost or replaced after AWS has done its work."""
        me = self.run.scheduler.current
        if me is None:
            return None
        me.place()
        if self.calm or self.random.random() >= AWS_FAILS:
            return None
        me.disturbed = True
        self.run.faults["AWS answers lost"] += 1
        if method == "PUT" and key.startswith("reports/"):
            return "412 Precondition Failed"  # as the SDK's retry of a write that was done after all
        return "500 Internal Error"

    def sqs_fails(self) -> bool:
        """Return true if this request to SQS fails."""
        me = self.run.scheduler.current
        if me is None or self.calm or self.random.random() >= SQS_FAILS:
            return False
        me.disturbed = True
        self.run.faults["SQS errors"] += 1
        return True

    def kill_at(self) -> int:
        """Return the place at which a new invocation is killed, 0 for none."""
        return self.random.randint(1, KILL_WITHIN) if not self.calm and self.random.random() < KILLED else 0

    def run_time(self) -> float:
        """Return the run time of a new invocation in seconds: at times too little for its work."""
        return self.random.uniform(1, 90) if not self.calm and self.random.random() < SHORT else RUN_TIME

    def delays(self) -> list[timedelta]:
        """Return when the events of an upload arrive: soon, late, or more than once."""
        random = self.random
        late = timedelta(seconds=random.choice([1, 1, 2, 2, 5, 20, 60, 600, random.randrange(30_000)]))
        delays = [late]
        while random.random() < 0.15:
            self.run.faults["duplicate messages"] += 1
            delays.append(late + timedelta(seconds=random.randrange(90_000)))
        self.run.faults["delayed messages"] += late > timedelta(minutes=1)
        return delays

    def _aws_outage(self, one: Tenant) -> None:
        self.outage.add(one.name)
        self.run.faults["AWS outages"] += 1
        end = self.run.now() + timedelta(minutes=self.random.randint(5, 40))
        self.run.plan.at(end, lambda: self.outage.discard(one.name))

    def _garbage(self, one: Tenant) -> None:
        body = self.random.choice(GARBAGE)
        one.poison.append(body)
        one.mailbox.put(body)

    # At TikTok.

    def _minute_limit(self) -> None:
        self.run.wire.limits[MINUTE_LIMIT] = self.run.now() + timedelta(minutes=5)

    def _day_limit(self) -> None:
        tomorrow = (self.run.now() + timedelta(days=1)).replace(hour=0, minute=0, second=0, microsecond=0)
        self.run.wire.limits[DAY_LIMIT] = tomorrow

    def _slow_hour(self) -> None:
        """Let TikTok answer so slowly that a sweep is not done when the next one begins."""
        self.run.wire.slow_until = self.run.now() + timedelta(hours=1)
        self.run.faults["slow hours"] += 1

    def _processing(self) -> None:
        self.run.tiktok.configure(
            processing_seconds=self.random.choice([300, 3600, 6 * 3600, MAX_PROCESSING]),
            stays_valid=self.random.random() < 0.3,
            history_at=self.random.choice(["end", "submit"]),
            list_lag_seconds=self.random.choice([0, 120, 600, 840]),  # the handler waits 900
        )
        self.run.faults["processing windows"] += 1

    def _rotate(self, one: Tenant) -> None:
        """Let the token expire; the new one comes into the secret at once, or when a person has time."""
        one.token = f"act.token-{self.run.seed}-{one.id[-2:]}-{len(one.tokens)}"
        one.tokens.append(one.token)
        self.run.tiktok.set_account(one.id, one.token)
        self.run.faults["tokens expired"] += 1
        moment = self.run.now() + timedelta(seconds=self.random.choice([0, 0, 600, 20_000]))
        self.run.plan.at(moment, lambda: self.run.set_secret(one, one.token))

    def _rename(self, one: Tenant) -> None:
        """Rename an audience in Ads Manager. The connector has registered it: until then the name is all there is."""
        if registered := self._registered(one):
            audience = self.random.choice(registered)
            self.run.tiktok.rename(audience["id"], f"{audience['name']} (renamed)")
            self.run.faults["audiences renamed"] += 1

    def _delete_audience(self, one: Tenant) -> None:
        """Delete an audience of the connector in Ads Manager while TikTok processes nothing for it."""
        own = [each for each in self._registered(one) if each["id"] not in one.adopted.values()]
        if not own:
            return
        audience = self.random.choice(own)
        self.run.tiktok.delete(audience["id"])
        name, identifier_type = audience["name"].replace(" (renamed)", ""), str(audience["calculate_type"]).lower()
        self.run.deleted[one.id][audience["id"]] = (name, identifier_type, self.run.now())
        self.run.faults["audiences deleted"] += 1

    def _registered(self, one: Tenant) -> list[dict[str, Any]]:
        """Return the audiences at TikTok that the connector has registered and for which it has no change."""
        states = [self.run.json(one, key) or {} for key in self.run.keys(one, "audiences/")]
        ids = {each.get("audience_id") for each in states if not each.get("change") and not each.get("intent")}
        return [each for each in self.run.tiktok.audiences(one.id) if each["id"] in ids]
