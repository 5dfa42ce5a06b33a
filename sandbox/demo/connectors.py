"""The running sandbox: the stack's resources in the embedded AWS, its functions at work, and the emulated TikTok."""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, closing
from dataclasses import dataclass, field
from typing import Any, Self

import requests

from sandbox.aws.event_source_mapping import EventSourceMapping, Mapping
from sandbox.aws.lambda_service import Function, FunctionSpec, Invocation
from sandbox.aws.scheduler import Schedule, rate_seconds
from sandbox.aws.stack import CREDENTIALS, Cloud
from sandbox.processes import ServerProcess

# What is faster than in AWS and at TikTok, and by how much.
SCHEDULE_SPEED = 600  # ten minutes in one second
PROCESSING_SECONDS = 5.0  # TikTok: up to 48 hours
BATCHING_WINDOW = 0.2  # instead of the declared seconds
_MOST_AT_ONCE = 2  # functions of one advertiser: this is one machine
_LOG_LINES = 500


@dataclass
class Advertiser:
    """One advertiser of the stack: its outputs, its account at TikTok, and what its function printed last."""

    name: str
    outputs: dict[str, str]
    advertiser_id: str
    max_rejected_ratio: float
    log: deque[str] = field(default_factory=lambda: deque(maxlen=_LOG_LINES))
    invocations: int = 0


