"""TikTok's limits as the emulator enforces them: 1,000 matched users, one replace a day, 400 audiences, call rate."""

from __future__ import annotations

from collections import deque

from sandbox.tiktok import refusals
from sandbox.tiktok.refusals import Refusal
from sandbox.tiktok.settings import EmulatorSettings

# TikTok's OpenAPI: a change fails "if the audience size is less than 1,000 after the operation".
MIN_MATCHED_USERS = 1000
MAX_AUDIENCES = 400
DAY_SECONDS = 86_400.0
EXPIRES_AFTER_SECONDS = 365 * DAY_SECONDS  # TikTok's OpenAPI: after the last use or change
EXPIRING_SECONDS = 7 * DAY_SECONDS  # our choice: no source says when `is_expiring` turns true


def is_too_small(matched_users: int) -> bool:
    """Return true if so few users match that the audience is below TikTok's minimum of 1,000."""
    return matched_users < MIN_MATCHED_USERS


def check_audience_count(own_audiences: int) -> None:
    """Refuse one more audience than an advertiser may own.

    Raises:
        Refusal: the limit is reached.
    """
    if own_audiences >= MAX_AUDIENCES:
        raise Refusal(*refusals.TOO_MANY_AUDIENCES)


def check_replace(replaced_at: float | None, now: float, settings: EmulatorSettings) -> None:
    """Refuse a second replace of an audience within 24 hours.

    Raises:
        Refusal: the last replace was accepted less than 24 hours ago.
    """
    if settings.one_replace_a_day and replaced_at is not None and now - replaced_at < DAY_SECONDS:
        raise Refusal(*refusals.REPLACED_TODAY)


class RateLimit:
    """The limit of calls per second, counted over all advertisers as TikTok counts them per developer app."""

    def __init__(self) -> None:
        self._recent: deque[float] = deque()

    def check(self, now: float, calls_per_second: int | None) -> None:
        """Count a call.

        Raises:
            Refusal: the calls of the last second have used up the limit.
        """
        if calls_per_second is None:
            return
        while self._recent and not now - 1 < self._recent[0] <= now:
            self._recent.popleft()
        if len(self._recent) >= calls_per_second:
            raise Refusal(*refusals.TOO_MANY_REQUESTS)
        self._recent.append(now)
