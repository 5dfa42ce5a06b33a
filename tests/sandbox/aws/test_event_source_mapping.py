"""The event source mapping: batches, partial failures, redrive, and events in AWS's shape."""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Callable, Iterator
from typing import Any, cast
from uuid import uuid4

import boto3
import pytest

from sandbox.aws.event_source_mapping import EventSourceMapping, Mapping, as_aws_writes, failures
from sandbox.aws.lambda_service import Function, Invocation
from tests.servers import embedded_aws

ANSWERED: dict[str, tuple[Any, set[str]]] = {
    "nothing": (None, set()),
    "an empty list": ({"batchItemFailures": []}, set()),
    "null": ({"batchItemFailures": None}, set()),
    "one of them": ({"batchItemFailures": [{"itemIdentifier": "a"}]}, {"a"}),
    "one that is not of the batch": ({"batchItemFailures": [{"itemIdentifier": "x"}]}, {"a", "b"}),
    "an empty name": ({"batchItemFailures": [{"itemIdentifier": ""}]}, {"a", "b"}),
    "another field": ({"batchItemFailures": [{"id": "a"}]}, {"a", "b"}),
    "an empty answer": ({}, set()),
    "a text": ("done", {"a", "b"}),
    "an empty text": ("", {"a", "b"}),
    "a list": ([], {"a", "b"}),
    "a list that is none": ({"batchItemFailures": ""}, {"a", "b"}),
}


@pytest.mark.parametrize("words", ANSWERED)
def test_what_a_function_answers_decides_what_stays(words: str) -> None:
    answer, expected = ANSWERED[words]
    assert failures(Invocation("1", answer, None, cold=False, seconds=0), ["a", "b"], partial=True) == expected


def test_all_stays_when_the_function_fails_and_nothing_without_partial_answers() -> None:
    failed = Invocation("1", None, {"errorMessage": "no"}, cold=False, seconds=0)
    assert failures(failed, ["a", "b"], partial=True) == {"a", "b"}
    answer = Invocation("1", {"batchItemFailures": [{"itemIdentifier": "a"}]}, None, cold=False, seconds=0)
    assert failures(answer, ["a", "b"], partial=False) == set()


def test_an_event_gets_the_shape_that_aws_gives_it() -> None:
    moto = {
        "source": "aws.s3",
        "id": "17793124-05d4-b198-2fde-7ededc63b103",
        "detail": {"object": {"key": "tiktok/a", "eTag": '"abc"'}, "reason": "ObjectCreated"},
    }
    plain, other = (json.loads(as_aws_writes(json.dumps(moto), message)) for message in ("a message", "another"))
    assert plain == json.loads(as_aws_writes(json.dumps(moto), "a message")), "the same at the next delivery"
    assert plain["detail"]["object"].items() >= {"key": "tiktok/a", "etag": "abc"}.items()
    assert plain["detail"]["reason"] == "PutObject"
    assert plain["id"] != other["id"]
    assert plain["detail"]["object"]["sequencer"] != other["detail"]["object"]["sequencer"]
    assert plain["detail"]["request-id"] != other["detail"]["request-id"]
    moto["detail"]["object"]["eTag"] = "abc-2"  # type: ignore[index]
    assert json.loads(as_aws_writes(json.dumps(moto), "m"))["detail"]["reason"] == "CompleteMultipartUpload"
    for foreign in ('{"sweep": true}', "no json", '{"source": "x", "detail": {"object": {}}}', "[]"):
        assert as_aws_writes(foreign, "m") == foreign


class Recorder:
    """Takes the place of a function: keeps the batches, and answers as it is told."""

    def __init__(self, answer: Callable[[list[dict[str, Any]]], Any]) -> None:
        self.batches: list[list[dict[str, Any]]] = []
        self._answer = answer

    def invoke(self, event: dict[str, Any]) -> Invocation:
        self.batches.append(event["Records"])
        return Invocation("1", self._answer(event["Records"]), None, cold=False, seconds=0)


