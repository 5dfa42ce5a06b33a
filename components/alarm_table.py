"""The alarms of a connector: metric, threshold, and the text of the notification."""

from __future__ import annotations

import math
from dataclasses import dataclass

import pulumi

from .delivery import FUNCTION_TIMEOUT, Delivery
from .function import Compute
from .names import NAMESPACE
from .scope import Scope

PERIOD = 300  # seconds; the length of the periods over which CloudWatch evaluates an alarm
_THREE_DAYS = 3 * 24 * 3600
# Seconds. If an invocation is killed, its messages become visible again after an hour and a half (the visibility
# timeout). A message of that age does not mean that the function has stopped.
_MAX_MESSAGE_AGE = 2 * 3600
_MIN_SECONDS_WITHOUT_SWEEP = 45 * 60
# TikTok allows 400 audiences per advertiser. An alarm at 380 leaves time to delete some.
_AUDIENCES_ALARM = 380

# CloudWatch counts these metrics from the function's log, in a separate namespace. The function's own metrics count
# uploads by status only. They cannot show that a skipped upload was withdrawn, or that a waiting upload needs a person.
# The log line of the upload has the code.
LOG_NAMESPACE = "TikTokActivation/Log"
# Metric -> the status and the codes of the log lines that it counts. It also counts lines with this status in which the
# field `alarm` is true.
LOG_METRICS = {
    "UploadsWithdrawn": ("skipped", ("withdrawn",)),
    "UploadsNeedPerson": (
        "waiting",
        ("shrinks_too_much", "audience_too_small", "audience_expired", "audience_limit_reached"),
    ),
}


