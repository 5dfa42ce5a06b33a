"""The metrics of one invocation, printed once in CloudWatch's embedded metric format."""

from __future__ import annotations

from collections import Counter
from enum import StrEnum

from aws_lambda_powertools.metrics import MetricUnit
from aws_lambda_powertools.metrics.provider.cloudwatch_emf.cloudwatch import AmazonCloudWatchEMFProvider

NAMESPACE = "TikTokActivation"
DIMENSION = "Advertiser"


class Metric(StrEnum):
    """The names of the metrics, which alarms and dashboards use.

    Each metric is a sum over one invocation, except `WaitingSeconds`, which is the longest wait. `Audiences` and
    `AudiencesExpiring` are numbers at the time of a sweep; an invocation sweeps at most once.
    """

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
    SWEEPS = "Sweeps"
    AUDIENCES = "Audiences"
    AUDIENCES_EXPIRING = "AudiencesExpiring"
    AUDIENCES_UNMATCHED = "AudiencesUnmatched"


class Metrics:
    """The metrics of one invocation: sums and the longest wait."""

    def __init__(self, advertiser: str) -> None:
        """Start with all metrics at zero.

        Args:
            advertiser: the value of the dimension, `<advertiser>/<stack>`.
        """
        self._advertiser = advertiser
        self._values: Counter[Metric] = Counter()
        self._longest_wait = 0.0

    def add(self, metric: Metric, value: int = 1) -> None:
        """Add a value to a sum."""
        self._values[metric] += value

    def record_wait(self, seconds: float) -> None:
        """Record the seconds that an upload has waited."""
        self._longest_wait = max(self._longest_wait, seconds)

    def flush(self) -> None:
        """Print the metrics that are not zero as one line."""
        # This uses the provider directly, because Powertools' Metrics adds a dimension `service` when a service is
        # configured, and all of its instances in a process share their state.
        emf = AmazonCloudWatchEMFProvider(namespace=NAMESPACE, default_dimensions={DIMENSION: self._advertiser})
        for metric, value in self._values.items():
            if value:
                emf.add_metric(name=metric.value, unit=MetricUnit.Count, value=value)
        if self._longest_wait:
            emf.add_metric(name=Metric.WAITING_SECONDS.value, unit=MetricUnit.Seconds, value=self._longest_wait)
        if emf.metric_set:
            emf.flush_metrics()
