"""The fate of each upload of a run, and the lists that its files form."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from tests.chaos.uploads import End, Planned
from tests.chaos.wire import AcceptedChange

HOUR = timedelta(hours=1)  # 12 settling times
EXPORT_GAP = timedelta(hours=6)  # 72 settling times
RANK = {"replace": 0, "append": 1, "remove": 2}
AVAILABLE = ("available", "available")


@dataclass
class Fate:
    """The fate of an upload.

    Attributes:
        end: status and code of its report; None if it has none.
        registered: when the connector says that it registered it.
        sent: when TikTok first accepted it, as the wire shows; without a marker when its report first said so.
        tried: when its report first said that a call with it was made, even if the answer was lost on the way.
        changes: the changes at TikTok that name its marker.
    """

    upload: Planned
    end: End | None = None
    registered: datetime | None = None
    sent: datetime | None = None
    tried: datetime | None = None
    changes: list[AcceptedChange] = field(default_factory=list)

    @property
    def place(self) -> tuple[datetime, int]:
        """Its place in the order."""
        return (self.upload.at, RANK[self.upload.action])


@dataclass
class WholeList:
    """The files of one list."""

    files: list[Fate]

    @property
    def at(self) -> datetime:
        """The time of its first file."""
        return min(each.upload.at for each in self.files)

    @property
    def rows(self) -> int:
        """The rows that a correct reader accepts in all of its files."""
        return sum(each.upload.file.accepted or 0 for each in self.files)

    @property
    def sent(self) -> datetime | None:
        """When TikTok first accepted it."""
        return min((each.sent for each in self.files if each.sent), default=None)

    @property
    def tried(self) -> datetime | None:
        """When it was first sent, whether or not TikTok got it: the connector cannot tell."""
        return min((each for file in self.files for each in (file.sent, file.tried) if each), default=None)

    @property
    def is_available(self) -> bool:
        """True if TikTok has processed it."""
        return any(each.end == AVAILABLE for each in self.files)

    @property
    def registered(self) -> datetime | None:
        """When its last file was registered."""
        return max((each.registered for each in self.files if each.registered), default=None)

    def meets(self, other: WholeList) -> bool:
        """Return true if it was uploaded within an hour of another list."""
        return any(abs(one.upload.at - two.upload.at) <= HOUR for one in self.files for two in other.files)


def exports_of(fates: Iterable[Fate]) -> list[WholeList]:
    """Return the lists of an audience: the files of one folder, or of one pattern of names, without six quiet hours."""
    found: dict[str, list[WholeList]] = defaultdict(list)
    for fate in sorted((each for each in fates if each.upload.action == "replace"), key=lambda each: each.upload.at):
        exports = found[fate.upload.folder]
        if not exports or fate.upload.at - exports[-1].files[-1].upload.at >= EXPORT_GAP:
            exports.append(WholeList([]))
        exports[-1].files.append(fate)
    return [export for exports in found.values() for export in exports]
