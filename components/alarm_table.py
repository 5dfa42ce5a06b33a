"""The table of a connector's alarms: metric, threshold, and the text of the notification."""

from __future__ import annotations

import math
from dataclasses import dataclass

import pulumi

from .delivery import FUNCTION_TIMEOUT, Delivery
from .function import Worker
from .names import NAMESPACE
from .scope import Scope

PERIOD = 300  # seconds; CloudWatch evaluates each alarm over periods of this length
_THREE_DAYS = 3 * 24 * 3600
# A function killed at its timeout returns its message after an hour and a half, so that is no standstill yet.
_MAX_MESSAGE_AGE = 2 * 3600
_MIN_SILENCE = 45 * 60  # seconds without a sweep
# TikTok allows 400 audiences per advertiser. At 380 a person still has time to delete some.
MAX_AUDIENCES = 380

# Metrics that CloudWatch counts from the function's log, in a namespace of their own. The function publishes no metric
# that tells a withdrawn upload from one that needed nothing, nor an audience that waits for a person from one that
# TikTok is processing; the log line of the upload has the code.
LOG_NAMESPACE = "TikTokActivation/Log"
# Metric -> status and codes of the log lines that it counts.
LOG_METRICS = {
    "UploadsWithdrawn": ("skipped", ("withdrawn",)),
    "UploadsNeedPerson": (
        "waiting",
        ("shrinks_too_much", "audience_too_small", "audience_expired", "audience_limit_reached"),
    ),
}


@dataclass(frozen=True)
class Alarm:
    """One alarm: `statistic` of the metric above `threshold` in `datapoints` of the last `periods` periods.

    Attributes:
        suffix: the end of the alarm's name.
        text: what happened, what is affected, what to do next.
        missing: the meaning of a period without data, for CloudWatch.
        comparison: CloudWatch's comparison operator.
    """

    suffix: str
    text: str
    namespace: str
    metric: str
    dimensions: dict[str, pulumi.Input[str]]
    statistic: str = "Sum"
    threshold: int = 0
    datapoints: int = 1
    periods: int = 1
    missing: str = "notBreaching"  # a quiet function publishes nothing
    comparison: str = "GreaterThanThreshold"


def alarms(scope: Scope, delivery: Delivery, worker: Worker) -> list[Alarm]:
    """Return all alarms of a connector."""
    own: dict[str, pulumi.Input[str]] = {"Advertiser": scope.label}
    # A sweep finds the same again as the one before it. An alarm that looks back two sweeps does not switch off between
    # them.
    two_sweeps = math.ceil((2 * scope.options.sweep_minutes * 60 + FUNCTION_TIMEOUT) / PERIOD)
    return [
        *_aws_alarms(scope, delivery, worker),
        *_upload_alarms(scope, own, two_sweeps),
        *_audience_alarms(scope, own, two_sweeps),
    ]


def _aws_alarms(scope: Scope, delivery: Delivery, worker: Worker) -> list[Alarm]:
    """Return the alarms on queues, function and rule."""
    name = scope.name
    function: dict[str, pulumi.Input[str]] = {"FunctionName": worker.function.name}
    rule: dict[str, pulumi.Input[str]] = {"RuleName": delivery.rule.name}
    doctor = f"Run 'tiktok-activation doctor {name}'"
    return [
        Alarm(
            "dead-letters",
            f"Messages of {name} failed twelve times, or EventBridge could not deliver them. They are in the "
            f"dead-letter queue, and their uploads have no outcome. {doctor} for the cause, then "
            f"'tiktok-activation redrive {name}'.",
            "AWS/SQS",
            "ApproximateNumberOfMessagesVisible",
            {"QueueName": delivery.dead_letters.name},
            statistic="Maximum",
        ),
        Alarm(
            "function-errors",
            f"The function of {name} failed or ran out of time. Its messages are retried, so uploads are late. "
            f"{doctor} for the last errors.",
            "AWS/Lambda",
            "Errors",
            function,
        ),
        Alarm(
            "function-throttles",
            f"Lambda has had no capacity for the function of {name} for 15 minutes. Uploads are late. Check the "
            "account's concurrency quota, then maximumConcurrency of this connector and of others.",
            "AWS/Lambda",
            "Throttles",
            function,
            datapoints=3,
            periods=3,
        ),
        Alarm(
            "oldest-message",
            f"A message of {name} has been in the queue for two hours: the function is not running. No upload is "
            f"processed. {doctor} for the last errors, and check that the event source mapping is enabled.",
            "AWS/SQS",
            "ApproximateAgeOfOldestMessage",
            {"QueueName": delivery.queue.name},
            statistic="Maximum",
            threshold=_MAX_MESSAGE_AGE,
        ),
        Alarm(
            "event-delivery",
            f"EventBridge could not deliver uploads of {name} to the queue. They are in the dead-letter queue. Check "
            f"the policies of queue and key, then run 'tiktok-activation redrive {name}'.",
            "AWS/Events",
            "FailedInvocations",
            rule,
        ),
        Alarm(
            "events-lost",
            f"EventBridge could deliver uploads of {name} neither to the queue nor to the dead-letter queue. They have "
            "no outcome. Check the policies of queue and key, then upload these files again.",
            "AWS/Events",
            "InvocationsFailedToBeSentToDlq",
            rule,
        ),
    ]