@dataclass(frozen=True)
class Alarm:
    """One alarm. It goes off when at least `datapoints` of the last `periods` periods breach the threshold.

    Attributes:
        suffix: the end of the alarm's name.
        text: what happened, what is affected, what to do next.
        comparison: CloudWatch's operator, which compares `statistic` of the metric with `threshold`.
        missing: CloudWatch's setting for periods without data.
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
    missing: str = "notBreaching"  # an idle function publishes no metrics
    comparison: str = "GreaterThanThreshold"


def alarms(scope: Scope, delivery: Delivery, compute: Compute) -> list[Alarm]:
    """Return all alarms of a connector."""
    by_advertiser: dict[str, pulumi.Input[str]] = {"Advertiser": scope.label}
    # Each sweep reports the same problem again. An alarm that covers two sweeps stays on between them.
    two_sweep_periods = math.ceil((2 * scope.options.sweep_minutes * 60 + FUNCTION_TIMEOUT) / PERIOD)
    return [
        *_aws_alarms(scope, delivery, compute),
        *_upload_alarms(scope, by_advertiser, two_sweep_periods),
        *_audience_alarms(scope, by_advertiser, two_sweep_periods),
    ]


def _aws_alarms(scope: Scope, delivery: Delivery, compute: Compute) -> list[Alarm]:
    """Return the alarms on the queues, the function and the rule."""
    name = scope.name
    function: dict[str, pulumi.Input[str]] = {"FunctionName": compute.function.name}
    rule: dict[str, pulumi.Input[str]] = {"RuleName": delivery.rule.name}
    doctor = f"Run 'tiktok-activation doctor {name}'"
    return [
        Alarm(
            "dead-letters",
            f"Messages of {name} failed twelve times, or EventBridge could not deliver them. They are in the "
            f"dead-letter queue, and their uploads have no outcome. {doctor} to find the cause, then run "
            f"'tiktok-activation redrive {name}' to process the messages again.",
            "AWS/SQS",
            "ApproximateNumberOfMessagesVisible",
            {"QueueName": delivery.dead_letters.name},
            statistic="Maximum",
        ),
        Alarm(
            "function-errors",
            f"The function of {name} failed or timed out. Its messages are retried, so uploads are delayed. "
            f"{doctor} to see the last errors.",
            "AWS/Lambda",
            "Errors",
            function,
        ),
        Alarm(
            "function-throttles",
            f"Lambda has throttled the function of {name} for 15 minutes. Uploads are delayed. Check the account's "
            "quota for concurrent executions, and the option maximumConcurrency of every connector in the account.",
            "AWS/Lambda",
            "Throttles",
            function,
            datapoints=3,
            periods=3,
        ),
        Alarm(
            "oldest-message",
            f"A message of {name} has been in the queue for two hours, so the function is not running. Uploads are not "
            f"processed. {doctor} to see the last errors, and check that the event source mapping is enabled.",
            "AWS/SQS",
            "ApproximateAgeOfOldestMessage",
            {"QueueName": delivery.queue.name},
            statistic="Maximum",
            threshold=_MAX_MESSAGE_AGE,
        ),
        Alarm(
            "event-delivery",
            f"EventBridge could not deliver upload events of {name} to the queue. The events are in the dead-letter "
            "queue. Check the policies of the queue and the key, then run 'tiktok-activation redrive "
            f"{name}'.",
            "AWS/Events",
            "FailedInvocations",
            rule,
        ),
        Alarm(
            "events-lost",
            f"EventBridge could not deliver upload events of {name} to the queue or to the dead-letter queue. The "
            "events are lost, and these uploads have no outcome. Check the policies of the queues and the key, "
            "then upload the files again.",
            "AWS/Events",
            "InvocationsFailedToBeSentToDlq",
            rule,
        ),
    ]


def _upload_alarms(scope: Scope, by_advertiser: dict[str, pulumi.Input[str]], two_sweep_periods: int) -> list[Alarm]:
    """Return the alarms on uploads, messages and sweeps."""
    name = scope.name
    status = f"Run 'tiktok-activation status {name}' to see the reports"
    no_sweep_periods = math.ceil(max(3 * scope.options.sweep_minutes * 60, _MIN_SECONDS_WITHOUT_SWEEP) / PERIOD)
    return [
        # S3, SQS, KMS or the connector's own code failed, but the invocation itself succeeded. A single failure can be
        # harmless, for example if two invocations use the same audience. The first retry is after one minute, the
        # second after two more.
        Alarm(
            "messages-failed",
            f"Messages of {name} fail repeatedly. Their uploads are delayed. After about seven hours, the messages "
            f"move to the dead-letter queue. Run 'tiktok-activation doctor {name}' to see the last errors.",
            NAMESPACE,
            "MessagesFailed",
            by_advertiser,
            datapoints=2,
            periods=3,
        ),
        # No other alarm detects a stopped schedule, because a stopped schedule causes no error. In a new connector,
        # this alarm is on until the first sweep.
        Alarm(
            "no-sweep",
            f"No sweep of {name} has run for {no_sweep_periods * PERIOD // 60} minutes. Waiting uploads are not sent, "
            f"and changes at TikTok are not finished. Run 'tiktok-activation doctor {name}', and check that the "
            "schedule is enabled.",
            NAMESPACE,
            "Sweeps",
            by_advertiser,
            threshold=1,
            comparison="LessThanThreshold",
            datapoints=no_sweep_periods,
            periods=no_sweep_periods,
            missing="breaching",
        ),
        Alarm(
            "credentials-rejected",
            f"TikTok rejects the credentials of {name}, or the secret is empty or malformed. All uploads wait. They "
            "continue automatically as soon as the credentials work. Run 'tiktok-activation credentials "
            f"{name}' to test and replace them.",
            NAMESPACE,
            "CredentialsRejected",
            by_advertiser,
            periods=two_sweep_periods,
        ),
        Alarm(
            "files-rejected",
            f"Files of {name} were rejected. They did not change any audience. {status}, correct the files, and upload "
            "them again.",
            NAMESPACE,
            "FilesRejected",
            by_advertiser,
        ),
        Alarm(
            "files-failed",
            f"Files of {name} failed. They did not change any existing audience, but they may have created audiences "
            f"that cannot be used. {status}, and follow the instructions in them.",
            NAMESPACE,
            "FilesFailed",
            by_advertiser,
        ),
        Alarm(
            "files-withdrawn",
            f"Files of {name} were not sent, because they were deleted, withdrawn, or copied onto themselves. They did "
            f"not change any audience. {status}, and upload the files again if they should be sent.",
            LOG_NAMESPACE,
            "UploadsWithdrawn",
            by_advertiser,
        ),
        Alarm(
            "files-need-person",
            f"Files of {name} wait until a person acts: a list shrank too much, an audience is too small or has "
            "expired, or the limit of 400 audiences is reached. The files have not changed any audience yet. "
            f"{status}, and follow the instructions in them.",
            LOG_NAMESPACE,
            "UploadsNeedPerson",
            by_advertiser,
        ),
        Alarm(
            "file-waiting",
            f"A file of {name} has waited for more than three days. Its audience may be out of date. {status}, which "
            "say what each file is waiting for.",
            NAMESPACE,
            "WaitingSeconds",
            by_advertiser,
            statistic="Maximum",
            threshold=_THREE_DAYS,
            periods=two_sweep_periods,
        ),
    ]


def _audience_alarms(scope: Scope, by_advertiser: dict[str, pulumi.Input[str]], two_sweep_periods: int) -> list[Alarm]:
    """Return the alarms on audiences at TikTok."""
    name = scope.name
    audiences = f"Run 'tiktok-activation audiences {name}'"
    return [
        Alarm(
            "audiences-unmatched",
            f"TikTok matched no new users in 1,000 or more rows that were appended to an audience of {name}. Often the "
            "values were hashed in upper case, or the identifier type is wrong. Run 'tiktok-activation status "
            f"{name}' to see the report, correct the export, and upload it again.",
            NAMESPACE,
            "AudiencesUnmatched",
            by_advertiser,
        ),
        Alarm(
            "audiences-expiring",
            f"Audiences of {name} are about to expire at TikTok. An expired audience can never be changed again. "
            f"{audiences} to see which ones, and use each of them in an ad group or upload to it.",
            NAMESPACE,
            "AudiencesExpiring",
            by_advertiser,
            statistic="Maximum",
            periods=two_sweep_periods,
        ),
        Alarm(
            "audiences-limit",
            f"{name} has more than {_AUDIENCES_ALARM} audiences at TikTok. At 400 audiences, TikTok refuses to create "
            f"another. {audiences} to list them, and delete those that nobody uses.",
            NAMESPACE,
            "Audiences",
            by_advertiser,
            statistic="Maximum",
            threshold=_AUDIENCES_ALARM,
            periods=two_sweep_periods,
        ),
    ]
