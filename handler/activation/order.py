"""The order of an audience's waiting uploads: which are settled, which go next, and which come too late. Pure.

For each person, the latest upload that names them decides. Within a second a replace comes first, then an append,
then a remove.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from itertools import pairwise
from typing import NamedTuple

from handler.cleaning.row_sets import MAX_ROWS
from handler.clock import parse_iso
from handler.model import Action
from handler.state.audience_state import Applied, State, forgotten_up_to
from handler.state.lists import StoredList
from handler.state.pointers import Pointer, key_digest

# Multiples of the settling time S.
QUIET = 12  # appends and removes that keep coming are sent after this; a list without a new file name is complete
EXPORT_GAP = (
    72  # two exports in one folder are at least this far apart; a list goes after this however files keep coming
)

# A row of SHA-256 takes 65 bytes, one of MD5 33, and gzip halves hexadecimal digits.
MIN_ROW_BYTES = 16

_RANK = {Action.REPLACE: 0, Action.APPEND: 1, Action.REMOVE: 2}

Moment = tuple[datetime, int]


class Export(NamedTuple):
    """The waiting files of one list: those of one folder or one pattern of names that were uploaded together.

    Attributes:
        digest: identifies the list.
        pointers: its waiting files, oldest first.
        first, last: upload times of its oldest and newest file, those in `joined` included.
        joined: the stored list that these files belong to; None if they begin a list.
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


def moment(pointer: Pointer) -> Moment:
    """Return an upload's place in the order."""
    return (pointer.uploaded_at, _RANK[pointer.action])


def applied_moment(applied: Applied) -> Moment:
    """Return an applied upload's place in the order."""
    return (parse_iso(applied["uploaded_at"]), _RANK[Action(applied["action"])])


def in_order(pointers: Iterable[Pointer]) -> list[Pointer]:
    """Return uploads in their order."""
    return sorted(pointers, key=lambda pointer: (*moment(pointer), pointer.key))


def is_ready(pointers: Sequence[Pointer], settle: timedelta, now: datetime) -> bool:
    """Return true if an audience's appends and removes have settled: none is new, or the oldest has waited long."""
    if not pointers:
        return False
    newest = max(pointer.registered_at for pointer in pointers)
    oldest = min(pointer.registered_at for pointer in pointers)
    return now - newest >= settle or now - oldest >= QUIET * settle


def has_waited(pointer: Pointer, settle: timedelta, now: datetime) -> bool:
    """Return true if an upload has itself been registered for the settling time."""
    return now - pointer.registered_at >= settle


def next_action(pointers: Sequence[Pointer], *, has_audience: bool) -> Action:
    """Return the action that goes next: that of the oldest upload, or an append if there is no audience yet."""
    actions = [pointer.action for pointer in in_order(pointers)]
    return Action.APPEND if not has_audience and Action.APPEND in actions else actions[0]


def can_pass(pointers: Iterable[Pointer], action: Action) -> bool:
    """Return true if all uploads of an action can go before older ones of the other action.

    The other uploads will have to leave out the rows that these name, and one of the two sides has to fit into memory.
    """
    newer_bytes = 0
    for pointer in reversed(in_order(pointers)):
        if pointer.action is action:
            newer_bytes += pointer.size
        elif min(pointer.size, newer_bytes) > MAX_ROWS * MIN_ROW_BYTES:
            return False
    return True


def neighbors(pointers: Sequence[Pointer], action: Action) -> list[Pointer]:
    """Return the oldest uploads of an action up to the first upload of the other action after them."""
    found: list[Pointer] = []
    for pointer in in_order(pointers):
        if pointer.action is action:
            found.append(pointer)
        elif found:
            break
    return found