class Connectors:
    """All connectors of a stack, at work from entering to leaving the `with`.

    Raises:
        Exception: what the program, the embedded AWS or a server says when it cannot be brought up.

    Attributes:
        cloud: the embedded AWS with the stack in it.
        advertisers: by name.
    """

    cloud: Cloud
    advertisers: dict[str, Advertiser]

    def __init__(self, stack: str = "dev") -> None:
        self._stack = stack
        self._exits = ExitStack()

    def __enter__(self) -> Self:
        with ExitStack() as exits:
            self._aws = aws = exits.enter_context(ServerProcess("sandbox.aws.server"))
            self._tiktok = exits.enter_context(ServerProcess("sandbox.tiktok"))
            self.cloud = Cloud(aws.url, self._stack)
            self._functions = self.cloud.functions()
            self.control("POST", "settings", processing_seconds=PROCESSING_SECONDS)
            self.advertisers = {
                name: self._open_account(name, outputs, number)
                for number, (name, outputs) in enumerate(sorted(self.cloud.outputs["advertisers"].items()), 1)
            }
            functions = {spec.name: exits.enter_context(closing(self._function(spec))) for spec in self._functions}
            mappings = [
                exits.enter_context(closing(self._mapping(mapping.inputs, functions)))
                for mapping in self.cloud.of_kind(":EventSourceMapping")
            ]
            exits.callback(_break_off, mappings, functions.values())
            self._schedules = [
                exits.enter_context(closing(self._schedule(schedule.inputs)))
                for schedule in self.cloud.of_kind(":Schedule")
            ]
            self._exits = exits.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        self._exits.close()

    @property
    def tiktok_url(self) -> str:
        """Where the emulated TikTok listens."""
        return self._tiktok.url

    def control(self, method: str, control: str, **given: Any) -> Any:
        """Use one of the emulator's controls; see `sandbox.tiktok.controls`."""
        how: dict[str, Any] = {"params": given} if method == "GET" else {"json": given}
        answer = requests.request(method, f"{self.tiktok_url}/_emulator/{control}", timeout=60, **how)
        answer.raise_for_status()
        return answer.json()

    def check(self) -> None:
        """See that both servers are alive.

        Raises:
            RuntimeError: one has ended.
        """
        self._aws.check()
        self._tiktok.check()

    def hold_schedules(self, *, held: bool) -> None:
        """Hold the schedules, so that the queues come to rest, or let them go on."""
        for schedule in self._schedules:
            schedule.hold(held=held)

    def upload(self, advertiser: Advertiser, key: str, content: bytes) -> None:
        """Upload a file as `aws s3 cp` does."""
        self.cloud.client("s3").put_object(Bucket=advertiser.outputs["bucket"], Key=key, Body=content)

    def keys(self, advertiser: Advertiser, prefix: str) -> Iterator[tuple[str, str]]:
        """Keys under a prefix of an advertiser's bucket, each with its ETag."""
        pages = self.cloud.client("s3").get_paginator("list_objects_v2")
        for page in pages.paginate(Bucket=advertiser.outputs["bucket"], Prefix=prefix):
            yield from ((entry["Key"], entry["ETag"]) for entry in page.get("Contents", ()))

    def read(self, advertiser: Advertiser, key: str) -> Any:
        """A JSON object of an advertiser's bucket."""
        return json.loads(
            self.cloud.client("s3").get_object(Bucket=advertiser.outputs["bucket"], Key=key)["Body"].read()
        )

    def depth(self, queue_url: str) -> int:
        """Messages on a queue: to be received, received, or delayed."""
        names = ["", "NotVisible", "Delayed"]
        wanted = [f"ApproximateNumberOfMessages{name}" for name in names]
        answer = self.cloud.client("sqs").get_queue_attributes(QueueUrl=queue_url, AttributeNames=wanted)
        return sum(int(answer["Attributes"][name]) for name in wanted)

    def audiences(self, advertiser: Advertiser) -> list[dict[str, Any]]:
        """An advertiser's audiences at TikTok."""
        found: list[dict[str, Any]] = self.control("GET", "audiences", advertiser_id=advertiser.advertiser_id)
        return found

    def members(self, audience_id: str) -> set[str]:
        """The identifiers in an audience."""
        return set(self.control("GET", "members", audience_id=audience_id))

    def _open_account(self, name: str, outputs: dict[str, str], number: int) -> Advertiser:
        """Give an advertiser an account at TikTok, and its secret the value that a person would put in."""
        secrets = self.cloud.client("secretsmanager")
        try:
            value = json.loads(secrets.get_secret_value(SecretId=outputs["secret_name"])["SecretString"])
        except secrets.exceptions.ResourceNotFoundException:
            value = {"ACCESS_TOKEN": f"sandbox-token-of-{name}", "ADVERTISER_ID": f"70000000000000000{number:02}"}
            secrets.put_secret_value(SecretId=outputs["secret_name"], SecretString=json.dumps(value))
        self.control("POST", "accounts", advertiser_id=value["ADVERTISER_ID"], access_token=value["ACCESS_TOKEN"])
        (ratio,) = {spec.environment["MAX_REJECTED_RATIO"] for spec in self._functions if _advertiser(spec) == name}
        return Advertiser(name, outputs, value["ADVERTISER_ID"], float(ratio))

    def _function(self, spec: FunctionSpec) -> Function:
        advertiser = self.advertisers[_advertiser(spec)]
        function = Function(
            spec,
            environment={
                "AWS_ENDPOINT_URL": self.cloud.url,
                "TIKTOK_API_URL": self.tiktok_url,
                **{name.upper(): value for name, value in CREDENTIALS.items()},
            },
            memory_limit_mib=spec.memory,
            log=advertiser.log.append,
        )
        function.warm()
        return function

    def _mapping(self, inputs: Any, functions: dict[str, Function]) -> EventSourceMapping:
        function = functions[inputs["functionName"]]
        advertiser = self.advertisers[_advertiser(function.spec)]

        def ended(invocation: Invocation) -> None:
            advertiser.invocations += 1
            if invocation.error:
                advertiser.log.append(json.dumps({"level": "ERROR", "message": invocation.error.get("errorMessage")}))

        declared = Mapping(
            queue_arn=inputs["eventSourceArn"],
            batch_size=int(inputs["batchSize"]),
            window=min(inputs["maximumBatchingWindowInSeconds"], BATCHING_WINDOW),
            concurrency=min(int(inputs["scalingConfig"]["maximumConcurrency"]), _MOST_AT_ONCE),
            partial="ReportBatchItemFailures" in inputs["functionResponseTypes"],
        )
        return EventSourceMapping(self.cloud.client("sqs"), declared, function, ended)

    def _schedule(self, inputs: Any) -> Schedule:
        seconds = rate_seconds(inputs["scheduleExpression"]) / SCHEDULE_SPEED
        target = inputs["target"]
        return Schedule(self.cloud.client("sqs"), target["arn"], target["input"], max(seconds, 0.5))


def _break_off(mappings: Iterable[EventSourceMapping], functions: Iterable[Function]) -> None:
    """Wait for no invocation that is at work: it may have a quarter of an hour."""
    for mapping in mappings:
        mapping.stop()
    for function in functions:
        function.kill()


def _advertiser(spec: FunctionSpec) -> str:
    """Whose function it is: its label is `<advertiser>/<stack>`."""
    return spec.environment["ADVERTISER"].partition("/")[0]
