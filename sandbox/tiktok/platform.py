"""The state of the emulated TikTok that all advertisers share: settings, time, ids, and unmatched identifiers."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field
from itertools import count

from sandbox.tiktok.settings import EmulatorSettings


@dataclass
class Platform:
    """The shared state, which is used under the emulator's lock.

    Attributes:
        now: the time of the current call or control, in seconds since 1970 on the emulator's clock.
        unmatched: the identifiers that match no user.
        audience_ids: unique ids for audiences.
    """

    settings: EmulatorSettings
    now: float = 0.0
    unmatched: Collection[str] = ()
    audience_ids: count[int] = field(default_factory=lambda: count(7_400_000_000_000_000_019, 7_919))
