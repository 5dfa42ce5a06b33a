"""Runs the shell commands of each documentation page against the sandbox, except those that other tests cover."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.browser.conftest import Sandbox, people
from tests.docs.pages import PAGES, ROOT, blocks
from tests.privacy import TOKEN

RUNNABLE = [path for path in PAGES if any(not block.mark for block in blocks(path))]
RAW = people("reader")
UPLOAD = """
tiktok-activation upload customers.csv --advertiser acme --audience 'vip customers' --type email_sha256 --hash --wait
"""


@pytest.fixture(scope="session")
def shell(sandbox: Sandbox, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, str]]:
    """Return a folder with the files that the pages mention, and an environment with the command on the PATH."""
    folder = tmp_path_factory.mktemp("reader")
    (folder / "customers.csv").write_text(RAW, encoding="utf-8")
    command = folder / "bin" / "tiktok-activation"
    command.parent.mkdir()
    command.write_text(f'#!/bin/sh\nPYTHONPATH={ROOT} exec {sys.executable} -m console "$@"\n')
    command.chmod(0o755)
    environment = {**os.environ, **sandbox.environment, "PATH": f"{command.parent}{os.pathsep}{os.environ['PATH']}"}
    for line in (UPLOAD, "tiktok-activation hash customers.csv --type email_sha256 --output hashed.csv"):
        assert run(folder, environment, line).returncode == 0
    return folder, environment


def run(folder: Path, environment: dict[str, str], lines: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["/bin/bash", "-euo", "pipefail", "-c", lines],
        cwd=folder,
        env=environment,
        input="",
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


@pytest.mark.parametrize("page", RUNNABLE, ids=lambda path: str(path.relative_to(ROOT)))
def test_the_shell_commands_of_a_page_succeed(page: Path, shell: tuple[Path, dict[str, str]]) -> None:
    for block in blocks(page):
        if not block.mark:
            done = run(*shell, block.lines)
            assert done.returncode == 0, f"{block.lines}\n{done.stdout}\n{done.stderr}"
            assert "reader0@example.com" not in done.stdout + done.stderr
            assert TOKEN not in done.stdout + done.stderr


def test_a_failing_shell_command_is_detected(shell: tuple[Path, dict[str, str]]) -> None:
    assert run(*shell, "tiktok-activation check nothing.csv --type email_sha256\ntrue\n").returncode != 0
