"""The inputs that protect data from loss and access, compared with the resources that the program registers."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from components.alarm_table import LOG_METRICS
from handler.report_codes import Code
from tests.components.conftest import KEY, SECRET
from tests.components.evaluator import as_list
from tests.components.harness import Program, Resource

Expected = Callable[[Program, str], object]


def _arn(kind: str, name: str | None = None) -> Expected:
    return lambda program, advertiser: program.one(advertiser, kind, name and f"{advertiser}-{name}").outputs["arn"]


def _name(kind: str, name: str | None = None) -> Expected:
    return lambda program, advertiser: program.one(advertiser, kind, name and f"{advertiser}-{name}").outputs["name"]


QUEUE, DEAD_LETTERS = _arn("queue:Queue", "queue"), _arn("queue:Queue", "dead-letters")
FOURTEEN_DAYS = 14 * 24 * 3600
# Type and logical name without the advertiser's name (`*`: any) -> inputs. A callable computes the expected value from
# the program.
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
            "applicationLogLevel": "INFO",  # a higher level would drop the metrics
            "logGroup": _name("LogGroup")(program, advertiser),
        },
    },
    # To continue a large file, the function sends messages to its own queue.
    ("lambda/functionRecursionConfig:FunctionRecursionConfig", "*"): {
        "functionName": _name("lambda/function:Function"),
        "recursiveLoop": "Allow",
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
        "scheduleExpression": "rate(5 minutes)",
        "flexibleTimeWindow": {"mode": "OFF"},
    },
}


def found(program: Program, advertiser: str, kind: str, name: str) -> Resource:
    return program.one(advertiser, kind, None if name == "*" else f"{advertiser}-{name}")


@pytest.mark.parametrize("advertiser", ["acme", "globex"])
@pytest.mark.parametrize(("kind", "name"), EXPECTED, ids=lambda text: text.rpartition(":")[2])
def test_a_resource_has_its_expected_inputs(program: Program, advertiser: str, kind: str, name: str) -> None:
    inputs = found(program, advertiser, kind, name).inputs
    for key, expected in EXPECTED[kind, name].items():
        assert inputs[key] == (expected(program, advertiser) if callable(expected) else expected), key


def test_objects_share_bucket_keys(program: Program) -> None:
    """Uploaders may use the key only with the bucket's ARN as the encryption context, which needs S3 Bucket Keys."""
    (rule,) = program.one("acme", "BucketServerSideEncryptionConfiguration").inputs["rules"]
    assert rule["bucketKeyEnabled"] is True
    assert rule["applyServerSideEncryptionByDefault"]["sseAlgorithm"] == "aws:kms"


def test_messages_that_fail_go_to_the_dead_letter_queue_of_the_same_connector(program: Program) -> None:
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


def test_alarms_are_sent_by_email_as_text(everything: Program) -> None:
    assert everything.one("acme", "TopicSubscription").inputs["protocol"] == "email"


def test_options_become_environment_variables_of_the_function(
    program: Program, everything: Program, shared: Program
) -> None:
    plain, all_set, agency = (
        one.one("acme", "lambda/function:Function").inputs["environment"]["variables"]
        for one in (program, everything, shared)
    )
    made_up = {"BUCKET_NAME", "CREDENTIALS_SECRET_ARN", "QUEUE_URL"}
    assert {name: value for name, value in plain.items() if name not in made_up} == {
        "ADVERTISER": "acme/dev",
        "FILE_RETENTION_DAYS": "45",
        "MAX_REJECTED_RATIO": "0.1",
        "MAX_SHRINK": "0.5",
        "OUTCOME_EVENTS": "false",
        "SETTLE_SECONDS": "300",
    }
    assert {name: value for name, value in all_set.items() if name not in made_up} == {
        "ADVERTISER": "acme/dev",
        "FILE_RETENTION_DAYS": "60",
        "MAX_REJECTED_RATIO": "0.02",
        "MAX_SHRINK": "0.25",
        "OUTCOME_EVENTS": "true",
        "SETTLE_SECONDS": "60",
        "TIKTOK_API_URL": "https://tiktok.acme.example",
    }
    assert (agency["CREDENTIALS_SECRET_ARN"], agency["ADVERTISER_ID"]) == (SECRET, "7000000000000000000")


def test_an_existing_key_and_secret_are_used_and_none_are_created(shared: Program) -> None:
    kinds = {resource.type.rpartition(":")[2] for resource in shared.resources}
    assert kinds.isdisjoint({"Key", "KeyPolicy", "Alias", "Secret", "SecretVersion"})
    for advertiser in ("acme", "globex"):
        outputs = shared.outputs["advertisers"][advertiser]
        assert (outputs["key_arn"], outputs["secret_arn"], outputs["secret_name"]) == (KEY, SECRET, "agency/tiktok-app")
        variables = shared.one(advertiser, "lambda/function:Function").inputs["environment"]["variables"]
        assert outputs["advertiser_id"] == variables["ADVERTISER_ID"]
        allowed = {
            action: statement["Resource"]
            for statement in shared.one(advertiser, "RolePolicy", f"{advertiser}-function").document()["Statement"]
            for action in as_list(statement["Action"])
        }
        assert allowed["secretsmanager:GetSecretValue"] == SECRET
        assert allowed["kms:Decrypt"] == allowed["kms:GenerateDataKey"] == KEY
        # The key may belong to another account. Nothing else may refer to that account.
        rest = {
            name: value
            for resource in shared.children(advertiser)
            for name, value in resource.inputs.items()
            if "999988887777" in json.dumps(value).replace(KEY, "")
        }
        assert rest == {}


def test_the_log_metrics_count_codes_that_exist(program: Program) -> None:
    """An alarm on a code that no report has would never fire."""
    codes = {code.value: code.status for code in Code}
    patterns = {
        resource.inputs["metricTransformation"]["name"]: resource.inputs["pattern"]
        for resource in program.children("acme")
        if resource.type.endswith("LogMetricFilter")
    }
    assert patterns == {
        "UploadsWithdrawn": '{ ($.status = "skipped") && (($.code = "withdrawn") || ($.alarm IS TRUE)) }',
        "UploadsNeedPerson": '{ ($.status = "waiting") && (($.code = "shrinks_too_much") || '
        '($.code = "audience_too_small") || ($.code = "audience_expired") || ($.code = "audience_limit_reached") || '
        "($.alarm IS TRUE)) }",
    }
    for status, counted in LOG_METRICS.values():
        assert all(status in codes[code] for code in counted)
