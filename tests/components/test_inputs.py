"""What each kind of resource must be told for nothing to be lost, seen or open: one table, from the registrations."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from tests.components.harness import Program, Resource

Url = Callable[[Program, str], object]


def _arn(kind: str, name: str | None = None) -> Url:
    return lambda program, advertiser: program.one(advertiser, kind, name and f"{advertiser}-{name}").outputs["arn"]


def _name(kind: str, name: str | None = None) -> Url:
    return lambda program, advertiser: program.one(advertiser, kind, name and f"{advertiser}-{name}").outputs["name"]


QUEUE, DEAD_LETTERS = _arn("queue:Queue", "queue"), _arn("queue:Queue", "dead-letters")
FOURTEEN_DAYS = 14 * 24 * 3600
# Logical name without the advertiser's (`*`: any) -> inputs; a function makes its value from the program.
EXPECTED: dict[tuple[str, str], dict[str, Any]] = {
    ("kms/key:Key", "*"): {"enableKeyRotation": True},
    ("s3/bucketPublicAccessBlock:BucketPublicAccessBlock", "*"): {
        "blockPublicAcls": True,
        "blockPublicPolicy": True,
        "ignorePublicAcls": True,
        "restrictPublicBuckets": True,
    },
    ("s3/bucketOwnershipControls:BucketOwnershipControls", "*"): {"rule": {"objectOwnership": "BucketOwnerEnforced"}},
    ("s3/bucketVersioning:BucketVersioning", "*"): {"versioningConfiguration": {"status": "Enabled"}},
    ("s3/bucketNotification:BucketNotification", "*"): {"eventbridge": True},
    ("sqs/queue:Queue", "queue"): {"messageRetentionSeconds": FOURTEEN_DAYS, "visibilityTimeoutSeconds": 6 * 900 + 5},
    ("sqs/queue:Queue", "dead-letters"): {"messageRetentionSeconds": FOURTEEN_DAYS},
    ("cloudwatch/eventTarget:EventTarget", "*"): {
        "arn": QUEUE,
        "rule": _name("EventRule"),
        "deadLetterConfig": lambda program, advertiser: {"arn": DEAD_LETTERS(program, advertiser)},
        "retryPolicy": {"maximumEventAgeInSeconds": 86400, "maximumRetryAttempts": 185},
    },
    ("lambda/function:Function", "*"): {
        "architectures": ["arm64"],
        "runtime": "python3.13",
        "handler": "handler.app.lambda_handler",
        "timeout": 900,
        "memorySize": 512,
        "role": _arn("iam/role:Role", "function"),
        "loggingConfig": lambda program, advertiser: {
            "logFormat": "JSON",
            "applicationLogLevel": "INFO",  # at a higher one the metrics would be dropped
            "logGroup": _name("LogGroup")(program, advertiser),
        },
    },
    ("lambda/eventSourceMapping:EventSourceMapping", "*"): {
        "eventSourceArn": QUEUE,
        "functionName": _name("lambda/function:Function"),
        "functionResponseTypes": ["ReportBatchItemFailures"],
        "batchSize": 10,
        "maximumBatchingWindowInSeconds": 5,
        "scalingConfig": {"maximumConcurrency": 5},
    },
    ("scheduler/schedule:Schedule", "*"): {
        "scheduleExpression": "rate(10 minutes)",
        "flexibleTimeWindow": {"mode": "OFF"},
    },
}


def found(program: Program, advertiser: str, kind: str, name: str) -> Resource:
    return program.one(advertiser, kind, None if name == "*" else f"{advertiser}-{name}")


@pytest.mark.parametrize("advertiser", ["acme", "globex"])
@pytest.mark.parametrize(("kind", "name"), EXPECTED, ids=lambda text: text.rpartition(":")[2])
def test_a_resource_is_told_what_it_must_be(program: Program, advertiser: str, kind: str, name: str) -> None:
    inputs = found(program, advertiser, kind, name).inputs
    for key, expected in EXPECTED[kind, name].items():
        assert inputs[key] == (expected(program, advertiser) if callable(expected) else expected), key


def test_objects_share_bucket_keys(program: Program) -> None:
    """Uploaders may use the key for the bucket, not for each object: without bucket keys they would be refused."""
    (rule,) = program.one("acme", "BucketServerSideEncryptionConfiguration").inputs["rules"]
    assert rule["bucketKeyEnabled"] is True
    assert rule["applyServerSideEncryptionByDefault"]["sseAlgorithm"] == "aws:kms"


def test_what_fails_goes_to_the_dead_letters_of_the_same_connector(program: Program) -> None:
    queue, dead_letters = (_arn("queue:Queue", name)(program, "acme") for name in ("queue", "dead-letters"))
    inputs = program.one("acme", "queue:Queue", "acme-queue").inputs
    assert json.loads(inputs["redrivePolicy"]) == {"deadLetterTargetArn": dead_letters, "maxReceiveCount": 12}
    allowed = program.one("acme", "RedriveAllowPolicy").inputs
    assert allowed["queueUrl"] == program.one("acme", "queue:Queue", "acme-dead-letters").outputs["url"]
    assert json.loads(allowed["redriveAllowPolicy"]) == {"redrivePermission": "byQueue", "sourceQueueArns": [queue]}
    assert "redrivePolicy" not in program.one("acme", "queue:Queue", "acme-dead-letters").inputs


def test_the_schedule_sends_a_sweep_to_the_queue(program: Program) -> None:
    target = program.one("acme", "Schedule").inputs["target"]
    assert target["arn"] == QUEUE(program, "acme")
    assert target["roleArn"] == _arn("iam/role:Role", "schedule")(program, "acme")
    assert json.loads(target["input"]) == {"sweep": True}


def test_alarms_are_mailed_as_sentences(everything: Program) -> None:
    assert everything.one("acme", "TopicSubscription").inputs["protocol"] == "email"
