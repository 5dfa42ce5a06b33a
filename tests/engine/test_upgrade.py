"""Upgrades of deployed stacks from the state and the configuration of every release.

To add a release, deploy two advertisers with many options. Store the value of `deployment` in the output of
`pulumi stack export` as `releases/deployment-<number>.json`, and the list of advertisers and the stack's encryption
salt as `releases/config-<number>.json`.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from pulumi import automation

from tests.engine.conftest import MakeStack
from tests.engine.stacks import Run, Stack

RELEASES = Path(__file__).parent / "releases"
NUMBERS = sorted(path.stem.rpartition("-")[2] for path in RELEASES.glob("deployment-*.json"))


def upgraded(stack: Stack, deployment: dict[str, Any], config: dict[str, Any]) -> Run:
    stack.stack.import_stack(automation.Deployment(version=3, deployment=deployment))
    stack.configure(config["advertisers"], salt=config["salt"])
    return stack.preview()


def read(name: str) -> dict[str, Any]:
    content: dict[str, Any] = json.loads((RELEASES / name).read_text())
    return content


@pytest.mark.parametrize("number", NUMBERS)
def test_an_upgrade_replaces_and_deletes_nothing(make_stack: MakeStack, number: str) -> None:
    run = upgraded(make_stack(), read(f"deployment-{number}.json"), read(f"config-{number}.json"))
    assert run.error is None
    assert run.operations() <= {"create", "update"}
    assert run.same > 0


def test_a_changed_logical_name_is_detected(make_stack: MakeStack) -> None:
    """The modified state has a different logical name for the queue than the program."""
    text = (RELEASES / "deployment-1.json").read_text()
    renamed = json.loads(text.replace("::acme-queue", "::acme-line"))
    run = upgraded(make_stack(), renamed, read("config-1.json"))
    assert run.error is None
    assert {"create", "delete"} <= run.operations()
