"""A few random stories, always the same ones; `python -m tests.field.model` runs any number of them."""

from __future__ import annotations

import pytest

from tests.field.stories import tell


@pytest.mark.parametrize("first", [1, 2, 3])
def test_random_stories_end_with_the_people_of_the_model(first: int) -> None:
    tell(4, first=first, shrink=False)
