"""The ready-made policies in the documentation allow what their users need, and nothing else."""

from __future__ import annotations

from typing import Any

import pytest

from console.permissions import NEEDS
from tests.components.conftest import EVERYTHING
from tests.components.evaluator import AccessRequest, as_list, verdict
from tests.components.harness import run_program
from tests.docs import ready_policies as ready

THROUGH_S3 = {"kms:ViaService": "s3.<region>.amazonaws.com", "kms:EncryptionContext:aws:s3:arn": ready.BUCKET}
FILE, REPORT = f"{ready.BUCKET}/tiktok/vip/email_sha256/a.csv", f"{ready.BUCKET}/reports/a.json"


def allowed(document: dict[str, Any], action: str, resource: str, **context: str) -> bool:
    return verdict(document, AccessRequest(action, resource, context=context)) == "allow"


def test_an_uploader_can_only_upload() -> None:
    policy = ready.upload_policy()
    assert allowed(policy, "s3:PutObject", FILE)
    assert allowed(policy, "kms:Decrypt", ready.KEY, **THROUGH_S3)
    assert not allowed(policy, "kms:Decrypt", ready.KEY)
    assert not allowed(policy, "s3:GetObject", FILE)
    assert not allowed(policy, "s3:PutObject", REPORT)


def test_a_reader_can_only_read_reports() -> None:
    policy = ready.read_policy()
    assert allowed(policy, "s3:GetObject", REPORT)
    assert allowed(policy, "s3:ListBucket", ready.BUCKET, **{"s3:prefix": "reports/tiktok/"})
    assert not allowed(policy, "s3:ListBucket", ready.BUCKET, **{"s3:prefix": "tiktok/"})
    assert not allowed(policy, "s3:GetObject", FILE)


@pytest.mark.parametrize("command", NEEDS)
def test_an_operator_can_use_every_command(command: str) -> None:
    policy = ready.operator_policy()
    for need in NEEDS[command]:
        for action in need.actions:
            if need.on.startswith("the bucket, below "):
                prefix = need.on.removeprefix("the bucket, below ")
                assert allowed(policy, action, ready.BUCKET, **{"s3:prefix": f"{prefix}x"})
                assert not allowed(policy, action, ready.BUCKET, **{"s3:prefix": "other/"})
            elif need.on.startswith("the key, through "):
                service = {"S3": "s3", "SQS": "sqs"}.get(need.on.rpartition(" ")[2], "secretsmanager")
                context = {**THROUGH_S3, "kms:ViaService": f"{service}.<region>.amazonaws.com"}
                assert allowed(policy, action, ready.KEY, **context)
                assert not allowed(policy, action, ready.KEY, **{"kms:ViaService": "ec2.<region>.amazonaws.com"})
            else:
                for resource in as_list(ready.RESOURCES[need.on]):
                    assert allowed(policy, action, resource.replace("*", "x"))
    assert not allowed(policy, "s3:DeleteObject", FILE)


def test_a_deployer_can_manage_every_type_of_resource() -> None:
    policy = ready.deploy_policy(each.type for each in run_program(EVERYTHING).resources)
    for action in (
        "s3:CreateBucket",
        "kms:CreateKey",
        "events:PutRule",
        "logs:PutMetricFilter",
        "scheduler:GetSchedule",
    ):
        assert allowed(policy, action, "*")
    assert allowed(policy, "iam:PassRole", "arn:aws:iam::<account>:role/acme-function")
    assert not allowed(policy, "iam:CreateUser", "arn:aws:iam::<account>:role/acme-function")
    assert not allowed(policy, "ec2:RunInstances", "*")
