"""The stack's program: the resources that it registers and the outputs that it exports."""

from __future__ import annotations

import pytest

from tests.bench.program import flat_program
from tests.components.conftest import EVERYTHING
from tests.components.harness import CONNECTOR, Program, Resource, run_program

EXPECTED = [
    "aws:cloudwatch/eventRule:EventRule",
    "aws:cloudwatch/eventTarget:EventTarget",
    "aws:cloudwatch/logGroup:LogGroup",
    "aws:cloudwatch/logMetricFilter:LogMetricFilter",
    "aws:cloudwatch/logMetricFilter:LogMetricFilter",
    "aws:iam/role:Role",
    "aws:iam/role:Role",
    "aws:iam/rolePolicy:RolePolicy",
    "aws:iam/rolePolicy:RolePolicy",
    "aws:kms/alias:Alias",
    "aws:kms/key:Key",
    "aws:kms/keyPolicy:KeyPolicy",
    "aws:lambda/eventSourceMapping:EventSourceMapping",
    "aws:lambda/function:Function",
    "aws:lambda/functionRecursionConfig:FunctionRecursionConfig",
    "aws:s3/bucket:Bucket",
    "aws:s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration",
    "aws:s3/bucketNotification:BucketNotification",
    "aws:s3/bucketOwnershipControls:BucketOwnershipControls",
    "aws:s3/bucketPolicy:BucketPolicy",
    "aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock",
    "aws:s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration",
    "aws:s3/bucketVersioning:BucketVersioning",
    "aws:scheduler/schedule:Schedule",
    "aws:secretsmanager/secret:Secret",
    "aws:sqs/queue:Queue",
    "aws:sqs/queue:Queue",
    "aws:sqs/queuePolicy:QueuePolicy",
    "aws:sqs/queuePolicy:QueuePolicy",
    "aws:sqs/redriveAllowPolicy:RedriveAllowPolicy",
]


@pytest.mark.parametrize("advertiser", ["acme", "globex"])
def test_every_advertiser_gets_a_complete_connector(program: Program, advertiser: str) -> None:
    types = sorted(resource.type for resource in program.children(advertiser) if "Alarm" not in resource.type)
    assert types == EXPECTED


def test_a_first_preview_registers_the_same_resources(everything: Program) -> None:
    """In a first preview, the values that AWS computes are unknown."""
    preview = run_program(EVERYTHING, preview=True, secret=True)
    assert sorted(resource.urn for resource in preview.resources) == sorted(r.urn for r in everything.resources)
    assert preview.log == []


def test_each_advertiser_has_its_outputs(program: Program) -> None:
    assert sorted(program.outputs["advertisers"]) == ["acme", "globex"]
    acme = program.outputs["advertisers"]["acme"]
    bucket = program.one("acme", "Bucket").outputs["bucket"]
    assert acme["upload_location"] == f"s3://{bucket}/tiktok/"
    assert sorted(acme) == [
        "advertiser_id",
        "bucket",
        "dead_letter_queue_arn",
        "dead_letter_queue_url",
        "function_name",
        "key_arn",
        "log_group_name",
        "queue_arn",
        "queue_url",
        "role_arn",
        "secret_arn",
        "secret_name",
        "upload_location",
        "upload_role_arn",
    ]
    arns = {
        "key_arn": program.one("acme", "kms/key:Key"),
        "queue_arn": program.one("acme", "sqs/queue:Queue", "acme-queue"),
        "dead_letter_queue_arn": program.one("acme", "sqs/queue:Queue", "acme-dead-letters"),
        "secret_arn": program.one("acme", "secret:Secret"),
        "role_arn": program.one("acme", "iam/role:Role", "acme-function"),
    }
    assert {name: acme[name] for name in arns} == {name: each.outputs["arn"] for name, each in arns.items()}
    assert acme["log_group_name"] == program.one("acme", "LogGroup").outputs["name"]
    assert (acme["upload_role_arn"], acme["advertiser_id"]) == (None, None)


def test_the_upload_role_is_an_output(everything: Program) -> None:
    role = everything.one("acme", "iam/role:Role", "acme-upload").outputs["arn"]
    assert everything.outputs["advertisers"]["acme"]["upload_role_arn"] == role


def test_the_flat_program_of_the_benchmark_registers_the_same_resources(program: Program) -> None:
    def known(resource: Resource) -> tuple[object, ...]:
        after = {urn.rpartition("$")[2] if "$" in urn else urn.split("::", 2)[2] for urn in resource.after}
        return resource.type, resource.name, resource.inputs, after, resource.retained

    flat = run_program(None, program=flat_program(program.resources))
    made = {(resource.type, resource.name): known(resource) for resource in flat.resources}
    assert made == {
        (resource.type, resource.name): known(resource) for resource in program.resources if resource.type != CONNECTOR
    }
