"""Who may do what: every policy document of a connector, as pure functions of plain text.

Each statement has a Sid and its reason beside it. Allow statements name exact resources; the only wildcards are a key
policy's Resource `*` (it means that key), the account root's `kms:*`, and a path below an ARN of this connector.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import pulumi

from components.place import Place

Statement = dict[str, Any]
Document = dict[str, Any]
Condition = Mapping[str, Mapping[str, str | list[str]]]

UPLOADS = "tiktok/"
PENDING = "pending/"
STATE = ("reports/", "audiences/", PENDING)

_USE_KEY = ["kms:Decrypt", "kms:GenerateDataKey"]


def render(policy: Callable[..., Document], **known_later: Any) -> pulumi.Output[str]:
    """The JSON of a policy function whose arguments are known only when AWS has made the resources."""
    return pulumi.Output.all(**known_later).apply(lambda known: json.dumps(policy(**known)))


def key(*, key_arn: str, bucket_arn: str, own: str, alarms: bool, archive: bool, uploaders: Sequence[str]) -> Document:
    """The key's policy. Scheduler and function use the key through their roles, which the first statement allows.

    Args:
        key_arn: the key, for its place.
        bucket_arn: the bucket that uploaders may encrypt for.
        own: the beginning of the names of this connector's log group and alarms.
        alarms: whether alarms go to a topic that is encrypted with the key.
        archive: whether EventBridge keeps the bucket's events, encrypted with the key.
        uploaders: ARNs of the roles that may upload.
    """
    place = Place.of(key_arn)
    in_account = {"StringEquals": {"aws:SourceAccount": place.account}}
    events = {"Service": "events.amazonaws.com"}
    statements = [
        # Without it IAM policies do not count, and the key can become unmanageable.
        _allow("AccountGoverns", "kms:*", "*", {"AWS": place.account_root}),
        # A rule sends to an encrypted queue as the service.
        _allow("EventBridgeFillsQueues", _USE_KEY, "*", events, in_account),
        # CloudWatch Logs encrypts the log group as the service.
        _allow(
            "LogsEncrypted",
            [
                *("kms:Encrypt", "kms:Decrypt", "kms:ReEncryptFrom", "kms:ReEncryptTo", "kms:DescribeKey"),
                *("kms:GenerateDataKey", "kms:GenerateDataKeyWithoutPlaintext"),
            ],
            "*",
            {"Service": place.service("logs")},
            {"ArnLike": {"kms:EncryptionContext:aws:logs:arn": place.arn("logs", f"log-group:{own}*")}},
        ),
    ]
    if alarms:
        # An alarm publishes to an encrypted topic as the service.
        statements.append(_allow("AlarmsToTopic", _USE_KEY, "*", _ALARMS, _own_alarms(place, own)))
    if archive:
        # EventBridge keeps and replays events as the service; looking at the key has no encryption context.
        # https://docs.aws.amazon.com/eventbridge/latest/userguide/encryption-archives.html
        context: Condition = {"StringEquals": {"kms:EncryptionContext:aws:events:event-bus:arn": place.event_bus}}
        statements.append(_allow("ArchiveChecksKey", "kms:DescribeKey", "*", events, in_account))
        re_encrypt = ["kms:ReEncryptFrom", "kms:ReEncryptTo"]
        statements.append(_allow("ArchiveEncrypted", [*_USE_KEY, *re_encrypt], "*", events, context))
    if uploaders:
        # Decrypt: S3 puts the parts of a multipart upload together with it. With a bucket key the encryption context
        # is the bucket's ARN, not the object's.
        through_s3: Condition = {
            "StringEquals": {"kms:ViaService": place.service("s3"), "kms:EncryptionContext:aws:s3:arn": bucket_arn}
        }
        statements.append(_allow("UploadersThroughS3", _USE_KEY, "*", {"AWS": list(uploaders)}, through_s3))
    return _document(*statements)


def bucket(*, bucket_arn: str, key_arn: str, uploaders: Sequence[str]) -> Document:
    """The bucket's policy: no header at all is the normal case and gets the bucket's key; another key is refused.

    The conditions see the request's headers, before the default encryption is applied, and a negated one is true of an
    absent header: hence the Null beside each.
    """
    objects = f"{bucket_arn}/*"
    algorithm, named_key = "s3:x-amz-server-side-encryption", "s3:x-amz-server-side-encryption-aws-kms-key-id"
    customer_key = "s3:x-amz-server-side-encryption-customer-algorithm"
    given, absent = "false", "true"  # of Null

    def refuse(sid: str, condition: Condition) -> Statement:
        return _deny(sid, "s3:PutObject", objects, condition)

    statements = [
        _tls_only("s3:*", [bucket_arn, objects]),
        refuse("RefuseOtherAlgorithms", {"StringNotEquals": {algorithm: "aws:kms"}, "Null": {algorithm: given}}),
        refuse("RefuseOtherKeys", {"StringNotEquals": {named_key: key_arn}, "Null": {named_key: given}}),
        # aws:kms without a key means the account's aws/s3 key.
        refuse("RefuseUnnamedKey", {"StringEquals": {algorithm: "aws:kms"}, "Null": {named_key: absent}}),
        refuse("RefuseCustomerKeys", {"Null": {customer_key: given}}),
    ]
    if uploaders:
        # To deliver files and give up broken deliveries; not to read, list or delete.
        put = ["s3:PutObject", "s3:AbortMultipartUpload"]
        statements.append(_allow("UploadersPut", put, f"{bucket_arn}/{UPLOADS}*", {"AWS": list(uploaders)}))
    return _document(*statements)


def queue(*, queue_arn: str, rule_arn: str) -> Document:
    """The policy of the queue and of the dead-letter queue: exactly this connector's rule may send."""
    return _document(
        _allow(
            "RuleSends",
            "sqs:SendMessage",
            queue_arn,
            {"Service": "events.amazonaws.com"},
            {"ArnEquals": {"aws:SourceArn": rule_arn}},
        ),
        _tls_only("sqs:*", queue_arn),
    )


