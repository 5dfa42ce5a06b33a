"""The context of one invocation, and the only place where an upload's status is logged and counted."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from aws_lambda_powertools import Logger

from handler.clock import Deadline
from handler.errors import Damaged, Missing, Outcome
from handler.metrics import Metric, Metrics
from handler.model import AudienceKey
from handler.settings import Settings
from handler.state.ledger import Ledger
from handler.state.objects import ObjectStore
from handler.state.pending_pointers import Pointer
from handler.state.reports import Report, set_outcome
from handler.tiktok.account import Account
from handler.tiktok.client import TikTokClient


@dataclass(frozen=True)
class Invocation:
    """One invocation of the function.

    Attributes:
        holder: the name of this invocation in a lease.
        now: returns the current time in UTC.
        continue_later: sends a message that makes the function continue with an audience immediately.
        broken: digests of uploads that are left out of this invocation because S3 or the connector failed.
        unreadable: digests of uploads whose report or pointer someone deleted or damaged.
    """

    settings: Settings
    store: ObjectStore
    ledger: Ledger
    tiktok: TikTokClient
    account: Account
    deadline: Deadline
    metrics: Metrics
    logger: Logger
    holder: str
    now: Callable[[], datetime]
    continue_later: Callable[[AudienceKey], None]
    broken: set[str] = field(default_factory=set)
    unreadable: set[str] = field(default_factory=set)

    @property
    def settle(self) -> timedelta:
        """The settling time."""
        return timedelta(seconds=self.settings.settle_seconds)

    def report(self, pointer: Pointer) -> Report | None:
        """Return the report that a pointer refers to.

        Return None if the upload is finished, or if the report or the pointer cannot be read.
        """
        try:
            return self.ledger.follow(pointer)
        except (Missing, Damaged):
            # Someone deleted or edited the report or the pointer manually. The other uploads continue.
            self.logger.exception("report unreadable", extra={"pointer": pointer.key})
            self.unreadable.add(pointer.digest)
            return None

    def write(self, report: Report, change: Callable[[Report], None], *, alarm: bool = False) -> Report:
        """Apply a change to a report, and return the stored report.

        If the status or code changes, the new status is logged and counted. With `alarm`, the log line raises an alarm.

        Raises:
            Conflict, Missing, Damaged: as for `Ledger.update`.
        """
        written, changed = self.ledger.update(report, change)
        if changed:
            self.announce(written, alarm=alarm)
        return written

    def set_outcome(self, report: Report, outcome: Outcome) -> Report:
        """Write an outcome into the report of an upload, and return the stored report."""
        return self.write(report, lambda current: set_outcome(current, outcome), alarm=outcome.alarm)

    def announce(self, report: Report, *, alarm: bool = False) -> None:
        """Log the status of an upload in one line and count it. The metric filters of the alarms match this line."""
        rows, audience = report["rows"], report["audience"]
        self.logger.info(
            "file",
            extra={
                "status": report["status"],
                "code": report["code"],
                "reason": report["reason"],
                "key": report["file"]["key"],
                "version_id": report["file"]["version_id"],
                "audience": audience and audience["name"],
                "identifier_type": audience and audience["identifier_type"],
                "audience_id": audience and audience["id"],
                "accepted": rows["accepted"],
                "rejected": rows["rejected"],
                "alarm": alarm,
            },
        )
        self.metrics.add(Metric(f"Files{report['status'].capitalize()}"))
        if report["status"] == "submitted":
            self.metrics.add(Metric.ROWS_ACCEPTED, rows["accepted"] or 0)
        if report["status"] in {"submitted", "rejected"}:
            self.metrics.add(Metric.ROWS_REJECTED, rows["rejected"] or 0)
