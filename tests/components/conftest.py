"""Fixtures with runs of the real program, which many tests share."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from sandbox.processes import ServerProcess
from tests.components.harness import Program, run_program

# Two advertisers whose names are easily confused. The first has every option except kmsKeyArn, credentialsSecretArn and
# retainData.
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
        "settleSeconds": 60,
        "maxRejectedRatio": 0.02,
        "maxShrink": 0.25,
        "alarmTopicArns": ["arn:aws:sns:us-east-1:111122223333:on-call"],
        "alarmEmail": "data@acme.example",
        "outcomeEvents": True,
        "uploaders": ["arn:aws:iam::444455556666:role/exporter", "arn:aws:iam::111122223333:user/warehouse"],
        "uploadRole": {"principals": ["arn:aws:iam::444455556666:root"], "externalId": "acme-4711"},
        "readers": ["arn:aws:iam::444455556666:role/analyst", "arn:aws:iam::111122223333:user/marketer"],
        "eventArchiveDays": 90,
        "tiktokApiUrl": "https://tiktok.acme.example",
        "accessToken": "a-token-nobody-may-see",
        "advertiserId": "7000000000000000001",
        "permissionsBoundary": "arn:aws:iam::111122223333:policy/boundary",
        "rolePath": "/delivery/",
        "tags": {"team": "media"},
    },
    {
        "name": "acme-b",
        "alarmEmail": "data@acme-b.example",
        "outcomeEvents": True,
        "uploaders": ["arn:aws:iam::777788889999:role/exporter"],
        "uploadRole": {"principals": ["arn:aws:iam::777788889999:role/exporter"]},
        "readers": ["arn:aws:iam::777788889999:role/analyst"],
        "eventArchiveDays": 30,
        "accessToken": "another-token-nobody-may-see",
        "advertiserId": "7000000000000000002",
    },
]


@pytest.fixture(scope="session")
def program() -> Program:
    """A run of the program with two advertisers without options."""
    return run_program([{"name": "acme"}, {"name": "globex"}])


@pytest.fixture(scope="session")
def everything() -> Program:
    """A run of the program with the advertisers in `EVERYTHING`."""
    return run_program(EVERYTHING, secret=True)


# An agency uses one existing key and one existing secret for all its advertisers.
KEY = "arn:aws:kms:us-east-1:999988887777:key/1234abcd-12ab-34cd-56ef-1234567890ab"
SECRET = "arn:aws:secretsmanager:us-east-1:111122223333:secret:agency/tiktok-app-AbCdEf"
SHARED: list[dict[str, Any]] = [
    {"name": name, "kmsKeyArn": KEY, "credentialsSecretArn": SECRET, "advertiserId": f"700000000000000000{number}"}
    | {"alarmEmail": "data@agency.example", "eventArchiveDays": 30}
    for number, name in enumerate(("acme", "globex"))
]


@pytest.fixture(scope="session")
def shared() -> Program:
    """A run of the program with two advertisers that share a key and a secret."""
    return run_program(SHARED)


@pytest.fixture(scope="session")
def aws_url() -> Iterator[str]:
    """The URL of an embedded AWS in a separate process. moto can enforce permissions only for a complete process."""
    with ServerProcess("sandbox.aws.server") as server:
        yield server.url
