"""The policies of a connector's roles, as pure functions of strings: each role's trust policy and its permissions."""

from collections.abc import Sequence

from .names import PENDING, STATE, UPLOADS
from .place import Place
from .policies import USE_KEY, through_s3, uploads
from .statements import Condition, Policy, allow

# The names under which outcome events appear on the bus.
EVENT_SOURCE = "tiktok-activation"
EVENT_DETAIL_TYPE = "TikTok Audience File"


def function_trust() -> Policy:
    """Return the trust policy of the function's role."""
    return [
        allow(
            "LambdaTakesRole",
            "the function works under its role",
            "sts:AssumeRole",
            None,
            {"Service": "lambda.amazonaws.com"},
        )
    ]


def schedule_trust(*, queue_arn: str) -> Policy:
    """Return the trust policy of the schedule's role, for schedules of this account only.

    The condition names their group, not the schedule: the connector's schedule is in the default group.

    Args:
        queue_arn: the queue, for its partition, region and account.
    """
    place = Place.of(queue_arn)
    source = {"aws:SourceAccount": place.account, "aws:SourceArn": place.arn("scheduler", "schedule-group/default")}
    return [
        allow(
            "SchedulerTakesRole",
            "the schedule works under its role; it is in the account's default group",
            "sts:AssumeRole",
            None,
            {"Service": "scheduler.amazonaws.com"},
            condition={"StringEquals": source},
        )
    ]


def schedule_role(*, queue_arn: str, key_arn: str) -> Policy:
    """Return the permissions of the schedule."""
    return [
        allow("SendSweep", "the schedule puts a sweep on the queue", "sqs:SendMessage", queue_arn),
        allow("ScheduleUsesKey", "the schedule and the queue are encrypted with it", USE_KEY, key_arn),
    ]


def upload_trust(*, principals: Sequence[str], external_id: str | None) -> Policy:
    """Return the trust policy of the role that a vendor assumes.

    The external id keeps a vendor from being talked into using the role for another of its customers.
    https://docs.aws.amazon.com/IAM/latest/UserGuide/confused-deputy.html
    """
    condition: Condition | None = {"StringEquals": {"sts:ExternalId": external_id}} if external_id else None
    return [
        allow(
            "UploaderTakesRole",
            "exactly these principals assume the role, with the external id that was agreed on",
            "sts:AssumeRole",
            None,
            {"AWS": list(principals)},
            condition=condition,
        )
    ]


def upload_role(*, bucket_arn: str, key_arn: str, queue_arn: str) -> Policy:
    """Return the permissions of that role: upload under `tiktok/`, and nothing else.

    Args:
        bucket_arn: the bucket.
        key_arn: its key.
        queue_arn: the queue, for its partition and region.
    """
    return [
        *uploads(bucket_arn, None),
        allow(
            "UploadsEncrypted",
            "S3 encrypts the upload, and decrypts parts to put them together",
            USE_KEY,
            key_arn,
            condition=through_s3(Place.of(queue_arn), bucket_arn),
        ),
    ]


def function_role(
    *, bucket_arn: str, queue_arn: str, key_arn: str, secret_arn: str, log_group_arn: str, outcome_events: bool
) -> Policy:
    """Return the permissions of the function."""
    prefixes: list[str] = [f"{prefix}*" for prefix in (UPLOADS, *STATE)]
    statements = [
        allow(
            "ReadUploads",
            "it reads the version that an event names",
            "s3:GetObjectVersion",
            f"{bucket_arn}/{UPLOADS}*",
        ),
        allow(
            "KeepState",
            "reports, the lease and state of audiences, pending pointers",
            ["s3:GetObject", "s3:PutObject"],
            [f"{bucket_arn}/{prefix}*" for prefix in STATE],
        ),
        allow(
            "ClearPending",
            "a finished upload is pending no more",
            "s3:DeleteObject",
            f"{bucket_arn}/{PENDING}*",
        ),
        allow(
            "ListOwnPrefixes",
            "it lists what is pending, and versions; without it a missing object is a 403, not a 404",
            ["s3:ListBucket", "s3:ListBucketVersions"],
            bucket_arn,
            condition={"StringLike": {"s3:prefix": prefixes}},
        ),
        allow(
            "WorkQueue",
            "Lambda's poller takes messages; the function delays them, and sends itself one to continue a large file",
            [
                *("sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes"),
                *("sqs:ChangeMessageVisibility", "sqs:SendMessage"),
            ],
            queue_arn,
        ),
        allow("UseKey", "bucket, queue, secret and environment are encrypted with it", USE_KEY, key_arn),
        allow("ReadCredentials", "the token and the advertiser id", "secretsmanager:GetSecretValue", secret_arn),
        allow(
            "WriteLogs",
            "the log group exists already, so it needs no permission to create one",
            ["logs:CreateLogStream", "logs:PutLogEvents"],
            f"{log_group_arn}:*",
        ),
    ]
    if outcome_events:
        statements.append(
            allow(
                "SendOutcomes",
                "it puts the outcome of each file on the account's default event bus, under its own source only",
                "events:PutEvents",
                Place.of(queue_arn).event_bus,
                condition={"StringEquals": {"events:source": EVENT_SOURCE, "events:detail-type": EVENT_DETAIL_TYPE}},
            )
        )
    return statements
