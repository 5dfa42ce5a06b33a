"""Tests of the age of the oldest message, which `doctor` reads from CloudWatch."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from moto.sqs.models import sqs_backends

from components.alarm_table import _MAX_MESSAGE_AGE as ALARM_SECONDS
from console import aws, queues
from console.doctor import oldest_message
from console.errors import ConsoleError
from console.stack import Connector, Location
from tests.servers import ACCOUNT, embedded_aws

KEYS = {"aws_access_key_id": "test", "aws_secret_access_key": "test"}


@pytest.fixture
def connector() -> Iterator[Connector]:
    name = f"acme-{uuid4().hex}"
    with embedded_aws() as url:
        location = Location("test", aws_url=url, aws_credentials=KEYS, region="us-east-1")
        client = aws.sqs(Connector("acme", {"bucket": "b"}, location))
        outputs = {"bucket": "b", "queue_url": client.create_queue(QueueName=name)["QueueUrl"]}
        client.create_queue(QueueName=f"{name}-another")
        yield Connector("acme", outputs, location)


def send(connector: Connector, suffix: str, seconds_ago: int) -> None:
    """Send a message and backdate it in moto, because the SQS API cannot do so."""
    url = connector.output("queue_url") + suffix
    aws.sqs(connector).send_message(QueueUrl=url, MessageBody="{}")
    message: Any = sqs_backends[ACCOUNT]["us-east-1"].queues[url.rpartition("/")[2]]._messages[-1]
    message.sent_timestamp -= seconds_ago * 1000


@pytest.mark.processes
def test_the_age_is_that_of_the_oldest_message_on_this_queue(connector: Connector) -> None:
    assert queues.oldest_age(connector) == timedelta(0)
    send(connector, "-another", 90_000)
    for seconds in (60, 7300, 600):
        send(connector, "", seconds)
    age = queues.oldest_age(connector)
    assert age is not None
    assert 7300 <= age.total_seconds() < 7310


def test_a_queue_without_cloudwatch_metrics_has_no_age(connector: Connector) -> None:
    unknown = Connector("acme", {"bucket": "b", "queue_url": "https://sqs/123456789012/nobody"}, connector.location)
    assert queues.oldest_age(unknown) is None
    assert "has no figure" in oldest_message(None).found


def test_an_old_message_is_a_problem_above_the_limit_of_the_alarm() -> None:
    limit = timedelta(seconds=ALARM_SECONDS)
    assert (oldest_message(limit).health, oldest_message(limit).fix) == ("fine", "")
    old = oldest_message(limit + timedelta(minutes=5))
    assert old.health == "problem"
    assert old.found.startswith("It has waited for 125 min.")
    assert "event source mapping" in old.fix
    assert oldest_message(timedelta(seconds=3)).found == "No message has waited for a minute."


def test_the_error_names_the_missing_stack_output() -> None:
    with pytest.raises(ConsoleError, match="queue_url"):
        queues.oldest_age(Connector(None, {"bucket": "b"}, Location("test", region="us-east-1")))
