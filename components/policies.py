"""Who may do what: every policy document of a connector, as pure functions of plain text.

Each statement has a Sid and its reason beside it. Allow statements name exact resources; the only wildcards are a key
policy's Resource `*` (it means that key), the account root's `kms:*`, and a path below an ARN of this connector.
"""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import pulumi

Statement = dict[str, Any]
Document = dict[str, Any]

UPLOADS = "tiktok/"
STATE = ("reports/", "audiences/", "pending/")


@dataclass(frozen=True)
class Place:
    """Where a connector lives, read from the ARN of its key: so it holds with any provider and in any partition."""

    partition: str
    region: str
    account: str

    @classmethod
    def of(cls, arn: str) -> "Place":
        """The partition, region and account of an ARN that has all three."""
        _, partition, _, region, account, _ = arn.split(":", 5)
        return cls(partition, region, account)

    @property
    def dns_suffix(self) -> str:
        """What service names end with; China has its own."""
        return "amazonaws.com.cn" if self.partition == "aws-cn" else "amazonaws.com"


def render(policy: Callable[..., Document], **known_later: Any) -> pulumi.Output[str]:
    """The JSON of a policy function whose arguments are known only when AWS has made the resources."""
    return pulumi.Output.all(**known_later).apply(lambda known: json.dumps(policy(**known)))


def own_names(name: str, stack: str) -> str:
    """The beginning of the names of a connector's log group and alarms.

    Key and topic policies are written before there is a log group or an alarm, so they bind by this. Neither an
    advertiser nor a stack has a slash in its name: `acme` never covers `acme-b`, nor one stack another.
    """
    return f"{name}/{stack}/"


def _document(*statements: Statement) -> Document:
    return {"Version": "2012-10-17", "Statement": list(statements)}


def _service(name: str) -> dict[str, str]:
    return {"Service": name}


def _tls_only(actions: str, *resources: str) -> Statement:
    return {
        "Sid": "RefusePlainConnections",  # nothing about people travels unencrypted
        "Effect": "Deny",
        "Principal": "*",
        "Action": actions,
        "Resource": list(resources) if len(resources) > 1 else resources[0],
        "Condition": {"Bool": {"aws:SecureTransport": "false"}},
    }


def _trust(service: str, **conditions: dict[str, str]) -> Document:
    statement: Statement = {
        "Sid": "ServiceTakesRole",
        "Effect": "Allow",
        "Principal": _service(service),
        "Action": "sts:AssumeRole",
    }
    return _document({**statement, "Condition": conditions} if conditions else statement)


def function_trust() -> Document:
    """Lambda may take the function's role."""
    return _trust("lambda.amazonaws.com")


def scheduler_trust(key_arn: str) -> Document:
    """EventBridge Scheduler, for schedules of this account only (it names their group, not the schedule)."""
    place = Place.of(key_arn)
    group = f"arn:{place.partition}:scheduler:{place.region}:{place.account}:schedule-group/default"
    return _trust("scheduler.amazonaws.com", StringEquals={"aws:SourceAccount": place.account, "aws:SourceArn": group})


