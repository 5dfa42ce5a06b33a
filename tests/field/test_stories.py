"""A few random stories with fixed seeds; `python -m tests.field.stories` runs any number of stories."""

from __future__ import annotations

import pytest

from tests.field.stories import run_stories


@pytest.mark.parametrize("first", [1, 2, 3])
def test_random_stories_match_the_model(first: int) -> None:
    run_stories(4, first=first, shrink=False)
