"""Queue operations: depth, age of the oldest message, dead letters with their causes, and redrive."""

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
_VISIBILITY_SECONDS = 60  # visibility timeout while dead letters are read or moved
_MAX_BATCH = 10
_METRIC_WINDOW = timedelta(minutes=15)  # long enough for CloudWatch's delay of a few minutes
_MAX_SHOWN = 100


@dataclass(frozen=True)
class DeadLetter:
    """A message on the dead-letter queue, without its content.

    Attributes:
        about: the object's key, or `a sweep`, or `another message`.
        cause: the reason why it is on the dead-letter queue.
        receives: SQS's approximate number of receives, which includes those by the console.
        sent_at: Unix time in seconds.
    """

    about: str
    cause: str
    receives: int
    sent_at: float


def depths(connector: Connector, output: str) -> dict[str, int]:
    """Return the depth of a queue as the numbers of messages `waiting`, `in_flight` and `delayed`.

    Args:
        connector: the connector that owns the queue.
        output: the stack output with the queue's URL.

    Raises:
        ConsoleError: the output is missing, or the queue's attributes cannot be read.
    """
    with aws.translate_errors("read the queue's attributes", connector):
        response = aws.sqs(connector).get_queue_attributes(
            QueueUrl=connector.output(output),
            AttributeNames=list(_DEPTHS.values()),  # type: ignore[arg-type]  # literals of the stubs
        )
    return {name: int(response["Attributes"][attribute]) for name, attribute in _DEPTHS.items()}  # type: ignore[index]


def oldest_age(connector: Connector) -> timedelta | None:
    """Return the age of the oldest message on the queue from CloudWatch; None if there is no recent figure.

    The SQS API does not return this age, and receiving messages would hide them from the function. CloudWatch has a
    figure for each minute in which the queue is active, and publishes it a few minutes later.

    Raises:
        ConsoleError: the stack output with the queue's URL is missing, or the metrics cannot be read.
    """
    now = datetime.now(UTC)
    with aws.translate_errors("read the metrics", connector):
        response = aws.cloudwatch(connector).get_metric_statistics(
            Namespace="AWS/SQS",
            MetricName="ApproximateAgeOfOldestMessage",
            Dimensions=[{"Name": "QueueName", "Value": connector.output("queue_url").rpartition("/")[2]}],
            StartTime=now - _METRIC_WINDOW,
            EndTime=now,
            Period=60,
            Statistics=["Maximum"],
        )
    newest = max(response["Datapoints"], key=lambda point: point["Timestamp"], default=None)
    return timedelta(seconds=newest["Maximum"]) if newest else None


def dead_letters(connector: Connector) -> list[DeadLetter]:
    """Return the dead letters, up to about 100. They stay on the queue.

    Raises:
        ConsoleError: the stack output with the queue's URL is missing, or the dead-letter queue cannot be read.
    """
    url = connector.output("dead_letter_queue_url")
    client = aws.sqs(connector)
    with aws.translate_errors("read the dead letters", connector):
        found = list(_receive(connector, url, _MAX_SHOWN))
        for message in found:
            client.change_message_visibility(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"], VisibilityTimeout=0)
    return [describe(message) for message in found]


def redrive(connector: Connector, on_moved: Callable[[DeadLetter], None] = lambda _: None) -> int:
    """Move all dead letters back to the connector's queue, and return the number of moved messages.

    Each message is sent before it is deleted. If the deletion fails, the message is delivered twice, which is safe
    because the function is idempotent.

    Raises:
        ConsoleError: a stack output with a queue's URL is missing, or AWS returned an error.
    """
    source, target = connector.output("dead_letter_queue_url"), connector.output("queue_url")
    client = aws.sqs(connector)
    moved = 0
    with aws.translate_errors("move the dead letters", connector):
        for message in _receive(connector, source, None):
            client.send_message(QueueUrl=target, MessageBody=message["Body"])
            client.delete_message(QueueUrl=source, ReceiptHandle=message["ReceiptHandle"])
            moved += 1
            on_moved(describe(message))
    return moved


def _receive(connector: Connector, url: str, limit: int | None) -> Iterator[MessageTypeDef]:
    client = aws.sqs(connector)
    seen: set[str] = set()
    started = time.monotonic()
    while limit is None or len(seen) < limit:
        response = client.receive_message(
            QueueUrl=url,
            MaxNumberOfMessages=_MAX_BATCH,
            VisibilityTimeout=_VISIBILITY_SECONDS,
            WaitTimeSeconds=1,
            AttributeNames=["All"],
            MessageAttributeNames=["All"],
        )
        new = [message for message in response.get("Messages", ()) if message["MessageId"] not in seen]
        if not new:
            return
        seen |= {message["MessageId"] for message in new}
        yield from new
        if limit is not None and time.monotonic() - started > _VISIBILITY_SECONDS / 2:
            return  # the first messages will soon become visible again


def describe(message: MessageTypeDef) -> DeadLetter:
    """Return the description of a dead letter."""
    attributes = message.get("Attributes", {})
    # EventBridge adds these attributes to an event that it could not deliver.
    delivery = {name: value.get("StringValue", "") for name, value in message.get("MessageAttributes", {}).items()}
    receives = int(attributes.get("ApproximateReceiveCount", 0))
    if "ERROR_CODE" in delivery:
        cause = (
            f"EventBridge could not deliver it: {delivery['ERROR_CODE']} {delivery.get('ERROR_MESSAGE', '')}".strip()
        )
    else:
        cause = "the function failed on it every time; look at the errors in the function's log"
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
