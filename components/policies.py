"""The policies of the key, the bucket, the queues and the topic, as pure functions of strings.

The module `role_policies` has the policies of the roles. Allow statements name exact actions and resources, with three
exceptions: the account root may use `kms:*`, the Resource of a key policy is `*` (it means that key), and ARNs of this
connector can end with `*`.
"""

from collections.abc import Mapping, Sequence

from .aws_location import AwsLocation
from .names import REPORTS, UPLOADS
from .statements import Condition, Policy, Statement, allow, deny, tls_only

USE_KEY = ["kms:Decrypt", "kms:GenerateDataKey"]
_EVENTS = {"Service": "events.amazonaws.com"}
_ALARMS = {"Service": "cloudwatch.amazonaws.com"}


def key(
    *,
    key_arn: str,
    bucket_arn: str,
    name_prefix: str,
    alarms: bool,
    archive: bool,
    uploaders: Sequence[str],
    readers: Sequence[str],
) -> Policy:
    """Return the policy of the connector's key.

    The first statement delegates to IAM policies. The roles for the function, the schedule and uploads get access to
    the key through their own policies. The policy of an existing key (`kmsKeyArn`) needs the other statements, and a
    statement of its owner that lets IAM policies grant access.

    Args:
        key_arn: the key's ARN, for its partition, region and account.
        bucket_arn: the bucket for which uploaders and readers may use the key.
        name_prefix: the prefix of the names of this connector's log group and alarms.
        alarms: whether a topic for alarms is encrypted with the key.
        archive: whether an EventBridge archive is encrypted with the key.
        uploaders: the ARNs of the roles and users that may upload.
        readers: the ARNs of the roles and users that may read reports.
    """
    location = AwsLocation.of(key_arn)
    in_account = {"StringEquals": {"aws:SourceAccount": location.account}}
    log_group = {"ArnLike": {"kms:EncryptionContext:aws:logs:arn": location.arn("logs", f"log-group:{name_prefix}*")}}
    statements = [
        allow(
            "AccountGoverns",
            "without it, IAM policies have no effect, and the key can become unmanageable",
            "kms:*",
            "*",
            {"AWS": location.account_root},
        ),
        allow(
            "EventBridgeFillsQueues",
            "the rule sends messages to encrypted queues",
            USE_KEY,
            "*",
            _EVENTS,
            condition=in_account,
        ),
        allow(
            "LogsEncrypted",
            "CloudWatch Logs itself encrypts and decrypts the function's log",
            [
                *("kms:Encrypt", "kms:Decrypt", "kms:ReEncryptFrom", "kms:ReEncryptTo", "kms:DescribeKey"),
                *("kms:GenerateDataKey", "kms:GenerateDataKeyWithoutPlaintext"),
            ],
            "*",
            {"Service": location.service("logs")},
            condition=log_group,
        ),
    ]
    if alarms:
        why = "CloudWatch itself publishes alarms to the encrypted topic"
        own_alarms = _own_alarms(location, name_prefix)
        statements.append(allow("AlarmsToTopic", why, USE_KEY, "*", _ALARMS, condition=own_alarms))
    if archive:
        statements += _key_for_archive(location, in_account)
    only_through_s3 = through_s3(location, bucket_arn)
    if uploaders:
        why = "S3 encrypts their uploads, and decrypts the parts of a multipart upload to assemble them"
        statements.append(
            allow("UploadersThroughS3", why, USE_KEY, "*", {"AWS": list(uploaders)}, condition=only_through_s3)
        )
    if readers:
        why = "S3 decrypts the reports for them"
        statements.append(
            allow("ReadersThroughS3", why, "kms:Decrypt", "*", {"AWS": list(readers)}, condition=only_through_s3)
        )
    return statements


def _key_for_archive(location: AwsLocation, in_account: Condition) -> list[Statement]:
    """Return the statements for an encrypted archive.

    https://docs.aws.amazon.com/eventbridge/latest/userguide/encryption-archives.html
    """
    bus: Condition = {"StringEquals": {"kms:EncryptionContext:aws:events:event-bus:arn": location.event_bus}}
    re_encrypt = ["kms:ReEncryptFrom", "kms:ReEncryptTo"]
    return [
        # A DescribeKey request has no encryption context, so its condition is the account.
        allow(
            "ArchiveChecksKey",
            "EventBridge checks the key before it creates an archive",
            "kms:DescribeKey",
            "*",
            _EVENTS,
            condition=in_account,
        ),
        allow(
            "ArchiveEncrypted",
            "EventBridge itself encrypts archived events, and decrypts them for a replay",
            [*USE_KEY, *re_encrypt],
            "*",
            _EVENTS,
            condition=bus,
        ),
    ]


