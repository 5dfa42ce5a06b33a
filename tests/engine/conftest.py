"""The real engine with a stand-in for the AWS provider; built once, and used by all tests."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from sandbox.processes import ServerProcess
from tests.engine.provider import StandInProvider
from tests.engine.stacks import Engine, Program, Stack, executable, main_program
from tests.engine.toolchain import programs

MakeStack = Callable[..., Stack]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Let programs that the Automation API runs in this process leave event loops to the garbage collector.

    Pulumi's SDK does not close all of them. When they are collected, Python warns, in whichever test runs then.
    """
    for item in items:
        if item.path.parent.name == "engine":
            for kind in ("event loop", "<socket"):
                item.add_marker(pytest.mark.filterwarnings(f"ignore:unclosed {kind}:ResourceWarning"))


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
