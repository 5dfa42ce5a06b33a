"""The fixtures of the engine tests: Pulumi's real engine, and a stand-in for the AWS provider."""

from __future__ import annotations

import gc
import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from sandbox.processes import ServerProcess
from tests.engine.provider import StandInProvider
from tests.engine.stacks import Engine, Program, Stack, executable, main_program
from tests.engine.toolchain import programs

MakeStack = Callable[..., Stack]


UNFINISHED = (
    "ignore:unclosed event loop:ResourceWarning",
    "ignore:unclosed <socket:ResourceWarning",
    "ignore:coroutine .* was never awaited:RuntimeWarning",
    # The SDK's coroutine for a program needs a running event loop when it is collected.
    "ignore:Exception ignored in. <coroutine object run_in_stack:pytest.PytestUnraisableExceptionWarning",
)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Ignore warnings about objects that Pulumi's SDK leaves to the garbage collector.

    The Automation API runs programs in this process. The SDK does not close all event loops and sockets
    and, when a program fails, does not await all coroutines. Python issues a warning when they are collected.
    """
    for item in items:
        if item.path.parent.name == "engine":
            for warning in UNFINISHED:
                item.add_marker(pytest.mark.filterwarnings(warning))


@pytest.fixture(autouse=True)
def _collected() -> Iterator[None]:
    """Run the garbage collector after each test, so that the warnings appear in the test that caused them."""
    yield
    gc.collect()


@pytest.fixture(scope="session")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    """The engine with the embedded AWS."""
    built = programs()
    root = tmp_path_factory.mktemp("engine")
    (root / "bin").mkdir()
    for name, path in built.items():
        (root / "bin" / name).symlink_to(path)
    # The engine reads the port from the first line, and stops the process itself.
    executable(root / "bin", "pulumi-resource-aws", 'echo "$STAND_IN_PORT"; exec sleep 3600')
    with ServerProcess("sandbox.aws.server") as server:
        provider = StandInProvider(server.url)
        yield Engine(root / "bin" / "pulumi", f"{root / 'bin'}{os.pathsep}{os.environ['PATH']}", provider)
        provider.close()


@pytest.fixture
def make_stack(engine: Engine, tmp_path: Path) -> MakeStack:
    """A function that creates a new stack in a temporary folder."""

    def make(program: Program = main_program, name: str = "dev") -> Stack:
        return Stack(engine, tmp_path / name, program, name)

    return make
