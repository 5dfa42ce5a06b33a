"""Who may do what: every policy document of a connector, as pure functions of plain text.

Each statement has a Sid, by which `REASONS` says why it is there. Allow statements name exact resources; the only
wildcards are a key policy's Resource `*` (it means that key), the account root's `kms:*`, and a path below an ARN of
this connector.
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

REASONS: Mapping[str, str] = {
    "AccountGoverns": "without it IAM policies do not count, and the key can become unmanageable",
    "EventBridgeFillsQueues": "a rule sends to an encrypted queue as the service",
    "LogsEncrypted": "CloudWatch Logs encrypts the log group as the service",
    "AlarmsToTopic": "an alarm publishes to an encrypted topic as the service",
    "ArchiveChecksKey": "EventBridge looks at the key before it makes an archive",
    "ArchiveEncrypted": "EventBridge keeps and replays events as the service",
    "UploadersThroughS3": "S3 encrypts what they upload, and decrypts parts to put them together",
    "UploadersPut": "they deliver files and give up broken deliveries; they cannot read, list or delete",
    "RuleSends": "exactly this connector's rule delivers uploads, and what it could not deliver",
    "AlarmsPublish": "exactly this connector's alarms are sent on",
    "LambdaTakesRole": "the function works under its role",
    "SchedulerTakesRole": "the schedule works under its role; it is in the account's default group",
    "SendSweep": "the schedule puts a sweep on the queue",
    "ScheduleUsesKey": "the schedule and the queue are encrypted with it",
    "ReadUploads": "it reads the version that an event names; to look for it S3 wants the other right",
    "KeepState": "reports, the lease and state of audiences, pointers to what is under way",
    "ClearPending": "a file at its end is pending no more",
    "ListOwnPrefixes": "a sweep lists what is pending; and without it a missing object is a 403, not a 404",
    "WorkQueue": "Lambda's poller takes messages; the function puts them off, and sends itself what goes on",
    "UseKey": "bucket, queue, secret and environment are encrypted with it",
    "ReadCredentials": "the token and the advertiser's id",
    "WriteLogs": "the log group exists: there is no right to make one",
    "RefusePlainConnections": "nothing about people, and no token, travels unencrypted",
    "RefuseOtherAlgorithms": "everything is encrypted with the connector's own key",
    "RefuseOtherKeys": "everything is encrypted with the connector's own key",
    "RefuseUnnamedKey": "it would mean the account's aws/s3 key",
    "RefuseCustomerKeys": "the function could not read the file",
}
"""Why each statement is there, by its Sid."""


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
        _allow("AccountGoverns", "kms:*", "*", {"AWS": place.account_root}),
        _allow("EventBridgeFillsQueues", _USE_KEY, "*", events, in_account),
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
        statements.append(_allow("AlarmsToTopic", _USE_KEY, "*", _ALARMS, _own_alarms(place, own)))
    if archive:
        # Looking at the key has no encryption context.
        # https://docs.aws.amazon.com/eventbridge/latest/userguide/encryption-archives.html
        context: Condition = {"StringEquals": {"kms:EncryptionContext:aws:events:event-bus:arn": place.event_bus}}
        statements.append(_allow("ArchiveChecksKey", "kms:DescribeKey", "*", events, in_account))
        re_encrypt = ["kms:ReEncryptFrom", "kms:ReEncryptTo"]
        statements.append(_allow("ArchiveEncrypted", [*_USE_KEY, *re_encrypt], "*", events, context))
    if uploaders:
        # With a bucket key the encryption context is the bucket's ARN, not the object's.
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
        refuse("RefuseUnnamedKey", {"StringEquals": {algorithm: "aws:kms"}, "Null": {named_key: absent}}),
        refuse("RefuseCustomerKeys", {"Null": {customer_key: given}}),
    ]
    if uploaders:
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
    """Who takes the function's role."""
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
        _allow("ScheduleUsesKey", _USE_KEY, key_arn),
    )


def function_role(*, bucket_arn: str, queue_arn: str, key_arn: str, secret_arn: str, log_group_arn: str) -> Document:
    """What the function may do, and no more."""
    prefixes: list[str] = [f"{prefix}*" for prefix in (UPLOADS, *STATE)]
    return _document(
        # GetObject: S3 documents it for a HEAD, even of a version.
        _allow("ReadUploads", ["s3:GetObject", "s3:GetObjectVersion"], f"{bucket_arn}/{UPLOADS}*"),
        _allow("KeepState", ["s3:GetObject", "s3:PutObject"], [f"{bucket_arn}/{prefix}*" for prefix in STATE]),
        _allow("ClearPending", "s3:DeleteObject", f"{bucket_arn}/{PENDING}*"),
        _allow("ListOwnPrefixes", "s3:ListBucket", bucket_arn, condition={"StringLike": {"s3:prefix": prefixes}}),
        _allow(
            "WorkQueue",
            [
                *("sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes"),
                *("sqs:ChangeMessageVisibility", "sqs:SendMessage"),
            ],
            queue_arn,
        ),
        _allow("UseKey", _USE_KEY, key_arn),
        _allow("ReadCredentials", "secretsmanager:GetSecretValue", secret_arn),
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
    return _deny("RefusePlainConnections", actions, resources, {"Bool": {"aws:SecureTransport": "false"}})
