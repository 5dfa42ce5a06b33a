"""Audiences that an account of the emulated TikTok holds before anything is asked of it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

from sandbox.tiktok.audience import Audience, State, match
from sandbox.tiktok.rows import Identifiers
from sandbox.tiktok.rules import CUSTOMER_FILE, DAY, EXPIRES_AFTER_DAYS, SAYS_TOO_SMALL, WIDTHS, Settings

_FIELDS = {
    "name", "calculate_type", "audience_type", "is_creator", "shared", "state", "people", "members",
    "created_seconds_ago",
}  # fmt: skip
_STATES = {"ready", "too_small", "failed", "processing"}


def seeded(audience_id: str, advertiser_id: str, given: Mapping[str, Any], now: float, settings: Settings) -> Audience:
    """An audience made from a description.

    Args:
        audience_id: its id.
        advertiser_id: who lists it.
        given: `name`; and optionally `calculate_type` ("EMAIL_SHA256"), `audience_type` ("Customer File Audience"),
            `is_creator` (true), `shared` (false), `state` ("ready", "too_small", "failed" or "processing"), `people`
            without known identifiers (2000), `members` (identifiers, hex), `created_seconds_ago` (a day; 365 days and
            more are expired).
        now: seconds since 1970 on the emulator's clock.
        settings: of the emulator.

    Raises:
        ValueError: an unknown field or state.
    """
    state = given.get("state", "ready")
    if given.keys() - _FIELDS or state not in _STATES:
        raise ValueError(f"a seeded audience has {', '.join(sorted(_FIELDS))}; its state is one of {sorted(_STATES)}")
    kind = given.get("audience_type", CUSTOMER_FILE)
    calculate_type = given.get("calculate_type", "EMAIL_SHA256" if kind == CUSTOMER_FILE else None)
    is_creator = given.get("is_creator", True)
    created_at = now - given.get("created_seconds_ago", DAY)
    members = Identifiers.from_hex(WIDTHS.get(calculate_type or "", 32), given.get("members", ()))
    people = given.get("people", 0 if "members" in given else 2000)
    audience = Audience(
        audience_id,
        advertiser_id if is_creator else "7999999999999999999",
        given["name"],
        calculate_type,
        created_at=created_at,
        expires_at=created_at + EXPIRES_AFTER_DAYS * DAY,
        kind=kind,
        is_creator=is_creator,
        shared=given.get("shared", not is_creator),
        state=cast("State", "ready" if state == "processing" else state),
        members=members,
        strangers=people,
        matched=match(len(members) + people, settings),
        msg=SAYS_TOO_SMALL if state == "too_small" and settings.says_too_small else "",
    )
    if state == "processing":
        audience.submit("APPEND", [], now, settings)
    return audience
