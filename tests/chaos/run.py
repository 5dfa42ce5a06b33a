"""One run: several advertisers with several functions each, a plan of uploads, and faults, all from one seed."""

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
from tests.chaos.fault_injector import MAX_PROCESSING, FaultInjector
from tests.chaos.scheduler import Scheduler, SimulatedInvocation
from tests.chaos.simulated_queue import BATCH, QueuedMessage, SimulatedQueue
from tests.chaos.uploads import PlannedUpload, row
from tests.chaos.wire import Wire
from tests.chaos.workload import SETTLE, Timeline, Workload, audiences
from tests.servers import ACCOUNT, InProcessAws, set_last_modified, stored, stored_keys

START = datetime(2026, 1, 31, 12, tzinfo=UTC)
SWEEP = '{"sweep": true}'
CONCURRENCY = 3  # concurrent invocations per advertiser
SETTLE_SECONDS = int(SETTLE.total_seconds())
OTHER_AUDIENCES = 230  # in each account, so that the listing has three pages


@dataclass(frozen=True)
class Size:
    """The size of a run.

    Attributes:
        advertisers: the number of advertisers.
        audiences, uploads: the number per advertiser.
        days: the length of the period for which uploads are planned.
        drain_days: the maximum number of days after that for pending uploads to finish.
    """

    advertisers: int = 3
    audiences: int = 5
    uploads: int = 80
    days: float = 3.0
    drain_days: float = 14.0


@dataclass
class SimulatedAdvertiser:
    """One advertiser: its bucket, queue, functions and account at TikTok.

    Attributes:
        token: the valid token.
        tokens: all of its tokens so far, valid or expired.
        written: report key -> time, status and code of the report after each change of its status or code.
        poison: bodies of invalid messages, which must end in the dead-letter queue.
        preexisting: name and type of audiences that existed before the connector -> id.
    """

    name: str
    id: str
    bucket: str
    queue: SimulatedQueue
    workload: Workload
    token: str
    tokens: list[str]
    secret_arn: str = ""
    functions: list[app.Function] = field(default_factory=list)
    written: dict[str, list[tuple[datetime, str, str]]] = field(default_factory=lambda: defaultdict(list))
    poison: list[str] = field(default_factory=list)
    preexisting: dict[tuple[str, str], str] = field(default_factory=dict)


