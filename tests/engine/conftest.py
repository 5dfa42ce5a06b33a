"""The real engine with a stand-in for the AWS provider; built once, and used by all tests."""

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
)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Let programs that the Automation API runs in this process leave work to the garbage collector.

    Pulumi's SDK closes neither all of its event loops nor, when a program is refused, the coroutines that it no
    longer needs. Python warns when they are collected.
    """
    for item in items:
        if item.path.parent.name == "engine":
            for warning in UNFINISHED:
                item.add_marker(pytest.mark.filterwarnings(warning))


@pytest.fixture(autouse=True)
def _collected() -> Iterator[None]:
    """Collect what a program left in the test that ran it, not in whichever runs when the collector does."""
    yield
    gc.collect()


@pytest.fixture(scope="session")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    """The engine; its AWS is the embedded one."""
    built = programs()
    root = tmp_path_factory.mktemp("engine")
    (root / "bin").mkdir()
    for name, path in built.items():
        (root / "bin" / name).symlink_to(path)
    # The engine reads the port from the first line, and ends the process itself.
    executable(root / "bin", "pulumi-resource-aws", 'echo "$STAND_IN_PORT"; exec sleep 3600')
    with ServerProcess("sandbox.aws.server") as server:
        provider = StandInProvider(server.url)
        yield Engine(root / "bin" / "pulumi", f"{root / 'bin'}{os.pathsep}{os.environ['PATH']}", provider)
        provider.close()


@pytest.fixture
def make_stack(engine: Engine, tmp_path: Path) -> MakeStack:
    """Makes a new stack in a scratch folder."""

    def make(program: Program = main_program, name: str = "dev") -> Stack:
        return Stack(engine, tmp_path / name, program, name)

    return make
