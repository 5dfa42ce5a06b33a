"""What is counted: the metrics of one invocation, printed once in CloudWatch's embedded metric format."""

from __future__ import annotations

from collections import Counter
from enum import StrEnum

from aws_lambda_powertools.metrics import MetricUnit
from aws_lambda_powertools.metrics.provider.cloudwatch_emf.cloudwatch import AmazonCloudWatchEMFProvider

from handler.report_codes import Status

NAMESPACE = "TikTokActivation"
DIMENSION = "Advertiser"


class Metric(StrEnum):
    """The names that alarms and dashboards use."""

    FILES_AVAILABLE = "FilesAvailable"
    FILES_SUBMITTED = "FilesSubmitted"
    FILES_SKIPPED = "FilesSkipped"
    FILES_REJECTED = "FilesRejected"
    FILES_FAILED = "FilesFailed"
    FILES_WAITING = "FilesWaiting"
    WAITING_SECONDS = "WaitingSeconds"
    CREDENTIALS_REJECTED = "CredentialsRejected"
    ROWS_ACCEPTED = "RowsAccepted"
    ROWS_REJECTED = "RowsRejected"
    TIKTOK_CALLS = "TikTokCalls"
    TIKTOK_THROTTLED = "TikTokThrottled"
    USERS_MATCHED = "UsersMatched"
    MESSAGES_FAILED = "MessagesFailed"


FILES_BY_STATUS: dict[Status, Metric] = {
    "available": Metric.FILES_AVAILABLE,
    "submitted": Metric.FILES_SUBMITTED,
    "skipped": Metric.FILES_SKIPPED,
    "rejected": Metric.FILES_REJECTED,
    "failed": Metric.FILES_FAILED,
    "waiting": Metric.FILES_WAITING,
}


class Metrics:
    """Sums of one invocation, and the oldest wait."""

    def __init__(self, advertiser: str) -> None:
        self._advertiser = advertiser
        self._sums: Counter[Metric] = Counter()
        self._longest_wait = 0.0

    def add(self, metric: Metric, value: int = 1) -> None:
        """Add to a sum."""
        self._sums[metric] += value

    def waited(self, seconds: float) -> None:
        """Take note of a file that has waited this long."""
        self._longest_wait = max(self._longest_wait, seconds)

    def flush(self) -> None:
        """Print what was counted and begin anew; nothing for nothing, so that a quiet function shows no zeros."""
        values = {metric: value for metric, value in self._sums.items() if value}
        # The provider itself: Powertools' Metrics adds a `service` dimension when told of a service, and shares its
        # state between all instances of a process.
        emf = AmazonCloudWatchEMFProvider(namespace=NAMESPACE, default_dimensions={DIMENSION: self._advertiser})
        for metric, value in values.items():
            emf.add_metric(name=metric.value, unit=MetricUnit.Count, value=value)
        if self._longest_wait:
            emf.add_metric(name=Metric.WAITING_SECONDS.value, unit=MetricUnit.Seconds, value=self._longest_wait)
        if emf.metric_set:
            emf.flush_metrics()
        self._sums.clear()
        self._longest_wait = 0.0
