"""An audience at the emulated TikTok: its people, and the start and end of changes."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Literal

from sandbox.tiktok.files import UploadedFile
from sandbox.tiktok.limits import EXPIRES_AFTER_SECONDS, EXPIRING_SECONDS, MIN_MATCHED_USERS
from sandbox.tiktok.people import Identifiers, People, union
from sandbox.tiktok.platform import Platform
from sandbox.tiktok.refusals import MSG_FAULTY_ROWS, MSG_TOO_FEW_LEFT, MSG_TOO_SMALL
from sandbox.tiktok.settings import EmulatorSettings

CUSTOMER_FILE = "Customer File Audience"
State = Literal["new", "ready", "too_small", "failed"]
Action = Literal["CREATE", "APPEND", "REMOVE", "REPLACE"]


@dataclass
class AudienceChange:
    """A create or an update in progress.

    Attributes:
        ends_at: the time at which the change ends, on the emulator's clock.
        entry: the entry in the history, which may be shown late or never.
        settings: the settings when the change started. `stays_valid` and `history_at` in them apply until it ends.
    """

    action: Action
    files: Sequence[UploadedFile]
    ends_at: float
    entry: dict[str, str]
    settings: EmulatorSettings


@dataclass
class EmulatedAudience:
    """One audience. Times are seconds since 1970 on the emulator's clock.

    Attributes:
        members: the people in the audience.
        anonymous: the number of people without known identifiers in a seeded audience. None of them is in `unmatched`.
        matched: the number of users that TikTok matched.
        faulty_rows: kind of fault -> the number of rows in all files of the audience.
        history: the changes that `get` shows, newest last.
        replaced_at: the time at which the last REPLACE was accepted.
        applied: the entries for `apply/log`: the ad groups to which the audience was applied.
    """

    platform: Platform
    name: str
    calculate_type: str | None
    created_at: float
    kind: str = CUSTOMER_FILE
    is_creator: bool = True
    state: State = "new"
    matched: int = 0
    members: People = field(default_factory=lambda: Identifiers(32))
    anonymous: int = 0
    msg: str = ""
    error_msg: str = ""
    faulty_rows: Counter[str] = field(default_factory=Counter)
    history: list[dict[str, str]] = field(default_factory=list)
    change: AudienceChange | None = None
    replaced_at: float = -math.inf
    applied: list[dict[str, str]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.id = str(next(self.platform.audience_ids))
        self.expires_at = self.created_at + EXPIRES_AFTER_SECONDS

    def is_valid(self) -> bool:
        """Return TikTok's `is_valid`: the audience can be used, and can be changed if no change is in progress."""
        is_changeable = self.change is None or self.change.settings.stays_valid
        return self.state == "ready" and self.platform.now < self.expires_at and is_changeable

    def start_change(self, action: Action, files: Sequence[UploadedFile]) -> None:
        """Start a change, which `finish_change` ends. An accepted change renews the expiry."""
        now, settings = self.platform.now, self.platform.settings
        detail = f"{action} with {len(files)} file(s)"
        entry = {"action": action, "action_detail": detail, "editor": "API", "msg": "", "opt_time": timestamp(now)}
        self.change = AudienceChange(action, files, now + settings.processing_seconds, entry, settings)
        self.renew()
        if action == "REPLACE":
            self.replaced_at = now
        if settings.history_at == "submit":
            self.history.append(entry)

    def renew(self) -> None:
        """Renew the expiry, as every use and change of an audience does. An expired audience raises ValueError."""
        if self.platform.now >= self.expires_at:
            raise ValueError(f"The audience {self.id} has expired. It can only be deleted.")
        self.expires_at = self.platform.now + EXPIRES_AFTER_SECONDS

    def finish_change(self) -> None:
        """Finish the change if it is time: change the people, or only set `error_msg` if the change fails."""
        change = self.change
        if change is None or self.platform.now < change.ends_at:
            return
        self.change = None
        change.entry["msg"] = self.error_msg = self._apply(change)
        if self.state == "new":
            self.state = "failed" if self.error_msg else "ready"
        self.msg = MSG_TOO_SMALL if self.state == "too_small" else ""
        if change.settings.history_at == "end":
            self.history.append(change.entry | {"opt_time": timestamp(change.ends_at)})

    def _apply(self, change: AudienceChange) -> str:
        faults = sum((file.rows.faults for file in change.files), Counter[str]())
        self.faulty_rows += faults
        if faults:
            return MSG_FAULTY_ROWS.format(rows=faults.total())
        given = [file.rows.people for file in change.files]
        people = union(self.calculate_type, [*given, self.members] if change.action == "APPEND" else given)
        if change.action == "REMOVE":
            people = self.members - people  # type: ignore[operator]  # both are of the audience's type
        anonymous = 0 if change.action == "REPLACE" else self.anonymous
        matched = round((people.matched(self.platform.unmatched) + anonymous) * self.platform.settings.match_rate)
        if matched < MIN_MATCHED_USERS:
            if change.action != "CREATE":
                return MSG_TOO_FEW_LEFT
            self.state = "too_small"
        self.members, self.matched, self.anonymous = people, matched, anonymous
        return ""

    def details(self) -> dict[str, Any]:
        """Return the fields that `list` and `get` share."""
        return {
            "audience_id": self.id,
            "audience_sub_type": "NORMAL",
            "calculate_type": self.calculate_type,
            "cover_num": self.matched,
            "create_time": timestamp(self.created_at),
            "error_msg": self.error_msg,
            "expired_time": timestamp(self.expires_at),
            "is_creator": self.is_creator,
            "is_expiring": self.expires_at - EXPIRING_SECONDS <= self.platform.now,
            "is_valid": self.is_valid(),
            "msg": self.msg,
            "name": self.name,
            "shared": not self.is_creator,
        }

    def description(self) -> dict[str, Any]:
        """Return the fields that the controls show, which are more than TikTok shows."""
        expired = self.platform.now >= self.expires_at
        return self.details() | {
            "id": self.id,
            "matched": self.matched,
            "members": len(self.members) + self.anonymous,
            "state": "expired" if expired else "processing" if self.change else self.state,
            "bad_rows": dict(self.faulty_rows),
        }


def timestamp(seconds: float) -> str:
    """Return a time in TikTok's format, in UTC: `2026-01-31 12:00:00`."""
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d %H:%M:%S")