class ChaosRun:
    """Everything around the handler in one process, on one simulated clock.

    Attributes:
        faults: kind of fault -> number.
        deliveries: the number of messages that functions have received.
        busy: name of an advertiser -> number of its running invocations.
        audiences: advertiser id -> its audiences at the end of the run.
        members: audience id -> the people in it at the end of the run.
        deleted: advertiser id -> audience id -> name, type and time of deletion of audiences that a person deleted.
    """

    def __init__(self, seed: int, size: Size) -> None:
        self.seed, self.size = seed, size
        self.random = Random(seed)  # noqa: S311 - a repeatable run, no secret
        global_random.seed(seed)
        mock_random.seed(seed)
        self.started_at = self.now_at = START
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
        # One row counts as a thousand people, so that small files meet TikTok's minimum of 1,000.
        self.tiktok = TikTokEmulator(
            clock=self._seconds, match_rate=1000, processing_seconds=3600, max_file_bytes=1 << 20
        )
        self.wire = Wire(
            self.tiktok, self.scheduler, self.random, self.now, self.pass_seconds, self.faults, self.record_step
        )
        with _without_retries():
            self.aws = InProcessAws()
        self.advertisers = [self._advertiser(number) for number in range(size.advertisers)]
        self.injector = FaultInjector(self)

    def now(self) -> datetime:
        """Return the simulated time."""
        return self.now_at

    def pass_seconds(self, seconds: float) -> None:
        """Advance the clock while an invocation waits for a response or before a retry."""
        self._set_time(self.now_at + timedelta(seconds=seconds))

    def _set_time(self, time: datetime) -> None:
        self.now_at = max(time, self.now_at)

    def _seconds(self) -> float:
        return self.now_at.timestamp()

    def _advertiser(self, number: int) -> SimulatedAdvertiser:
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
        queue = SimulatedQueue(self.now, self._sqs_fails)
        advertiser = SimulatedAdvertiser(name, advertiser_id, name, queue, workload, token, [token])
        s3, _, secrets = self.aws.clients
        hooks = self.aws.hooks(name)
        hooks.now = self.now
        s3.create_bucket(Bucket=name)
        s3.put_bucket_versioning(Bucket=name, VersioningConfiguration={"Status": "Enabled"})
        advertiser.secret_arn = secrets.create_secret(Name=name, SecretString="{}")["ARN"]
        self.set_secret(advertiser, token)
        hooks.before = lambda method, path: self._before_aws(advertiser, method, path)
        hooks.after = lambda method, path: self._after_aws(advertiser, method, path)
        advertiser.functions = [self._cold_start(advertiser) for _ in range(CONCURRENCY)]
        self.tiktok.seed(advertiser_id, count=OTHER_AUDIENCES)
        return advertiser

    def _sqs_fails(self) -> bool:
        return self.injector.sqs_fails()

    def _seed_audience(self, advertiser: SimulatedAdvertiser) -> None:
        """Create an audience that existed before the connector."""
        name, identifier_type = advertiser.workload.audiences[-1]
        members = [row(identifier_type, 0)]
        (audience_id,) = self.tiktok.seed(
            advertiser.id, name=name, calculate_type=identifier_type.upper(), members=members, people=0
        )
        advertiser.preexisting[(name, identifier_type)] = audience_id

    def set_secret(self, advertiser: SimulatedAdvertiser, token: str) -> None:
        """Put a token into the secret."""
        text = json.dumps({"ACCESS_TOKEN": token, "ADVERTISER_ID": advertiser.id})
        self.aws.clients[2].put_secret_value(SecretId=advertiser.secret_arn, SecretString=text)

    def _cold_start(self, advertiser: SimulatedAdvertiser) -> app.Function:
        environment = {
            "BUCKET_NAME": advertiser.bucket,
            "CREDENTIALS_SECRET_ARN": advertiser.secret_arn,
            "QUEUE_URL": f"https://sqs.us-east-1.amazonaws.com/{ACCOUNT}/{advertiser.name}",
            "ADVERTISER": f"{advertiser.name}/test",
            "TIKTOK_API_URL": self.tiktok.url,
            "SETTLE_SECONDS": str(SETTLE_SECONDS),
        }
        s3, _, secrets = self.aws.clients
        sqs: Any = advertiser.queue
        function = app.connect(read_settings(environment), s3=s3, sqs=sqs, secrets=secrets)
        handler = logging.getLogger("tiktok-activation").handlers[0]
        assert isinstance(handler, logging.StreamHandler)
        handler.setStream(self.log)
        return function._replace(
            session=self.wire.session(), pause=self.pass_seconds, now=self.now, monotonic=self._seconds
        )

    # Actions of people and tools.

    def put(self, upload: PlannedUpload) -> None:
        """Upload a file; its events arrive soon, late or more than once."""
        self.aws.clients[0].put_object(Bucket=upload.advertiser, Key=upload.key, Body=upload.file.body)
        self._send_events(upload, "PutObject")

    def copy(self, source: PlannedUpload) -> PlannedUpload | None:
        """Copy a file onto itself and return the copy, or return None if the file has a newer version."""
        s3, location = self.aws.clients[0], {"Bucket": source.advertiser, "Key": source.key}
        if s3.head_object(**location)["VersionId"] != source.version_id:  # type: ignore[arg-type]  # strings
            return None
        s3.copy_object(**location, CopySource=location, MetadataDirective="REPLACE")  # type: ignore[arg-type]  # strings
        workload = self._of(source.advertiser).workload
        made = replace(source, number=len(workload.uploads), copy_of=source, events=[])
        self._send_events(made, "CopyObject")
        return made

    def delete(self, upload: PlannedUpload) -> None:
        """Write a delete marker, unless the file is already deleted."""
        if upload.deleted:
            return
        s3 = self.aws.clients[0]
        marker = s3.delete_object(Bucket=upload.advertiser, Key=upload.key)["VersionId"]
        set_last_modified(upload.advertiser, upload.key, marker, self.now_at)
        for each in self._of(upload.advertiser).workload.uploads:
            if each.key == upload.key and not each.deleted:
                each.deleted = self.now_at
        self.faults["deleted objects"] += 1

    def _of(self, name: str) -> SimulatedAdvertiser:
        return next(each for each in self.advertisers if each.name == name)

    def _send_events(self, upload: PlannedUpload, reason: str) -> None:
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
        queue = self._of(upload.advertiser).queue
        for delay in self.injector.delays():
            upload.events.append(self.now_at + delay)
            self.plan.at(self.now_at + delay, lambda: queue.put(body))

    # The run.

    def execute(self) -> None:
        """Run the plan, then let all pending uploads finish without faults."""
        with self.tiktok, redirect_stdout(self.printed):
            self._set_time(START)
            for advertiser in self.advertisers:
                self._seed_audience(advertiser)
                advertiser.workload.plan_all(self.size.uploads)
                self._schedule_sweeps(advertiser)
            self.injector.plan_all()
            end = START + timedelta(days=self.size.days + self.size.drain_days)
            while self.now_at < end and self._is_unfinished():
                for action in self.plan.due(self.now_at):
                    action()
                for advertiser in self.advertisers:
                    self._receive(advertiser)
                if self.scheduler.running:
                    self._step()
                else:
                    self._set_time(self._next_time())
            self._record_audiences()

    def _record_audiences(self) -> None:
        """Record the audiences and their people after TikTok has processed every accepted change.

        A run may end before that: if TikTok shows a change in the history and keeps the audience valid while it
        processes the change, the connector cannot see that the change is not complete.
        """
        self.tiktok.advance(MAX_PROCESSING)
        for advertiser in self.advertisers:
            audiences = self.tiktok.audiences(advertiser.id)
            self.audiences[advertiser.id] = [each for each in audiences if not each["name"].startswith("seeded")]
            self.members |= {each["id"]: self.tiktok.members(each["id"]) for each in self.audiences[advertiser.id]}

    def _is_unfinished(self) -> bool:
        if self.scheduler.running or any(advertiser.queue.messages for advertiser in self.advertisers):
            return True
        if self.now_at < START + timedelta(days=self.size.days + 1):
            return True
        return any(self.keys(advertiser, "pending/") for advertiser in self.advertisers)

    def _next_time(self) -> datetime:
        times = [self.plan.next_time(), *(advertiser.queue.next_visible() for advertiser in self.advertisers)]
        return max(self.now_at, min(each for each in times if each))

    def _schedule_sweeps(self, advertiser: SimulatedAdvertiser) -> None:
        """Schedule sweeps: hourly, but at irregular intervals while uploads are pending. Some are delivered twice."""

        def sweep() -> None:
            advertiser.queue.put(SWEEP)
            if self.random.random() < 0.3:
                again = self.now_at + timedelta(seconds=self.random.choice([1, 5, 30]))
                self.plan.at(again, lambda: advertiser.queue.put(SWEEP))
            gap = self.random.choice([5, 5, 10, 60, 90, 180]) if self.keys(advertiser, "pending/") else 60
            self.plan.at(self.now_at + timedelta(minutes=gap), sweep)

        self.plan.at(START + timedelta(seconds=self.random.randrange(300)), sweep)

    def _receive(self, advertiser: SimulatedAdvertiser) -> None:
        while self.busy[advertiser.name] < CONCURRENCY:
            messages = advertiser.queue.receive(self.random.choice([1, 3, BATCH]))
            if not messages:
                return
            self.busy[advertiser.name] += 1
            self.deliveries += len(messages)
            work, seconds = partial(self._invoke, advertiser, messages), self.injector.run_time()
            self.scheduler.start(advertiser.name, work, self.injector.kill_at(), seconds)

    def _invoke(self, advertiser: SimulatedAdvertiser, messages: list[QueuedMessage], me: SimulatedInvocation) -> None:
        """Invoke the function with a batch and delete the messages that succeeded, like the event source mapping."""
        function = self.random.choice(advertiser.functions)
        response = app.handle(function, {"Records": [each.record() for each in messages]}, me)
        failed = {each["itemIdentifier"] for each in response["batchItemFailures"]}
        for message in messages:
            if message.record()["messageId"] not in failed:
                advertiser.queue.delete(message)

    def _step(self) -> None:
        ended = self.scheduler.step()
        if not ended:
            return
        self.busy[ended.advertiser] -= 1
        if ended.killed:
            self.faults["timed-out functions" if ended.timed_out else "killed functions"] += 1
            advertiser = self._of(ended.advertiser)
            advertiser.functions[self.random.randrange(CONCURRENCY)] = self._cold_start(advertiser)
        elif ended.failure:
            raise ended.failure

    def _before_aws(self, advertiser: SimulatedAdvertiser, method: str, path: str) -> str | None:
        """Record a request of a function, then possibly inject a fault."""
        if self.scheduler.current:
            self.record_step(f"{method} {path}")
        return self.injector.before_aws(advertiser)

    def record_step(self, what: str) -> None:
        """Add a step to the trace, so that two runs with the same seed can be compared."""
        self.trace.update(f"{self.now_at} {what}\n".encode())

    def _after_aws(self, advertiser: SimulatedAdvertiser, method: str, path: str) -> str | None:
        """Record the status of a written report, then possibly inject a fault."""
        key = unquote(path).removeprefix(f"/{advertiser.bucket}/")
        if method == "PUT" and key.startswith("reports/") and (report := self.json(advertiser, key)):
            version = (self.now_at, report["status"], report["code"])
            if not advertiser.written[key] or advertiser.written[key][-1][1:] != version[1:]:
                advertiser.written[key].append(version)
        return self.injector.after_aws(method, key)

    def keys(self, advertiser: SimulatedAdvertiser, prefix: str) -> list[str]:
        """Return the keys with a prefix in an advertiser's bucket."""
        return stored_keys(advertiser.bucket, prefix)

    def json(self, advertiser: SimulatedAdvertiser, key: str) -> dict[str, Any] | None:
        """Return a JSON object from an advertiser's bucket, or None if it does not exist."""
        return json.loads(content) if (content := stored(advertiser.bucket, key)) else None

    def texts(self, advertiser: SimulatedAdvertiser) -> Iterator[str]:
        """Yield everything that the function wrote to the bucket and the queue, and all dead letters."""
        for prefix in ("reports/", "audiences/", "pending/"):
            for key in self.keys(advertiser, prefix):
                yield (stored(advertiser.bucket, key) or b"").decode()
        yield from advertiser.queue.sent
        yield from advertiser.queue.dead_letters


@contextmanager
def _without_retries() -> Iterator[None]:
    """Turn off retries in AWS clients created meanwhile: a simulated error represents one that retries do not fix."""
    before = os.environ.get("AWS_MAX_ATTEMPTS")
    os.environ["AWS_MAX_ATTEMPTS"] = "1"
    try:
        yield
    finally:
        if before is None:
            del os.environ["AWS_MAX_ATTEMPTS"]
        else:
            os.environ["AWS_MAX_ATTEMPTS"] = before
