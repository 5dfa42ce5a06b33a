"""The order of an audience's waiting uploads: which have settled, which go next, and which arrive too late.

For each person, the latest upload that names the person decides. Within a second, a replace comes first, then an
append, then a remove. All functions in this module are pure.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from itertools import pairwise
from typing import NamedTuple

from handler.cleaning.row_sets import MAX_ROWS
from handler.clock import parse_iso
from handler.model import Action
from handler.state.audience_state import Applied, State, pruned_up_to
from handler.state.lists import StoredList
from handler.state.pending_pointers import Pointer, key_digest

# Multiples of the settling time. After QUIET_PERIOD, appends and removes are sent even if more keep arriving, and a
# list without a new file name is complete. EXPORT_GAP separates two exports in one folder; after it, a list is sent
# even if files keep arriving. With the default settling time of five minutes, these are one hour and six hours.
QUIET_PERIOD = 12
EXPORT_GAP = 72

# A SHA-256 row takes 65 bytes and an MD5 row 33, and gzip halves hexadecimal digits.
MIN_ROW_BYTES = 16

_RANK = {Action.REPLACE: 0, Action.APPEND: 1, Action.REMOVE: 2}

Position = tuple[datetime, int]  # upload time, and rank of the action


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


def position_of(pointer: Pointer) -> Position:
    """Return an upload's position in the order."""
    return (pointer.uploaded_at, _RANK[pointer.action])


def applied_position(applied: Applied) -> Position:
    """Return an applied upload's position in the order."""
    return (parse_iso(applied["uploaded_at"]), _RANK[Action(applied["action"])])


def in_order(pointers: Iterable[Pointer]) -> list[Pointer]:
    """Return the uploads sorted by their position in the order."""
    return sorted(pointers, key=lambda pointer: (*position_of(pointer), pointer.key))


def is_ready(pointers: Sequence[Pointer], settle: timedelta, now: datetime) -> bool:
    """Return true if appends and removes have settled.

    Either none was registered within the settling time, or the oldest has waited 12 settling times.
    """
    if not pointers:
        return False
    newest = max(pointer.registered_at for pointer in pointers)
    oldest = min(pointer.registered_at for pointer in pointers)
    return now - newest >= settle or now - oldest >= QUIET_PERIOD * settle


def has_waited(pointer: Pointer, settle: timedelta, now: datetime) -> bool:
    """Return true if an upload was registered at least the settling time ago."""
    return now - pointer.registered_at >= settle


def next_action(pointers: Sequence[Pointer], *, has_audience: bool) -> Action:
    """Return the oldest upload's action, or append if there is no audience yet and an append waits."""
    actions = [pointer.action for pointer in in_order(pointers)]
    return Action.APPEND if not has_audience and Action.APPEND in actions else actions[0]


def can_pass(pointers: Iterable[Pointer], action: Action) -> bool:
    """Return true if all uploads of an action can be sent before older uploads of the other action.

    The older uploads then leave out the rows that the newer ones name, so the smaller of the two sides has to fit into
    memory.
    """
    newer_bytes = 0
    for pointer in reversed(in_order(pointers)):
        if pointer.action is action:
            newer_bytes += pointer.size
        elif min(pointer.size, newer_bytes) > MAX_ROWS * MIN_ROW_BYTES:
            return False
    return True


def neighbors(pointers: Sequence[Pointer], action: Action) -> list[Pointer]:
    """Return the oldest uploads of an action, up to the next upload of the other action."""
    found: list[Pointer] = []
    for pointer in in_order(pointers):
        if pointer.action is action:
            found.append(pointer)
        elif found:
            break
    return found


