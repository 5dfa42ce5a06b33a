"""The stage of an audience at TikTok, judged from `is_valid`, the history, TikTok's messages and the time."""

from __future__ import annotations

from datetime import datetime, timedelta
from enum import Enum

from handler.clock import parse_iso
from handler.state.audience_state import Change, State
from handler.tiktok.responses import Audience
from handler.tiktok.wording import says_failed, says_too_small

# TikTok's portal: a change is processed within 48 hours.
MAX_PROCESSING = timedelta(hours=48)
# An audience that is not valid after TikTok's 48 hours is too small. A day is added for differences between clocks.
TOO_SMALL_AFTER = timedelta(hours=72)
# Tolerance when a time of TikTok's is compared with one of ours.
CLOCK_SKEW = timedelta(seconds=60)
# A valid audience counts as expired only this long after `expired_time`, see `_is_expired`.
EXPIRY_DOUBT = timedelta(hours=24)


class Stage(Enum):
    """The stages of an audience."""

    PROCESSING = "processing"
    READY = "ready"
    TOO_SMALL = "too small"
    EXPIRED = "expired"
    CHANGE_FAILED = "the change failed"


def without_old_message(audience: Audience, state: State, change: Change | None = None) -> Audience:
    """Return the audience without a message that TikTok left from an earlier change.

    A message is old if TikTok said the same when the audience was last ready. One exception: a remove or a replace
    that has ended may have failed for the same reason as the one before, so its message counts.
    `docs/decisions/old-messages.md` says why.

    Args:
        audience: as TikTok shows it now.
        state: has `message_seen`, the message when the audience was last ready.
        change: what is being processed; None if nothing is.
    """
    if not audience.message or audience.message != state["message_seen"]:
        return audience
    if audience.is_valid and (change is None or change["call"] != "append"):
        return audience
    return audience._replace(message="", failed=False)


def history_entry(audience: Audience, change: Change, history_seen: str | None) -> tuple[datetime, str] | None:
    """Return time and message of the newest history entry of this change, or None if there is none.

    Args:
        audience: as `get` returns it, with its history.
        change: the change to look for.
        history_seen: time of the newest entry that an earlier change left; entries up to it do not count.
    """
    since = parse_iso(change["began_at"]) - CLOCK_SKEW
    seen = parse_iso(history_seen) if history_seen else None
    entries = [
        (at, message)
        for action, at, message in audience.history
        if change["call"] in action.lower() and at >= since and (seen is None or at > seen)
    ]
    return max(entries, default=None)


def made_since(audience: Audience, change: Change) -> bool:
    """Return true if this change may have created the audience. An audience without a creation time counts."""
    return audience.created_at is None or audience.created_at >= parse_iso(change["began_at"]) - CLOCK_SKEW


def needs_details(audience: Audience, change: Change | None, now: datetime) -> bool:
    """Return true if the listing does not tell the stage, so that `get` has to be called.

    Args:
        audience: as `list` returns it.
        change: what is being processed; None if nothing is.
        now: the time, with a zone.
    """
    if audience.is_valid:
        return change is not None and change["call"] != "create"
    if audience.is_valid is None:
        return True
    return not says_too_small(audience.message) and _is_old(audience, change, now)


def stage(audience: Audience, change: Change | None, history_seen: str | None, now: datetime) -> Stage:
    """Return the stage of an audience.

    Only an audience with `is_valid` true can be changed (TikTok's portal). No source says if it turns false during an
    update. So an update is done when `is_valid` was seen to come back, when the history shows it, or after 48 hours.
    An audience is too small if TikTok says so, or if it is not valid 72 hours after its last change.

    Args:
        audience: as `get` returns it, with its history, if `needs_details` asks for it.
        change: what is being processed; None if nothing is.
        history_seen: see `history_entry`.
        now: the time, with a zone.
    """
    if _is_expired(audience, now):
        return Stage.EXPIRED
    if not audience.is_valid:
        # If `is_valid` is unknown, the audience's age says nothing.
        aged = audience.is_valid is False and _is_old(audience, change, now)
        return Stage.TOO_SMALL if aged or says_too_small(audience.message) else Stage.PROCESSING
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
    """Return true if the audience can only be deleted.

    Only a valid audience can be changed, and use postpones the expiry (TikTok's portal). So a valid audience whose
    `expired_time` has just passed may be in use, or the time may be in another zone. A day later it counts as expired,
    because then a person has to look at it.
    """
    if audience.expires_at is None:
        return False
    return now - audience.expires_at >= (EXPIRY_DOUBT if audience.is_valid else timedelta(0))


def _is_old(audience: Audience, change: Change | None, now: datetime) -> bool:
    """Return true if the last change is 72 hours ago. Without any time the age is unknown, and waiting is safe."""
    moments = [at for _, at, _ in audience.history]
    if audience.created_at:
        moments.append(audience.created_at)
    if change:
        moments.append(parse_iso(change["began_at"]))
    return bool(moments) and now - max(moments) >= TOO_SMALL_AFTER
