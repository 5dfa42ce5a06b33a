"""The order of an audience's waiting uploads: which have settled, which go next, and which arrive too late.

For each person, the latest upload that names the person decides. Within a second, a replace comes first, then an
append, then a remove. All functions in this module are pure.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from itertools import pairwise

from handler.cleaning.row_sets import MAX_ROWS
from handler.clock import parse_iso
from handler.model import Action
from handler.state.audience_state import Applied, State, pruned_up_to
from handler.state.pending_pointers import Pointer

# Multiples of the settling time. After QUIET_PERIOD, appends and removes are sent even if more keep arriving, and a
# list without a new file name is complete. EXPORT_GAP separates two exports in one folder; after it, a list is sent
# even if files keep arriving. With the default settling time of five minutes, these are one hour and six hours.
QUIET_PERIOD = 12
EXPORT_GAP = 72

# The shortest row, an MD5 with a line break, takes 33 bytes. Gzip halves hexadecimal digits.
MIN_ROW_BYTES = 16

RANK = {Action.REPLACE: 0, Action.APPEND: 1, Action.REMOVE: 2}

Position = tuple[datetime, int]  # upload time, and rank of the action


def position_of(pointer: Pointer) -> Position:
    """Return an upload's position in the order."""
    return (pointer.uploaded_at, RANK[pointer.action])


def applied_position(applied: Applied) -> Position:
    """Return an applied upload's position in the order."""
    return (parse_iso(applied["uploaded_at"]), RANK[Action(applied["action"])])


def in_order(pointers: Iterable[Pointer]) -> list[Pointer]:
    """Return the uploads sorted by their position in the order."""
    return sorted(pointers, key=lambda pointer: (*position_of(pointer), pointer.key))


def is_ready(pointers: Sequence[Pointer], settle: timedelta, now: datetime) -> bool:
    """Return true if appends and removes have settled.

    Either none was registered within the last settling time, or one has waited for QUIET_PERIOD.
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
    return any(is_before_dropped(position_of(pointer), state, action) for action in (Action.REPLACE, other))


def is_before_dropped(position: Position, state: State, action: Action) -> bool:
    """Return true if the state has dropped an applied upload of this action that is newer than the position."""
    dropped = pruned_up_to(state, action)
    return bool(dropped) and position < (parse_iso(dropped), RANK[action])


def last_replace(state: State) -> Applied | None:
    """Return the newest replace in the state that was sent and has not failed; None if there is none."""
    sent = [each for each in state["applied"] if each["action"] == Action.REPLACE]
    return max(sent, key=applied_position, default=None)


def newer_applied(state: State, action: Action, uploaded_at: datetime) -> list[Applied]:
    """Return the applied uploads that overtake rows: newer uploads of the other action; for a list, newer removes."""
    other = Action.APPEND if action is Action.REMOVE else Action.REMOVE
    position = (uploaded_at, RANK[action])
    return [each for each in state["applied"] if each["action"] == other and applied_position(each) > position]
