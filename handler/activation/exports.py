"""The waiting files under `replace/`, grouped into exports: the files of one list.

`is_complete` says when the newest list can be sent. All functions in this module are pure.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from itertools import pairwise
from typing import NamedTuple

from handler.activation.order import (
    EXPORT_GAP,
    QUIET_PERIOD,
    RANK,
    Position,
    applied_position,
    has_waited,
    in_order,
    is_before_dropped,
)
from handler.clock import parse_iso
from handler.model import Action
from handler.state.audience_state import Applied, State
from handler.state.lists import StoredList
from handler.state.pending_pointers import Pointer, key_digest


class Export(NamedTuple):
    """The waiting files of one list: files of one folder or one file name pattern that were uploaded together.

    Attributes:
        digest: identifies the list.
        pointers: the waiting files, oldest first.
        first, last: upload times of the oldest and the newest file, including the files in `joined`. Only the newest
            version of each file counts.
        joined: the stored list that these files belong to; None if they start a new list.
    """

    digest: str
    pointers: tuple[Pointer, ...]
    first: datetime
    last: datetime
    joined: StoredList | None = None

    @property
    def registered_first(self) -> datetime:
        """The registration time of the file that has waited longest."""
        return min(pointer.registered_at for pointer in self.pointers)

    @property
    def position(self) -> Position:
        """The position of the list in the order: that of a replace with the upload time of its first file."""
        return self.first, RANK[Action.REPLACE]


def digest_of_list(pointer: Pointer, settle: timedelta) -> str:
    """Return the digest of the list that a file under `replace/` belongs to. Without settling, each file is a list."""
    return pointer.list_digest if settle and pointer.list_digest else pointer.digest


def find_exports(
    pointers: Iterable[Pointer],
    stored: Mapping[str, StoredList],
    settle: timedelta,
    deleted: Mapping[str, datetime],
) -> list[Export]:
    """Return the waiting lists of an audience, oldest first.

    Args:
        pointers: the waiting files under `replace/`.
        stored: the stored lists by digest.
        settle: the settling time. If it is 0, each file is a list.
        deleted: by digest, the time by which all files of a stored list were deleted. Later files start a new list.
    """
    if not settle:
        return [_export(pointer.digest, [pointer], stored.get(pointer.digest)) for pointer in in_order(pointers)]
    by_list: dict[str, list[Pointer]] = {}
    for pointer in in_order(pointers):
        by_list.setdefault(digest_of_list(pointer, settle), []).append(pointer)
    found = [
        _export(digest, files, _joined(files, stored.get(digest), settle, deleted.get(digest)))
        for digest, waiting in by_list.items()
        for files in _split(waiting, stored.get(digest), settle, deleted.get(digest))
    ]
    return sorted(found, key=lambda export: (export.first, export.digest))


def _split(
    files: Sequence[Pointer], stored: StoredList | None, settle: timedelta, deleted: datetime | None
) -> list[list[Pointer]]:
    """Split the waiting files of one folder or file name pattern into exports.

    An export starts after EXPORT_GAP without an upload, or after all files of the stored list were deleted.
    """
    times = {parse_iso(each["uploaded_at"]) for each in stored["files"]} if stored else set()
    times |= {pointer.uploaded_at for pointer in files}
    starts = {later for earlier, later in pairwise(sorted(times)) if later - earlier >= EXPORT_GAP * settle}
    starts |= {min(later)} if deleted and (later := [time for time in times if time >= deleted]) else set()
    groups: list[list[Pointer]] = [[]]
    passed: set[datetime] = set()
    for pointer in files:
        reached = {start for start in starts if start <= pointer.uploaded_at}
        if reached - passed and groups[-1]:
            groups.append([])
        passed |= reached
        groups[-1].append(pointer)
    return groups


def _joined(
    files: Sequence[Pointer], stored: StoredList | None, settle: timedelta, deleted: datetime | None
) -> StoredList | None:
    """Return the stored list if these files belong to it, else None."""
    if stored is None or (deleted and files[0].uploaded_at >= deleted):
        return None
    first, last = parse_iso(stored["first_uploaded_at"]), parse_iso(stored["last_uploaded_at"])
    gap = EXPORT_GAP * settle
    if files[0].uploaded_at < last + gap and first < files[-1].uploaded_at + gap:
        return stored
    # A new version of the file that got the list rejected belongs to the list, however late it is uploaded.
    faulty = key_digest(stored["faulty_key"]) if stored["faulty_key"] and stored["status"] == "rejected" else None
    return stored if any(pointer.key_digest == faulty for pointer in files) else None


def _export(digest: str, files: Sequence[Pointer], joined: StoredList | None) -> Export:
    versions = [(pointer.uploaded_at, pointer.key_digest) for pointer in files if not pointer.is_copy]
    if joined:
        versions += [(parse_iso(each["uploaded_at"]), key_digest(each["key"])) for each in joined["files"]]
    # Only the last uploaded version of a file counts, even if it was not registered last. A copy is not a new version.
    times = {key: at for at, key in sorted(versions)}
    for pointer in files:
        times.setdefault(pointer.key_digest, pointer.uploaded_at)
    return Export(digest, tuple(files), min(times.values()), max(times.values()), joined)


def is_complete(lists: Sequence[Export], settle: timedelta, now: datetime) -> bool:
    """Return true if the newest list can be sent.

    Each of its files must have waited for the settling time. In addition, at least one of these conditions must be met:

    - No new file name was registered under `replace/` for QUIET_PERIOD, and no file at all for the settling time.
    - A file of a waiting list has waited for EXPORT_GAP. A list that has uploaded parts or waits for a confirmation
      does not count, because it waits for another reason.
    """
    pointers = [pointer for export in lists for pointer in export.pointers]
    if not all(has_waited(pointer, settle, now) for pointer in lists[-1].pointers):
        return False
    names: dict[tuple[str | None, str], datetime] = {}
    for pointer in pointers:
        name = (pointer.list_digest, pointer.key_digest)
        names[name] = min(names.get(name, pointer.registered_at), pointer.registered_at)
    is_quiet = now - max(pointer.registered_at for pointer in pointers) >= settle
    if is_quiet and now - max(names.values()) >= QUIET_PERIOD * settle:
        return True
    return any(now - each.registered_first >= EXPORT_GAP * settle for each in lists if not _was_tried(each.joined))


def _was_tried(stored: StoredList | None) -> bool:
    return bool(stored and stored["status"] == "waiting" and (stored["uploads"] or stored["waiting_since"]))


def uploaded_together(lists: Sequence[Export], settle: timedelta) -> list[Export]:
    """Return the newest list and every list uploaded within QUIET_PERIOD of it or of another list in the result."""
    together = [lists[-1]]
    for export in reversed(lists[:-1]):
        if any(
            export.first < other.last + QUIET_PERIOD * settle and other.first < export.last + QUIET_PERIOD * settle
            for other in together
        ):
            together.append(export)
    return together[::-1]


def is_list_out_of_order(export: Export, state: State, sent: Applied | None) -> bool:
    """Return true if a list arrives too late.

    This is the case if a newer append was applied, or if a newer list was sent before this list was registered. If no
    newer list was sent, it is also the case if the list is older than an applied upload that the state has dropped.
    """
    position = export.position
    if any(each["action"] == Action.APPEND and applied_position(each) > position for each in state["applied"]):
        return True
    if sent and is_older(export, sent):
        return export.registered_first >= parse_iso(sent["sent_at"])
    return any(is_before_dropped(position, state, action) for action in Action)


def is_older(export: Export, sent: Applied) -> bool:
    """Return true if `sent` is another list that is newer than this one."""
    own = {file["key"] for file in export.joined["files"]} if export.joined else set()
    return sent["key"] not in own and applied_position(sent) > export.position
