"""The function's log in CloudWatch Logs: its last sweep and its last errors."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

from console import aws
from console.stack import Connector

_MAX_EVENTS = 2000
_LEVELS = {"ERROR", "CRITICAL"}


@dataclass(frozen=True)
class LogLine:
    """A line of the function: its time, its level, and its message. The function logs no identifier and no token."""

    at: datetime
    level: str
    message: str


def last_sweep(connector: Connector, within_seconds: float) -> datetime | None:
    """Return when the function last swept; None if it did not within some seconds.

    Raises:
        ConsoleError: the log may not be read.
    """
    lines = [line for line in _lines(connector, within_seconds, "sweep") if line.message == "sweep"]
    return max((line.at for line in lines), default=None)


def last_errors(connector: Connector, within_seconds: float, limit: int) -> list[LogLine]:
    """Return the newest errors, the newest first.

    Raises:
        ConsoleError: the log may not be read.
    """
    lines = [
        *_lines(connector, within_seconds, "ERROR"),
        *_lines(connector, within_seconds, "Task timed out"),
    ]
    errors = {(line.at, line.message): line for line in lines if line.level in _LEVELS}
    return sorted(errors.values(), key=lambda line: line.at, reverse=True)[:limit]


def _lines(connector: Connector, within_seconds: float, word: str) -> Iterator[LogLine]:
    client = aws.logs(connector)
    with aws.explained("read the function's log", connector):
        pages = client.get_paginator("filter_log_events").paginate(
            logGroupName=connector.output("log_group_name"),
            startTime=int((time.time() - within_seconds) * 1000),
            filterPattern=f'"{word}"',
            PaginationConfig={"MaxItems": _MAX_EVENTS},
        )
        for page in pages:
            for event in page["events"]:
                yield _line(event["timestamp"], event["message"])


def _line(timestamp: int, text: str) -> LogLine:
    at = datetime.fromtimestamp(timestamp / 1000, UTC)
    try:
        content = json.loads(text)
        if isinstance(content, dict):
            name = content.get("exception_name") or content.get("errorType")
            message = str(content.get("message") or content.get("errorMessage") or "")
            return LogLine(
                at, str(content.get("level", "ERROR" if name else "INFO")), f"{message} ({name})" if name else message
            )
    except ValueError:
        pass
    return LogLine(at, "ERROR" if "Task timed out" in text else "INFO", text.strip()[:300])
