"""Every option changes the inputs that it is for, and no others."""

from __future__ import annotations

import json
from typing import Any

import pytest

from components.checks import CHECKS
from tests.components.harness import Program, Resource, run_program

TOPIC = "arn:aws:sns:us-east-1:111122223333:on-call"
EXPORTER = "arn:aws:iam::444455556666:role/exporter"
ALARMS = 17
KEY = "arn:aws:kms:us-east-1:111122223333:key/1234abcd"
SECRET = "arn:aws:secretsmanager:us-east-1:111122223333:secret:app-AbCdEf"

# Option -> a value, the inputs that it changes, and the resources that it adds.
CHANGES: dict[str, tuple[dict[str, Any], set[str], set[str]]] = {
    "bucketName": (
        {"bucketName": "people"},
        # All inputs except Bucket.bucket refer to the bucket.
        {
            *("Bucket.bucket", "BucketPolicy.bucket", "BucketPolicy.policy", "BucketNotification.bucket"),
            *("BucketLifecycleConfiguration.bucket", "BucketOwnershipControls.bucket"),
            *("BucketPublicAccessBlock.bucket", "BucketVersioning.bucket"),
            *("BucketServerSideEncryptionConfiguration.bucket", "EventRule.eventPattern"),
            *("Function.environment", "RolePolicy.policy"),
        },
        set(),
    ),
    "fileRetentionDays": (
        {"fileRetentionDays": 60},
        {"BucketLifecycleConfiguration.rules", "Function.environment"},
        set(),
    ),
    "reportRetentionDays": ({"reportRetentionDays": 500}, {"BucketLifecycleConfiguration.rules"}, set()),
    "logRetentionDays": ({"logRetentionDays": 30}, {"LogGroup.retentionInDays"}, set()),
    "memorySize": ({"memorySize": 1024}, {"Function.memorySize"}, set()),
    "maximumConcurrency": ({"maximumConcurrency": 20}, {"EventSourceMapping.scalingConfig"}, set()),
    "sweepMinutes": (
        {"sweepMinutes": 30},
        # The alarms for problems that sweeps find cover two sweeps, and no-sweep covers at least three.
        {
            *("Schedule.scheduleExpression", "Schedule.target"),
            *("MetricAlarm.evaluationPeriods", "MetricAlarm.datapointsToAlarm", "MetricAlarm.alarmDescription"),
        },
        set(),
    ),
    "settleSeconds": ({"settleSeconds": 0}, {"Function.environment"}, set()),
    "maxShrink": ({"maxShrink": 1}, {"Function.environment"}, set()),
    "outcomeEvents": ({"outcomeEvents": True}, {"Function.environment", "RolePolicy.policy"}, set()),
    "uploadRole": ({"uploadRole": {"principals": [EXPORTER]}}, set(), {"Role", "RolePolicy"}),
    "readers": ({"readers": [EXPORTER]}, {"KeyPolicy.policy", "BucketPolicy.policy"}, set()),
    "permissionsBoundary": (
        {"permissionsBoundary": "arn:aws:iam::111122223333:policy/boundary"},
        {"Role.permissionsBoundary"},
        set(),
    ),
    "rolePath": ({"rolePath": "/delivery/"}, {"Role.path"}, set()),
    "maxRejectedRatio": ({"maxRejectedRatio": 0.02}, {"Function.environment"}, set()),
    "alarmTopicArns": ({"alarmTopicArns": [TOPIC]}, {"MetricAlarm.alarmActions"}, set()),
    "alarmEmail": (
        {"alarmEmail": "data@acme.example"},
        {"KeyPolicy.policy", "MetricAlarm.alarmActions"},
        {"Topic", "TopicPolicy", "TopicSubscription"},
    ),
    "uploaders": ({"uploaders": [EXPORTER]}, {"KeyPolicy.policy", "BucketPolicy.policy"}, set()),
    "eventArchiveDays": ({"eventArchiveDays": 30}, {"KeyPolicy.policy"}, {"EventArchive"}),
    "tiktokApiUrl": ({"tiktokApiUrl": "https://tiktok.acme.example"}, {"Function.environment"}, set()),
    "accessToken": ({"accessToken": "t", "advertiserId": "7"}, set(), {"SecretVersion"}),
    "advertiserId": ({"accessToken": "t", "advertiserId": "7"}, set(), {"SecretVersion"}),
    "credentialsSecretArn": (
        {"credentialsSecretArn": SECRET, "advertiserId": "7"},
        {"Function.environment", "RolePolicy.policy"},
        set(),
    ),
    "kmsKeyArn": (
        {"kmsKeyArn": KEY},
        {
            *("BucketPolicy.policy", "BucketServerSideEncryptionConfiguration.rules", "Function.kmsKeyArn"),
            *("LogGroup.kmsKeyId", "Queue.kmsMasterKeyId", "RolePolicy.policy", "Schedule.kmsKeyArn"),
            "Secret.kmsKeyId",
        },
        set(),
    ),
    "retainData": ({"retainData": False}, {"Bucket.forceDestroy"}, set()),
    "tags": (
        {"tags": {"team": "media"}},
        {
            f"{kind}.tags"
            for kind in (
                *("Bucket", "EventRule", "EventSourceMapping", "Function", "Key", "LogGroup", "MetricAlarm", "Queue"),
                *("Role", "Secret"),
            )
        },
        set(),
    ),
}


