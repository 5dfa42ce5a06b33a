"""The shell lines of the README's Deploy section and of the configuration page, run with the real engine."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.docs.pages import ROOT, blocks
from tests.engine.conftest import MakeStack
from tests.engine.stacks import PROJECT, Engine

HERE = "tests/engine/test_deploy.py"


def lines(page: str) -> list[str]:
    """Return the shell lines of a page that this test runs."""
    return [line for block in blocks(ROOT / page) if block.tested_by == HERE for line in block.lines.splitlines()]


@pytest.fixture
def folder(engine: Engine, tmp_path: Path) -> Path:
    """A folder in which the shell lines of the Deploy section have been run."""
    (tmp_path / "home").mkdir()
    shutil.copy(ROOT / "Pulumi.yaml", tmp_path)
    for line in lines("README.md"):
        shell(engine, tmp_path, line)
    return tmp_path


def shell(engine: Engine, folder: Path, line: str, given: str = "") -> None:
    environment = {**engine.environment(folder / "home"), "HOME": str(folder / "home")}
    done = subprocess.run(
        ["/bin/bash", "-euc", line],
        cwd=folder,
        env=environment,
        input=given,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, f"{line}\n{done.stderr}"


def configured(folder: Path) -> list[dict[str, Any]]:
    """Return the advertisers in the stack's file."""
    found: list[dict[str, Any]] = yaml.safe_load((folder / "Pulumi.prod.yaml").read_text())["config"][
        f"{PROJECT}:advertisers"
    ]
    return found


def test_the_deploy_section_describes_a_stack_that_can_be_created(folder: Path, make_stack: MakeStack) -> None:
    assert len(lines("README.md")) == 5
    stack = make_stack(name="prod")
    stack.configure(configured(folder))
    run = stack.preview()
    assert (run.operations(), run.error) == ({"create"}, None)
    assert [warning for warning in run.warnings if "alarm" in warning] == []


def test_a_token_can_be_set_as_the_configuration_page_describes(engine: Engine, folder: Path) -> None:
    for line in lines("docs/configuration.md"):
        shell(engine, folder, line, given="7100000000000000001")
    (advertiser,) = configured(folder)
    assert [set(advertiser[option]) for option in ("accessToken", "advertiserId")] == [{"secure"}] * 2
