"""Seeded audiences: those that an account of the emulated TikTok has before any call."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

from sandbox.tiktok.audience import CUSTOMER_FILE, EmulatedAudience, State
from sandbox.tiktok.limits import DAY_SECONDS, EXPIRES_AFTER_SECONDS
from sandbox.tiktok.people import MULTIPLE_TYPES, WIDTHS, Identifiers, PersonRows
from sandbox.tiktok.refusals import MSG_TOO_SMALL
from sandbox.tiktok.settings import EmulatorSettings

_ANOTHER_ADVERTISER = "7999999999999999999"
_FIELDS = {
    "name", "calculate_type", "audience_type", "is_creator", "state", "people", "members", "created_seconds_ago"
}  # fmt: skip
_STATES = {"ready", "too_small", "failed", "processing"}


def seeded(
    audience_id: str, advertiser_id: str, given: Mapping[str, Any], now: float, settings: EmulatorSettings
) -> EmulatedAudience:
    """Make an audience from a description.

    Args:
        audience_id: its id.
        advertiser_id: the account that lists it.
        given: `name`; and optionally `calculate_type` ("EMAIL_SHA256"), `audience_type` ("Customer File Audience"),
            `is_creator` (true; another advertiser's is shared), `state` ("ready", "too_small", "failed" or
            "processing"), `people` without given identifiers (2000), `members` (identifiers, or rows as
            `sandbox.tiktok.people.PersonRows` writes them), `created_seconds_ago` (a day; from 365 days on it is
            expired).
        now: seconds since 1970 on the emulator's clock.
        settings: of the emulator.

    Raises:
        ValueError: unknown field or state.
    """
    state = given.get("state", "ready")
    if given.keys() - _FIELDS or state not in _STATES:
        raise ValueError(f"a seeded audience has {', '.join(sorted(_FIELDS))}; its state is one of {sorted(_STATES)}")
    kind = given.get("audience_type", CUSTOMER_FILE)
    calculate_type = given.get("calculate_type", "EMAIL_SHA256" if kind == CUSTOMER_FILE else None)
    is_creator = given.get("is_creator", True)
    created_at = now - given.get("created_seconds_ago", DAY_SECONDS)
    members = given.get("members", ())
    people = given.get("people", 0 if "members" in given else 2000)
    audience = EmulatedAudience(
        audience_id,
        advertiser_id if is_creator else _ANOTHER_ADVERTISER,
        given["name"],
        calculate_type,
        created_at=created_at,
        expires_at=created_at + EXPIRES_AFTER_SECONDS,
        kind=kind,
        is_creator=is_creator,
        shared=not is_creator,
        state=cast("State", "ready" if state == "processing" else state),
        members=PersonRows(members)
        if calculate_type == MULTIPLE_TYPES
        else Identifiers.from_hex(WIDTHS.get(calculate_type or "", 32), members),
        anonymous=people,
        matched=round((len(members) + people) * settings.match_rate),
        msg=MSG_TOO_SMALL if state == "too_small" else "",
    )
    if state == "processing":
        audience.start_change("APPEND", [], now, settings)
    return audience
