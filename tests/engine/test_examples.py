"""The examples, run in an environment in which only this project is installed, as in other people's programs."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from pulumi import automation

from sandbox.processes import ROOT
from tests.engine import example_driver
from tests.engine.stacks import Engine, executable

EXAMPLES = ROOT / "examples"


def uv(*arguments: str | Path) -> str:
    done = subprocess.run(
        [sys.executable, "-m", "uv", *arguments], capture_output=True, text=True, check=True, cwd=ROOT.parent
    )
    return done.stdout.strip()


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The Python interpreter of a new environment after `pip install <checkout>`."""
    folder = tmp_path_factory.mktemp("installed") / "venv"
    uv("venv", "--quiet", "--python", sys.executable, folder)
    # Without this option, uv would use a cached wheel, because it only checks pyproject.toml for changes.
    refresh = "--refresh-package=tiktok-activation-connector"
    uv("pip", "install", "--quiet", refresh, "--python", folder / "bin" / "python", ROOT)
    return folder / "bin" / "python"


@pytest.fixture
def environment(engine: Engine, installed: Path, tmp_path: Path) -> dict[str, str]:
    """The environment variables of a user: the engine, uv, the new Python, and an empty cache for built packages."""
    (tmp_path / "home").mkdir()
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "uv").symlink_to(shutil.which("uv") or Path(sys.executable).parent / "uv")
    executable(
        tmp_path / "bin",
        "pulumi-resource-tiktok-activation",
        f'exec "{installed}" "{ROOT / "plugin" / "__main__.py"}" "$@"',
    )
    return {
        **os.environ,
        **engine.environment(tmp_path / "home"),
        "PATH": f"{tmp_path / 'bin'}{os.pathsep}{engine.path}",
        "XDG_CACHE_HOME": str(tmp_path / "cache"),
        "UV_CACHE_DIR": uv("cache", "dir"),
    }


def test_a_checkout_installs_as_one_package(installed: Path) -> None:
    """The package has the sources of the component, the function and the console, and no other files."""
    program = (
        "import json, pathlib, tiktok_activation; from importlib.metadata import files; "
        "print(json.dumps([str(f) for f in files('tiktok-activation-connector')]))"
    )
    done = subprocess.run([installed, "-c", program], capture_output=True, text=True, check=True, cwd=installed.parent)
    names = {name for name in json.loads(done.stdout) if not name.startswith(("tiktok_activation_connector-", "../"))}
    tracked = ["git", "ls-files", "components", "console", "handler"]
    sources = subprocess.run(tracked, capture_output=True, text=True, check=True, cwd=ROOT).stdout.split()
    expected = {str(Path("tiktok_activation") / path.removeprefix("components/")) for path in sources}
    expected -= {"tiktok_activation/console/installed/tiktok_activation_console.py"}
    expected |= {"tiktok_activation_console.py"}
    expected = {name for name in expected if not name.endswith(".in")}
    assert {name for name in names if not name.endswith((".in", ".pyc"))} == expected


def test_the_python_example_runs(environment: dict[str, str], installed: Path, tmp_path: Path) -> None:
    done = subprocess.run(
        [installed, example_driver.__file__, tmp_path, EXAMPLES / "python" / "__main__.py"],
        capture_output=True,
        text=True,
        check=False,
        cwd=tmp_path,
        env=environment,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    outputs: dict[str, Any] = json.loads(done.stdout)
    for name in ("acme", "globex"):
        assert outputs[name]["upload_location"].startswith(f"s3://{name}-audiences-")
        assert f":role/{name}-upload-" in outputs[name]["upload_role_arn"]
    # The function's package was built from the installed sources.
    assert list((tmp_path / "cache" / "tiktok-activation" / "packages").glob("function-*/handler/app.py"))


def test_the_yaml_example_runs(environment: dict[str, str], engine: Engine, tmp_path: Path) -> None:
    """The language host is real. The plugin is an executable on PATH; `pulumi package add` is not run."""
    folder = tmp_path / "yaml"
    shutil.copytree(EXAMPLES / "yaml", folder)
    stack = automation.create_or_select_stack(
        stack_name="dev",
        work_dir=str(folder),
        opts=automation.LocalWorkspaceOptions(
            env_vars=environment,
            pulumi_command=automation.PulumiCommand(str(engine.cli.parent.parent), skip_version_check=True),
        ),
    )
    stack.set_config("aws:region", automation.ConfigValue("us-east-1"))
    outputs = stack.up().outputs
    assert outputs["uploadLocation"].value.startswith("s3://acme-audiences-")
    assert ":role/acme-upload-" in outputs["uploadRoleArn"].value
    again = stack.preview()
    assert set(again.change_summary) == {automation.OpType.SAME}


def test_a_yaml_program_gets_a_message_for_an_invalid_option(
    environment: dict[str, str], engine: Engine, tmp_path: Path
) -> None:
    folder = tmp_path / "yaml"
    shutil.copytree(EXAMPLES / "yaml", folder)
    program = folder / "Pulumi.yaml"
    program.write_text(program.read_text().replace("sweepMinutes: 10", "sweepMinutes: 61"))
    stack = automation.create_or_select_stack(
        stack_name="dev",
        work_dir=str(folder),
        opts=automation.LocalWorkspaceOptions(
            env_vars=environment,
            pulumi_command=automation.PulumiCommand(str(engine.cli.parent.parent), skip_version_check=True),
        ),
    )
    with pytest.raises(automation.CommandError, match=r"sweepMinutes is 61\.0; it must be an integer from 1 to 60"):
        stack.preview()
