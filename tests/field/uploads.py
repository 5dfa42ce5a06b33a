"""The uploads and lists of the model, and what follows from their facts alone."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from tests.field.connector import S

QUIET, LIST_QUIET, LONGEST = (timedelta(seconds=factor * S) for factor in (1, 12, 72))
STEP = timedelta(seconds=1)  # reports tell whole seconds
PRIORITY = {"replace": 0, "append": 1, "remove": 2}
SENT = {"submitted", "available"}


@dataclass
class ModelUpload:
    """One version of one object.

    Attributes:
        name: the file's name; with `folder` and `action` it makes the key.
        folder: the run, with a slash at its end; empty directly under the action.
        rows: numbers of the people in it.
        at: upload time.
        copied: true for a copy of the version before it onto itself, if the connector can know: its event says so, but
            not the listing that finds an upload before its event.
        listed: true for a copy that a listing has found.
        registered: when the connector registered it.
        sent: when it was first seen at TikTok.
        deleted: time of the first delete marker after it.
        ends: status and code of its report.
    """

    action: str
    folder: str
    name: str
    rows: frozenset[int]
    at: datetime
    message: str = field(repr=False)
    copied: bool = False
    listed: bool = False
    registered: datetime | None = None
    sent: datetime | None = None
    deleted: datetime | None = None
    ends: tuple[str, str] = ("", "")

    def __str__(self) -> str:
        times = {"deleted": self.deleted, "registered": self.registered, "sent": self.sent}
        happened = [f"{name} {moment:%d %H:%M:%S}" for name, moment in times.items() if moment]
        copied = ["copied"] if self.copied else []
        return ", ".join([f"{self.at:%d %H:%M:%S} {self.path}", str([*self.rows]), *copied, *happened, str(self.ends)])

    @property
    def path(self) -> str:
        """The part of the key after the identifier type."""
        return f"{self.action}/{self.folder}{self.name}"

    @property
    def waits(self) -> bool:
        """True while it is registered and has no end."""
        return self.ends[0] == "waiting"

    @property
    def withdrawable(self) -> bool:
        """True for a single append: deletions of removes, and of appends of tools, withdraw nothing."""
        return self.action == "append" and not self.folder

    @property
    def applied(self) -> bool:
        """True if its rows count: TikTok has them, newer uploads named them all, or there was nobody to remove."""
        return self.ends in {
            ("available", "available"),
            ("skipped", "overtaken"),
            ("rejected", "nothing_to_remove_from"),
        }


@dataclass
class ModelExport:
    """The files of one list: a run, or equal names, without six quiet hours between two of them."""

    files: list[ModelUpload] = field(default_factory=list)

    @property
    def current(self) -> list[ModelUpload]:
        """Return the newest version of each file."""
        return list({each.path: each for each in self.files}.values())

    @property
    def time(self) -> datetime:
        """Return the time of the first file."""
        return min(each.at for each in self.current)

    @property
    def sent(self) -> datetime | None:
        """Return when it was first at TikTok."""
        return min((each.sent for each in self.files if each.sent), default=None)

    @property
    def applied(self) -> list[ModelUpload]:
        """Return the newest version of each file that TikTok has: of those that were there when it was last sent."""
        last = max((each.sent for each in self.files if each.sent), default=None)
        newest = {each.path: each for each in self.files if each.applied}.values()
        return [
            each for each in newest if not (last and each.sent and each.deleted and each.sent < last > each.deleted)
        ]
