"""How work reaches the function: queue and dead-letter queue, the rule that feeds them, the schedule that sweeps."""

import json
from dataclasses import dataclass

import pulumi
from pulumi_aws import cloudwatch, iam, scheduler, sqs

from components import policies
from components.place import Place
from components.scope import Scope
from components.storage import Storage

FUNCTION_TIMEOUT = 900
BATCHING_WINDOW = 5
SWEEP = json.dumps({"sweep": True})
_FOURTEEN_DAYS = 14 * 24 * 3600  # the longest that SQS keeps a message
_MOST_RECEIVES = 12


@dataclass(frozen=True)
class Delivery:
    """The queues and the rule."""

    queue: sqs.Queue
    dead_letters: sqs.Queue
    rule: cloudwatch.EventRule


def make_delivery(scope: Scope, storage: Storage) -> Delivery:
    """Create the queues, the rule for uploads and the schedule for sweeps."""
    dead_letters = _queue(scope, storage, "dead-letters")
    queue = _queue(
        scope,
        storage,
        "queue",
        # AWS's advice for a queue that feeds a function: six times its time-out, and the batching window
        visibility_timeout_seconds=6 * FUNCTION_TIMEOUT + BATCHING_WINDOW,
        redrive_policy=dead_letters.arn.apply(
            lambda arn: json.dumps({"deadLetterTargetArn": arn, "maxReceiveCount": _MOST_RECEIVES})
        ),
    )
    sqs.RedriveAllowPolicy(
        f"{scope.name}-redrive",
        queue_url=dead_letters.url,
        redrive_allow_policy=queue.arn.apply(
            lambda arn: json.dumps({"redrivePermission": "byQueue", "sourceQueueArns": [arn]})
        ),
        opts=scope.child(),
    )
    rule = _rule(scope, storage, queue, dead_letters)
    _schedule(scope, storage, queue)
    return Delivery(queue, dead_letters, rule)


def _queue(
    scope: Scope,
    storage: Storage,
    suffix: str,
    visibility_timeout_seconds: int | None = None,
    redrive_policy: pulumi.Output[str] | None = None,
) -> sqs.Queue:
    return sqs.Queue(
        f"{scope.name}-{suffix}",
        kms_master_key_id=storage.key.arn,
        message_retention_seconds=_FOURTEEN_DAYS,
        visibility_timeout_seconds=visibility_timeout_seconds,
        redrive_policy=redrive_policy,
        tags=scope.tags,
        opts=scope.child(storage.key_policy),
    )


def _rule(scope: Scope, storage: Storage, queue: sqs.Queue, dead_letters: sqs.Queue) -> cloudwatch.EventRule:
    pattern = storage.bucket.bucket.apply(lambda bucket: json.dumps(upload_pattern(bucket)))
    rule = cloudwatch.EventRule(
        f"{scope.name}-uploads",
        description=f"Audience files uploaded for {scope.name}",
        event_pattern=pattern,
        tags=scope.tags,
        opts=scope.child(),
    )
    queue_policies = [
        sqs.QueuePolicy(
            f"{scope.name}-{suffix}",
            queue_url=target.url,
            policy=policies.render(policies.queue, queue_arn=target.arn, rule_arn=rule.arn),
            opts=scope.child(),
        )
        for suffix, target in (("queue", queue), ("dead-letters", dead_letters))
    ]
    cloudwatch.EventTarget(
        f"{scope.name}-uploads",
        rule=rule.name,
        arn=queue.arn,
        dead_letter_config={"arn": dead_letters.arn},
        retry_policy={"maximum_event_age_in_seconds": 24 * 3600, "maximum_retry_attempts": 185},  # AWS's most
        opts=scope.child(storage.key_policy, *queue_policies),
    )
    if scope.settings.event_archive_days:
        cloudwatch.EventArchive(
            f"{scope.name}-uploads",
            description=f"Uploads for {scope.name}, to be replayed",
            event_source_arn=storage.key.arn.apply(lambda arn: Place.of(arn).event_bus),
            event_pattern=pattern,
            retention_days=scope.settings.event_archive_days,
            kms_key_identifier=storage.key.arn,
            opts=scope.child(storage.key_policy),
        )
    return rule


def upload_pattern(bucket: str) -> dict[str, object]:
    """The event pattern for files uploaded to exactly this bucket."""
    return {
        "source": ["aws.s3"],
        "detail-type": ["Object Created"],
        "detail": {"bucket": {"name": [bucket]}, "object": {"key": [{"prefix": policies.UPLOADS}]}},
    }


def _schedule(scope: Scope, storage: Storage, queue: sqs.Queue) -> None:
    role = iam.Role(
        f"{scope.name}-schedule",
        description=f"Lets the schedule of {scope.name} put a sweep on its queue",
        assume_role_policy=policies.render(policies.schedule_trust, key_arn=storage.key.arn),
        tags=scope.tags,
        opts=scope.child(),
    )
    rights = iam.RolePolicy(
        f"{scope.name}-schedule",
        role=role.name,
        policy=policies.render(policies.schedule_role, queue_arn=queue.arn, key_arn=storage.key.arn),
        opts=scope.child(),
    )
    minutes = scope.settings.sweep_minutes
    scheduler.Schedule(
        f"{scope.name}-sweep",
        description=f"Takes up again what waits for {scope.name}",
        schedule_expression=f"rate({minutes} {'minute' if minutes == 1 else 'minutes'})",
        flexible_time_window={"mode": "OFF"},
        kms_key_arn=storage.key.arn,  # Scheduler decrypts with the role
        target={
            "arn": queue.arn,
            "role_arn": role.arn,
            "input": SWEEP,
            # one that comes too late is a second one: the next is on its way
            "retry_policy": {"maximum_event_age_in_seconds": max(60, minutes * 60), "maximum_retry_attempts": 5},
        },
        opts=scope.child(storage.key_policy, rights),
    )