def topic(*, topic_arn: str, own: str) -> Document:
    """The alarm topic's policy: exactly this connector's alarms may publish."""
    alarms_only = _own_alarms(Place.of(topic_arn), own)
    return _document(
        _allow("AlarmsPublish", "sns:Publish", topic_arn, _ALARMS, alarms_only),
        _tls_only("sns:Publish", topic_arn),
    )


def function_trust() -> Document:
    """Lambda takes the function's role."""
    return _document(_allow("LambdaTakesRole", "sts:AssumeRole", None, {"Service": "lambda.amazonaws.com"}))


def schedule_trust(*, key_arn: str) -> Document:
    """EventBridge Scheduler takes the schedule's role, for this account's schedules only.

    It names their group, not the schedule: the connector's is in the default one.
    """
    place = Place.of(key_arn)
    source = {"aws:SourceAccount": place.account, "aws:SourceArn": place.arn("scheduler", "schedule-group/default")}
    scheduler = {"Service": "scheduler.amazonaws.com"}
    return _document(_allow("SchedulerTakesRole", "sts:AssumeRole", None, scheduler, {"StringEquals": source}))


def schedule_role(*, queue_arn: str, key_arn: str) -> Document:
    """What the schedule may do: put a sweep on the queue."""
    return _document(
        _allow("SendSweep", "sqs:SendMessage", queue_arn),
        # The schedule and the queue are encrypted with it.
        _allow("UseKey", _USE_KEY, key_arn),
    )


def function_role(*, bucket_arn: str, queue_arn: str, key_arn: str, secret_arn: str, log_group_arn: str) -> Document:
    """What the function may do, and no more."""
    prefixes: list[str] = [f"{prefix}*" for prefix in (UPLOADS, *STATE)]
    return _document(
        # Exactly the version that the event names.
        _allow("ReadUploads", ["s3:GetObject", "s3:GetObjectVersion"], f"{bucket_arn}/{UPLOADS}*"),
        # Reports, the lease and state of audiences, pointers to what is under way.
        _allow("KeepState", ["s3:GetObject", "s3:PutObject"], [f"{bucket_arn}/{prefix}*" for prefix in STATE]),
        # A file at its end is pending no more.
        _allow("ClearPending", "s3:DeleteObject", f"{bucket_arn}/{PENDING}*"),
        # The sweep lists; and without it a missing object is a 403, not a 404.
        _allow("ListOwnPrefixes", "s3:ListBucket", bucket_arn, condition={"StringLike": {"s3:prefix": prefixes}}),
        # Lambda's poller receives, deletes and asks for attributes with the function's role.
        _allow(
            "WorkQueue",
            [
                *("sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes"),
                *("sqs:ChangeMessageVisibility", "sqs:SendMessage"),
            ],
            queue_arn,
        ),
        # Bucket, queue, secret and environment are encrypted with it.
        _allow("UseKey", _USE_KEY, key_arn),
        # The token and the advertiser's id.
        _allow("ReadCredentials", "secretsmanager:GetSecretValue", secret_arn),
        # The log group exists: no right to make one.
        _allow("WriteLogs", ["logs:CreateLogStream", "logs:PutLogEvents"], f"{log_group_arn}:*"),
    )


_ALARMS = {"Service": "cloudwatch.amazonaws.com"}


def _own_alarms(place: Place, own: str) -> Condition:
    alarms = place.arn("cloudwatch", f"alarm:{own}*")
    return {"StringEquals": {"aws:SourceAccount": place.account}, "ArnLike": {"aws:SourceArn": alarms}}


def _document(*statements: Statement) -> Document:
    return {"Version": "2012-10-17", "Statement": list(statements)}


def _allow(
    sid: str,
    actions: str | list[str],
    resources: str | list[str] | None,
    principal: Mapping[str, str | list[str]] | None = None,
    condition: Condition | None = None,
) -> Statement:
    statement = {
        "Sid": sid,
        "Effect": "Allow",
        "Principal": principal,
        "Action": actions,
        "Resource": resources,
        "Condition": condition,
    }
    return {element: value for element, value in statement.items() if value is not None}


def _deny(sid: str, actions: str, resources: str | list[str], condition: Condition) -> Statement:
    return {**_allow(sid, actions, resources, condition=condition), "Effect": "Deny", "Principal": "*"}


def _tls_only(actions: str, resources: str | list[str]) -> Statement:
    """Nothing about people, and no token, travels unencrypted."""
    return _deny("RefusePlainConnections", actions, resources, {"Bool": {"aws:SecureTransport": "false"}})
