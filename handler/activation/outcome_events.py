"""Outcome events: the final status of each upload, sent to the default event bus at least once."""

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
    """Return a function that publishes the report of a finished upload as an event.

    Without a client, the function does nothing. It raises `ConnectorError` if EventBridge rejects the event.
    """

    def publish(report: Report) -> None:
        if client is None:
            return
        response = client.put_events(
            Entries=[
                {"Time": now(), "Source": SOURCE, "DetailType": DETAIL_TYPE, "Detail": json.dumps(event_detail(report))}
            ]
        )
        if response["FailedEntryCount"]:
            raise ConnectorError(f"EventBridge rejected an outcome event: {response['Entries'][0].get('ErrorCode')}.")

    return publish


def event_detail(report: Report) -> dict[str, object]:
    """Return the `detail` of an outcome event. It contains no identifiers and no token."""
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
