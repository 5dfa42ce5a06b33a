"""The event source mapping: batches, partial failures, redrive, delays and recursive loops."""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, cast
from uuid import uuid4

import boto3
import pytest

from sandbox.aws.event_source_mapping import EventSourceMapping, MappingSpec, failures
from sandbox.aws.lambda_instance import FunctionSpec
from sandbox.aws.lambda_service import InvocationResult, LambdaFunction
from tests.servers import embedded_aws

pytestmark = pytest.mark.processes

# Description -> the function's result, and the ids of the messages that stay in the queue.
RESULTS: dict[str, tuple[Any, set[str]]] = {
    "no result": (None, set()),
    "an empty list": ({"batchItemFailures": []}, set()),
    "null": ({"batchItemFailures": None}, set()),
    "one message of the batch": ({"batchItemFailures": [{"itemIdentifier": "a"}]}, {"a"}),
    "a message that is not in the batch": ({"batchItemFailures": [{"itemIdentifier": "x"}]}, {"a", "b"}),
    "an empty id": ({"batchItemFailures": [{"itemIdentifier": ""}]}, {"a", "b"}),
    "another field": ({"batchItemFailures": [{"id": "a"}]}, {"a", "b"}),
    "an empty object": ({}, set()),
    "a string": ("done", {"a", "b"}),
    "an empty string": ("", {"a", "b"}),
    "a list": ([], {"a", "b"}),
    "a string in place of the list": ({"batchItemFailures": ""}, {"a", "b"}),
}


@pytest.mark.parametrize("words", RESULTS)
def test_the_result_of_the_function_determines_which_messages_stay(words: str) -> None:
    result, expected = RESULTS[words]
    assert failures(InvocationResult(result, None, cold=False, seconds=0), ["a", "b"], partial=True) == expected


def test_all_messages_stay_if_the_function_fails_and_none_without_partial_responses() -> None:
    failed = InvocationResult(None, {"errorMessage": "no"}, cold=False, seconds=0)
    assert failures(failed, ["a", "b"], partial=True) == {"a", "b"}
    succeeded = InvocationResult({"batchItemFailures": [{"itemIdentifier": "a"}]}, None, cold=False, seconds=0)
    assert failures(succeeded, ["a", "b"], partial=False) == set()


class FakeFunction:
    """A fake function that records its batches and returns the result of `handle`."""

    def __init__(self, handle: Callable[[list[dict[str, Any]]], Any]) -> None:
        self.batches: list[list[dict[str, Any]]] = []
        self._handle = handle

    def invoke(self, event: dict[str, Any], lineage: int = 1) -> InvocationResult:  # noqa: ARG002 - same as LambdaFunction
        self.batches.append(event["Records"])
        return InvocationResult(self._handle(event["Records"]), None, cold=False, seconds=0)


class Queues:
    """A queue with a dead-letter queue, like the connector's but with shorter times."""

    def __init__(self, url: str) -> None:
        self.sqs = boto3.client(
            "sqs", endpoint_url=url, region_name="us-east-1", aws_access_key_id="test", aws_secret_access_key="test"
        )
        name = uuid4().hex
        self.dead_letters = self.sqs.create_queue(QueueName=f"{name}-dead")["QueueUrl"]
        redrive = {"deadLetterTargetArn": self._arn(self.dead_letters), "maxReceiveCount": 2}
        self.url = self.sqs.create_queue(
            QueueName=name,
            Attributes={"RedrivePolicy": json.dumps(redrive), "VisibilityTimeout": "300"},
        )["QueueUrl"]
        self.arn = self._arn(self.url)

    def _arn(self, url: str) -> str:
        return self.sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]

    def send(self, *bodies: str) -> None:
        for body in bodies:
            self.sqs.send_message(QueueUrl=self.url, MessageBody=body)

    def put_back(self, record: dict[str, Any]) -> None:
        """Make a message visible again immediately."""
        self.sqs.change_message_visibility(
            QueueUrl=self.url, ReceiptHandle=record["receiptHandle"], VisibilityTimeout=0
        )

    def depth(self, url: str) -> int:
        names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
        response = self.sqs.get_queue_attributes(QueueUrl=url, AttributeNames=names)  # type: ignore[arg-type]
        return sum(int(count) for count in response["Attributes"].values())

    def wait_for(self, left: int, dead: int) -> None:
        """Wait until the queue and the dead-letter queue have these numbers of messages."""
        give_up = time.monotonic() + 20
        while (self.depth(self.url), self.depth(self.dead_letters)) != (left, dead):
            assert time.monotonic() < give_up
            time.sleep(0.02)

    def feed(
        self, function: FakeFunction, batch_size: int = 10, on_end: Callable[[InvocationResult], None] = lambda _: None
    ) -> EventSourceMapping:
        mapping = MappingSpec(self.arn, batch_size, window=0.3, concurrency=2, partial=True)
        return EventSourceMapping(self.sqs, mapping, cast("LambdaFunction", function), on_end)


