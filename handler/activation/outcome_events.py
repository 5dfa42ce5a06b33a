"""Outcome events: each final status, put on the account's default event bus at least once."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import datetime
from typing import TYPE_CHECKING

from handler.errors import ConnectorError
from handler.state.reports import Report

if TYPE_CHECKING:
    from mypy_boto3_events import EventBridgeClient

SOURCE = "tiktok-activation"
DETAIL_TYPE = "TikTok Audience File"


def publisher(client: EventBridgeClient | None, now: Callable[[], datetime]) -> Callable[[Report], None]:
    """Return a function that publishes the report of an upload at its end; without a client it does nothing.

    The function raises `ConnectorError` if EventBridge refuses the event.
    """

    def publish(report: Report) -> None:
        if client is None:
            return
        answer = client.put_events(
            Entries=[
                {"Time": now(), "Source": SOURCE, "DetailType": DETAIL_TYPE, "Detail": json.dumps(event_detail(report))}
            ]
        )
        if answer["FailedEntryCount"]:
            raise ConnectorError(f"EventBridge refused an outcome event: {answer['Entries'][0].get('ErrorCode')}.")

    return publish


def event_detail(report: Report) -> dict[str, object]:
    """Return the detail of an outcome event. It holds neither identifiers nor the token."""
    audience, rows = report["audience"], report["rows"]
    return {
        "status": report["status"],
        "code": report["code"],
        "reason": report["reason"],
        "bucket": report["file"]["bucket"],
        "key": report["file"]["key"],
        "version_id": report["file"]["version_id"],
        "run": report["run"],
        "audience": audience,
        "rows": {name: rows[name] for name in ("total", "accepted", "rejected", "overtaken")},
        "matched": report["tiktok"]["matched"],
    }
