"""The part of the emulated TikTok that all advertisers share: settings, time, ids, and the people it does not know."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field
from itertools import count

from sandbox.tiktok.settings import EmulatorSettings


@dataclass
class Platform:
    """Used under the emulator's lock.

    Attributes:
        now: time of the current call or control, in seconds since 1970 on the emulator's clock.
        unmatched: identifiers that match no user.
        audience_ids: ids that no other audience has.
    """

    settings: EmulatorSettings
    now: float = 0.0
    unmatched: Collection[str] = ()
    audience_ids: count[int] = field(default_factory=lambda: count(7_400_000_000_000_000_019, 7_919))
