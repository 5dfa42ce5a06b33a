"""The outcome of each upload of a run, and the lists that the files form."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from tests.chaos.uploads import End, PlannedUpload
from tests.chaos.wire import AcceptedChange

HOUR = timedelta(hours=1)  # 12 settling times
EXPORT_GAP = timedelta(hours=6)  # 72 settling times
RANK = {"replace": 0, "append": 1, "remove": 2}
AVAILABLE = ("available", "available")


@dataclass
class UploadOutcome:
    """The outcome of an upload.

    Attributes:
        end: status and code of its report; None if it has no report.
        registered: the registration time in its report.
        sent: when TikTok first accepted a change with its marker; if there is no such change, when its report first had
            the status `submitted` or `available`.
        tried: when its report first said that the outcome of a call is unknown.
        changes: the changes at TikTok that contain its marker.
    """

    upload: PlannedUpload
    end: End | None = None
    registered: datetime | None = None
    sent: datetime | None = None
    tried: datetime | None = None
    changes: list[AcceptedChange] = field(default_factory=list)

    @property
    def order_key(self) -> tuple[datetime, int]:
        """The sort key of the upload: its time, then its action."""
        return (self.upload.at, RANK[self.upload.action])


@dataclass
class UploadedList:
    """The files of one list."""

    files: list[UploadOutcome]

    @property
    def at(self) -> datetime:
        """The time of its first file."""
        return min(each.upload.at for each in self.files)

    @property
    def rows(self) -> int:
        """The number of valid rows in all files."""
        return sum(each.upload.file.accepted or 0 for each in self.files)

    @property
    def sent(self) -> datetime | None:
        """The time at which TikTok first accepted a file of the list, or None."""
        return min((each.sent for each in self.files if each.sent), default=None)

    @property
    def tried(self) -> datetime | None:
        """The time of the first call with a file of the list, even if its outcome is unknown; None without a call."""
        return min((each for file in self.files for each in (file.sent, file.tried) if each), default=None)

    @property
    def is_available(self) -> bool:
        """True if a file of the list is available: TikTok has processed the list."""
        return any(each.end == AVAILABLE for each in self.files)

    @property
    def registered(self) -> datetime | None:
        """The time at which the last file was registered, or None."""
        return max((each.registered for each in self.files if each.registered), default=None)

    def meets(self, other: UploadedList) -> bool:
        """Return true if two lists were uploaded within an hour of each other."""
        return any(abs(one.upload.at - two.upload.at) <= HOUR for one in self.files for two in other.files)


def exports_of(fates: Iterable[UploadOutcome]) -> list[UploadedList]:
    """Return the lists of an audience: files of one folder, each less than six hours after the previous one."""
    found: dict[str, list[UploadedList]] = defaultdict(list)
    for outcome in sorted((each for each in fates if each.upload.action == "replace"), key=lambda each: each.upload.at):
        exports = found[outcome.upload.folder]
        if not exports or outcome.upload.at - exports[-1].files[-1].upload.at >= EXPORT_GAP:
            exports.append(UploadedList([]))
        exports[-1].files.append(outcome)
    return [export for exports in found.values() for export in exports]