def key(*, key_arn: str, bucket_arn: str, own: str, alarms: bool, uploaders: Sequence[str]) -> Document:
    """The key's policy. Scheduler and function use the key through their roles, which the first statement allows."""
    place = Place.of(key_arn)
    root = f"arn:{place.partition}:iam::{place.account}:root"
    log_groups = f"arn:{place.partition}:logs:{place.region}:{place.account}:log-group:{own}*"
    statements: list[Statement] = [
        {
            "Sid": "AccountGoverns",  # without it IAM policies do not count, and the key can become unmanageable
            "Effect": "Allow",
            "Principal": {"AWS": root},
            "Action": "kms:*",
            "Resource": "*",
        },
        {
            "Sid": "EventBridgeFillsQueues",  # a rule sends to an encrypted queue as the service
            "Effect": "Allow",
            "Principal": _service("events.amazonaws.com"),
            "Action": ["kms:Decrypt", "kms:GenerateDataKey"],
            "Resource": "*",
            "Condition": {"StringEquals": {"aws:SourceAccount": place.account}},
        },
        {
            "Sid": "LogsEncrypted",  # CloudWatch Logs encrypts the log group as the service
            "Effect": "Allow",
            "Principal": _service(f"logs.{place.region}.{place.dns_suffix}"),
            "Action": [
                "kms:Encrypt",
                "kms:Decrypt",
                "kms:ReEncryptFrom",
                "kms:ReEncryptTo",
                "kms:GenerateDataKey",
                "kms:DescribeKey",
            ],
            "Resource": "*",
            "Condition": {"ArnLike": {"kms:EncryptionContext:aws:logs:arn": log_groups}},
        },
    ]
    if alarms:
        statements.append(
            {
                "Sid": "AlarmsToTopic",  # an alarm publishes to an encrypted topic as the service
                "Effect": "Allow",
                "Principal": _service("cloudwatch.amazonaws.com"),
                "Action": ["kms:Decrypt", "kms:GenerateDataKey"],
                "Resource": "*",
                "Condition": _own_alarms(place, own),
            }
        )
    if uploaders:
        statements.append(
            {
                "Sid": "UploadersThroughS3",  # Decrypt: S3 puts the parts of a multipart upload together with it
                "Effect": "Allow",
                "Principal": {"AWS": list(uploaders)},
                "Action": ["kms:Decrypt", "kms:GenerateDataKey"],
                "Resource": "*",
                "Condition": {
                    "StringEquals": {
                        "kms:ViaService": f"s3.{place.region}.{place.dns_suffix}",
                        # with a bucket key the encryption context is the bucket's ARN, not the object's
                        "kms:EncryptionContext:aws:s3:arn": bucket_arn,
                    }
                },
            }
        )
    return _document(*statements)


def _own_alarms(place: Place, own: str) -> dict[str, dict[str, str]]:
    alarms = f"arn:{place.partition}:cloudwatch:{place.region}:{place.account}:alarm:{own}*"
    return {"StringEquals": {"aws:SourceAccount": place.account}, "ArnLike": {"aws:SourceArn": alarms}}


def bucket(*, bucket_arn: str, key_arn: str, uploaders: Sequence[str]) -> Document:
    """The bucket's policy: no header at all is the normal case and gets the bucket's key; another key is refused.

    The conditions see the request's headers, before the default encryption is applied: an absent header must not be
    taken for a wrong one, hence the Null beside each.
    """
    objects = f"{bucket_arn}/*"

    def refuse(sid: str, condition: dict[str, Any]) -> Statement:
        return {
            "Sid": sid,
            "Effect": "Deny",
            "Principal": "*",
            "Action": "s3:PutObject",
            "Resource": objects,
            "Condition": condition,
        }

    algorithm, named_key = "s3:x-amz-server-side-encryption", "s3:x-amz-server-side-encryption-aws-kms-key-id"
    statements = [
        _tls_only("s3:*", bucket_arn, objects),
        refuse("RefuseOtherAlgorithms", {"StringNotEquals": {algorithm: "aws:kms"}, "Null": {algorithm: "false"}}),
        refuse("RefuseOtherKeys", {"StringNotEquals": {named_key: key_arn}, "Null": {named_key: "false"}}),
        # aws:kms without a key means the account's aws/s3 key
        refuse("RefuseUnnamedKey", {"StringEquals": {algorithm: "aws:kms"}, "Null": {named_key: "true"}}),
        refuse("RefuseCustomerKeys", {"Null": {"s3:x-amz-server-side-encryption-customer-algorithm": "false"}}),
    ]
    if uploaders:
        statements.append(
            {
                "Sid": "UploadersPut",  # deliver files, give up broken deliveries; not read, list or delete
                "Effect": "Allow",
                "Principal": {"AWS": list(uploaders)},
                "Action": ["s3:PutObject", "s3:AbortMultipartUpload"],
                "Resource": f"{bucket_arn}/{UPLOADS}*",
            }
        )
    return _document(*statements)


