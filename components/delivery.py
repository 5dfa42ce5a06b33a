"""The delivery of uploads to the function: the rule, the queue, the dead-letter queue and the schedule of sweeps."""

from __future__ import annotations

import json
from dataclasses import dataclass

import pulumi
from pulumi_aws import cloudwatch, scheduler, sqs

from . import policies, role_policies
from .aws_location import AwsLocation
from .names import UPLOADS
from .roles import make_role
from .scope import Scope
from .statements import render
from .storage import Storage

# Seconds. The queue's visibility timeout depends on the function's timeout and on the batching window.
FUNCTION_TIMEOUT = 900
BATCHING_WINDOW = 5
SWEEP = json.dumps({"sweep": True})
_MAX_RETENTION = 14 * 24 * 3600  # seconds; the maximum that SQS allows
_MAX_RECEIVES = 12
_MAX_DELIVERY_RETRIES = 185  # https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_RetryPolicy.html


@dataclass(frozen=True)
class Delivery:
    """The queue, the dead-letter queue and the rule of a connector."""

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
        # AWS recommends six times the function's timeout plus the batching window.
        visibility_timeout_seconds=6 * FUNCTION_TIMEOUT + BATCHING_WINDOW,
        redrive_policy=dead_letters.arn.apply(
            lambda arn: json.dumps({"deadLetterTargetArn": arn, "maxReceiveCount": _MAX_RECEIVES})
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
        kms_master_key_id=storage.key_arn,
        message_retention_seconds=_MAX_RETENTION,
        visibility_timeout_seconds=visibility_timeout_seconds,
        redrive_policy=redrive_policy,
        tags=scope.tags,
        opts=scope.child(*storage.key_ready),
    )


def _rule(scope: Scope, storage: Storage, queue: sqs.Queue, dead_letters: sqs.Queue) -> cloudwatch.EventRule:
    pattern = storage.bucket.bucket.apply(lambda bucket: json.dumps(upload_pattern(bucket)))
    rule = cloudwatch.EventRule(
        f"{scope.name}-uploads",
        description=f"Uploads of audience files for {scope.name}",
        event_pattern=pattern,
        tags=scope.tags,
        opts=scope.child(),
    )
    queue_policies = [
        sqs.QueuePolicy(
            f"{scope.name}-{suffix}",
            queue_url=target.url,
            policy=render(policies.queue, queue_arn=target.arn, rule_arn=rule.arn),
            opts=scope.child(),
        )
        for suffix, target in (("queue", queue), ("dead-letters", dead_letters))
    ]
    cloudwatch.EventTarget(
        f"{scope.name}-uploads",
        rule=rule.name,
        arn=queue.arn,
        dead_letter_config={"arn": dead_letters.arn},
        retry_policy={
            "maximum_event_age_in_seconds": 24 * 3600,
            "maximum_retry_attempts": _MAX_DELIVERY_RETRIES,
        },
        opts=scope.child(*storage.key_ready, *queue_policies),
    )
    if scope.options.event_archive_days:
        cloudwatch.EventArchive(
            f"{scope.name}-uploads",
            description=f"Upload events of {scope.name}, for replays",
            event_source_arn=queue.arn.apply(lambda arn: AwsLocation.of(arn).event_bus),
            event_pattern=pattern,
            retention_days=scope.options.event_archive_days,
            kms_key_identifier=storage.key_arn,
            opts=scope.child(*storage.key_ready),
        )
    return rule


def upload_pattern(bucket: str) -> dict[str, object]:
    """Return the event pattern that matches uploads to this bucket only.

    Other spellings such as `TikTok/` match too, so that the function can reject these uploads with a report.
    """
    return {
        "source": ["aws.s3"],
        "detail-type": ["Object Created"],
        "detail": {
            "bucket": {"name": [bucket]},
            "object": {"key": [{"prefix": {"equals-ignore-case": UPLOADS}}]},
        },
    }


def _schedule(scope: Scope, storage: Storage, queue: sqs.Queue) -> None:
    role, permissions = make_role(
        scope,
        "schedule",
        description=f"Lets the schedule of {scope.name} send sweep messages to the queue",
        trust=render(role_policies.schedule_trust, queue_arn=queue.arn),
        permissions=render(role_policies.schedule_role, queue_arn=queue.arn, key_arn=storage.key_arn),
    )
    minutes = scope.options.sweep_minutes
    scheduler.Schedule(
        f"{scope.name}-sweep",
        description=f"Starts the sweeps of {scope.name}, which finish changes and start pending uploads",
        schedule_expression=f"rate({minutes} {'minute' if minutes == 1 else 'minutes'})",
        flexible_time_window={"mode": "OFF"},
        kms_key_arn=storage.key_arn,  # Scheduler uses the key with the schedule's role
        target={
            "arn": queue.arn,
            "role_arn": role.arn,
            "input": SWEEP,
            # A sweep message is useless after the next one has been sent.
            "retry_policy": {"maximum_event_age_in_seconds": max(60, minutes * 60), "maximum_retry_attempts": 5},
        },
        opts=scope.child(*storage.key_ready, permissions),
    )