@pytest.fixture(scope="module")
def aws_url() -> Iterator[str]:
    with embedded_aws() as url:
        yield url


def test_messages_are_delivered_in_batches_and_deleted_afterwards(aws_url: str) -> None:
    queues = Queues(aws_url)
    function = FakeFunction(lambda _: None)
    queues.send(*"abcdefghijkl")
    mapping = queues.feed(function, batch_size=5)
    queues.wait_for(0, 0)
    mapping.close()
    assert sorted(record["body"] for batch in function.batches for record in batch) == list("abcdefghijkl")
    assert max(len(batch) for batch in function.batches) == 5
    record = function.batches[0][0]
    assert record["eventSource"] == "aws:sqs"
    assert record["eventSourceARN"] == queues.arn
    assert record["attributes"]["ApproximateReceiveCount"] == "1"
    assert record["md5OfBody"] == hashlib.md5(record["body"].encode(), usedforsecurity=False).hexdigest()


def test_a_mapping_reports_an_error_and_continues(aws_url: str) -> None:
    queues = Queues(aws_url)
    invocations: list[InvocationResult] = []
    broken = [True]

    def handle(records: list[dict[str, Any]]) -> None:
        if broken:
            broken.clear()
            queues.put_back(*records)
            raise RuntimeError("no room")

    mapping = queues.feed(FakeFunction(handle), on_end=invocations.append)
    queues.send("one")
    queues.wait_for(0, 0)
    mapping.close()
    assert [invocation.error["errorMessage"] for invocation in invocations if invocation.error] == [
        "The event source mapping failed: no room"
    ]


def test_only_failed_messages_are_delivered_again_and_finally_become_dead_letters(aws_url: str) -> None:
    queues = Queues(aws_url)

    def handle(records: list[dict[str, Any]]) -> Any:
        bad = [each for each in records if each["body"] == "bad"]
        for each in bad:
            queues.put_back(each)
        return {"batchItemFailures": [{"itemIdentifier": each["messageId"]} for each in bad]}

    function = FakeFunction(handle)
    queues.send("good", "bad", "fine")
    mapping = queues.feed(function)
    queues.wait_for(0, 1)
    mapping.close()
    bodies = [record["body"] for batch in function.batches for record in batch]
    assert sorted(bodies) == ["bad", "bad", "fine", "good"]


def test_a_delayed_message_is_delivered_after_its_delay(aws_url: str) -> None:
    queues = Queues(aws_url)
    function = FakeFunction(lambda _: None)
    mapping = queues.feed(function)
    queues.send("now")
    sent = time.monotonic()
    queues.sqs.send_message(QueueUrl=queues.url, MessageBody="late", DelaySeconds=2)
    while sum(map(len, function.batches)) < 2:
        assert time.monotonic() < sent + 20
        time.sleep(0.02)
    arrived = time.monotonic()
    mapping.close()
    assert [record["body"] for batch in function.batches for record in batch] == ["now", "late"]
    assert arrived - sent >= 1.5


SENDS_ITSELF_MESSAGES = """
import boto3, json
def handler(event, context):
    for record in event["Records"]:
        number = int(record["body"])
        if number < 20:
            queue = record["eventSourceARN"].rsplit(":", 1)[1]
            url = boto3.client("sqs").get_queue_url(QueueName=queue)["QueueUrl"]
            boto3.client("sqs").send_message(QueueUrl=url, MessageBody=str(number + 1))
    print("round", number)
"""


@pytest.mark.parametrize(("allowed", "rounds"), [(False, 16), (True, 20)])
def test_a_recursive_loop_is_stopped_unless_it_is_allowed(
    aws_url: str, tmp_path: Path, allowed: bool, rounds: int
) -> None:
    (tmp_path / "loop.py").write_text(SENDS_ITSELF_MESSAGES)
    queues = Queues(aws_url)
    printed: list[str] = []
    spec = FunctionSpec(
        "loop",
        "arn:aws:lambda:us-east-1:123456789012:function:loop",
        tmp_path,
        "loop.handler",
        timeout=30,
        environment={"AWS_ENDPOINT_URL": aws_url},
    )
    mapping = MappingSpec(queues.arn, 1, window=0, concurrency=2, partial=False, recursion_allowed=allowed)
    function = LambdaFunction(spec, printed.append)
    queues.send("1")
    running = EventSourceMapping(queues.sqs, mapping, function)
    last = f"round {rounds}"
    give_up = time.monotonic() + 60
    while last not in printed or queues.depth(queues.url):
        assert time.monotonic() < give_up, printed
        time.sleep(0.02)
    running.close()
    function.close()
    assert [line for line in printed if line.startswith("round")] == [f"round {n}" for n in range(1, rounds + 1)]
