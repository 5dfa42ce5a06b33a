"""One run: several advertisers with several functions each, a plan of uploads, and weather, all from one seed."""

from __future__ import annotations

import hashlib
import io
import json
import logging
import os
import random as global_random
from collections import Counter, defaultdict
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stdout
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from functools import partial
from random import Random
from typing import Any
from urllib.parse import unquote

from moto.moto_api._internal import mock_random

from handler import app
from handler.settings import read_settings
from sandbox.tiktok.emulator import TikTokEmulator
from tests.chaos.mailbox import BATCH, Mailbox, QueuedMessage
from tests.chaos.scheduler import Scheduler, SimulatedInvocation
from tests.chaos.uploads import Planned, row
from tests.chaos.weather import MAX_PROCESSING, Weather
from tests.chaos.wire import Wire
from tests.chaos.workload import SETTLE, Timeline, Workload, audiences
from tests.servers import ACCOUNT, InProcessAws, set_last_modified, stored, stored_keys

START = datetime(2026, 1, 31, 12, tzinfo=UTC)
SWEEP = '{"sweep": true}'
CONCURRENCY = 3  # functions of one advertiser at a time
SETTLE_SECONDS = int(SETTLE.total_seconds())
OTHER_AUDIENCES = 230  # in each account: the listing has three pages


@dataclass(frozen=True)
class Size:
    """The size of a run. `days` is the time of uploads; what waits then has `drain_days` to end."""

    advertisers: int = 3
    audiences: int = 5
    uploads: int = 80
    days: float = 3.0
    drain_days: float = 14.0


@dataclass
class Tenant:
    """One advertiser: its bucket, queue, functions and account at TikTok.

    Attributes:
        token: the valid one; `tokens` are all that ever were.
        written: report key -> time, status and code of each of its versions.
        poison: bodies that belong into the dead-letter queue.
        adopted: name and type of audiences that exist already -> id.
    """

    name: str
    id: str
    bucket: str
    mailbox: Mailbox
    workload: Workload
    token: str
    tokens: list[str]
    secret_arn: str = ""
    functions: list[app.Function] = field(default_factory=list)
    written: dict[str, list[tuple[datetime, str, str]]] = field(default_factory=lambda: defaultdict(list))
    poison: list[str] = field(default_factory=list)
    adopted: dict[tuple[str, str], str] = field(default_factory=dict)


