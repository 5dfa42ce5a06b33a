"""The policies of key, bucket, queues and topic, as pure functions of strings; `role_policies` has those of roles.

Allow statements name exact resources. The only wildcards are a key policy's Resource `*` (it means that key), the
account root's `kms:*`, and a path suffix below an ARN of this connector.
"""

from collections.abc import Mapping, Sequence

from .names import REPORTS, UPLOADS
from .place import Place
from .statements import Condition, Policy, Statement, allow, deny, tls_only

USE_KEY = ["kms:Decrypt", "kms:GenerateDataKey"]
_EVENTS = {"Service": "events.amazonaws.com"}
_ALARMS = {"Service": "cloudwatch.amazonaws.com"}


def key(
    *,
    key_arn: str,
    bucket_arn: str,
    own: str,
    alarms: bool,
    archive: bool,
    uploaders: Sequence[str],
    readers: Sequence[str],
) -> Policy:
    """Return the policy of the connector's key.

    The roles of function, schedule and uploads use the key by their own policies, which the first statement permits.
    A key given as `kmsKeyArn` needs the same statements in its own policy; `AccountGoverns` only if IAM policies are
    to count.

    Args:
        key_arn: the key, for its partition, region and account.
        bucket_arn: the bucket that uploaders and readers may use the key for.
        own: the prefix of the names of this connector's log group and alarms.
        alarms: whether alarms go to a topic that is encrypted with the key.
        archive: whether EventBridge archives the bucket's events, encrypted with the key.
        uploaders: ARNs of the roles and users that may upload.
        readers: ARNs of the roles and users that may read reports.
    """
    place = Place.of(key_arn)
    in_account = {"StringEquals": {"aws:SourceAccount": place.account}}
    log_group = {"ArnLike": {"kms:EncryptionContext:aws:logs:arn": place.arn("logs", f"log-group:{own}*")}}
    statements = [
        allow(
            "AccountGoverns",
            "without it IAM policies do not count, and the key can become unmanageable",
            "kms:*",
            "*",
            {"AWS": place.account_root},
        ),
        allow(
            "EventBridgeFillsQueues", "the rule sends to encrypted queues", USE_KEY, "*", _EVENTS, condition=in_account
        ),
        allow(
            "LogsEncrypted",
            "CloudWatch Logs encrypts the function's log as the service",
            [
                *("kms:Encrypt", "kms:Decrypt", "kms:ReEncryptFrom", "kms:ReEncryptTo", "kms:DescribeKey"),
                *("kms:GenerateDataKey", "kms:GenerateDataKeyWithoutPlaintext"),
            ],
            "*",
            {"Service": place.service("logs")},
            condition=log_group,
        ),
    ]
    if alarms:
        why = "an alarm publishes to an encrypted topic as the service"
        statements.append(allow("AlarmsToTopic", why, USE_KEY, "*", _ALARMS, condition=_own_alarms(place, own)))
    if archive:
        statements += _key_for_archive(place, in_account)
    only_through_s3 = through_s3(place, bucket_arn)
    if uploaders:
        why = "S3 encrypts what they upload, and decrypts parts to put them together"
        statements.append(
            allow("UploadersThroughS3", why, USE_KEY, "*", {"AWS": list(uploaders)}, condition=only_through_s3)
        )
    if readers:
        why = "S3 decrypts the reports that they read"
        statements.append(
            allow("ReadersThroughS3", why, "kms:Decrypt", "*", {"AWS": list(readers)}, condition=only_through_s3)
        )
    return statements


def _key_for_archive(place: Place, in_account: Condition) -> list[Statement]:
    """https://docs.aws.amazon.com/eventbridge/latest/userguide/encryption-archives.html."""
    bus: Condition = {"StringEquals": {"kms:EncryptionContext:aws:events:event-bus:arn": place.event_bus}}
    re_encrypt = ["kms:ReEncryptFrom", "kms:ReEncryptTo"]
    return [
        # DescribeKey has no encryption context.
        allow(
            "ArchiveChecksKey",
            "EventBridge describes the key before it creates an archive",
            "kms:DescribeKey",
            "*",
            _EVENTS,
            condition=in_account,
        ),
        allow(
            "ArchiveEncrypted",
            "EventBridge keeps and replays events as the service",
            [*USE_KEY, *re_encrypt],
            "*",
            _EVENTS,
            condition=bus,
        ),
    ]


