"""Seeded audiences, which exist in an account of the emulated TikTok without a call."""

from __future__ import annotations

from collections.abc import Collection
from typing import cast

from sandbox.tiktok.audience import CUSTOMER_FILE, EmulatedAudience, State
from sandbox.tiktok.limits import DAY_SECONDS
from sandbox.tiktok.people import MULTIPLE_TYPES, WIDTHS, Identifiers, PersonRows
from sandbox.tiktok.platform import Platform
from sandbox.tiktok.refusals import MSG_TOO_SMALL

_STATES = ("ready", "too_small", "failed", "processing")


def seeded(
    platform: Platform,
    name: str,
    *,
    audience_type: str = CUSTOMER_FILE,
    calculate_type: str = "EMAIL_SHA256",
    is_creator: bool = True,
    state: str = "ready",
    people: int | None = None,
    members: Collection[str] = (),
    created_seconds_ago: float = DAY_SECONDS,
) -> EmulatedAudience:
    """Return an audience that the advertiser owns, or one that another advertiser shares (`is_creator=False`).

    `members` are hashes, or rows as in `sandbox.tiktok.people.PersonRows`. `people` is the number of people without
    known identifiers: by default 0 with `members`, otherwise 2000. An audience that is 365 days old has expired.
    """
    if state not in _STATES:
        raise ValueError(f"state must be one of {', '.join(_STATES)}.")
    anonymous = people if people is not None else 0 if members else 2000
    audience = EmulatedAudience(
        platform,
        name,
        calculate_type if audience_type == CUSTOMER_FILE else None,
        created_at=platform.now - created_seconds_ago,
        kind=audience_type,
        is_creator=is_creator,
        state=cast("State", "ready" if state == "processing" else state),
        members=PersonRows(members)
        if calculate_type == MULTIPLE_TYPES
        else Identifiers.from_hex(WIDTHS[calculate_type], members),
        anonymous=anonymous,
        matched=round((len(members) + anonymous) * platform.settings.match_rate),
        msg=MSG_TOO_SMALL if state == "too_small" else "",
    )
    if state == "processing":
        audience.start_change("APPEND", [])
    return audience
