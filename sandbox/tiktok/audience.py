"""An audience at the emulated TikTok: what is known of it, the change it is going through, and how that ends."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Literal, Protocol

from sandbox.tiktok.rows import Identifiers, Rows
from sandbox.tiktok.rules import (
    CUSTOMER_FILE,
    DAY,
    EXPIRES_AFTER_DAYS,
    EXPIRING_DAYS,
    MATCHED_AT_LEAST,
    SAYS_BAD_ROWS,
    SAYS_TOO_FEW_LEFT,
    SAYS_TOO_SMALL,
    WIDTHS,
    Settings,
)

State = Literal["new", "ready", "too_small", "failed"]
Action = Literal["CREATE", "APPEND", "REMOVE", "REPLACE"]


class HasRows(Protocol):
    """An uploaded file."""

    def rows(self) -> Rows:
        """What it holds; waits until it has been read."""


@dataclass
class Change:
    """A create or update on its way.

    Attributes:
        due_at: when it ends, on the emulator's clock.
        entry: its line in the history, which may be shown late or never.
    """

    action: Action
    files: Sequence[HasRows]
    due_at: float
    entry: dict[str, str]


@dataclass
class Audience:
    """One audience. Times are seconds since 1970 on the emulator's clock.

    Attributes:
        strangers: people in it whose identifiers are not known, of a seeded audience.
        bad_rows: kind of fault -> rows, over all files it was given.
        history: newest last.
    """

    id: str
    owner_id: str
    name: str
    calculate_type: str | None
    created_at: float
    expires_at: float
    kind: str = CUSTOMER_FILE
    sub_type: str = "NORMAL"
    is_creator: bool = True
    shared: bool = False
    fixed_expiry: bool = False
    state: State = "new"
    matched: int = 0
    members: Identifiers = field(default_factory=lambda: Identifiers(32))
    strangers: int = 0
    msg: str = ""
    error_msg: str = ""
    bad_rows: Counter[str] = field(default_factory=Counter)
    history: list[dict[str, str]] = field(default_factory=list)
    change: Change | None = None
    replaced_at: float | None = None

    def is_valid(self, now: float, settings: Settings) -> bool:
        """Whether it can be used, and changed unless a change is under way."""
        return self.state == "ready" and now < self.expires_at and (self.change is None or settings.stays_valid)

    def submit(self, action: Action, files: Sequence[HasRows], now: float, settings: Settings) -> None:
        """Begin a change; `settle` ends it."""
        entry = {
            "action": action,
            "action_detail": f"{action} with {len(files)} file(s)",
            "editor": "API",
            "msg": "",
            "opt_time": timestamp(now),
        }
        self.change = Change(action, files, now + settings.processing_seconds, entry)
        if action == "REPLACE":
            self.replaced_at = now
        if settings.history_at == "submit":
            self.history.append(entry)

    def touch(self, now: float) -> None:
        """Put off the expiry, unless `retention_in_days` fixed it."""
        if not self.fixed_expiry:
            self.expires_at = now + EXPIRES_AFTER_DAYS * DAY

    def settle(self, now: float, settings: Settings) -> None:
        """End the change if it is due: the people change, or the audience stays as it was and `error_msg` says why."""
        change = self.change
        if change is None or now < change.due_at:
            return
        self.change = None
        change.entry["msg"] = self.error_msg = self._apply(change, settings)
        if self.state == "new":
            self.state = "failed" if self.error_msg else "ready"
        self.msg = SAYS_TOO_SMALL if self.state == "too_small" and settings.says_too_small else ""
        if settings.history_at == "end":
            self.history.append(change.entry | {"opt_time": timestamp(change.due_at)})

    def after(self, action: Action, files: Sequence[HasRows]) -> tuple[Identifiers, int, Counter[str]]:
        """Members and strangers there would be after a change, and the bad rows of its files."""
        width = WIDTHS.get(self.calculate_type or "", 32)
        rows = [file.rows() for file in files]
        bad = sum((each.bad for each in rows), Counter[str]())
        given = Identifiers.union(width, [each.identifiers for each in rows])
        match action:
            case "APPEND":
                return Identifiers.union(width, [self.members, given]), self.strangers, bad
            case "REMOVE":
                return self.members - given, self.strangers, bad
            case _:
                return given, 0, bad

    def _apply(self, change: Change, settings: Settings) -> str:
        members, strangers, bad = self.after(change.action, change.files)
        matched = match(len(members) + strangers, settings)
        self.bad_rows += bad
        if bad:
            return SAYS_BAD_ROWS.format(rows=bad.total())
        if matched < MATCHED_AT_LEAST:
            if change.action != "CREATE":
                return SAYS_TOO_FEW_LEFT
            self.state = "too_small"
        self.members, self.strangers, self.matched = members, strangers, matched
        return ""

    def details(self, now: float, settings: Settings) -> dict[str, Any]:
        """The fields that `list` and `get` share."""
        return {
            "audience_id": self.id,
            "audience_enhancement": False,
            "audience_sub_type": self.sub_type,
            "calculate_type": self.calculate_type,
            "cover_num": self.matched,
            "create_time": timestamp(self.created_at),
            "error_msg": self.error_msg,
            "expired_time": timestamp(self.expires_at),
            "is_auto_refresh": False,
            "is_creator": self.is_creator,
            "is_expiring": self.expires_at - EXPIRING_DAYS * DAY <= now,
            "is_valid": self.is_valid(now, settings),
            "msg": self.msg,
            "name": self.name,
            "owner_id": self.owner_id,
            "shared": self.shared,
        }

    def inside(self, now: float, settings: Settings) -> dict[str, Any]:
        """What the control interface shows: also what TikTok would never tell. Its files have been read then."""
        for file in self.change.files if self.change else ():
            file.rows()
        state = "expired" if now >= self.expires_at else "processing" if self.change else self.state
        return {
            "id": self.id,
            "owner_id": self.owner_id,
            "name": self.name,
            "audience_type": self.kind,
            "calculate_type": self.calculate_type,
            "is_creator": self.is_creator,
            "shared": self.shared,
            "matched": self.matched,
            "members": len(self.members) + self.strangers,
            "is_valid": self.is_valid(now, settings),
            "state": state,
            "msg": self.msg,
            "error_msg": self.error_msg,
            "bad_rows": dict(self.bad_rows),
            "create_time": timestamp(self.created_at),
            "expired_time": timestamp(self.expires_at),
            "history": self.history,
        }


def match(people: int, settings: Settings) -> int:
    """How many of these people TikTok knows."""
    return round(people * settings.match_rate)


def timestamp(moment: float) -> str:
    """A time as TikTok writes it: UTC, `2026-01-31 12:00:00`."""
    return datetime.fromtimestamp(moment, UTC).strftime("%Y-%m-%d %H:%M:%S")