def bucket(*, bucket_arn: str, key_arn: str, uploaders: Sequence[str], readers: Sequence[str]) -> Policy:
    """Return the policy of the bucket.

    An upload without encryption headers gets the bucket's key; an upload that names another key is refused.

    The conditions see the request's headers before the default encryption is applied. A negated condition is true of an
    absent header, hence the Null beside each.
    """
    objects = f"{bucket_arn}/*"
    algorithm, named_key = "s3:x-amz-server-side-encryption", "s3:x-amz-server-side-encryption-aws-kms-key-id"
    customer_key = "s3:x-amz-server-side-encryption-customer-algorithm"
    given, absent = "false", "true"  # the values of Null
    own_key_only = "every object is encrypted with the connector's own key"

    def refuse(sid: str, why: str, condition: Condition) -> Statement:
        return deny(sid, why, "s3:PutObject", objects, condition)

    statements = [
        tls_only("s3:*", [bucket_arn, objects]),
        refuse(
            "RefuseOtherAlgorithms",
            own_key_only,
            {"StringNotEquals": {algorithm: "aws:kms"}, "Null": {algorithm: given}},
        ),
        refuse("RefuseOtherKeys", own_key_only, {"StringNotEquals": {named_key: key_arn}, "Null": {named_key: given}}),
        refuse(
            "RefuseUnnamedKey",
            "it would mean the account's aws/s3 key",
            {"StringEquals": {algorithm: "aws:kms"}, "Null": {named_key: absent}},
        ),
        refuse("RefuseCustomerKeys", "the function could not read the file", {"Null": {customer_key: given}}),
    ]
    if uploaders:
        statements += uploads(bucket_arn, {"AWS": list(uploaders)})
    if readers:
        statements += _report_reads(bucket_arn, {"AWS": list(readers)})
    return statements


def uploads(bucket_arn: str, principal: Mapping[str, list[str]] | None) -> list[Statement]:
    """Return the permissions to upload, for the bucket's policy, or for a role without a principal."""
    uploads = f"{bucket_arn}/{UPLOADS}*"
    full_control: Condition = {"StringEquals": {"s3:x-amz-acl": "bucket-owner-full-control"}}
    return [
        allow(
            "UploadersPut",
            "they upload files and abort broken uploads; they cannot read, list or delete",
            ["s3:PutObject", "s3:AbortMultipartUpload"],
            uploads,
            principal,
        ),
        # The bucket owner owns every object anyway, so that this ACL changes nothing.
        allow(
            "UploadersSendAcl",
            "vendors always send x-amz-acl: bucket-owner-full-control, and S3 asks for this permission then",
            "s3:PutObjectAcl",
            uploads,
            principal,
            condition=full_control,
        ),
    ]


def _report_reads(bucket_arn: str, principal: Mapping[str, list[str]]) -> list[Statement]:
    below: Condition = {"StringLike": {"s3:prefix": f"{REPORTS}*"}}
    return [
        allow(
            "ReadersList", "they look for the report of a file", "s3:ListBucket", bucket_arn, principal, condition=below
        ),
        allow(
            "ReadersGet", "they read reports, and nothing else", "s3:GetObject", f"{bucket_arn}/{REPORTS}*", principal
        ),
    ]


def queue(*, queue_arn: str, rule_arn: str) -> Policy:
    """Return the policy of the queue and of the dead-letter queue."""
    return [
        allow(
            "RuleSends",
            "exactly this connector's rule sends uploads, and events that it could not deliver",
            "sqs:SendMessage",
            queue_arn,
            _EVENTS,
            condition={"ArnEquals": {"aws:SourceArn": rule_arn}},
        ),
        tls_only("sqs:*", queue_arn),
    ]


def topic(*, topic_arn: str, own: str) -> Policy:
    """Return the policy of the alarm topic."""
    alarms_only = _own_alarms(Place.of(topic_arn), own)
    return [
        allow(
            "AlarmsPublish",
            "exactly this connector's alarms publish",
            "sns:Publish",
            topic_arn,
            _ALARMS,
            condition=alarms_only,
        ),
        tls_only("sns:Publish", topic_arn),
    ]


def through_s3(place: Place, bucket_arn: str) -> Condition:
    """Return the condition that the key is used by S3, for this bucket only."""
    # With a bucket key the encryption context is the bucket's ARN, not the object's.
    return {"StringEquals": {"kms:ViaService": place.service("s3"), "kms:EncryptionContext:aws:s3:arn": bucket_arn}}


def _own_alarms(place: Place, own: str) -> Condition:
    alarms = place.arn("cloudwatch", f"alarm:{own}*")
    return {"StringEquals": {"aws:SourceAccount": place.account}, "ArnLike": {"aws:SourceArn": alarms}}
