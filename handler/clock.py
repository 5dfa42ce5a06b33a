"""Time formats of reports and TikTok, and the deadline of an invocation."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Protocol

# Seconds of run time reserved for finishing. No new work starts in this time.
RESERVE_SECONDS = 60.0
MAX_RESERVE_SHARE = 0.25  # of the run time, for short invocations


class LambdaContext(Protocol):
    """The attributes of Lambda's context object that this project uses."""

    @property
    def aws_request_id(self) -> str:
        """The id of the invocation."""

    def get_remaining_time_in_millis(self) -> int:
        """Return the milliseconds until Lambda stops the function."""


class Deadline:
    """The end of an invocation.

    Attributes:
        total: seconds of run time at the start.
        reserve: seconds of run time reserved for finishing.
    """

    def __init__(self, remaining_seconds: float, clock: Callable[[], float] = time.monotonic) -> None:
        """Set the deadline relative to the current time.

        Args:
            remaining_seconds: seconds until Lambda stops the function.
            clock: returns monotonic time in seconds.
        """
        self._clock = clock
        self._end = clock() + remaining_seconds
        self.total = remaining_seconds
        self.reserve = min(RESERVE_SECONDS, MAX_RESERVE_SHARE * remaining_seconds)

    def remaining(self) -> float:
        """Return the seconds until Lambda stops the function."""
        return self._end - self._clock()

    def near(self) -> bool:
        """Return true if less run time than the reserve is left."""
        return self.remaining() < self.reserve


def utc_now() -> datetime:
    """Return the current time as a UTC datetime."""
    return datetime.now(UTC)


def iso(value: datetime) -> str:
    """Return a time in the format of reports, such as `2026-01-31T12:00:00Z`.

    Example:
        >>> iso(datetime(2026, 1, 31, 12, tzinfo=UTC))
        '2026-01-31T12:00:00Z'
    """
    return value.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def parse_iso(text: str) -> datetime:
    """Parse a time that `iso` formatted.

    Raises:
        ValueError: the text is not a time.
    """
    return datetime.fromisoformat(text)


def parse_tiktok_time(text: object) -> datetime | None:
    """Return a time in TikTok's format, such as `2026-01-31 12:00:00`, as UTC; None if it is not a time."""
    try:
        return datetime.fromisoformat(str(text)).replace(tzinfo=UTC)
    except ValueError:
        return None