def bucket(*, bucket_arn: str, key_arn: str, uploaders: Sequence[str], readers: Sequence[str]) -> Policy:
    """Return the policy of the bucket.

    An upload without encryption headers is encrypted with the bucket's key. An upload that requests other encryption is
    denied.

    S3 evaluates the conditions on the headers of the request, before it applies the default encryption. A negated
    condition also matches a missing header, so each one is combined with Null.
    """
    objects = f"{bucket_arn}/*"
    algorithm, named_key = "s3:x-amz-server-side-encryption", "s3:x-amz-server-side-encryption-aws-kms-key-id"
    customer_key = "s3:x-amz-server-side-encryption-customer-algorithm"
    present, absent = "false", "true"  # the values for Null
    own_key_only = "every object must be encrypted with the connector's key"

    def refuse(sid: str, why: str, condition: Condition) -> Statement:
        return deny(sid, why, "s3:PutObject", objects, condition)

    statements = [
        tls_only("s3:*", [bucket_arn, objects]),
        refuse(
            "RefuseOtherAlgorithms",
            own_key_only,
            {"StringNotEquals": {algorithm: "aws:kms"}, "Null": {algorithm: present}},
        ),
        refuse(
            "RefuseOtherKeys", own_key_only, {"StringNotEquals": {named_key: key_arn}, "Null": {named_key: present}}
        ),
        refuse(
            "RefuseUnnamedKey",
            "S3 would use the account's aws/s3 key",
            {"StringEquals": {algorithm: "aws:kms"}, "Null": {named_key: absent}},
        ),
        refuse("RefuseCustomerKeys", "the function could not read the file", {"Null": {customer_key: present}}),
    ]
    if uploaders:
        statements += upload_statements(bucket_arn, {"AWS": list(uploaders)})
    if readers:
        statements += _reader_statements(bucket_arn, {"AWS": list(readers)})
    return statements


def upload_statements(bucket_arn: str, principal: Mapping[str, list[str]] | None) -> list[Statement]:
    """Return the permissions to upload, for the bucket's policy or, without a principal, for the policy of a role."""
    uploads = f"{bucket_arn}/{UPLOADS}*"
    full_control: Condition = {"StringEquals": {"s3:x-amz-acl": "bucket-owner-full-control"}}
    return [
        allow(
            "UploadersPut",
            "to upload files and to abort incomplete multipart uploads, but not to read, list or delete",
            ["s3:PutObject", "s3:AbortMultipartUpload"],
            uploads,
            principal,
        ),
        # This ACL has no effect, because the bucket owner owns every object.
        allow(
            "UploadersSendAcl",
            "many tools always send x-amz-acl: bucket-owner-full-control, for which S3 requires this permission",
            "s3:PutObjectAcl",
            uploads,
            principal,
            condition=full_control,
        ),
    ]


def _reader_statements(bucket_arn: str, principal: Mapping[str, list[str]]) -> list[Statement]:
    below: Condition = {"StringLike": {"s3:prefix": f"{REPORTS}*"}}
    return [
        allow("ReadersList", "to find the report of a file", "s3:ListBucket", bucket_arn, principal, condition=below),
        allow("ReadersGet", "to read reports, and nothing else", "s3:GetObject", f"{bucket_arn}/{REPORTS}*", principal),
    ]


def queue(*, queue_arn: str, rule_arn: str) -> Policy:
    """Return the policy of one queue: the connector's queue or its dead-letter queue."""
    return [
        allow(
            "RuleSends",
            "only this connector's rule may send events of uploads, and those that it could not deliver",
            "sqs:SendMessage",
            queue_arn,
            _EVENTS,
            condition={"ArnEquals": {"aws:SourceArn": rule_arn}},
        ),
        tls_only("sqs:*", queue_arn),
    ]


def topic(*, topic_arn: str, name_prefix: str) -> Policy:
    """Return the policy of the alarm topic."""
    alarms_only = _own_alarms(AwsLocation.of(topic_arn), name_prefix)
    return [
        allow(
            "AlarmsPublish",
            "only this connector's alarms may publish",
            "sns:Publish",
            topic_arn,
            _ALARMS,
            condition=alarms_only,
        ),
        tls_only("sns:Publish", topic_arn),
    ]


def through_s3(location: AwsLocation, bucket_arn: str) -> Condition:
    """Return the condition that the key is used through S3 and for this bucket only."""
    # With an S3 Bucket Key, the encryption context is the ARN of the bucket, not of the object.
    return {"StringEquals": {"kms:ViaService": location.service("s3"), "kms:EncryptionContext:aws:s3:arn": bucket_arn}}


def _own_alarms(location: AwsLocation, name_prefix: str) -> Condition:
    alarms = location.arn("cloudwatch", f"alarm:{name_prefix}*")
    return {"StringEquals": {"aws:SourceAccount": location.account}, "ArnLike": {"aws:SourceArn": alarms}}
