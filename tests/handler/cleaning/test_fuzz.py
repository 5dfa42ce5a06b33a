"""A short run of the fuzzer with a fixed seed."""

from __future__ import annotations

import pytest

from tests.handler.cleaning.fuzz import fuzz


@pytest.mark.processes
def test_random_files_and_keys_raise_only_the_projects_own_exceptions() -> None:
    seen, _ = fuzz(20260131, rounds=250)
    assert set(seen) == {
        *("cleaned", "no text", "columns", "columns refused", "decompressed", "damage refused"),
        *("key", "key refused", "message refused", "ignored"),
    }
