"""The running sandbox: the stack's resources in the embedded AWS, its running functions, and the emulated TikTok.

Only configuration compresses the time: the schedule's rate, the batching window, the function's SETTLE_SECONDS and
TikTok's processing time.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass, replace
from typing import Any, Self

import requests

from sandbox.aws.event_source_mapping import EventSourceMapping, MappingSpec
from sandbox.aws.lambda_instance import FunctionSpec
from sandbox.aws.lambda_service import InvocationResult, LambdaFunction
from sandbox.aws.log_group import LogGroup
from sandbox.aws.scheduler import Schedule, rate_seconds
from sandbox.aws.stack import CREDENTIALS, Cloud
from sandbox.processes import ROOT, ServerProcess

SCHEDULE_SPEED = 600  # five minutes in half a second
SETTLE_SECONDS = 0.4  # instead of 300
PROCESSING_SECONDS = 2.0  # instead of up to 48 hours
BATCHING_WINDOW = 0.2  # seconds; less than declared
OUTPUTS_FILE = ROOT / ".build" / "sandbox.json"
_MAX_CONCURRENCY = 2  # concurrent invocations per advertiser, because all run on one machine
_MIN_SCHEDULE_SECONDS = 0.5
_TIMEOUT_SECONDS = 60.0


@dataclass
class RunningAdvertiser:
    """One advertiser of the stack: its outputs, its account at TikTok, and its function's log.

    Attributes:
        environment: the declared environment of the function.
        invocations: the number of finished invocations and of errors of the event source mapping.
    """

    name: str
    outputs: dict[str, str]
    advertiser_id: str
    environment: dict[str, str]
    log: LogGroup
    invocations: int = 0


class Connectors:
    """All connectors of a stack, which run inside a `with` block.

    Raises:
        Exception: a server does not start, or the stack cannot be created. The message says why.

    Attributes:
        cloud: the stack in the embedded AWS.
        advertisers: the advertisers by name.
    """

    def __init__(self, stack: str = "dev") -> None:
        self._stack = stack
        self._exits = ExitStack()

    def __enter__(self) -> Self:
        with ExitStack() as exits:
            self._aws = aws = exits.enter_context(ServerProcess("sandbox.aws.server"))
            self._tiktok = exits.enter_context(ServerProcess("sandbox.tiktok.emulator"))
            self.cloud = Cloud(aws.url, self._stack)
            specs = {_advertiser(spec): spec for spec in self.cloud.functions()}
            self.control("POST", "settings", processing_seconds=PROCESSING_SECONDS)
            self.advertisers = {
                name: self._advertiser(name, outputs, number, specs[name], exits)
                for number, (name, outputs) in enumerate(sorted(self.cloud.outputs["advertisers"].items()), 1)
            }
            functions = {
                spec.name: exits.enter_context(closing(self._function(spec, self.advertisers[name])))
                for name, spec in specs.items()
            }
            mappings = [
                exits.enter_context(closing(self._mapping(mapping.inputs, functions)))
                for mapping in self.cloud.of_kind(":EventSourceMapping")
            ]
            exits.callback(_end_invocations, mappings, functions.values())
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
        """The base URL of the emulated TikTok."""
        return self._tiktok.url

    def control(self, method: str, control: str, **given: Any) -> Any:
        """Call a control of the emulator and return its result. `sandbox.tiktok.server` lists the controls."""
        fields: dict[str, Any] = {"params": given} if method == "GET" else {"json": given}
        url = f"{self.tiktok_url}/_emulator/{control}"
        response = requests.request(method, url, timeout=_TIMEOUT_SECONDS, **fields)
        response.raise_for_status()
        return response.json()

    def check(self) -> None:
        """Check that both servers are running.

        Raises:
            RuntimeError: a server has ended.
        """
        for server in (self._aws, self._tiktok):
            server.check()

    def pause_schedules(self, *, paused: bool) -> None:
        """Pause the schedules, so that the queues become empty, or resume them."""
        for schedule in self._schedules:
            schedule.paused = paused

    def upload(self, advertiser: RunningAdvertiser, key: str, content: bytes) -> None:
        """Upload a file as `aws s3 cp` does."""
        self.cloud.client("s3").put_object(Bucket=advertiser.outputs["bucket"], Key=key, Body=content)

    def delete(self, advertiser: RunningAdvertiser, key: str) -> None:
        """Delete a file as `aws s3 rm` does, which adds a delete marker as the newest version."""
        self.cloud.client("s3").delete_object(Bucket=advertiser.outputs["bucket"], Key=key)

    def keys(self, advertiser: RunningAdvertiser, prefix: str) -> Iterator[tuple[str, str]]:
        """Yield the keys under a prefix of an advertiser's bucket, each with its ETag."""
        pages = self.cloud.client("s3").get_paginator("list_objects_v2")
        for page in pages.paginate(Bucket=advertiser.outputs["bucket"], Prefix=prefix):
            yield from ((entry["Key"], entry["ETag"]) for entry in page.get("Contents", ()))

    def read(self, advertiser: RunningAdvertiser, key: str) -> Any:
        """Return the parsed content of a JSON object in an advertiser's bucket."""
        response = self.cloud.client("s3").get_object(Bucket=advertiser.outputs["bucket"], Key=key)
        return json.loads(response["Body"].read())

    def depth(self, queue_url: str) -> int:
        """Return the number of messages in a queue that are visible, in flight or delayed."""
        names = [f"ApproximateNumberOfMessages{state}" for state in ("", "NotVisible", "Delayed")]
        response = self.cloud.client("sqs").get_queue_attributes(QueueUrl=queue_url, AttributeNames=names)
        return sum(int(response["Attributes"][name]) for name in names)

    def audiences(self, advertiser: RunningAdvertiser) -> list[dict[str, Any]]:
        """Return an advertiser's audiences at TikTok."""
        found: list[dict[str, Any]] = self.control("GET", "audiences", advertiser_id=advertiser.advertiser_id)
        return found

    def members(self, audience_id: str) -> set[str]:
        """Return the identifiers or rows of the people in an audience."""
        return set(self.control("GET", "members", audience_id=audience_id))

    @contextmanager
    def published(self) -> Iterator[None]:
        """Write the stack's outputs and the endpoints to a file for the console, and delete it afterwards."""
        content = {
            **self.cloud.outputs,
            "pid": os.getpid(),
            "aws_url": self.cloud.url,
            "tiktok_url": self.tiktok_url,
            "region": self.cloud.region,
            **CREDENTIALS,
        }
        new = OUTPUTS_FILE.with_suffix(f".{os.getpid()}")
        new.write_text(json.dumps(content, indent=2), encoding="utf-8")
        new.replace(OUTPUTS_FILE)
        try:
            yield
        finally:
            OUTPUTS_FILE.unlink(missing_ok=True)

    def _advertiser(
        self, name: str, outputs: dict[str, str], number: int, spec: FunctionSpec, exits: ExitStack
    ) -> RunningAdvertiser:
        """Create an account at TikTok, and store the credentials in the secret if it has no value."""
        secrets = self.cloud.client("secretsmanager")
        declared_id = spec.environment.get("ADVERTISER_ID", "")
        try:
            value = json.loads(secrets.get_secret_value(SecretId=outputs["secret_name"])["SecretString"])
        except secrets.exceptions.ResourceNotFoundException:
            value = {
                "ACCESS_TOKEN": f"sandbox-token-of-{name}",
                "ADVERTISER_ID": declared_id or f"70000000000000000{number:02}",
            }
            secrets.put_secret_value(SecretId=outputs["secret_name"], SecretString=json.dumps(value))
        advertiser_id = declared_id or value["ADVERTISER_ID"]
        self.control("POST", "accounts", advertiser_id=advertiser_id, access_token=value["ACCESS_TOKEN"])
        log = exits.enter_context(closing(LogGroup(self.cloud.client("logs"), spec.logging["logGroup"])))
        return RunningAdvertiser(name, outputs, advertiser_id, dict(spec.environment), log)

    def _function(self, spec: FunctionSpec, advertiser: RunningAdvertiser) -> LambdaFunction:
        environment = {
            **spec.environment,
            "AWS_ENDPOINT_URL": self.cloud.url,
            "TIKTOK_API_URL": self.tiktok_url,
            "SETTLE_SECONDS": str(SETTLE_SECONDS),
        }
        function = LambdaFunction(replace(spec, environment=environment), advertiser.log.write)
        function.warm()
        return function

    def _mapping(self, inputs: Any, functions: dict[str, LambdaFunction]) -> EventSourceMapping:
        function = functions[inputs["functionName"]]
        advertiser = self.advertisers[_advertiser(function.spec)]

        def on_end(invocation: InvocationResult) -> None:
            advertiser.invocations += 1
            if invocation.error:
                advertiser.log.write(json.dumps({"level": "ERROR", "message": invocation.error.get("errorMessage")}))

        spec = MappingSpec(
            queue_arn=inputs["eventSourceArn"],
            batch_size=int(inputs["batchSize"]),
            window=min(inputs["maximumBatchingWindowInSeconds"], BATCHING_WINDOW),
            concurrency=min(int(inputs["scalingConfig"]["maximumConcurrency"]), _MAX_CONCURRENCY),
            partial="ReportBatchItemFailures" in inputs["functionResponseTypes"],
            recursion_allowed=any(
                (config.inputs["functionName"], config.inputs["recursiveLoop"]) == (function.spec.name, "Allow")
                for config in self.cloud.of_kind(":FunctionRecursionConfig")
            ),
        )
        return EventSourceMapping(self.cloud.client("sqs"), spec, function, on_end)

    def _schedule(self, inputs: Any) -> Schedule:
        seconds = rate_seconds(inputs["scheduleExpression"]) / SCHEDULE_SPEED
        target = inputs["target"]
        return Schedule(self.cloud.client("sqs"), target["arn"], target["input"], max(seconds, _MIN_SCHEDULE_SECONDS))


def _end_invocations(mappings: Iterable[EventSourceMapping], functions: Iterable[LambdaFunction]) -> None:
    """Kill invocations in progress, because waiting for them could take 15 minutes."""
    for mapping in mappings:
        mapping.stop()
    for function in functions:
        function.kill()


def _advertiser(spec: FunctionSpec) -> str:
    """Return the advertiser of a function from its label, which is `<advertiser>/<stack>`."""
    return spec.environment["ADVERTISER"].partition("/")[0]
