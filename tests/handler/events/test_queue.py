"""The time until failed and returned messages are delivered again."""

from __future__ import annotations

import logging

import pytest
from aws_lambda_powertools import Logger

from handler.events.queue import Queue, QueueRecord, backoff_seconds
from tests.handler.world import World


@pytest.mark.parametrize(
    ("receives", "seconds"), [(1, 60), (2, 120), (3, 240), (6, 1920), (7, 3600), (12, 3600), (5000, 3600)]
)
def test_the_back_off_of_a_failed_message_doubles_up_to_one_hour(receives: int, seconds: int) -> None:
    assert backoff_seconds(receives) == seconds


def _received(world: World, count: int) -> list[QueueRecord]:
    records: list[QueueRecord] = []
    for number in range(count):
        world.sqs.send_message(QueueUrl=world.queue_url, MessageBody=str(number))
    while len(records) < count:
        messages = world.sqs.receive_message(QueueUrl=world.queue_url, MaxNumberOfMessages=10)["Messages"]
        records += [QueueRecord(each["MessageId"], each["ReceiptHandle"], each["Body"], 1) for each in messages]
    return records


def _visible(world: World) -> int:
    attributes = world.sqs.get_queue_attributes(QueueUrl=world.queue_url, AttributeNames=["All"])["Attributes"]
    return int(attributes["ApproximateNumberOfMessages"])


def test_returned_messages_are_visible_immediately_and_failed_ones_stay_hidden(world: World) -> None:
    records = _received(world, 12)
    queue = Queue(world.sqs, world.queue_url)
    queue.set_visibility(records[:11], Logger(service="test-queue"), immediately=True)
    queue.set_visibility(records[11:], Logger(service="test-queue"))
    assert _visible(world) == 11


def test_an_entry_that_sqs_refuses_is_logged_and_does_not_affect_the_others(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    (record,) = _received(world, 1)
    forged = QueueRecord("m", "no such handle", "", 1)
    logger = Logger(service="test-queue-refused")
    logging.getLogger("test-queue-refused").propagate = True
    Queue(world.sqs, world.queue_url).set_visibility([forged, record], logger, immediately=True)
    assert _visible(world) == 1
    assert "visibility not set" in caplog.text
