"""A short run of the fuzzer, the same every time."""

from __future__ import annotations

import pytest

from tests.handler.cleaning.fuzz import fuzz


@pytest.mark.processes
def test_random_files_and_keys_find_nothing_but_the_projects_own_refusals() -> None:
    seen, _ = fuzz(20260131, rounds=250)
    assert set(seen) == {
        *("cleaned", "no text", "columns", "columns refused", "unpacked", "damage refused"),
        *("key", "key refused", "message refused", "ignored"),
    }
