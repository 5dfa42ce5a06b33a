"""The cost of a hundred connectors in `pulumi up`'s own process, beside the same resources without any component.

Both run under the same monitor in place of the engine, so that the rest of the time is the SDK's in both.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from typing import Any

import pulumi

from tests.bench.rounds import ROUNDS, alternate
from tests.components.harness import CONNECTOR, Program, Resource, run_program
from tests.components.provider_types import class_of

ADVERTISERS = 100


def program_vs_flat(rounds: int = ROUNDS, advertisers: int = ADVERTISERS) -> list[float]:
    """Processor time of the program, of the same resources with the same inputs and dependencies, in each round."""
    recorded = Program()

    def program() -> float:
        nonlocal recorded
        began = time.process_time()
        recorded = run_program([{"name": f"advertiser-{number}"} for number in range(advertisers)])
        return time.process_time() - began

    def flat() -> float:
        began = time.process_time()
        made = run_program(None, program=flat_program(recorded.resources))
        seconds = time.process_time() - began
        if len(made.resources) != len(recorded.resources) - advertisers:
            raise AssertionError("the flat program has to make every resource but the components")
        return seconds

    return [of_program / of_flat for of_program, of_flat in alternate(program, flat, rounds=rounds)]


def flat_program(resources: list[Resource]) -> Callable[[], None]:
    """A program that registers these resources one after the other, each input from the resources it came from."""

    def run() -> None:
        made: dict[str, Any] = {}

        def given(resource: Resource, name: str) -> Any:
            value = resource.inputs[name]
            if name == "code":
                return pulumi.FileArchive(value)
            sources = [made[urn].urn for urn in resource.made_from.get(name, ())]
            return pulumi.Output.all(*sources).apply(lambda _: value) if sources else value

        for resource in resources:
            if resource.type == CONNECTOR:
                continue
            explicit = resource.after.difference(*resource.made_from.values())
            made[resource.urn] = class_of(resource.type)(
                resource.name,
                **{_snake(name): given(resource, name) for name in resource.inputs},
                opts=pulumi.ResourceOptions(
                    depends_on=[made[urn] for urn in explicit], retain_on_delete=resource.retained
                ),
            )

    return run


def _snake(name: str) -> str:
    return re.sub(r"[A-Z]", lambda match: f"_{match[0].lower()}", name)
