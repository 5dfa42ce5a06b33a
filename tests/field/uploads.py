"""The uploads and lists of the model."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from tests.field.connector import SETTLE

QUIET, LIST_QUIET, MAX_LIST_WAIT = (timedelta(seconds=factor * SETTLE) for factor in (1, 12, 72))
TIME_RESOLUTION = timedelta(seconds=1)  # reports have times in whole seconds
PRIORITY = {"replace": 0, "append": 1, "remove": 2}
SENT = {"submitted", "available"}


@dataclass
class ModelUpload:
    """One version of one object.

    Attributes:
        name: the file's name; with `action` and `folder` it forms the key.
        folder: the run, with a slash at its end; empty directly under the action.
        rows: the numbers of the people in it.
        at: the upload time.
        message: the message with its event.
        copied: true for a copy of the previous version onto itself, if the connector can recognize it. It cannot if a
            listing finds the upload before its event.
        listed: true for a copy that a listing has found before its event.
        registered: when the connector registered it.
        sent: when its report first had the status `submitted` or `available`.
        deleted: the time of the first delete marker after it.
        outcome: status and code of its report.
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
    outcome: tuple[str, str] = ("", "")

    def __str__(self) -> str:
        times = {"deleted": self.deleted, "registered": self.registered, "sent": self.sent}
        happened = [f"{name} {time:%d %H:%M:%S}" for name, time in times.items() if time]
        happened = ["copied", *happened] if self.copied else happened
        file = f"{self.at:%d %H:%M:%S} {self.path}"
        return ", ".join([file, str([*self.rows]), *happened, str(self.outcome)])

    @property
    def path(self) -> str:
        """The part of the key after the identifier type."""
        return f"{self.action}/{self.folder}{self.name}"

    @property
    def waits(self) -> bool:
        """True while its status is `waiting`."""
        return self.outcome[0] == "waiting"

    @property
    def withdrawable(self) -> bool:
        """True for an append outside a run, which is withdrawn if its file is deleted.

        Removes are never withdrawn, and neither are appends in a run. Lists are checked separately.
        """
        return self.action == "append" and not self.folder

    @property
    def applied(self) -> bool:
        """True if its rows count as applied: available, all overtaken by newer uploads, or nothing to remove from."""
        return self.outcome in {
            ("available", "available"),
            ("skipped", "overtaken"),
            ("rejected", "nothing_to_remove_from"),
        }


@dataclass
class ModelExport:
    """The files of one list: one run or one file name, each at most six hours after the previous one."""

    files: list[ModelUpload] = field(default_factory=list)

    @property
    def current(self) -> list[ModelUpload]:
        """Return the newest version of each file."""
        return list({each.path: each for each in self.files}.values())

    @property
    def time(self) -> datetime:
        """Return the upload time of the earliest of the newest versions."""
        return min(each.at for each in self.current)

    @property
    def sent(self) -> datetime | None:
        """Return the time at which the list was first sent, or None."""
        return min((each.sent for each in self.files if each.sent), default=None)

    @property
    def applied(self) -> list[ModelUpload]:
        """Return the newest applied version of each file.

        A version that was sent earlier and deleted before the list was last sent is left out.
        """
        last = max((each.sent for each in self.files if each.sent), default=None)
        newest = {each.path: each for each in self.files if each.applied}.values()
        return [
            each for each in newest if not (last and each.sent and each.deleted and each.sent < last > each.deleted)
        ]