def overwritten(pointers: Iterable[Pointer], settle: timedelta) -> list[list[Pointer]]:
    """Return the versions of appends that were each uploaded less than the settling time after the one before.

    Copies without a change are no newer versions; they have ended before.
    """
    by_key: dict[str, list[Pointer]] = {}
    for pointer in in_order(pointers):
        if pointer.action is Action.APPEND:
            by_key.setdefault(pointer.key_digest, []).append(pointer)
    found: list[list[Pointer]] = []
    for versions in by_key.values():
        found.append(versions[:1])
        for older, newer in pairwise(versions):
            if newer.uploaded_at - older.uploaded_at >= settle:
                found.append([])
            found[-1].append(newer)
    return [versions for versions in found if len(versions) > 1]


def digest_of_list(pointer: Pointer, settle: timedelta) -> str:
    """Return the digest of the list that a file under `replace/` belongs to: without settling, its own list."""
    return pointer.list_digest if settle and pointer.list_digest else pointer.digest


def exports(
    pointers: Iterable[Pointer],
    stored: Mapping[str, StoredList],
    settle: timedelta,
    deleted: Mapping[str, datetime] | None = None,
) -> list[Export]:
    """Return the waiting lists of an audience, oldest first.

    Args:
        pointers: waiting files under `replace/`.
        stored: the stored lists by digest.
        settle: the settling time. With 0 each file is a list of its own.
        deleted: when stored lists had been deleted, by digest: files that came later belong to another list.
    """
    if not settle:
        return [_export(pointer.digest, [pointer], stored.get(pointer.digest)) for pointer in in_order(pointers)]
    by_list: dict[str, list[Pointer]] = {}
    for pointer in in_order(pointers):
        by_list.setdefault(digest_of_list(pointer, settle), []).append(pointer)
    ends = deleted or {}
    found = [
        _export(digest, files, _joined(files, stored.get(digest), settle, ends.get(digest)))
        for digest, waiting in by_list.items()
        for files in _split(waiting, stored.get(digest), settle, ends.get(digest))
    ]
    return sorted(found, key=lambda export: (export.first, export.digest))


def _split(
    files: Sequence[Pointer], stored: StoredList | None, settle: timedelta, deleted: datetime | None
) -> list[list[Pointer]]:
    """Split the waiting files of one folder where six quiet hours lie between two of all its files.

    And where all files of the stored list had been deleted.
    """
    times = {parse_iso(each["uploaded_at"]) for each in stored["files"]} if stored else set()
    times |= {pointer.uploaded_at for pointer in files}
    begins = {later for earlier, later in pairwise(sorted(times)) if later - earlier >= EXPORT_GAP * settle}
    begins |= {min(later)} if deleted and (later := [time for time in times if time >= deleted]) else set()
    groups: list[list[Pointer]] = [[]]
    begun: set[datetime] = set()
    for pointer in files:
        passed = {begin for begin in begins if begin <= pointer.uploaded_at}
        if passed - begun and groups[-1]:
            groups.append([])
        begun |= passed
        groups[-1].append(pointer)
    return groups


def _joined(
    files: Sequence[Pointer], stored: StoredList | None, settle: timedelta, deleted: datetime | None
) -> StoredList | None:
    """Return the stored list if these files belong to it."""
    if stored is None or (deleted and files[0].uploaded_at >= deleted):
        return None
    first, last = parse_iso(stored["first_uploaded_at"]), parse_iso(stored["last_uploaded_at"])
    gap = EXPORT_GAP * settle
    if files[0].uploaded_at < last + gap and first < files[-1].uploaded_at + gap:
        return stored
    # A new version of the file that made the list rejected belongs to it, however late.
    faulty = key_digest(stored["faulty_key"]) if stored["faulty_key"] and stored["status"] == "rejected" else None
    return stored if any(pointer.key_digest == faulty for pointer in files) else None


def _export(digest: str, files: Sequence[Pointer], joined: StoredList | None) -> Export:
    versions = [(pointer.uploaded_at, pointer.key_digest) for pointer in files if not pointer.is_copy]
    if joined:
        versions += [(parse_iso(each["uploaded_at"]), key_digest(each["key"])) for each in joined["files"]]
    # Of a file with several versions only the newest counts, whichever was registered last. A copy is no newer version.
    times = {key: at for at, key in sorted(versions)}
    for pointer in files:
        times.setdefault(pointer.key_digest, pointer.uploaded_at)
    return Export(digest, tuple(files), min(times.values()), max(times.values()), joined)


