"""Updates that fail at each kind of resource once, and are repeated until they succeed."""

from __future__ import annotations

from collections import Counter

from tests.engine.conftest import MakeStack
from tests.engine.replacement import REPLACED_BY
from tests.engine.stacks import Engine

MAX_ROUNDS = 40
EVERY_KIND = {
    "name": "acme",
    "alarmEmail": "data@acme.example",
    "eventArchiveDays": 30,
    "uploadRole": {"principals": ["arn:aws:iam::444455556666:role/exporter"]},
    "accessToken": "a-token-nobody-may-see",
    "advertiserId": "7100000000000000001",
}


def test_a_resource_that_failed_is_created_by_the_next_update(make_stack: MakeStack, engine: Engine) -> None:
    stack = make_stack()
    stack.configure([EVERY_KIND])
    kinds = set(REPLACED_BY)
    engine.provider.failed.clear()
    engine.provider.failing.update(dict.fromkeys(kinds, 1))
    try:
        for _ in range(MAX_ROUNDS):
            if stack.up().error is None:
                break
    finally:
        engine.provider.failing.clear()
    assert engine.provider.failed == dict.fromkeys(kinds, 1)
    names = Counter(resource["urn"] for resource in stack.resources())
    assert [urn for urn, times in names.items() if times > 1] == []
    again = stack.up()
    assert (again.error, again.steps) == (None, [])
