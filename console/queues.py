"""Queues: their depth, the dead letters with their causes, and their redrive."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from console import aws
from console.stack import Connector

if TYPE_CHECKING:
    from mypy_boto3_sqs.type_defs import MessageTypeDef

_DEPTHS = {
    "waiting": "ApproximateNumberOfMessages",
    "in_flight": "ApproximateNumberOfMessagesNotVisible",
    "delayed": "ApproximateNumberOfMessagesDelayed",
}
_HIDE_SECONDS = 60  # while dead letters are shown or moved
_AT_ONCE = 10
_MEASURED_WITHIN = timedelta(minutes=15)  # CloudWatch shows a minute some minutes later
_MAX_SHOWN = 100


@dataclass(frozen=True)
class DeadLetter:
    """A message on the dead-letter queue, without its content.

    Attributes:
        about: the object's key, or `a sweep`, or `another message`.
        cause: why it is here.
        receives: how often the function received it; 0 if it never came that far.
        sent_at: seconds since 1970.
    """

    about: str
    cause: str
    receives: int
    sent_at: float


def depths(connector: Connector, output: str) -> dict[str, int]:
    """Return the depth of a queue: messages `waiting`, `in_flight` and `delayed`.

    Args:
        connector: whose.
        output: the stack's output with its URL.

    Raises:
        ConsoleError: it may not be looked at.
    """
    with aws.explained("look at the queue", connector):
        answer = aws.sqs(connector).get_queue_attributes(
            QueueUrl=connector.output(output),
            AttributeNames=list(_DEPTHS.values()),  # type: ignore[arg-type]  # literals of the stubs
        )
    return {name: int(answer["Attributes"][attribute]) for name, attribute in _DEPTHS.items()}  # type: ignore[index]


def oldest_age(connector: Connector) -> timedelta | None:
    """Return the age of the oldest message on the queue as CloudWatch measured it last; None if it has not.

    SQS itself does not tell, and receiving messages would hide them from the function. CloudWatch has a figure for each
    minute in which the queue is active.

    Raises:
        ConsoleError: it may not be looked at.
    """
    now = datetime.now(UTC)
    with aws.explained("look at the metrics", connector):
        answer = aws.cloudwatch(connector).get_metric_statistics(
            Namespace="AWS/SQS",
            MetricName="ApproximateAgeOfOldestMessage",
            Dimensions=[{"Name": "QueueName", "Value": connector.output("queue_url").rpartition("/")[2]}],
            StartTime=now - _MEASURED_WITHIN,
            EndTime=now,
            Period=60,
            Statistics=["Maximum"],
        )
    newest = max(answer["Datapoints"], key=lambda point: point["Timestamp"], default=None)
    return timedelta(seconds=newest["Maximum"]) if newest else None


def dead_letters(connector: Connector) -> list[DeadLetter]:
    """Return the dead letters, up to 100. They stay on the queue.

    Raises:
        ConsoleError: they may not be read.
    """
    url = connector.output("dead_letter_queue_url")
    client = aws.sqs(connector)
    with aws.explained("read the dead letters", connector):
        found = list(_receive(connector, url, _MAX_SHOWN))
        for message in found:
            client.change_message_visibility(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"], VisibilityTimeout=0)
    return [describe(message) for message in found]


def redrive(connector: Connector, tell: Callable[[DeadLetter], None] = lambda _: None) -> int:
    """Move all dead letters back to the connector's queue: receive, send, delete, in this order; return the count.

    A message that is sent and then not deleted is delivered twice, which the function takes well.

    Raises:
        ConsoleError: AWS refuses.
    """
    source, target = connector.output("dead_letter_queue_url"), connector.output("queue_url")
    client = aws.sqs(connector)
    moved = 0
    with aws.explained("move the dead letters", connector):
        for message in _receive(connector, source, None):
            client.send_message(QueueUrl=target, MessageBody=message["Body"])
            client.delete_message(QueueUrl=source, ReceiptHandle=message["ReceiptHandle"])
            moved += 1
            tell(describe(message))
    return moved


def _receive(connector: Connector, url: str, limit: int | None) -> Iterator[MessageTypeDef]:
    client = aws.sqs(connector)
    seen: set[str] = set()
    begun = time.monotonic()
    while limit is None or len(seen) < limit:
        answer = client.receive_message(
            QueueUrl=url,
            MaxNumberOfMessages=_AT_ONCE,
            VisibilityTimeout=_HIDE_SECONDS,
            WaitTimeSeconds=1,
            AttributeNames=["All"],
            MessageAttributeNames=["All"],
        )
        new = [message for message in answer.get("Messages", ()) if message["MessageId"] not in seen]
        if not new:
            return
        seen |= {message["MessageId"] for message in new}
        yield from new
        if limit is not None and time.monotonic() - begun > _HIDE_SECONDS / 2:
            return  # the first ones are about to show up again


def describe(message: MessageTypeDef) -> DeadLetter:
    """Return the description of a dead letter."""
    attributes = message.get("Attributes", {})
    given = {name: value.get("StringValue", "") for name, value in message.get("MessageAttributes", {}).items()}
    receives = int(attributes.get("ApproximateReceiveCount", 0))
    if "ERROR_CODE" in given:
        cause = f"EventBridge could not deliver it: {given['ERROR_CODE']} {given.get('ERROR_MESSAGE', '')}".strip()
    else:
        cause = "the function failed with it every time: see the errors in its log"
    return DeadLetter(
        _about(message.get("Body", "")), cause, receives, float(attributes.get("SentTimestamp", 0)) / 1000
    )


def _about(body: str) -> str:
    try:
        content = json.loads(body)
        if isinstance(content, dict) and content.get("sweep"):
            return "a sweep"
        return str(content["detail"]["object"]["key"])
    except (ValueError, KeyError, TypeError):
        return "another message"
