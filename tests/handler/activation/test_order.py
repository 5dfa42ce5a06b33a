"""The order of waiting uploads: which have settled, which go next or together, and which are too late."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from handler.activation import exports, order
from handler.cleaning.row_sets import MAX_ROWS
from handler.clock import iso
from handler.model import Action, AudienceKey, IdentifierType
from handler.report_codes import Status
from handler.state.audience_state import Applied, Change, State, new_state, prune_applied, remove_applied
from handler.state.lists import StoredList
from handler.state.pending_pointers import Pointer, upload_digest

T = datetime(2026, 1, 31, 12, tzinfo=UTC)
S = timedelta(minutes=5)
HOUR = timedelta(hours=1)


def pointer(
    action: str, minutes: float = 0, key: str = "a", registered: float | None = None, **changes: Any
) -> Pointer:
    """Return the pointer of an upload at this minute. By default, it is registered at its upload time."""
    at = T + timedelta(minutes=minutes)
    digest = upload_digest(key, f"v{minutes}")
    seen = T + timedelta(minutes=minutes if registered is None else registered)
    list_digest = "list" if action == "replace" else None
    return Pointer(digest, at, seen, Action(action), False, 1000, list_digest, digest)._replace(**changes)


def applied(action: str, minutes: float = 0, sent: float = 0) -> Applied:
    uploaded_at = iso(T + timedelta(minutes=minutes))
    sent_at = iso(T + timedelta(minutes=sent))
    return {"key": "k", "version_id": "v", "action": action, "uploaded_at": uploaded_at, "sent_at": sent_at, "rows": 10}


def state(*entries: Applied, **changes: Any) -> State:
    made = new_state(AudienceKey(IdentifierType.EMAIL_SHA256, "vip"))
    made["applied"] += entries
    made.update(changes)  # type: ignore[typeddict-item]  # keys of the state
    return made


def test_within_a_second_a_replace_comes_first_then_an_append_then_a_remove() -> None:
    waiting = [pointer("remove"), pointer("append"), pointer("replace"), pointer("remove", -1)]
    assert [each.action.value for each in order.in_order(waiting)] == ["remove", "replace", "append", "remove"]


@pytest.mark.parametrize(
    ("registered", "now", "ready"),
    [([0], 4.9, False), ([0], 5, True), ([0, 4], 8, False), ([0, 4], 9, True), (range(0, 60, 4), 60, True)],
)
def test_appends_are_ready_after_the_settling_time_or_after_an_hour(
    registered: list[int], now: float, ready: bool
) -> None:
    waiting = [pointer("append", minutes) for minutes in registered]
    assert order.is_ready(waiting, S, T + timedelta(minutes=now)) is ready


def test_the_oldest_action_is_next_and_append_is_next_without_an_audience() -> None:
    waiting = [pointer("append", 2), pointer("remove", 1), pointer("remove", 3)]
    assert order.next_action(waiting, has_audience=True) is Action.REMOVE
    assert order.next_action(waiting, has_audience=False) is Action.APPEND
    assert order.next_action(waiting[1:], has_audience=False) is Action.REMOVE


def test_uploads_too_large_for_memory_are_sent_only_with_their_neighbors() -> None:
    huge = MAX_ROWS * order.MIN_ROW_BYTES + 1
    waiting = [pointer("append", 0), pointer("remove", 1, size=huge), pointer("append", 2, size=huge)]
    assert order.can_pass(waiting[:2], Action.APPEND)
    assert not order.can_pass(waiting, Action.APPEND)
    assert order.can_pass([*waiting[:2], pointer("append", 2)], Action.APPEND)
    assert order.neighbors(waiting, Action.APPEND) == waiting[:1]


def test_versions_uploaded_in_quick_succession_are_grouped() -> None:
    versions = [pointer("append", minutes) for minutes in (0, 4, 9, 20)]
    others = [pointer("remove", 1), pointer("remove", 2), pointer("append", 3, key="b")]
    assert order.overwritten([*versions, *others], S) == [versions[:2]]


@pytest.mark.parametrize(
    ("case", "late", "entry", "expected"),
    [
        ("after a newer replace was sent", pointer("append", 0, registered=30), applied("replace", 10, 20), True),
        ("before it was sent", pointer("append", 0, registered=15), applied("replace", 10, 20), False),
        ("newer than the replace", pointer("append", 11, registered=30), applied("replace", 10, 20), False),
        ("a remove overtakes only rows", pointer("append", 0, registered=30), applied("remove", 10, 20), False),
    ],
)
def test_an_append_registered_after_a_newer_replace_was_sent_is_out_of_order(
    case: str, late: Pointer, entry: Applied, expected: bool
) -> None:
    made = state(entry)
    assert order.is_out_of_order(late, made, order.last_replace(made)) is expected, case


@pytest.mark.parametrize("action", ["append", "remove"])
def test_an_upload_older_than_the_state_remembers_is_out_of_order(action: str) -> None:
    other = "remove" if action == "append" else "append"
    made = state(applied(other, 10, 20), applied(action, 10, 20))
    prune_applied(made, None, T + timedelta(hours=49))
    assert made["applied"] == []
    assert order.is_out_of_order(pointer(action, 9), made, None)
    assert not order.is_out_of_order(pointer(action, 11), made, None)


@pytest.mark.parametrize(("dropped", "late"), [("remove", "append"), ("append", "replace"), ("remove", "replace")])
def test_an_upload_before_a_dropped_upload_of_the_same_second_is_out_of_order(dropped: str, late: str) -> None:
    for first, second, expected in ((late, dropped, True), (dropped, late, False)):
        made = state(applied(second, 10, 20))
        prune_applied(made, None, T + timedelta(hours=49))
        if first == "replace":
            (export,) = exports.find_exports([pointer(first, 10)], {}, S, {})
            assert exports.is_list_out_of_order(export, made, None) is expected
        else:
            assert order.is_out_of_order(pointer(first, 10), made, None) is expected


def test_applied_uploads_are_remembered_while_older_uploads_wait() -> None:
    made = state(applied("append", 10, 20))
    prune_applied(made, T + timedelta(minutes=5), T + timedelta(hours=100))
    assert len(made["applied"]) == 1


def test_rows_are_overtaken_by_newer_uploads_of_the_other_action() -> None:
    made = state(applied("remove", 0), {**applied("append", 5), "key": "b"}, {**applied("remove", 9), "key": "c"})
    assert [each["key"] for each in order.newer_applied(made, Action.APPEND, T)] == ["k", "c"]
    assert [each["key"] for each in order.newer_applied(made, Action.REMOVE, T)] == ["b"]
    assert [each["key"] for each in order.newer_applied(made, Action.REPLACE, T + HOUR / 10)] == ["c"]


def test_six_hours_without_an_upload_separate_two_exports_in_one_folder() -> None:
    files = [pointer("replace", 60 * hours, key=str(hours)) for hours in (0, 5, 11.1, 12)]
    lists = exports.find_exports(files, {}, S, {})
    assert [len(each.pointers) for each in lists] == [2, 2]
    assert [each.first for each in lists] == [T, T + 11.1 * HOUR]


def stored(first: float, last: float, status: Status, faulty: str | None = None) -> StoredList:
    """Return a stored list whose files were uploaded at these hours."""
    times = [iso(T + first * HOUR), iso(T + last * HOUR)]
    return {
        "schema": 2, "digest": "list", "first_uploaded_at": times[0], "last_uploaded_at": times[1],
        "status": status, "code": None, "faulty_key": faulty, "outdated": [],
        "files": [{"key": "a", "version_id": time, "uploaded_at": time, "counts": None} for time in times],
        "rows": None, "uploads": [], "progress": None, "waiting_since": None,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("hours", "known", "joins"),
    [
        (7, stored(0, 2, "available"), True),
        (9, stored(0, 2, "available"), False),
        (99, stored(0, 2, "rejected", faulty="a"), True),
        (99, stored(0, 2, "rejected", faulty="b"), False),
    ],
)
def test_a_late_file_joins_the_list_it_belongs_to(hours: float, known: StoredList, joins: bool) -> None:
    (export,) = exports.find_exports([pointer("replace", 60 * hours, key="a")], {"list": known}, S, {})
    assert (export.joined is known) is joins


@pytest.mark.parametrize(
    ("files", "now", "complete"),
    [
        ([("a", 0), ("b", 10)], 69, False),
        ([("a", 0), ("b", 10)], 70, True),
        ([("a", 0), ("b", 10), ("a", 66)], 70, False),  # a new version restarts the settling time
        ([("a", 0), ("b", 10), ("a", 64)], 70, True),
        ([(str(n), 50 * n) for n in range(8)], 359, False),
        ([(str(n), 50 * n) for n in range(8)], 360, True),  # a steady stream is complete after six hours
    ],
)
def test_a_list_is_complete_after_an_hour_without_a_new_file_name(
    files: list[tuple[str, int]], now: int, complete: bool
) -> None:
    lists = exports.find_exports([pointer("replace", minutes, key=key) for key, minutes in files], {}, S, {})
    assert exports.is_complete(lists, S, T + timedelta(minutes=now)) is complete


def test_lists_uploaded_within_an_hour_of_one_another_belong_together() -> None:
    files = [
        pointer("replace", minutes, key=str(minutes), list_digest=f"list {minutes}") for minutes in (0, 100, 150, 200)
    ]
    together = exports.uploaded_together(exports.find_exports(files, {}, S, {}), S)
    assert [each.digest for each in together] == ["list 100", "list 150", "list 200"]


def test_a_failed_repeat_of_a_list_keeps_the_earlier_applied_entry() -> None:
    made = state(applied("replace", 10, 20))
    made["applied"] += [applied("replace", 10, 600)]
    change: Change = {
        "call": "replace", "audience_id": "1", "files": [{"key": "k", "version_id": "v"}], "list": "list",
        "began_at": iso(T + timedelta(minutes=600)), "matched_before": None, "seen_processing": None, "reported": True,
    }  # fmt: skip
    remove_applied(made, change)
    assert made["applied"] == [applied("replace", 10, 20)]