def is_complete(lists: Sequence[Export], settle: timedelta, now: datetime) -> bool:
    """Return true if the newest list can go.

    No new file name was registered under `replace/` for an hour and nothing at all for the settling time, or a file
    has waited six hours. A list whose turn has come already does not count for the latter: it waits for something else.
    """
    pointers = [pointer for export in lists for pointer in export.pointers]
    if not all(has_waited(pointer, settle, now) for pointer in lists[-1].pointers):
        return False
    names: dict[tuple[str | None, str], datetime] = {}
    for pointer in pointers:
        name = (pointer.list_digest, pointer.key_digest)
        names[name] = min(names.get(name, pointer.registered_at), pointer.registered_at)
    is_quiet = now - max(pointer.registered_at for pointer in pointers) >= settle
    if is_quiet and now - max(names.values()) >= QUIET * settle:
        return True
    return any(now - each.registered_first >= EXPORT_GAP * settle for each in lists if not _was_attempted(each.joined))


def _was_attempted(stored: StoredList | None) -> bool:
    return bool(stored and stored["status"] == "waiting" and (stored["uploads"] or stored["waiting_since"]))


def uploaded_together(lists: Sequence[Export], settle: timedelta) -> list[Export]:
    """Return the newest list and those uploaded within an hour of it or of one another."""
    together = [lists[-1]]
    for export in reversed(lists[:-1]):
        if any(
            export.first < other.last + QUIET * settle and other.first < export.last + QUIET * settle
            for other in together
        ):
            together.append(export)
    return together[::-1]


def is_out_of_order(pointer: Pointer, state: State, sent: Applied | None) -> bool:
    """Return true if an append or a remove comes too late.

    It was registered after a newer replace was sent, or is older than applied uploads that the state no longer holds.

    Args:
        pointer: the upload.
        state: the audience's state.
        sent: the newest replace that was sent and has not failed.
    """
    if sent and moment(pointer) < applied_moment(sent) and pointer.registered_at >= parse_iso(sent["sent_at"]):
        return True
    other = Action.REMOVE if pointer.action is Action.APPEND else Action.APPEND
    return any(_is_before_forgotten(moment(pointer), state, action) for action in (Action.REPLACE, other))


def is_list_out_of_order(export: Export, state: State, sent: Applied | None) -> bool:
    """Return true if a list comes too late: an append or another replace that is newer was applied before."""
    place = (export.first, _RANK[Action.REPLACE])
    if any(each["action"] == Action.APPEND and applied_moment(each) > place for each in state["applied"]):
        return True
    if sent and is_older(export, sent):
        return export.registered_first >= parse_iso(sent["sent_at"])
    return any(_is_before_forgotten(place, state, action) for action in Action)


def _is_before_forgotten(place: Moment, state: State, action: Action) -> bool:
    """Return true if an applied upload of an action that the state no longer holds goes after this place."""
    forgotten = forgotten_up_to(state, action)
    return bool(forgotten) and place < (parse_iso(forgotten), _RANK[action])


def is_older(export: Export, sent: Applied) -> bool:
    """Return true if a list is older than another one that was sent."""
    own = {file["key"] for file in export.joined["files"]} if export.joined else set()
    return sent["key"] not in own and applied_moment(sent) > (export.first, _RANK[Action.REPLACE])


def last_replace(state: State) -> Applied | None:
    """Return the newest replace that was sent and has not failed, as far as the state remembers."""
    sent = [each for each in state["applied"] if each["action"] == Action.REPLACE]
    return max(sent, key=applied_moment, default=None)


def newer_applied(state: State, action: Action, uploaded_at: datetime) -> list[Applied]:
    """Return the applied uploads that overtake rows: newer ones of the other action, for a list newer removes."""
    other = Action.APPEND if action is Action.REMOVE else Action.REMOVE
    place = (uploaded_at, _RANK[action])
    return [each for each in state["applied"] if each["action"] == other and applied_moment(each) > place]
