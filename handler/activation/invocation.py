"""What one invocation works with, and the one place where a file's outcome is written, logged and counted."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime

from aws_lambda_powertools import Logger

from handler.clock import Deadline
from handler.errors import Outcome
from handler.metrics import FILES_BY_STATUS, Metric, Metrics
from handler.settings import Settings
from handler.state.ledger import Ledger
from handler.state.objects import ObjectStore
from handler.state.reports import Report, settle_outcome
from handler.tiktok.account import Account
from handler.tiktok.client import TikTokClient


@dataclass(frozen=True)
class Invocation:
    """One invocation.

    Attributes:
        holder: names this invocation in a lease.
        send_again: puts a file's message back on the queue, to go on at once.
        broken: files, by key and version, with which S3 or our own code failed in this invocation.
        unfinished: files for which there was no time left, to be sent again.
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
    send_again: Callable[[Report], None]
    broken: dict[tuple[str, str], Exception] = field(default_factory=dict)
    unfinished: list[Report] = field(default_factory=list)

    def write(self, report: Report, change: Callable[[Report], None]) -> Report:
        """Change a report; if that changes how its file stands, say so in one log line and one metric."""
        written, stands_otherwise = self.ledger.update(report, change)
        if stands_otherwise:
            self.announce(written)
        return written

    def settle(self, report: Report, outcome: Outcome) -> Report:
        """Write down how a file stands after an error."""
        return self.write(report, lambda current: settle_outcome(current, outcome))

    def announce(self, report: Report) -> None:
        """One log line and the metrics of a file's outcome."""
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
            },
        )
        self.metrics.add(FILES_BY_STATUS[report["status"]])
        if report["status"] == "submitted":
            self.metrics.add(Metric.ROWS_ACCEPTED, rows["accepted"] or 0)
        if report["status"] in {"submitted", "rejected"}:
            self.metrics.add(Metric.ROWS_REJECTED, rows["rejected"] or 0)
