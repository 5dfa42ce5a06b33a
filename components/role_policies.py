"""The trust policies and permissions of a connector's roles, as pure functions of strings."""

from collections.abc import Sequence

from .aws_location import AwsLocation
from .names import PENDING, STATE, UPLOADS
from .policies import USE_KEY, through_s3, upload_statements
from .statements import Condition, Policy, allow

# The source and the detail type of outcome events, as in handler/activation/outcome_events.py.
EVENT_SOURCE = "tiktok-activation"
EVENT_DETAIL_TYPE = "TikTok Audience File"


def function_trust() -> Policy:
    """Return the trust policy of the function's role."""
    return [
        allow(
            "LambdaTakesRole",
            "the function runs with its role",
            "sts:AssumeRole",
            None,
            {"Service": "lambda.amazonaws.com"},
        )
    ]


def schedule_trust(*, queue_arn: str) -> Policy:
    """Return the trust policy of the schedule's role, for schedules of this account only.

    The connector's schedule is in the default group. The condition can only name the group, not the schedule.

    Args:
        queue_arn: the queue's ARN, for its partition, region and account.
    """
    location = AwsLocation.of(queue_arn)
    group_arn = location.arn("scheduler", "schedule-group/default")
    source = {"aws:SourceAccount": location.account, "aws:SourceArn": group_arn}
    return [
        allow(
            "SchedulerTakesRole",
            "the schedule, which is in the account's default group, runs with its role",
            "sts:AssumeRole",
            None,
            {"Service": "scheduler.amazonaws.com"},
            condition={"StringEquals": source},
        )
    ]


def schedule_role(*, queue_arn: str, key_arn: str) -> Policy:
    """Return the permissions of the schedule's role."""
    return [
        allow("SendSweep", "to send sweep messages to the queue", "sqs:SendMessage", queue_arn),
        allow("ScheduleUsesKey", "the schedule and the queue are encrypted with this key", USE_KEY, key_arn),
    ]


def upload_trust(*, principals: Sequence[str], external_id: str | None) -> Policy:
    """Return the trust policy of the role that a vendor assumes to upload.

    The external id prevents the confused deputy problem: another customer cannot make the vendor use this role.
    https://docs.aws.amazon.com/IAM/latest/UserGuide/confused-deputy.html
    """
    condition: Condition | None = {"StringEquals": {"sts:ExternalId": external_id}} if external_id else None
    return [
        allow(
            "UploaderTakesRole",
            "only these principals may assume the role, with the external id if one is configured",
            "sts:AssumeRole",
            None,
            {"AWS": list(principals)},
            condition=condition,
        )
    ]


def upload_role(*, bucket_arn: str, key_arn: str, queue_arn: str) -> Policy:
    """Return the permissions of the role that a vendor assumes: upload under `tiktok/`, and nothing else.

    Args:
        bucket_arn: the bucket's ARN.
        key_arn: the ARN of the bucket's key.
        queue_arn: the queue's ARN, for its partition and region.
    """
    return [
        *upload_statements(bucket_arn, None),
        allow(
            "UploadsEncrypted",
            "S3 encrypts the uploads, and decrypts the parts of a multipart upload to assemble them",
            USE_KEY,
            key_arn,
            condition=through_s3(AwsLocation.of(queue_arn), bucket_arn),
        ),
    ]


def function_role(
    *, bucket_arn: str, queue_arn: str, key_arn: str, secret_arn: str, log_group_arn: str, outcome_events: bool
) -> Policy:
    """Return the permissions of the function's role."""
    prefixes: list[str] = [f"{prefix}*" for prefix in (UPLOADS, *STATE)]
    statements = [
        allow(
            "ReadUploads",
            "to read the object version that an event names",
            "s3:GetObjectVersion",
            f"{bucket_arn}/{UPLOADS}*",
        ),
        allow(
            "KeepState",
            "to read and write reports, the lease and state of audiences, and pending pointers",
            ["s3:GetObject", "s3:PutObject"],
            [f"{bucket_arn}/{prefix}*" for prefix in STATE],
        ),
        allow(
            "ClearPending",
            "to delete the pending pointer of a finished upload",
            "s3:DeleteObject",
            f"{bucket_arn}/{PENDING}*",
        ),
        allow(
            "ListOwnPrefixes",
            "to list pending uploads and object versions; without it, S3 returns 403, not 404, for a missing object",
            ["s3:ListBucket", "s3:ListBucketVersions"],
            bucket_arn,
            condition={"StringLike": {"s3:prefix": prefixes}},
        ),
        allow(
            "WorkQueue",
            "Lambda receives and deletes messages; the function delays them, and sends one to continue a large file",
            [
                *("sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes"),
                *("sqs:ChangeMessageVisibility", "sqs:SendMessage"),
            ],
            queue_arn,
        ),
        allow("UseKey", "the bucket, queue, secret and environment are encrypted with this key", USE_KEY, key_arn),
        allow(
            "ReadCredentials", "to read the token and the advertiser id", "secretsmanager:GetSecretValue", secret_arn
        ),
        allow(
            "WriteLogs",
            "to write its log; Pulumi creates the log group, so the function does not need permission to",
            ["logs:CreateLogStream", "logs:PutLogEvents"],
            f"{log_group_arn}:*",
        ),
    ]
    if outcome_events:
        statements.append(
            allow(
                "SendOutcomes",
                "to send the outcome of each file to the account's default event bus, with the connector's source only",
                "events:PutEvents",
                AwsLocation.of(queue_arn).event_bus,
                condition={"StringEquals": {"events:source": EVENT_SOURCE, "events:detail-type": EVENT_DETAIL_TYPE}},
            )
        )
    return statements
