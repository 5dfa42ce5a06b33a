"""The stage of an audience at TikTok, determined from `is_valid`, the history, TikTok's messages and the time."""

from __future__ import annotations

from datetime import datetime, timedelta
from enum import Enum

from handler.clock import parse_iso
from handler.state.audience_state import Change, State
from handler.tiktok.responses import Audience
from handler.tiktok.wording import says_failed, says_too_small

# According to TikTok's portal, a change is processed within 48 hours.
MAX_PROCESSING = timedelta(hours=48)
# TikTok processes a change within 48 hours. An audience that is still not valid a day after that counts as too
# small; the extra day is a safety margin.
TOO_SMALL_AFTER = timedelta(hours=72)
# The tolerance when a time from TikTok is compared with a time of the connector.
CLOCK_SKEW = timedelta(seconds=60)
# A valid audience counts as expired only this long after its `expired_time`; see `_is_expired`.
EXPIRY_TOLERANCE = timedelta(hours=24)


class Stage(Enum):
    """The stage of an audience at TikTok.

    Attributes:
        PROCESSING: TikTok is processing a change.
        READY: the audience accepts changes; a change that was being processed is done.
        TOO_SMALL: TikTok matched too few people, or the audience is still not valid after 72 hours.
        EXPIRED: the audience can only be deleted.
        CHANGE_FAILED: TikTok did not apply the change.
    """

    PROCESSING = "processing"
    READY = "ready"
    TOO_SMALL = "too small"
    EXPIRED = "expired"
    CHANGE_FAILED = "the change failed"


def without_old_message(audience: Audience, state: State, change: Change | None = None) -> Audience:
    """Return the audience without TikTok's message if the message is from an earlier change.

    A message is old if it equals `message_seen` in the state. However, a message of a valid audience is removed only if
    the change is an append. A remove or replace may have failed for the same reason as the change before it, so its
    message counts. `docs/decisions/old-messages.md` explains why.

    Args:
        audience: the audience as TikTok shows it now.
        state: the audience's state.
        change: the change that TikTok is processing, or None.
    """
    if not audience.message or audience.message != state["message_seen"]:
        return audience
    if audience.is_valid and (change is None or change["call"] != "append"):
        return audience
    return audience._replace(message="", failed=False)


def history_entry(audience: Audience, change: Change, history_seen: str | None) -> tuple[datetime, str] | None:
    """Return the time and message of the newest history entry of this change, or None if there is no entry.

    Args:
        audience: the audience as `get` returns it, with its history.
        change: the change to look for.
        history_seen: the time of the newest entry of an earlier change. Entries up to this time do not count.
    """
    since = parse_iso(change["began_at"]) - CLOCK_SKEW
    seen = parse_iso(history_seen) if history_seen else None
    entries = [
        (at, message)
        for action, at, message in audience.history
        if change["call"] in action.lower() and at >= since and (seen is None or at > seen)
    ]
    return max(entries, default=None)


def created_since(audience: Audience, change: Change) -> bool:
    """Return true if the audience was created since this change started, or if its creation time is unknown."""
    return audience.created_at is None or audience.created_at >= parse_iso(change["began_at"]) - CLOCK_SKEW


def needs_details(audience: Audience, change: Change | None, now: datetime) -> bool:
    """Return true if the listing is not enough to determine the stage, so that `get` has to be called.

    Args:
        audience: the audience as `list` returns it.
        change: the change that TikTok is processing, or None.
        now: the current time, with a time zone.
    """
    if audience.is_valid:
        return change is not None and change["call"] != "create"
    if audience.is_valid is None:
        return True
    return not says_too_small(audience.message) and _is_old(audience, change, now)


def stage(audience: Audience, change: Change | None, history_seen: str | None, now: datetime) -> Stage:
    """Return the stage of an audience.

    According to TikTok's portal, only an audience whose `is_valid` is true can be changed. TikTok does not document
    whether `is_valid` is false during an update. An update therefore counts as done only if `is_valid` is true and one
    more condition is met: `is_valid` was false since the update started, the history has an entry for the update, or 48
    hours have passed.

    An audience that is not valid is too small if TikTok says so, or if its `is_valid` is false and its last change was
    at least 72 hours ago.

    Args:
        audience: the audience; as `get` returns it, with its history, if `needs_details` is true.
        change: the change that TikTok is processing, or None.
        history_seen: see `history_entry`.
        now: the current time, with a time zone.
    """
    if _is_expired(audience, now):
        return Stage.EXPIRED
    if not audience.is_valid:
        # An unknown `is_valid` (None) does not mean that the audience is too small, however old the last change is.
        is_old = audience.is_valid is False and _is_old(audience, change, now)
        return Stage.TOO_SMALL if is_old or says_too_small(audience.message) else Stage.PROCESSING
    if change is None or change["call"] == "create":
        return Stage.READY
    if entry := history_entry(audience, change, history_seen):
        _, message = entry
        failed = says_failed(message) if message else audience.failed
        return Stage.CHANGE_FAILED if failed else Stage.READY
    if change["seen_processing"] or now - parse_iso(change["began_at"]) >= MAX_PROCESSING:
        return Stage.CHANGE_FAILED if audience.failed else Stage.READY
    return Stage.PROCESSING


def _is_expired(audience: Audience, now: datetime) -> bool:
    """Return true if the audience has expired, so that it can only be deleted.

    Using an audience postpones its expiry (TikTok's portal). A valid audience whose `expired_time` has just passed may
    therefore be in use, or the time may be in another time zone. It counts as expired only a day later. A person then
    has to check it.
    """
    if audience.expires_at is None:
        return False
    return now - audience.expires_at >= (EXPIRY_TOLERANCE if audience.is_valid else timedelta(0))


def _is_old(audience: Audience, change: Change | None, now: datetime) -> bool:
    """Return true if the last known change, or the creation, was at least 72 hours ago.

    Without a known time, return false, because waiting is safe.
    """
    times = [at for _, at, _ in audience.history]
    if audience.created_at:
        times.append(audience.created_at)
    if change:
        times.append(parse_iso(change["began_at"]))
    return bool(times) and now - max(times) >= TOO_SMALL_AFTER