def _upload_alarms(scope: Scope, own: dict[str, pulumi.Input[str]], two_sweeps: int) -> list[Alarm]:
    """Return the alarms on uploads, messages and sweeps."""
    name = scope.name
    status = f"Run 'tiktok-activation status {name}' for their reports"
    silence = math.ceil(max(3 * scope.options.sweep_minutes * 60, _MIN_SILENCE) / PERIOD)
    return [
        # S3, SQS, KMS or the connector's own code; the invocation itself ends well. A single failure may only mean two
        # functions at once. The second try comes after a minute, the third after two more.
        Alarm(
            "messages-failed",
            f"Messages of {name} fail again and again. Their uploads are late; after six hours the messages go to the "
            f"dead-letter queue. Run 'tiktok-activation doctor {name}' for the last errors.",
            NAMESPACE,
            "MessagesFailed",
            own,
            datapoints=2,
            periods=3,
        ),
        # The one fault that no other alarm shows: a stopped schedule leaves no error. A new connector is in alarm until
        # its first sweep.
        Alarm(
            "no-sweep",
            f"No sweep of {name} has run for {silence * PERIOD // 60} minutes. Nothing that waits is started or "
            f"finished. Run 'tiktok-activation doctor {name}', and check that the schedule is enabled.",
            NAMESPACE,
            "Sweeps",
            own,
            threshold=1,
            comparison="LessThanThreshold",
            datapoints=silence,
            periods=silence,
            missing="breaching",
        ),
        Alarm(
            "credentials-rejected",
            f"TikTok refuses the credentials of {name}, or the secret is empty or malformed. All its uploads wait, and "
            f"continue by themselves afterwards. Run 'tiktok-activation credentials {name}' to test and replace them.",
            NAMESPACE,
            "CredentialsRejected",
            own,
            periods=two_sweeps,
        ),
        Alarm(
            "files-rejected",
            f"Files of {name} were rejected. They changed no audience. {status}, correct the files and upload "
            "them again.",
            NAMESPACE,
            "FilesRejected",
            own,
        ),
        Alarm(
            "files-failed",
            f"Files of {name} failed. They changed no audience. {status}, and do what the reason says.",
            NAMESPACE,
            "FilesFailed",
            own,
        ),
        Alarm(
            "files-withdrawn",
            f"Files of {name} were deleted or withdrawn before their turn. They changed no audience. {status}, and "
            "upload them again if nobody meant to delete them.",
            LOG_NAMESPACE,
            "UploadsWithdrawn",
            own,
        ),
        Alarm(
            "files-need-person",
            f"Files of {name} wait for a person: a list shrank too much, or an audience is too small, has expired or "
            f"is one too many. They have changed no audience yet. {status}, and do what the reason says.",
            LOG_NAMESPACE,
            "UploadsNeedPerson",
            own,
        ),
        Alarm(
            "file-waiting",
            f"A file of {name} has waited for more than three days. It has changed no audience yet. {status}, which "
            "say what it waits for.",
            NAMESPACE,
            "WaitingSeconds",
            own,
            statistic="Maximum",
            threshold=_THREE_DAYS,
            periods=two_sweeps,
        ),
    ]


def _audience_alarms(scope: Scope, own: dict[str, pulumi.Input[str]], two_sweeps: int) -> list[Alarm]:
    """Return the alarms on audiences at TikTok."""
    name = scope.name
    audiences = f"Run 'tiktok-activation audiences {name}'"
    return [
        Alarm(
            "audiences-unmatched",
            f"TikTok matched nobody new in 1,000 rows or more that were appended to an audience of {name}. Often the "
            "values were hashed in upper case or are under the wrong identifier type. Run 'tiktok-activation status "
            f"{name}' for the report, correct the export and upload it again.",
            NAMESPACE,
            "AudiencesUnmatched",
            own,
        ),
        Alarm(
            "audiences-expiring",
            f"Audiences of {name} are about to expire at TikTok. After that they can never be edited. {audiences} for "
            "their names, and use them in an ad group or upload to them.",
            NAMESPACE,
            "AudiencesExpiring",
            own,
            statistic="Maximum",
            periods=two_sweeps,
        ),
        Alarm(
            "audiences-limit",
            f"{name} has more than {MAX_AUDIENCES} audiences at TikTok, which allows 400. Beyond that no new audience "
            f"is created. {audiences}, and delete those that nobody uses.",
            NAMESPACE,
            "Audiences",
            own,
            statistic="Maximum",
            threshold=MAX_AUDIENCES,
            periods=two_sweeps,
        ),
    ]
