"""The AWS permissions of each command. `docs/permissions.md` lists them; tests compare them with the policies."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Need:
    """A permission that a command needs.

    Attributes:
        actions: the IAM actions.
        on: the resource; names such as `tiktok/*` are objects in the bucket.
        granted_by: the option that grants the permission; empty if it needs your own IAM policy.
    """

    actions: tuple[str, ...]
    on: str
    granted_by: str = ""


_PUT = Need(("s3:PutObject", "s3:AbortMultipartUpload"), "tiktok/*", "uploaders")
_PUT_KEY = Need(("kms:GenerateDataKey", "kms:Decrypt"), "the key, through S3", "uploaders")
_LIST_REPORTS = Need(("s3:ListBucket",), "the bucket, below reports/", "readers")
_READ_REPORTS = Need(("s3:GetObject",), "reports/*", "readers")
_READ_KEY = Need(("kms:Decrypt",), "the key, through S3", "readers")
_REPORTS = (_LIST_REPORTS, _READ_REPORTS, _READ_KEY)
_STATE = (
    Need(("s3:ListBucket",), "the bucket, below audiences/"),
    Need(("s3:GetObject",), "audiences/*"),
)
_SECRET = Need(("secretsmanager:GetSecretValue",), "the secret")
_SECRET_KEY = Need(("kms:Decrypt",), "the key, through Secrets Manager")
_QUEUES = Need(
    ("sqs:ReceiveMessage", "sqs:ChangeMessageVisibility", "sqs:GetQueueAttributes"), "queue and dead-letter queue"
)
_QUEUE_KEY = Need(("kms:GenerateDataKey", "kms:Decrypt"), "the key, through SQS")

NEEDS: dict[str, tuple[Need, ...]] = {
    "check": (),
    "hash": (),
    "demo-files": (),
    "upload": (_PUT, _PUT_KEY),
    "upload --wait": (_PUT, _PUT_KEY, *_REPORTS),
    "status": _REPORTS,
    "report": _REPORTS,
    "credentials": (
        Need(("secretsmanager:PutSecretValue",), "the secret"),
        Need(("kms:GenerateDataKey", "kms:Decrypt"), "the key, through Secrets Manager"),
    ),
    "credentials --check": (_SECRET, _SECRET_KEY),
    "audiences": (*_STATE, _READ_KEY, _SECRET, _SECRET_KEY),
    "doctor": (
        *_REPORTS,
        _SECRET,
        _SECRET_KEY,
        _QUEUES,
        _QUEUE_KEY,
        Need(("cloudwatch:GetMetricStatistics",), "all metrics"),
        Need(("logs:FilterLogEvents",), "the log group"),
    ),
    "redrive": (_QUEUES, Need(("sqs:DeleteMessage", "sqs:SendMessage"), "dead-letter queue, queue"), _QUEUE_KEY),
    "again": (
        *_REPORTS,
        Need(("s3:ListBucketVersions",), "the bucket, below tiktok/"),
        Need(("s3:GetObjectVersion",), "tiktok/*"),
        _PUT,
        _PUT_KEY,
    ),
    "confirm": (*_REPORTS, _PUT, _PUT_KEY),
    "withdraw": (
        *_REPORTS,
        Need(("s3:GetObject", "s3:PutObject"), "reports/*, audiences/*"),
        Need(("s3:DeleteObject",), "pending/*"),
        Need(("kms:GenerateDataKey",), "the key, through S3"),
    ),
    "forget": (*_STATE, _READ_KEY, _PUT, _PUT_KEY, _SECRET, _SECRET_KEY),
    "web": (*_REPORTS, _PUT, _PUT_KEY),
}


def table() -> str:
    """Return the permissions as a Markdown table."""
    rows = ["| command | AWS permissions | resource | granted by |", "|---|---|---|---|"]
    for command, needs in NEEDS.items():
        if not needs:
            rows.append(f"| `{command}` | none: it works offline | - | - |")
        for number, need in enumerate(needs):
            actions = " ".join(f"`{action}`" for action in need.actions)
            granted = f"`{need.granted_by}`" if need.granted_by else "your IAM policy"
            rows.append(f"| {'' if number else f'`{command}`'} | {actions} | {need.on} | {granted} |")
    return "\n".join(rows).replace("|  |", "| |") + "\n"
