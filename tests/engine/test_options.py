"""The diff that the engine shows for each option when it is changed on a deployed stack."""

from __future__ import annotations

import pytest

from components.checks import CHECKS
from tests.components.test_options import CHANGES
from tests.engine.stacks import Engine, Run, Stack

# Option -> the diff when it is set on a connector without options. Only bucketName replaces resources with data.
# rolePath replaces roles, which have no data. kmsKeyArn and credentialsSecretArn replace the connector's key and secret
# with existing ones; the key and its policy stay in AWS unless retainData is false.
EXPECTED: dict[str, set[str]] = {
    "bucketName": {
        "replace Bucket bucket",
        "replace BucketLifecycleConfiguration bucket",
        "replace BucketNotification bucket",
        "replace BucketOwnershipControls bucket",
        "replace BucketPolicy bucket policy",
        "replace BucketPublicAccessBlock bucket",
        "replace BucketServerSideEncryptionConfiguration bucket",
        "replace BucketVersioning bucket",
        "update EventRule eventPattern",
        "update Function environment",
        "update KeyPolicy policy",
        "update RolePolicy policy",
    },
    "fileRetentionDays": {
        "update BucketLifecycleConfiguration rules",
        "update Function environment",
    },
    "reportRetentionDays": {
        "update BucketLifecycleConfiguration rules",
    },
    "logRetentionDays": {
        "update LogGroup retentionInDays",
    },
    "memorySize": {
        "update Function memorySize",
    },
    "maximumConcurrency": {
        "update EventSourceMapping scalingConfig",
    },
    "sweepMinutes": {
        "update MetricAlarm alarmDescription datapointsToAlarm evaluationPeriods",
        "update MetricAlarm evaluationPeriods",
        "update Schedule scheduleExpression target",
    },
    "settleSeconds": {
        "update Function environment",
    },
    "maxRejectedRatio": {
        "update Function environment",
    },
    "maxShrink": {
        "update Function environment",
    },
    "alarmTopicArns": {
        "update MetricAlarm alarmActions",
    },
    "alarmEmail": {
        "create Topic",
        "create TopicPolicy",
        "create TopicSubscription",
        "update KeyPolicy policy",
        "update MetricAlarm alarmActions",
    },
    "outcomeEvents": {
        "update Function environment",
        "update RolePolicy policy",
    },
    "uploaders": {
        "update BucketPolicy policy",
        "update KeyPolicy policy",
    },
    "uploadRole": {
        "create Role",
        "create RolePolicy",
    },
    "readers": {
        "update BucketPolicy policy",
        "update KeyPolicy policy",
    },
    "eventArchiveDays": {
        "create EventArchive",
        "update KeyPolicy policy",
    },
    "tiktokApiUrl": {
        "update Function environment",
    },
    "accessToken": {
        "create SecretVersion",
    },
    "advertiserId": {
        "create SecretVersion",
    },
    "credentialsSecretArn": {
        "delete Secret",
        "update Function environment",
        "update RolePolicy policy",
    },
    "kmsKeyArn": {
        "delete Alias",
        "delete Key",
        "delete KeyPolicy",
        "update BucketPolicy policy",
        "update BucketServerSideEncryptionConfiguration rules",
        "update Function kmsKeyArn",
        "update LogGroup kmsKeyId",
        "update Queue kmsMasterKeyId",
        "update RolePolicy policy",
        "update Schedule kmsKeyArn",
        "update Secret kmsKeyId",
    },
    "permissionsBoundary": {
        "update Role permissionsBoundary",
    },
    "rolePath": {
        "replace Role path",
        "replace RolePolicy role",
        "update Function role",
        "update Schedule target",
    },
    "retainData": {
        "update Bucket forceDestroy",
    },
    "tags": {
        "update Bucket tags",
        "update EventRule tags",
        "update EventSourceMapping tags",
        "update Function tags",
        "update Key tags",
        "update LogGroup tags",
        "update MetricAlarm tags",
        "update Queue tags",
        "update Role tags",
        "update Secret tags",
    },
}
# The kinds of resources with data.
WITH_DATA = ("Bucket", "Key", "Secret", "Queue")


@pytest.fixture(scope="module")
def deployed(engine: Engine, tmp_path_factory: pytest.TempPathFactory) -> Stack:
    """A deployed stack with one advertiser without options."""
    stack = Stack(engine, tmp_path_factory.mktemp("options"))
    stack.configure([{"name": "acme"}])
    assert stack.up().error is None
    return stack


def diff(run: Run) -> set[str]:
    """Return the steps in the format of the table, in which a replacement is one step instead of three."""
    return {
        f"{step.operation} {step.kind}{''.join(f' {name}' for name in sorted(step.changed))}"
        for step in run.steps
        if step.operation not in {"create-replacement", "delete-replaced"}
    }


def test_every_option_has_an_entry() -> None:
    assert EXPECTED.keys() == CHECKS.keys()


@pytest.mark.parametrize("option", CHECKS)
def test_a_changed_option_shows_its_diff(deployed: Stack, option: str) -> None:
    deployed.configure([{"name": "acme", **CHANGES[option][0]}])
    run = deployed.preview()
    assert run.error is None
    assert diff(run) == EXPECTED[option]


def test_only_the_name_of_the_bucket_replaces_resources_with_data() -> None:
    replacing = {
        option
        for option, steps in EXPECTED.items()
        if any(step.startswith("replace") and step.split()[1] in WITH_DATA for step in steps)
    }
    assert replacing == {"bucketName"}
