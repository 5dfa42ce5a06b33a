"""Whether TikTok is done with an audience: the one judgement on what `is_valid`, the history and the clock say."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import datetime, timedelta
from enum import Enum

from handler.clock import parse_iso
from handler.state.audience_state import Change, State
from handler.tiktok.responses import Audience

# TikTok's portal: a change is processed within 48 hours.
PROCESSING_LIMIT = timedelta(hours=48)
# An audience that is still not valid then will never be; a day is added to TikTok's 48 hours for its clock and ours.
TOO_SMALL_AFTER = timedelta(hours=72)
# TikTok's clock against ours when a history entry is compared with the time a change began.
CLOCK_SKEW = timedelta(seconds=60)

# expired_time against is_valid, see `_is_expired`.
EXPIRY_DOUBT = timedelta(hours=24)

# No source lists TikTok's words. What is said of every audience that is being processed ("at least 1,000 are needed")
# or of a change that was done ("21000 users", "0 errors") must not match: a file would fail that went through, while
# one whose failure is worded otherwise is only judged later.
_PEOPLE = r"(?:people|users|members|matches|matched|data|size)"
_TOO_SMALL = re.compile(
    r"\btoo (?:small|few)\b"
    r"|\b(?:fewer|less) than (?:1,?000(?![,.]?\d)|the (?:required )?minimum)"
    r"|\b(?:below|under) (?:1,?000(?![,.]?\d)|the (?:required )?minimum)"
    rf"|\b(?:insufficient|not enough) (?:\w+ )?{_PEOPLE}|\b{_PEOPLE} (?:is|are) (?:insufficient|not enough)",
    re.IGNORECASE,
)
_WORK = r"(?:operation|change|creat\w+|updat\w+|append\w*|remov\w+|replac\w+|process\w*|task|upload|import|audience)"
_FAILURE = re.compile(
    rf"\b{_WORK} (?:(?:has|have|was|is|been) )*(?:failed|refused|rejected|aborted|cancell?ed|unsuccessful)\b(?!:? ?0\b)"
    rf"|\b{_WORK} (?:failure|error)\b|\bfail(?:ed|ure) to {_WORK}"
    rf"|(?<!rows )(?<!lines )(?<!identifiers )\b(?:could not|cannot|can't|unable to) (?:be )?{_WORK}"
    r"|^\W*(?:(?:an? )?(?:internal|system|unknown) )?(?:failed|failure|error)\b",
    re.IGNORECASE,
)


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


def without_old_message(audience: Audience, state: State, change: Change | None = None) -> Audience:
    """The audience without what TikTok said of it before, which a failed change may have left.

    While the audience is processed it means nothing yet. At the end of a remove or a replace the same words may be
    said anew; an append cannot have left too few people.
    """
    old = bool(audience.message) and audience.message == state["message_seen"]
    if old and (not audience.is_valid or (change is not None and change["call"] == "append")):
        return replace(audience, message="", failed=False)
    return audience


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


def made_since(audience: Audience, change: Change) -> bool:
    """Whether an audience may have been made by this change; one without a time may."""
    return audience.created_at is None or audience.created_at >= parse_iso(change["began_at"]) - CLOCK_SKEW


def needs_details(audience: Audience, change: Change | None, now: datetime) -> bool:
    """Whether the listing alone does not tell the stage, so that `get` has to be asked."""
    if audience.is_valid:
        return change is not None and change["call"] != "create"
    if audience.is_valid is None:
        return True
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
    if _is_expired(audience, now):
        return Stage.EXPIRED
    if not audience.is_valid:
        # Whoever does not know whether it is valid cannot conclude from its age that it never will be.
        aged = audience.is_valid is False and _is_old(audience, change, now)
        return Stage.TOO_SMALL if aged or says_too_small(audience.message) else Stage.PROCESSING
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


def _is_expired(audience: Audience, now: datetime) -> bool:
    """Whether it can only be deleted.

    Only a valid audience can be operated on, and use puts the expiry off (TikTok's portal), so a valid one whose
    `expired_time` has just passed may be in use, or its time be of another zone. Long past, `expired_time` is believed:
    the advice to delete it is then worth a person's look.
    """
    if audience.expires_at is None:
        return False
    return now - audience.expires_at >= (EXPIRY_DOUBT if audience.is_valid else timedelta(0))


def _is_old(audience: Audience, change: Change | None, now: datetime) -> bool:
    moments = [at for _, at, _ in audience.history]
    if audience.created_at:
        moments.append(audience.created_at)
    if change:
        moments.append(parse_iso(change["began_at"]))
    # Without any time nothing can be said of its age, and waiting is safe.
    return bool(moments) and now - max(moments) >= TOO_SMALL_AFTER
