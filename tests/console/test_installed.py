"""Tests of the installed command, in an environment without access to this checkout."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest

from tests.console.processes import ROOT, Completed

pytestmark = pytest.mark.processes


def uv(*arguments: object) -> None:
    subprocess.run([sys.executable, "-m", "uv", "--offline", "--quiet", *map(str, arguments)], check=True, cwd=ROOT)


@pytest.fixture(scope="module")
def command(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The command in a new environment that has only the wheel installed."""
    folder = tmp_path_factory.mktemp("installed")
    uv("build", "--wheel", "--no-build-isolation", "--python", sys.executable, "--out-dir", folder, ROOT)
    (wheel,) = folder.glob("*.whl")
    uv("venv", "--python", sys.executable, folder / "venv")
    uv("pip", "install", "--no-deps", "--python", folder / "venv" / "bin" / "python", wheel)
    return folder / "venv" / "bin" / "tiktok-activation"


def run(command: Path, *arguments: object, libraries: bool = True) -> Completed:
    """Run the installed command outside the checkout.

    Args:
        command: the path of the command.
        arguments: the command-line arguments.
        libraries: True to provide the libraries of the test environment, without its editable install.
    """
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    if libraries:
        # The command's own packages come first. Python does not process .pth files in PYTHONPATH folders, so the
        # editable install is not found.
        (own,) = command.parents[1].glob("lib/python*/site-packages")
        environment["PYTHONPATH"] = os.pathsep.join([str(own), sysconfig.get_path("purelib")])
    return subprocess.run(
        [command, *map(str, arguments)],
        capture_output=True,
        text=True,
        cwd=command.parent,
        env=environment,
        timeout=120,
        check=False,
    )


def test_the_installed_command_hashes_and_checks_a_file(command: Path, tmp_path: Path) -> None:
    given = tmp_path / "customers.csv"
    given.write_text("email\n" + "".join(f"Person{number}@example.com\n" for number in range(3)))
    hashed = run(command, "hash", given, "--type", "email_sha256", "-o", tmp_path / "hashed.csv")
    assert hashed.returncode == 0, hashed.stdout + hashed.stderr
    expected = hashlib.sha256(b"person0@example.com").hexdigest()
    assert (tmp_path / "hashed.csv").read_text().splitlines()[0] == expected
    checked = run(command, "check", tmp_path / "hashed.csv", "--type", "email_sha256")
    assert checked.returncode == 0, checked.stdout + checked.stderr


def test_all_commands_and_the_web_page_are_installed(command: Path) -> None:
    shown = run(command, "--help")
    assert shown.returncode == 0, shown.stdout + shown.stderr
    assert all(name in shown.stdout for name in ("hash", "upload", "doctor", "web"))
    installed = command.parents[1].glob("lib/python*/site-packages/tiktok_activation/console/web/*/*")
    assert {"base.html", "style.css", "app.js"} <= {path.name for path in installed}


def test_web_sandbox_says_that_the_sandbox_needs_a_checkout(command: Path) -> None:
    ended = run(command, "web", "--sandbox")
    assert ended.returncode == 1
    assert "Run `make console` in a checkout." in ended.stderr


def test_missing_libraries_are_reported_with_what_to_install(command: Path) -> None:
    ended = run(command, "--help", libraries=False)
    assert ended.returncode == 1
    assert "typer is not installed" in ended.stderr
    assert "tiktok-activation-connector[console]" in ended.stderr
    assert "Traceback" not in ended.stderr