def overwritten(pointers: Iterable[Pointer], settle: timedelta) -> list[list[Pointer]]:
    """Return groups of two or more versions of one key that were appended in quick succession.

    In a group, each version was uploaded less than the settling time after the version before it. Unchanged copies must
    not be among the uploads, because they do not count as newer versions.
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
    """Return the digest of the list that a file under `replace/` belongs to. Without settling, each file is a list."""
    return pointer.list_digest if settle and pointer.list_digest else pointer.digest


def exports(
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
    """Split the waiting files of one folder into exports.

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
    # Only the newest version of a file counts, whichever was registered last. A copy is not a newer version.
    times = {key: at for at, key in sorted(versions)}
    for pointer in files:
        times.setdefault(pointer.key_digest, pointer.uploaded_at)
    return Export(digest, tuple(files), min(times.values()), max(times.values()), joined)


def is_complete(lists: Sequence[Export], settle: timedelta, now: datetime) -> bool:
    """Return true if the newest list can be sent.

    Each of its files must have waited for the settling time. In addition, either no new file name was registered under
    `replace/` for QUIET_PERIOD and no file at all for the settling time, or a file has waited for EXPORT_GAP. The
    second does not count for a list that was already tried, because it waits for other reasons.
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
    """Return the newest list and every list uploaded within QUIET_PERIOD of it or of another of these."""
    together = [lists[-1]]
    for export in reversed(lists[:-1]):
        if any(
            export.first < other.last + QUIET_PERIOD * settle and other.first < export.last + QUIET_PERIOD * settle
            for other in together
        ):
            together.append(export)
    return together[::-1]


def is_out_of_order(pointer: Pointer, state: State, sent: Applied | None) -> bool:
    """Return true if an append or remove arrives too late.

    Either it was registered after a newer replace was sent, or it is older than an applied replace, or an applied
    upload of the other action, that the state has dropped.

    Args:
        pointer: the upload.
        state: the audience's state.
        sent: the newest replace that was sent and has not failed; None if there is none.
    """
    if sent and position_of(pointer) < applied_position(sent) and pointer.registered_at >= parse_iso(sent["sent_at"]):
        return True
    other = Action.REMOVE if pointer.action is Action.APPEND else Action.APPEND
    return any(_is_before_dropped(position_of(pointer), state, action) for action in (Action.REPLACE, other))


def is_list_out_of_order(export: Export, state: State, sent: Applied | None) -> bool:
    """Return true if a list arrives too late.

    Either a newer append was applied, or a newer list was sent before this list was registered, or the list is older
    than an applied upload that the state has dropped.
    """
    position = (export.first, _RANK[Action.REPLACE])
    if any(each["action"] == Action.APPEND and applied_position(each) > position for each in state["applied"]):
        return True
    if sent and is_older(export, sent):
        return export.registered_first >= parse_iso(sent["sent_at"])
    return any(_is_before_dropped(position, state, action) for action in Action)


def _is_before_dropped(position: Position, state: State, action: Action) -> bool:
    """Return true if the state has dropped an applied upload of this action that is newer than the position."""
    dropped = pruned_up_to(state, action)
    return bool(dropped) and position < (parse_iso(dropped), _RANK[action])


def is_older(export: Export, sent: Applied) -> bool:
    """Return true if another list that was sent is newer than this list."""
    own = {file["key"] for file in export.joined["files"]} if export.joined else set()
    return sent["key"] not in own and applied_position(sent) > (export.first, _RANK[Action.REPLACE])


def last_replace(state: State) -> Applied | None:
    """Return the newest replace in the state that was sent and has not failed; None if there is none."""
    sent = [each for each in state["applied"] if each["action"] == Action.REPLACE]
    return max(sent, key=applied_position, default=None)


def newer_applied(state: State, action: Action, uploaded_at: datetime) -> list[Applied]:
    """Return the applied uploads that overtake rows: newer uploads of the other action; for a list, newer removes."""
    other = Action.APPEND if action is Action.REMOVE else Action.REMOVE
    position = (uploaded_at, _RANK[action])
    return [each for each in state["applied"] if each["action"] == other and applied_position(each) > position]
