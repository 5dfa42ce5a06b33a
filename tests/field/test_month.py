"""Kind 36 of `kinds.md`: a daily append and a daily remove against an audience that takes two days per change."""

from __future__ import annotations

from tests.field.connector import AVAILABLE, DAY, HOUR, VIP, FieldConnector, body
from tests.handler.world import people

PROCESSING = 2 * DAY
SUBMITTED = ("submitted", "submitted")


def test_kind_36_two_changes_are_always_enough_to_catch_up(connector: FieldConnector) -> None:
    """A file waits at most for the current change and for one change of the other action.

    Every day, a hundred people are added and fifty of the previous day are removed.
    """
    expected = connector.create_audience()
    connector.tiktok.configure(processing_seconds=PROCESSING)
    changes_before: dict[str, int] = {}  # message -> number of changes that TikTok had accepted at its upload
    for day in range(30):
        added, removed = set(people(10_000 + day * 100, 100)), set(people(10_000 + day * 100 - 100, 50))
        expected = (expected | added) - removed
        for action, rows in (("append", added), ("remove", removed)):
            message = connector.put(f"{VIP}/{action}/{day:02}/part-0.csv", body(sorted(rows)))
            changes_before[message] = len(connector.changes())
        connector.wait(DAY, every=4 * HOUR)
        changes = len(connector.changes())
        for message, before in changes_before.items():
            assert changes - before <= 1 or connector.outcome_of(message) in {SUBMITTED, AVAILABLE}
    changes = len(connector.changes())
    connector.finish(days=8)
    assert len(connector.changes()) - changes <= 2
    assert {connector.outcome_of(message) for message in changes_before} == {AVAILABLE}
    assert connector.members() == expected


def test_kind_36_a_backlog_of_a_month_takes_two_changes(connector: FieldConnector) -> None:
    """The token is invalid for a month. Then everything is sent in one append and one remove."""
    expected = connector.create_audience()
    connector.tiktok.configure(processing_seconds=PROCESSING)
    connector.tiktok.fault("any", "code", code=40105, message="Access token is incorrect.", times=None)
    messages = []
    for day in range(30):
        added, removed = set(people(10_000 + day * 10, 10)), set(people(10_000 + day * 10 - 10, 5))
        expected = (expected | added) - removed
        messages.append(connector.put(f"{VIP}/append/{day:02}/part-0.csv", body(sorted(added))))
        messages.append(connector.put(f"{VIP}/remove/{day:02}/part-0.csv", body(sorted(removed))))
        connector.wait(DAY, every=DAY / 2)
    connector.tiktok.clear_faults()
    changes = len(connector.changes())
    connector.finish(days=8)
    assert sorted(connector.changes()[changes:]) == ["APPEND", "REMOVE"]
    assert {connector.outcome_of(message) for message in messages} == {AVAILABLE}
    assert connector.members() == expected