def queue(*, queue_arn: str, rule_arn: str) -> Document:
    """The policy of the queue and of the dead-letter queue: exactly this connector's rule may send."""
    return _document(
        {
            "Sid": "RuleSends",
            "Effect": "Allow",
            "Principal": _service("events.amazonaws.com"),
            "Action": "sqs:SendMessage",
            "Resource": queue_arn,
            "Condition": {"ArnEquals": {"aws:SourceArn": rule_arn}},
        },
        _tls_only("sqs:*", queue_arn),
    )


def topic(*, topic_arn: str, own: str) -> Document:
    """The alarm topic's policy: exactly this connector's alarms may publish."""
    return _document(
        {
            "Sid": "AlarmsPublish",
            "Effect": "Allow",
            "Principal": _service("cloudwatch.amazonaws.com"),
            "Action": "sns:Publish",
            "Resource": topic_arn,
            "Condition": _own_alarms(Place.of(topic_arn), own),
        },
        _tls_only("sns:Publish", topic_arn),
    )


def schedule_role(*, queue_arn: str, key_arn: str) -> Document:
    """What the schedule may do: put a sweep on the encrypted queue."""
    return _document(
        {"Sid": "SendSweep", "Effect": "Allow", "Action": "sqs:SendMessage", "Resource": queue_arn},
        {
            "Sid": "UseKey",  # SQS encrypts with the sender's right to the key
            "Effect": "Allow",
            "Action": ["kms:Decrypt", "kms:GenerateDataKey"],
            "Resource": key_arn,
        },
    )


def function_role(*, bucket_arn: str, queue_arn: str, key_arn: str, secret_arn: str, log_group_arn: str) -> Document:
    """What the function may do, and no more."""
    return _document(
        {
            "Sid": "ReadUploads",  # exactly the version that the event names
            "Effect": "Allow",
            "Action": ["s3:GetObject", "s3:GetObjectVersion"],
            "Resource": f"{bucket_arn}/{UPLOADS}*",
        },
        {
            "Sid": "KeepState",  # reports, the lease and state of audiences, pointers to what is under way
            "Effect": "Allow",
            "Action": ["s3:GetObject", "s3:PutObject"],
            "Resource": [f"{bucket_arn}/{prefix}*" for prefix in STATE],
        },
        {
            "Sid": "ClearPending",  # a file at its end is pending no more
            "Effect": "Allow",
            "Action": "s3:DeleteObject",
            "Resource": f"{bucket_arn}/pending/*",
        },
        {
            "Sid": "ListOwnPrefixes",  # the sweep lists; and without it a missing object is a 403, not a 404
            "Effect": "Allow",
            "Action": "s3:ListBucket",
            "Resource": bucket_arn,
            "Condition": {"StringLike": {"s3:prefix": [f"{prefix}*" for prefix in (UPLOADS, *STATE)]}},
        },
        {
            "Sid": "WorkQueue",  # Lambda's poller receives, deletes and asks for attributes with the function's role
            "Effect": "Allow",
            "Action": [
                "sqs:ReceiveMessage",
                "sqs:DeleteMessage",
                "sqs:ChangeMessageVisibility",
                "sqs:GetQueueAttributes",
                "sqs:SendMessage",
            ],
            "Resource": queue_arn,
        },
        {
            "Sid": "UseKey",  # bucket, queue, secret and environment are encrypted with it
            "Effect": "Allow",
            "Action": ["kms:Decrypt", "kms:GenerateDataKey"],
            "Resource": key_arn,
        },
        {
            "Sid": "ReadCredentials",
            "Effect": "Allow",
            "Action": "secretsmanager:GetSecretValue",
            "Resource": secret_arn,
        },
        {
            "Sid": "WriteLogs",
            "Effect": "Allow",
            "Action": ["logs:CreateLogStream", "logs:PutLogEvents"],
            "Resource": f"{log_group_arn}:*",
        },
    )
