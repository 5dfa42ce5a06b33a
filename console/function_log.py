"""The function's log in CloudWatch Logs: the last sweep and the last errors."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from console import aws
from console.stack import Connector

_MAX_EVENTS = 2000
_MAX_CAUSE = 300  # characters
_LEVELS = {"ERROR", "CRITICAL"}
# The function logs this as a warning, because it is not a failure of the function. `doctor` shows it as the cause of a
# failed message.
_REFUSED = "message refused"


@dataclass(frozen=True)
class LogLine:
    """One line of the function's log. The function never logs identifiers or the token."""

    at: datetime
    level: str
    message: str


def last_sweep(connector: Connector, within_seconds: float) -> datetime | None:
    """Return the time of the last sweep; None if there was none within the given number of seconds.

    Raises:
        ConsoleError: the stack output with the log group is missing, or the log cannot be read.
    """
    lines = [line for line in _lines(connector, within_seconds, "sweep") if line.message == "sweep"]
    return max((line.at for line in lines), default=None)


def last_errors(connector: Connector, within_seconds: float, limit: int) -> list[LogLine]:
    """Return at most `limit` errors and refused messages of the last `within_seconds` seconds, newest first.

    Raises:
        ConsoleError: the stack output with the log group is missing, or the log cannot be read.
    """
    lines = [
        *_lines(connector, within_seconds, "ERROR"),
        *_lines(connector, within_seconds, "Task timed out"),
        *_lines(connector, within_seconds, _REFUSED),
    ]
    errors = {
        (line.at, line.message): line for line in lines if line.level in _LEVELS or line.message.startswith(_REFUSED)
    }
    return sorted(errors.values(), key=lambda line: line.at, reverse=True)[:limit]


def _lines(connector: Connector, within_seconds: float, word: str) -> Iterator[LogLine]:
    client = aws.logs(connector)
    with aws.translate_errors("read the function's log", connector):
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
    except ValueError:
        content = None
    if not isinstance(content, dict):
        return LogLine(at, "ERROR" if "Task timed out" in text else "INFO", text.strip()[:_MAX_CAUSE])
    name = content.get("exception_name") or content.get("errorType")
    message = str(content.get("message") or content.get("errorMessage") or "")
    if cause := _cause(content, message):
        message = f"{message}: {cause}"
    elif name:
        message = f"{message} ({name})"
    return LogLine(at, str(content.get("level", "ERROR" if name else "INFO")), message)


def _cause(content: Mapping[str, Any], message: str) -> str:
    """Return the reason for a refused message or the last line of a traceback; empty if there is neither."""
    if message == _REFUSED:
        return str(content.get("reason", ""))
    return str(content.get("exception") or "").strip().rpartition("\n")[2].strip()[:_MAX_CAUSE]
