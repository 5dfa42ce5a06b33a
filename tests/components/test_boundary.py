"""The example of a permissions boundary allows the permissions of every role, and no other actions."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from sandbox.processes import ROOT
from tests.components.evaluator import AccessRequest, as_list, verdict
from tests.components.harness import Program

BOUNDARY: dict[str, Any] = json.loads((ROOT / "examples" / "permissions-boundary.json").read_text())


def permissions(program: Program) -> set[tuple[str, str]]:
    """Return the action and the resource of every permission of every role."""
    return {
        (action, resource)
        for role in program.of_type("RolePolicy")
        for statement in role.document()["Statement"]
        for action in as_list(statement["Action"])
        for resource in as_list(statement["Resource"])
    }


def refused(boundary: Mapping[str, Any], program: Program) -> list[tuple[str, str]]:
    return [each for each in sorted(permissions(program)) if verdict(boundary, AccessRequest(*each)) != "allow"]


def narrower() -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield each action of the boundary, and the boundary without it."""
    for index, statement in enumerate(BOUNDARY["Statement"]):
        for action in as_list(statement["Action"]):
            without = copy.deepcopy(BOUNDARY)
            without["Statement"][index]["Action"] = [each for each in as_list(statement["Action"]) if each != action]
            yield action, without


def test_the_example_boundary_allows_every_permission_of_the_roles(everything: Program) -> None:
    assert len(permissions(everything)) > 20
    assert refused(BOUNDARY, everything) == []


@pytest.mark.parametrize(
    ("action", "boundary"), list(narrower()), ids=lambda each: each if isinstance(each, str) else ""
)
def test_without_one_of_its_actions_the_boundary_denies_a_role_that_action(
    everything: Program, action: str, boundary: dict[str, Any]
) -> None:
    assert {each for each, _ in refused(boundary, everything)} == {action}