class ChaosRun:
    """Everything around the handler in one process, on one simulated clock.

    Attributes:
        audiences: those of each advertiser as they are at the end.
        members: the people in them, by audience id.
        deleted: of each advertiser, id -> name, type and time of the audiences that a person deleted.
    """

    def __init__(self, seed: int, size: Size) -> None:
        self.seed, self.size = seed, size
        self.random = Random(seed)  # noqa: S311 - a repeatable run, no secret
        global_random.seed(seed)
        mock_random.seed(seed)
        self.began = self.now_at = START
        self.faults: Counter[str] = Counter()
        self.plan = Timeline()
        self.scheduler = Scheduler(self.random, self._seconds)
        self.trace = hashlib.md5(usedforsecurity=False)
        self.log = io.StringIO()
        self.printed = io.StringIO()
        self.deliveries = 0
        self.busy: Counter[str] = Counter()
        self.audiences: dict[str, list[dict[str, Any]]] = {}
        self.members: dict[str, set[str]] = {}
        self.deleted: dict[str, dict[str, tuple[str, str, datetime]]] = defaultdict(dict)
        # One person counts as a thousand, so that small files are enough for TikTok's rule.
        self.tiktok = TikTokEmulator(
            clock=self._seconds, match_rate=1000, processing_seconds=3600, max_file_bytes=1 << 20
        )
        self.wire = Wire(self.tiktok, self.scheduler, self.random, self.now, self.pass_seconds, self.faults, self.note)
        with _one_try():
            self.aws = InProcessAws()
        self.advertisers = [self._advertiser(number) for number in range(size.advertisers)]
        self.weather = Weather(self)

    def now(self) -> datetime:
        """Return the simulated time."""
        return self.now_at

    def pass_seconds(self, seconds: float) -> None:
        """Let time pass while an invocation waits for an answer."""
        self._set_time(self.now_at + timedelta(seconds=seconds))

    def _set_time(self, moment: datetime) -> None:
        self.now_at = max(moment, self.now_at)

    def _seconds(self) -> float:
        return self.now_at.timestamp()

    def _advertiser(self, number: int) -> Tenant:
        name, advertiser_id = f"chaos-{self.seed:06x}{number:06x}", str(7_000_000_000_000_000_001 + number)
        token = f"act.token-{self.seed}-{number}-0"
        self.tiktok.set_account(advertiser_id, token)
        workload = Workload(
            self.random,
            self.plan,
            name,
            audiences(self.random, self.size.audiences),
            START + timedelta(hours=1),
            self.size.days,
            self.put,
            self.copy,
            self.delete,
        )
        one = Tenant(name, advertiser_id, name, Mailbox(self.now, self._sqs_fails), workload, token, [token])
        s3, _, secrets = self.aws.clients
        hooks = self.aws.hooks(name)
        hooks.now = self.now
        s3.create_bucket(Bucket=name)
        s3.put_bucket_versioning(Bucket=name, VersioningConfiguration={"Status": "Enabled"})
        one.secret_arn = secrets.create_secret(Name=name, SecretString="{}")["ARN"]
        self.set_secret(one, token)
        hooks.before = lambda method, path: self._before_aws(one, method, path)
        hooks.after = lambda method, path: self._after_aws(one, method, path)
        one.functions = [self._cold_start(one) for _ in range(CONCURRENCY)]
        self.tiktok.seed(advertiser_id, count=OTHER_AUDIENCES)
        return one

    def _sqs_fails(self) -> bool:
        return self.weather.sqs_fails()

    def _adopt(self, one: Tenant) -> None:
        """Put an audience into the account that people made before there was a connector."""
        name, identifier_type = one.workload.audiences[-1]
        members = [row(identifier_type, 0)]
        (audience_id,) = self.tiktok.seed(
            one.id, name=name, calculate_type=identifier_type.upper(), members=members, people=0
        )
        one.adopted[(name, identifier_type)] = audience_id

    def set_secret(self, one: Tenant, token: str) -> None:
        """Put a token into the secret."""
        text = json.dumps({"ACCESS_TOKEN": token, "ADVERTISER_ID": one.id})
        self.aws.clients[2].put_secret_value(SecretId=one.secret_arn, SecretString=text)

    def _cold_start(self, one: Tenant) -> app.Function:
        environment = {
            "BUCKET_NAME": one.bucket,
            "CREDENTIALS_SECRET_ARN": one.secret_arn,
            "QUEUE_URL": f"https://sqs.us-east-1.amazonaws.com/{ACCOUNT}/{one.name}",
            "ADVERTISER": f"{one.name}/test",
            "TIKTOK_API_URL": self.tiktok.url,
            "SETTLE_SECONDS": str(SETTLE_SECONDS),
        }
        s3, _, secrets = self.aws.clients
        sqs: Any = one.mailbox
        function = app.connect(read_settings(environment), s3=s3, sqs=sqs, secrets=secrets)
        handler = logging.getLogger("tiktok-activation").handlers[0]
        assert isinstance(handler, logging.StreamHandler)
        handler.setStream(self.log)
        return function._replace(
            session=self.wire.session(), pause=self.pass_seconds, now=self.now, monotonic=self._seconds
        )

    # What people and tools do.

    def put(self, upload: Planned) -> None:
        """Upload a file; its events come in a moment, later, or twice."""
        self.aws.clients[0].put_object(Bucket=upload.advertiser, Key=upload.key, Body=upload.file.body)
        self._note(upload, "PutObject")

    def copy(self, source: Planned) -> Planned | None:
        """Copy the newest version of a file onto itself; return None if it is not the newest."""
        s3, place = self.aws.clients[0], {"Bucket": source.advertiser, "Key": source.key}
        if s3.head_object(**place)["VersionId"] != source.version_id:  # type: ignore[arg-type]  # two strings
            return None
        s3.copy_object(**place, CopySource=place, MetadataDirective="REPLACE")  # type: ignore[arg-type]  # as above
        workload = self._of(source.advertiser).workload
        made = replace(source, number=len(workload.uploads), copy_of=source, events=[])
        self._note(made, "CopyObject")
        return made

    def delete(self, upload: Planned) -> None:
        """Write a delete marker, unless the file is deleted already."""
        if upload.deleted:
            return
        s3 = self.aws.clients[0]
        marker = s3.delete_object(Bucket=upload.advertiser, Key=upload.key)["VersionId"]
        set_last_modified(upload.advertiser, upload.key, marker, self.now_at)
        for each in self._of(upload.advertiser).workload.uploads:
            if each.key == upload.key and not each.deleted:
                each.deleted = self.now_at
        self.faults["deleted objects"] += 1

    def _of(self, name: str) -> Tenant:
        return next(each for each in self.advertisers if each.name == name)

    def _note(self, upload: Planned, reason: str) -> None:
        there = self.aws.clients[0].head_object(Bucket=upload.advertiser, Key=upload.key)
        upload.version_id, upload.at = there["VersionId"], self.now_at.replace(microsecond=0)
        body = json.dumps(
            {
                "detail-type": "Object Created",
                "source": "aws.s3",
                "time": f"{upload.at:%Y-%m-%dT%H:%M:%SZ}",
                "detail": {
                    "bucket": {"name": upload.advertiser},
                    "object": {
                        "key": upload.key,
                        "size": there["ContentLength"],
                        "etag": there["ETag"].strip('"'),
                        "version-id": upload.version_id,
                    },
                    "reason": reason,
                },
            }
        )
        mailbox = self._of(upload.advertiser).mailbox
        for delay in self.weather.delays():
            upload.events.append(self.now_at + delay)
            self.plan.at(self.now_at + delay, lambda: mailbox.put(body))

    # The run itself.

    def go(self) -> None:
        """Play the plan, then let everything end in calm weather."""
        with self.tiktok, redirect_stdout(self.printed):
            self._set_time(START)
            for one in self.advertisers:
                self._adopt(one)
                one.workload.plan_all(self.size.uploads)
                self._schedule_sweeps(one)
            self.weather.plan_all()
            end = START + timedelta(days=self.size.days + self.size.drain_days)
            while self.now_at < end and self._go_on():
                for action in self.plan.due(self.now_at):
                    action()
                for one in self.advertisers:
                    self._receive(one)
                if self.scheduler.running:
                    self._step()
                else:
                    self._set_time(self._next_time())
            self._look_at_tiktok()

    def _look_at_tiktok(self) -> None:
        """Note the audiences and their people as they are once TikTok has processed what it accepted.

        If TikTok shows a change in the history before it has processed it, and the audience stays valid meanwhile,
        nobody can tell that it is not done, so a run may end before.
        """
        self.tiktok.advance(MAX_PROCESSING)
        for one in self.advertisers:
            audiences = self.tiktok.audiences(one.id)
            self.audiences[one.id] = [each for each in audiences if not each["name"].startswith("seeded")]
            self.members |= {each["id"]: self.tiktok.members(each["id"]) for each in self.audiences[one.id]}

    def _go_on(self) -> bool:
        if self.scheduler.running or any(one.mailbox.messages for one in self.advertisers):
            return True
        if self.now_at < START + timedelta(days=self.size.days + 1):
            return True
        return any(self.keys(one, "pending/") for one in self.advertisers)

    def _next_time(self) -> datetime:
        times = [self.plan.next_time(), *(one.mailbox.next_visible() for one in self.advertisers)]
        return max(self.now_at, min(each for each in times if each))

    def _schedule_sweeps(self, one: Tenant) -> None:
        """Sweep now and then; in the hours after uploads more often. EventBridge Scheduler may deliver twice."""

        def sweep() -> None:
            one.mailbox.put(SWEEP)
            if self.random.random() < 0.3:
                again = self.now_at + timedelta(seconds=self.random.choice([1, 5, 30]))
                self.plan.at(again, lambda: one.mailbox.put(SWEEP))
            gap = self.random.choice([5, 5, 10, 60, 90, 180]) if self.keys(one, "pending/") else 60
            self.plan.at(self.now_at + timedelta(minutes=gap), sweep)

        self.plan.at(START + timedelta(seconds=self.random.randrange(300)), sweep)

    def _receive(self, one: Tenant) -> None:
        while self.busy[one.name] < CONCURRENCY:
            messages = one.mailbox.receive(self.random.choice([1, 3, BATCH]))
            if not messages:
                return
            self.busy[one.name] += 1
            self.deliveries += len(messages)
            work, seconds = partial(self._invoke, one, messages), self.weather.run_time()
            self.scheduler.start(one.name, work, self.weather.kill_at(), seconds)

    def _invoke(self, one: Tenant, messages: list[QueuedMessage], me: SimulatedInvocation) -> None:
        """Do what the event source mapping does with a batch."""
        function = self.random.choice(one.functions)
        answer = app.handle(function, {"Records": [each.record() for each in messages]}, me)
        failed = {each["itemIdentifier"] for each in answer["batchItemFailures"]}
        for message in messages:
            if message.record()["messageId"] not in failed:
                one.mailbox.delete(message)

    def _step(self) -> None:
        ended = self.scheduler.step()
        if not ended:
            return
        self.busy[ended.advertiser] -= 1
        if ended.dead:
            self.faults["timed-out functions" if ended.timed_out else "killed functions"] += 1
            one = self._of(ended.advertiser)
            one.functions[self.random.randrange(CONCURRENCY)] = self._cold_start(one)
        elif ended.failure:
            raise ended.failure

    def _before_aws(self, one: Tenant, method: str, path: str) -> str | None:
        """Note a request of a function, then let the weather have its way."""
        if self.scheduler.current:
            self.note(f"{method} {path}")
        return self.weather.before_aws(one)

    def note(self, what: str) -> None:
        """Note a step of the run, so that two runs of a seed can be compared."""
        self.trace.update(f"{self.now_at} {what}\n".encode())

    def _after_aws(self, one: Tenant, method: str, path: str) -> str | None:
        """Watch what is written to reports, then let the weather have its way."""
        key = unquote(path).removeprefix(f"/{one.bucket}/")
        if method == "PUT" and key.startswith("reports/") and (report := self.json(one, key)):
            version = (self.now_at, report["status"], report["code"])
            if not one.written[key] or one.written[key][-1][1:] != version[1:]:
                one.written[key].append(version)
        return self.weather.after_aws(method, key)

    def keys(self, one: Tenant, prefix: str) -> list[str]:
        """Return the keys in a bucket."""
        return stored_keys(one.bucket, prefix)

    def json(self, one: Tenant, key: str) -> dict[str, Any] | None:
        """Return a JSON object of a bucket, None if there is none."""
        return json.loads(content) if (content := stored(one.bucket, key)) else None

    def texts(self, one: Tenant) -> Iterator[str]:
        """Yield all that the function wrote into the bucket and the queue."""
        for prefix in ("reports/", "audiences/", "pending/", "events/"):
            for key in self.keys(one, prefix):
                yield (stored(one.bucket, key) or b"").decode()
        yield from one.mailbox.sent
        yield from one.mailbox.dead


@contextmanager
def _one_try() -> Iterator[None]:
    """Make AWS clients that do not retry: an error here is one that outlasted all retries."""
    before = os.environ.get("AWS_MAX_ATTEMPTS")
    os.environ["AWS_MAX_ATTEMPTS"] = "1"
    try:
        yield
    finally:
        if before is None:
            del os.environ["AWS_MAX_ATTEMPTS"]
        else:
            os.environ["AWS_MAX_ATTEMPTS"] = before
