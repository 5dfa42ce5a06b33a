"""Time: the formats of reports and of TikTok, and the deadline of an invocation."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Protocol

# Run time that is kept for finishing. Nothing new begins in it.
RESERVE_SECONDS = 60.0
MAX_RESERVE_SHARE = 0.25  # of a short invocation


class LambdaContext(Protocol):
    """The part of Lambda's context object that is used here."""

    @property
    def aws_request_id(self) -> str:
        """Lambda's id of the invocation."""

    def get_remaining_time_in_millis(self) -> int:
        """Milliseconds until Lambda stops the function."""


class Deadline:
    """The end of an invocation.

    Attributes:
        total: run time at the beginning, in seconds.
        reserve: run time that is kept for finishing, in seconds.
    """

    def __init__(self, remaining_seconds: float, clock: Callable[[], float] = time.monotonic) -> None:
        """Begin now.

        Args:
            remaining_seconds: until Lambda stops the function.
            clock: seconds from any fixed point.
        """
        self._clock = clock
        self._end = clock() + remaining_seconds
        self.total = remaining_seconds
        self.reserve = min(RESERVE_SECONDS, MAX_RESERVE_SHARE * remaining_seconds)

    def remaining(self) -> float:
        """Return the seconds until Lambda stops the function."""
        return self._end - self._clock()

    def near(self) -> bool:
        """Return true if only the reserve is left."""
        return self.remaining() < self.reserve


def utc_now() -> datetime:
    """Return the time, with a zone."""
    return datetime.now(UTC)


def iso(moment: datetime) -> str:
    """Return a time as reports hold it: `2026-01-31T12:00:00Z`.

    Example:
        >>> iso(datetime(2026, 1, 31, 12, tzinfo=UTC))
        '2026-01-31T12:00:00Z'
    """
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def parse_iso(text: str) -> datetime:
    """Return the time that `iso` wrote.

    Raises:
        ValueError: the text is not a time.
    """
    return datetime.fromisoformat(text)


def parse_tiktok_time(text: object) -> datetime | None:
    """Return the time of TikTok's `2026-01-31 12:00:00`, in UTC, or None if it is absent or of another form."""
    try:
        return datetime.fromisoformat(str(text)).replace(tzinfo=UTC)
    except ValueError:
        return None
