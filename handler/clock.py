"""Time: how reports write it, how TikTok writes it, and how much of it an invocation has left."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Protocol

# An invocation stops beginning things when this much of it is left, in seconds; a short one at a quarter of its time.
RESERVE_SECONDS = 60.0
RESERVE_SHARE = 0.25


class LambdaContext(Protocol):
    """The part of Lambda's context object that is used here."""

    @property
    def aws_request_id(self) -> str:
        """Lambda's id of the invocation."""

    def get_remaining_time_in_millis(self) -> int:
        """Milliseconds until Lambda stops the function."""


class Deadline:
    """How long this invocation can go on."""

    def __init__(self, remaining_seconds: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._end = clock() + remaining_seconds
        self.total = remaining_seconds
        self.reserve = min(RESERVE_SECONDS, RESERVE_SHARE * remaining_seconds)

    def remaining(self) -> float:
        """Seconds until Lambda stops the function."""
        return self._end - self._clock()

    def near(self) -> bool:
        """Whether what is left is kept for ending well."""
        return self.remaining() < self.reserve


def utc_now() -> datetime:
    """The time now, with a zone."""
    return datetime.now(UTC)


def iso(moment: datetime) -> str:
    """A time as reports hold it: `2026-01-31T12:00:00Z`."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def parse_iso(text: str) -> datetime:
    """The opposite of `iso`."""
    return datetime.fromisoformat(text)


def parse_tiktok_time(text: object) -> datetime | None:
    """TikTok's `2026-01-31 12:00:00`, in UTC; None when it is absent or of another form."""
    try:
        return datetime.fromisoformat(str(text)).replace(tzinfo=UTC)
    except ValueError:
        return None
