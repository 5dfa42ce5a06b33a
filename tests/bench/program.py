"""The cost of a hundred connectors in the process of `pulumi up`, compared with the same resources without components.

Both run under the same mock of the engine, so that both times include the same share for Pulumi's SDK.
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
    """Return the CPU time of the program in each round, as a multiple of the time without components."""
    recorded = Program()

    def program() -> float:
        nonlocal recorded
        started = time.process_time()
        recorded = run_program([{"name": f"advertiser-{number}"} for number in range(advertisers)])
        return time.process_time() - started

    def flat() -> float:
        started = time.process_time()
        made = run_program(None, program=flat_program(recorded.resources))
        seconds = time.process_time() - started
        if len(made.resources) != len(recorded.resources) - advertisers:
            raise AssertionError("the flat program must register every resource except the components")
        return seconds

    return [program_time / flat_time for program_time, flat_time in alternate(program, flat, rounds=rounds)]


def flat_program(resources: list[Resource]) -> Callable[[], None]:
    """Return a program that registers these resources without the components, with the same inputs and dependencies."""

    def run() -> None:
        made: dict[str, Any] = {}

        def input_of(resource: Resource, name: str) -> Any:
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
                **{_snake(name): input_of(resource, name) for name in resource.inputs},
                opts=pulumi.ResourceOptions(
                    depends_on=[made[urn] for urn in explicit], retain_on_delete=resource.retained
                ),
            )

    return run


def _snake(name: str) -> str:
    return re.sub(r"[A-Z]", lambda match: f"_{match[0].lower()}", name)
