"""Runs of the real program that many tests look at: they are made once."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from sandbox.processes import ServerProcess
from tests.components.harness import Program, run_program

# Every option, under the names most easily mistaken for one another.
EVERYTHING: list[dict[str, Any]] = [
    {
        "name": "acme",
        "bucketName": "acme-people-and-nothing-else",
        "fileRetentionDays": 60,
        "reportRetentionDays": 500,
        "logRetentionDays": 30,
        "memorySize": 1024,
        "maximumConcurrency": 20,
        "sweepMinutes": 1,
        "maxRejectedRatio": 0.02,
        "alarmTopicArns": ["arn:aws:sns:us-east-1:111122223333:on-call"],
        "alarmEmail": "data@acme.example",
        "uploaders": ["arn:aws:iam::444455556666:role/exporter", "arn:aws:iam::111122223333:role/warehouse"],
        "eventArchiveDays": 90,
        "tiktokApiUrl": "https://tiktok.acme.example",
        "accessToken": "a-token-nobody-may-see",
        "advertiserId": "7000000000000000001",
        "tags": {"team": "media"},
    },
    {
        "name": "acme-b",
        "alarmEmail": "data@acme-b.example",
        "uploaders": ["arn:aws:iam::777788889999:role/exporter"],
        "eventArchiveDays": 30,
        "accessToken": "another-token-nobody-may-see",
        "advertiserId": "7000000000000000002",
    },
]


@pytest.fixture(scope="session")
def program() -> Program:
    """The program with two plain advertisers."""
    return run_program([{"name": "acme"}, {"name": "globex"}])


@pytest.fixture(scope="session")
def everything() -> Program:
    """The program with every option, for `acme` and `acme-b`."""
    return run_program(EVERYTHING, secret=True)


@pytest.fixture(scope="session")
def aws_url() -> Iterator[str]:
    """An embedded AWS in a process of its own: whether it asks for rights is one switch for a whole process."""
    with ServerProcess("sandbox.aws.server") as server:
        yield server.url
