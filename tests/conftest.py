"""Distribution of tests over processes."""

from __future__ import annotations

import pytest


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Keep tests that share a costly fixture in one process, so that the fixture is made once.

    These are the tests of a module with fixtures of the module's scope, and those of the program under mocks. All
    others go to any process that is free. `--dist loadgroup` reads the mark.
    """
    groups = {item.nodeid: group for item in items if (group := _group(item))}
    modules = {group for group in groups.values() if group.endswith(".py")}
    for item in items:
        module = item.nodeid.partition("::")[0]
        if group := groups.get(item.nodeid) or (module if module in modules else ""):
            item.add_marker(pytest.mark.xdist_group(group))


def _group(item: pytest.Item) -> str:
    fixtures = item._fixtureinfo.name2fixturedefs if isinstance(item, pytest.Function) else {}
    shared = [definitions[-1] for definitions in fixtures.values() if definitions[-1].scope in {"module", "session"}]
    if any(each.baseid.startswith("tests/components") and each.scope == "session" for each in shared):
        return "tests/components"
    return next((each.baseid for each in shared if each.scope == "module"), "")
