"""Tests of the lines that `doctor` reads from the function's log."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator

import pytest
from moto import mock_aws

from console import aws
from console.function_log import last_errors
from console.stack import Connector, Location

GROUP = "acme-function"
AWS = {"aws_access_key_id": "test", "aws_secret_access_key": "test"}
CONNECTOR = Connector(
    "acme",
    {"bucket": "b", "log_group_name": GROUP},
    Location("test", aws_credentials=AWS, region="us-east-1"),
)


@pytest.fixture(autouse=True)
def log() -> Iterator[None]:
    with mock_aws():
        client = aws.logs(CONNECTOR)
        client.create_log_group(logGroupName=GROUP)
        client.create_log_stream(logGroupName=GROUP, logStreamName="s")
        now = int(time.time() * 1000)
        events = [
            {"level": "INFO", "message": "sweep"},
            {"level": "WARNING", "message": "message refused", "reason": "The message is not valid JSON."},
            {
                "level": "ERROR",
                "message": "message failed",
                "exception": 'Traceback (most recent call last):\n  File "x.py"\nClientError: Access Denied',
                "exception_name": "ClientError",
            },
            {"level": "ERROR", "message": "sweep failed", "exception_name": "KeyError"},
            {"level": "WARNING", "message": "another function went on with the audience", "reason": "lease"},
        ]
        client.put_log_events(
            logGroupName=GROUP,
            logStreamName="s",
            logEvents=[
                *({"timestamp": now + index, "message": json.dumps(event)} for index, event in enumerate(events)),
                {"timestamp": now + 9, "message": "2026-01-31T12:00:00Z abc Task timed out after 900.00 seconds"},
            ],
        )
        yield


def test_errors_and_refused_messages_are_returned_with_their_causes_newest_first() -> None:
    assert [line.message for line in last_errors(CONNECTOR, 60, 5)] == [
        "2026-01-31T12:00:00Z abc Task timed out after 900.00 seconds",
        "sweep failed (KeyError)",
        "message failed: ClientError: Access Denied",
        "message refused: The message is not valid JSON.",
    ]


def test_the_number_of_errors_is_limited() -> None:
    assert len(last_errors(CONNECTOR, 60, 2)) == 2
