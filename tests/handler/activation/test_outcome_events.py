"""Outcome events, delivered by a rule on the default event bus."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from handler.activation.outcome_events import DETAIL_TYPE, SOURCE
from tests.handler.world import World, lines, people
from tests.servers import InProcessAws

VALID, INVALID = "tiktok/vip/email_sha256/append/2026-01-31/a.csv", "tiktok/vip/emails/b.csv"


@pytest.fixture
def publishing(world: World, aws: InProcessAws) -> Iterator[World]:
    """A world with the option `outcomeEvents`, and a rule that sends its events to the queue."""
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
    """Receive events from the queue, and return their details."""
    return [json.loads(body)["detail"] for body in world.messages()]


def test_only_a_final_status_is_published(publishing: World) -> None:
    report = publishing.activate(VALID, lines(people(0, 2000)))
    assert report["status"] == "submitted"
    assert details(publishing) == []
    publishing.sweep(hours=50)
    assert details(publishing) == [
        {
            "status": "available",
            "code": "available",
            "reason": "The audience is ready. TikTok matched 2,000 people.",
            "bucket": publishing.bucket,
            "key": VALID,
            "version_id": report["file"]["version_id"],
            "run": "2026-01-31",
            "audience": report["audience"],
            "rows": {"total": 2000, "accepted": 2000, "rejected": 0, "overtaken": 0},
            "matched": 2000,
        }
    ]
    publishing.sweep(hours=1)
    assert details(publishing) == []


def test_an_invalid_key_is_published_without_an_audience(publishing: World) -> None:
    publishing.activate(INVALID, b"")
    (detail,) = details(publishing)
    assert (detail["status"], detail["code"]) == ("rejected", "unknown_identifier_type")
    assert (detail["audience"], detail["matched"]) == (None, None)


def test_an_event_that_could_not_be_sent_is_sent_by_the_next_sweep(publishing: World) -> None:
    publishing.activate(VALID, lines(people(0, 2000)))
    publishing.pass_time(50)
    publishing.hooks.before = lambda _, path: "400 Bad Request" if path == "/AWSEvents.PutEvents" else None
    publishing.deliver('{"sweep": true}')
    assert publishing.outcome(VALID) == ("available", "available")
    assert (details(publishing), publishing.pending()) == ([], [VALID])
    publishing.hooks.before = lambda *_: None
    publishing.sweep(hours=1)
    assert [detail["status"] for detail in details(publishing)] == ["available"]
    assert publishing.pending() == []


def test_without_the_option_no_event_is_published(publishing: World) -> None:
    publishing.function = publishing.function._replace(events=None)
    publishing.activate(INVALID, b"")
    assert details(publishing) == []
