"""A short run of the fuzzer with a fixed seed."""

from __future__ import annotations

import pytest

from tests.handler.cleaning.fuzz import fuzz


@pytest.mark.processes
def test_random_files_and_keys_raise_only_the_projects_own_exceptions() -> None:
    seen, _ = fuzz(20260131, rounds=250)
    assert set(seen) == {
        *("cleaned", "not text", "columns", "columns rejected", "decompressed", "damage rejected"),
        *("key", "key rejected", "message rejected", "ignored"),
    }
