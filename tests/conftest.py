"""Distribution of tests over pytest-xdist processes."""

from __future__ import annotations

import pytest


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Run tests that share an expensive fixture in one process, so that the fixture is created once.

    These are the tests of a module that has module-scoped fixtures, and the tests that use a session-scoped fixture of
    `tests/components`. All other tests run in any free process. `--dist loadgroup` reads the marker.
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