class Queues:
    """A queue with a dead-letter queue, as the connector's but for the times."""

    def __init__(self, url: str, visibility_seconds: int) -> None:
        self.sqs = boto3.client(
            "sqs", endpoint_url=url, region_name="us-east-1", aws_access_key_id="test", aws_secret_access_key="test"
        )
        name = uuid4().hex
        self.dead_letters = self.sqs.create_queue(QueueName=f"{name}-dead")["QueueUrl"]
        redrive = {"deadLetterTargetArn": self._arn(self.dead_letters), "maxReceiveCount": 2}
        self.url = self.sqs.create_queue(
            QueueName=name,
            Attributes={"RedrivePolicy": json.dumps(redrive), "VisibilityTimeout": str(visibility_seconds)},
        )["QueueUrl"]
        self.arn = self._arn(self.url)

    def _arn(self, url: str) -> str:
        return self.sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]

    def send(self, *bodies: str) -> None:
        for body in bodies:
            self.sqs.send_message(QueueUrl=self.url, MessageBody=body)

    def depth(self, url: str) -> int:
        names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
        answer = self.sqs.get_queue_attributes(QueueUrl=url, AttributeNames=names)  # type: ignore[arg-type]
        return sum(int(count) for count in answer["Attributes"].values())

    def settle(self, left: int, dead: int) -> None:
        """Wait until so many messages are on the queues."""
        give_up = time.monotonic() + 20
        while (self.depth(self.url), self.depth(self.dead_letters)) != (left, dead):
            assert time.monotonic() < give_up
            time.sleep(0.02)

    def feed(
        self, function: Recorder, batch_size: int = 10, ended: Callable[[Invocation], None] = lambda _: None
    ) -> EventSourceMapping:
        mapping = Mapping(self.arn, batch_size, window=0.3, concurrency=2, partial=True)
        return EventSourceMapping(self.sqs, mapping, cast("Function", function), ended)


@pytest.fixture(scope="module")
def aws_url() -> Iterator[str]:
    with embedded_aws() as url:
        yield url


def test_messages_come_in_batches_and_are_deleted_when_done(aws_url: str) -> None:
    queues = Queues(aws_url, visibility_seconds=60)
    function = Recorder(lambda _: None)
    queues.send(*"abcdefghijkl")
    mapping = queues.feed(function, batch_size=5)
    queues.settle(0, 0)
    mapping.close()
    assert sorted(record["body"] for batch in function.batches for record in batch) == list("abcdefghijkl")
    assert max(len(batch) for batch in function.batches) == 5
    record = function.batches[0][0]
    assert record["eventSource"] == "aws:sqs"
    assert record["eventSourceARN"] == queues.arn
    assert record["attributes"]["ApproximateReceiveCount"] == "1"
    assert record["md5OfBody"] == hashlib.md5(record["body"].encode(), usedforsecurity=False).hexdigest()


def test_a_mapping_goes_on_after_trouble_and_tells_of_it(aws_url: str) -> None:
    queues = Queues(aws_url, visibility_seconds=1)
    told: list[Invocation] = []
    broken = [True]

    def answer(_: object) -> None:
        if broken.pop():
            broken.append(False)
            raise RuntimeError("no room")
        broken.append(False)

    mapping = queues.feed(Recorder(answer), ended=told.append)
    queues.send("one")
    queues.settle(0, 0)
    mapping.close()
    assert [invocation.error["errorMessage"] for invocation in told if invocation.error] == [
        "The event source mapping failed: no room"
    ]


def test_only_what_failed_comes_back_and_goes_to_the_dead_letters_at_last(aws_url: str) -> None:
    queues = Queues(aws_url, visibility_seconds=1)
    function = Recorder(
        lambda records: {
            "batchItemFailures": [{"itemIdentifier": each["messageId"]} for each in records if each["body"] == "bad"]
        }
    )
    queues.send("good", "bad", "fine")
    mapping = queues.feed(function)
    queues.settle(0, 1)
    mapping.close()
    bodies = [record["body"] for batch in function.batches for record in batch]
    assert sorted(bodies) == ["bad", "bad", "fine", "good"]
