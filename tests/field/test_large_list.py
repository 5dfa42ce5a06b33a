"""Kind 28 of `kinds.md` at full size: 500 files of 100 rows are one list."""

from __future__ import annotations

from tests.field.connector import AVAILABLE
from tests.field.large_list import large_list
from tests.handler.world import people


def test_kind_28_five_hundred_files_are_sent_in_one_call() -> None:
    with large_list(files=500, rows=100) as (connector, _, messages):
        connector.finish()
        assert {connector.outcome_of(message) for message in messages} == {AVAILABLE}
        assert connector.members() == set(people(0, 50_000))
        assert connector.changes() == ["REPLACE"]
