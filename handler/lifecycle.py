"""Whether TikTok is done with an audience: the one judgement on what `is_valid`, the history and the clock say."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from enum import Enum

from handler.audiences import Change
from handler.clock import parse_iso
from handler.tiktok_answers import Audience

# TikTok's portal: a change is processed within 48 hours.
PROCESSING_LIMIT = timedelta(hours=48)
# An audience that is still not valid then will never be; a day is added to TikTok's 48 hours for its clock and ours.
TOO_SMALL_AFTER = timedelta(hours=72)
# TikTok's clock against ours when a history entry is compared with the time a change began.
CLOCK_SKEW = timedelta(seconds=60)

_TOO_SMALL = re.compile(r"too small|1,?000|fewer|less than|insufficient|not enough|minimum", re.IGNORECASE)
_FAILURE = re.compile(r"fail|error|refus|invalid|unable|could not|cannot", re.IGNORECASE)


class Stage(Enum):
    """Where an audience stands at TikTok."""

    PROCESSING = "processing"
    READY = "ready"
    TOO_SMALL = "too small"
    EXPIRED = "expired"
    CHANGE_FAILED = "the change failed"


def says_too_small(message: str) -> bool:
    """Whether TikTok's words say that too few people are left. No source lists them, so they are read broadly."""
    return bool(_TOO_SMALL.search(message))


def history_entry(audience: Audience, change: Change, history_seen: str | None) -> tuple[datetime, str] | None:
    """Time and message of the history's newest entry for this change, or None if it does not show it.

    Entries of an earlier change are told apart by `history_seen`, the newest one that change left.
    """
    since = parse_iso(change["began_at"]) - CLOCK_SKEW
    seen = parse_iso(history_seen) if history_seen else None
    entries = [
        (at, message)
        for action, at, message in audience.history
        if change["call"] in action.lower() and at >= since and (seen is None or at > seen)
    ]
    return max(entries, default=None)


def needs_details(audience: Audience, change: Change | None, now: datetime) -> bool:
    """Whether the listing alone does not tell the stage, so that `get` has to be asked."""
    if audience.is_valid:
        return change is not None and change["call"] != "create" and not change["seen_processing"]
    return not says_too_small(audience.message) and _is_old(audience, change, now)


def stage(audience: Audience, change: Change | None, history_seen: str | None, now: datetime) -> Stage:
    """Judge where an audience stands.

    Only an audience with `is_valid` true can be operated on (TikTok's portal). Whether it turns false during an
    update is not known: an update is processed when `is_valid` was seen to come back, when the history shows it, or
    after 48 hours. Too small only if TikTok says so, or 72 hours after the last change.

    Args:
        audience: as `get` gives it, with its history, if `needs_details` says so.
        change: what was last asked of TikTok and has not ended; None if nothing is under way.
        history_seen: see `history_entry`.
        now: with a zone.
    """
    if audience.expires_at and audience.expires_at <= now:
        return Stage.EXPIRED
    if not audience.is_valid:
        if says_too_small(audience.message) or _is_old(audience, change, now):
            return Stage.TOO_SMALL
        return Stage.PROCESSING
    if change is None:
        return Stage.READY
    if change["call"] == "create":
        return Stage.READY
    if entry := history_entry(audience, change, history_seen):
        failed = bool(says_too_small(entry[1]) or _FAILURE.search(entry[1])) if entry[1] else audience.failed
        return Stage.CHANGE_FAILED if failed else Stage.READY
    if change["seen_processing"] or now - parse_iso(change["began_at"]) >= PROCESSING_LIMIT:
        return Stage.CHANGE_FAILED if audience.failed else Stage.READY
    return Stage.PROCESSING


def _is_old(audience: Audience, change: Change | None, now: datetime) -> bool:
    moments = [at for _, at, _ in audience.history]
    if audience.created_at:
        moments.append(audience.created_at)
    if change:
        moments.append(parse_iso(change["began_at"]))
    # Without any time nothing can be said of its age, and waiting is safe.
    return bool(moments) and now - max(moments) >= TOO_SMALL_AFTER