# Option -> the resources that it replaces with existing ones.
REMOVED = {"kmsKeyArn": {"Alias", "Key", "KeyPolicy"}, "credentialsSecretArn": {"Secret"}}


@pytest.fixture(scope="module")
def plain() -> Program:
    return run_program([{"name": "acme"}])


def short(resource: Resource) -> str:
    return resource.type.rpartition(":")[2]


def inputs(program: Program) -> dict[str, dict[str, Any]]:
    return {resource.urn: dict(resource.inputs) for resource in program.children("acme")}


def test_every_option_has_an_entry() -> None:
    assert CHANGES.keys() == CHECKS.keys()


@pytest.mark.processes
@pytest.mark.parametrize("option", CHANGES)
def test_an_option_changes_only_its_own_inputs_and_resources(plain: Program, option: str) -> None:
    settings, expected, added = CHANGES[option]
    changed = run_program([{"name": "acme", **settings}])
    before, after = inputs(plain), inputs(changed)
    assert {urn.rpartition("::")[0].rpartition(":")[2] for urn in before if urn not in after} == REMOVED.get(
        option, set()
    )
    assert {
        f"{urn.rpartition(':')[0].rpartition(':')[0].rpartition(':')[2]}.{name}"
        for urn in before.keys() & after.keys()
        for name in before[urn].keys() | after[urn].keys()
        if before[urn].get(name) != after[urn].get(name)
    } == expected
    assert {short(resource) for resource in changed.children("acme") if resource.urn not in before} == added


def test_the_values_of_options_become_inputs(everything: Program) -> None:
    one = everything.one
    assert one("acme", "bucket:Bucket").inputs["bucket"] == "acme-people-and-nothing-else"
    days = {
        rule["id"]: rule.get("expiration", {}).get("days")
        for rule in one("acme", "LifecycleConfiguration").inputs["rules"]
    }
    assert (days["uploads"], days["reports"]) == (60, 500)
    assert one("acme", "LogGroup").inputs["retentionInDays"] == 30
    function = one("acme", "Function").inputs
    assert function["memorySize"] == 1024
    assert function["environment"]["variables"]["ADVERTISER"] == "acme/dev"
    assert function["environment"]["variables"]["MAX_REJECTED_RATIO"] == "0.02"
    assert function["environment"]["variables"]["TIKTOK_API_URL"] == "https://tiktok.acme.example"
    assert one("acme", "EventSourceMapping").inputs["scalingConfig"] == {"maximumConcurrency": 20}
    assert one("acme", "Schedule").inputs["scheduleExpression"] == "rate(1 minute)"
    assert one("acme-b", "Schedule").inputs["scheduleExpression"] == "rate(5 minutes)"
    assert one("acme", "EventArchive").inputs["retentionDays"] == 90
    assert one("acme", "TopicSubscription").inputs["endpoint"] == "data@acme.example"
    actions = [
        resource.inputs["alarmActions"] for resource in everything.children("acme") if "alarmActions" in resource.inputs
    ]
    assert len(actions) == ALARMS
    assert all(each == [TOPIC, one("acme", "topic:Topic").outputs["arn"]] for each in actions)


def test_files_and_reports_expire_after_the_default_days_and_state_never_does(plain: Program) -> None:
    rules = {rule["filter"]["prefix"]: rule for rule in plain.one("acme", "LifecycleConfiguration").inputs["rules"]}
    assert rules["tiktok/"]["expiration"] == {"days": 45}
    assert rules["tiktok/"]["noncurrentVersionExpiration"] == {"noncurrentDays": 45}
    assert rules["reports/"]["expiration"] == {"days": 400}
    for prefix in ("audiences/", "pending/"):
        assert rules[prefix]["expiration"] == {"expiredObjectDeleteMarker": True}
    assert rules[""]["abortIncompleteMultipartUpload"] == {"daysAfterInitiation": 7}


def test_the_rule_matches_only_uploads_to_this_bucket(plain: Program) -> None:
    pattern = json.loads(plain.one("acme", "EventRule").inputs["eventPattern"])
    assert pattern == {
        "source": ["aws.s3"],
        "detail-type": ["Object Created"],
        "detail": {
            "bucket": {"name": [plain.one("acme", "bucket:Bucket").outputs["bucket"]]},
            "object": {"key": [{"prefix": {"equals-ignore-case": "tiktok/"}}]},
        },
    }
