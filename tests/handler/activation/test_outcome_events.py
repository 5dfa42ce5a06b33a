"""Outcome events, as a rule on the default event bus delivers them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from handler.activation.outcome_events import DETAIL_TYPE, SOURCE
from tests.handler.world import World, lines, people
from tests.servers import InProcessAws

GOOD, WRONG = "tiktok/vip/email_sha256/append/2026-01-31/a.csv", "tiktok/vip/emails/b.csv"


@pytest.fixture
def told(world: World, aws: InProcessAws) -> Iterator[World]:
    """A function with `outcomeEvents`, and a rule that puts its events on a queue."""
    arn = world.sqs.get_queue_attributes(QueueUrl=world.queue_url, AttributeNames=["QueueArn"])["Attributes"][
        "QueueArn"
    ]
    pattern = {"source": [SOURCE], "detail-type": [DETAIL_TYPE], "detail": {"bucket": [world.bucket]}}
    aws.events.put_rule(Name=world.bucket, EventPattern=json.dumps(pattern))
    aws.events.put_targets(Rule=world.bucket, Targets=[{"Id": "queue", "Arn": arn}])
    world.function = world.function._replace(events=aws.events)
    yield world
    aws.events.remove_targets(Rule=world.bucket, Ids=["queue"])
    aws.events.delete_rule(Name=world.bucket)


def details(world: World) -> list[dict[str, Any]]:
    """Take the events that have arrived."""
    return [json.loads(body)["detail"] for body in world.messages()]


def test_a_final_status_is_an_event_and_no_other_is(told: World) -> None:
    report = told.activate(GOOD, lines(people(0, 2000)))
    assert report["status"] == "submitted"
    assert details(told) == []
    told.sweep(hours=50)
    assert details(told) == [
        {
            "status": "available",
            "code": "available",
            "reason": "The audience is ready. 2,000 people match.",
            "bucket": told.bucket,
            "key": GOOD,
            "version_id": report["file"]["version_id"],
            "run": "2026-01-31",
            "audience": report["audience"],
            "rows": {"total": 2000, "accepted": 2000, "rejected": 0, "overtaken": 0},
            "matched": 2000,
        }
    ]
    told.sweep(hours=1)
    assert details(told) == []


def test_a_wrong_key_is_an_event_without_an_audience(told: World) -> None:
    told.activate(WRONG, b"")
    (detail,) = details(told)
    assert (detail["status"], detail["code"]) == ("rejected", "unknown_identifier_type")
    assert (detail["audience"], detail["matched"]) == (None, None)


def test_an_event_that_could_not_be_sent_is_sent_by_the_next_sweep(told: World) -> None:
    told.activate(GOOD, lines(people(0, 2000)))
    told.pass_time(50)
    told.gate.before = lambda _, path: "400 Bad Request" if path == "/AWSEvents.PutEvents" else None
    told.deliver('{"sweep": true}')
    assert told.outcome(GOOD) == ("available", "available")
    assert (details(told), told.pending()) == ([], [GOOD])
    told.gate.before = lambda *_: None
    told.sweep(hours=1)
    assert [detail["status"] for detail in details(told)] == ["available"]
    assert told.pending() == []


def test_without_the_option_no_event_is_sent(told: World) -> None:
    told.function = told.function._replace(events=None)
    told.activate(WRONG, b"")
    assert details(told) == []
