"""A stack that runs in Pulumi's real engine through the Automation API, with a temporary folder as the backend."""

from __future__ import annotations

import json
import runpy
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml
from pulumi import automation

from sandbox.processes import ROOT
from tests.engine.provider import StandInProvider

PROJECT = "tiktok-activation"
PASSPHRASE = "x"  # the stored releases have the same passphrase
# Operations of the engine that do not change a resource.
_QUIET = {"same", "read", "refresh", "import"}
Program = Callable[[], None]


@dataclass(frozen=True)
class Step:
    """One step of the engine: the operation, the kind without its module, the logical name and the changed inputs."""

    operation: str
    kind: str
    name: str
    changed: frozenset[str]

    def __str__(self) -> str:
        return f"{self.operation} {self.kind} {self.name} {sorted(self.changed)}"


@dataclass
class Run:
    """The result of one command of the engine.

    Attributes:
        steps: the steps that changed something.
        same: the number of other steps.
        warnings: the engine's warnings.
        error: the error message if the command failed.
    """

    steps: list[Step] = field(default_factory=list)
    same: int = 0
    warnings: list[str] = field(default_factory=list)
    error: str | None = None

    def operations(self) -> set[str]:
        """Return the operations that changed something."""
        return {step.operation for step in self.steps}


@dataclass(frozen=True)
class Engine:
    """The CLI, the PATH with the executables that the engine needs, and the stand-in provider."""

    cli: Path
    path: str
    provider: StandInProvider

    def environment(self, home: Path) -> dict[str, str]:
        """Return environment variables for the engine: no downloads, no update check, and a backend in a folder."""
        return {
            "PATH": self.path,
            "PULUMI_HOME": str(home),
            "PULUMI_BACKEND_URL": f"file://{home}",
            "PULUMI_CONFIG_PASSPHRASE": PASSPHRASE,
            "PULUMI_DIY_BACKEND_DISABLE_CHECKPOINT_BACKUPS": "true",
            "PULUMI_SKIP_UPDATE_CHECK": "true",
            "PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION": "true",
            "PULUMI_AUTOMATION_API_SKIP_VERSION_CHECK": "true",
            "STAND_IN_PORT": str(self.provider.port),
        }


def main_program() -> None:
    """Run the stack's own program."""
    runpy.run_path(str(ROOT / "__main__.py"), run_name="__main__")


class Stack:
    """One stack. Its program is this project's by default."""

    def __init__(self, engine: Engine, folder: Path, program: Program = main_program, name: str = "dev") -> None:
        self._file = folder / f"Pulumi.{name}.yaml"
        self._state = folder / "home" / ".pulumi" / "stacks" / PROJECT / f"{name}.json"
        folder.mkdir(parents=True, exist_ok=True)
        home = folder / "home"
        home.mkdir(exist_ok=True)
        (folder / "Pulumi.yaml").write_text(yaml.safe_dump({"name": PROJECT, "runtime": "python"}))
        self._settings: dict[str, Any] = {"config": {"aws:region": "us-east-1"}}
        self._write()
        options = automation.LocalWorkspaceOptions(
            work_dir=str(folder),
            pulumi_home=str(home),
            env_vars=engine.environment(home),
            pulumi_command=automation.PulumiCommand(str(engine.cli.parent.parent), skip_version_check=True),
        )
        self.stack = automation.create_or_select_stack(
            stack_name=name, project_name=PROJECT, program=program, opts=options
        )

    def configure(self, advertisers: object, *, salt: str | None = None) -> None:
        """Write the advertisers into the stack's configuration file."""
        self._settings = yaml.safe_load(self._file.read_text())
        self._settings["config"][f"{PROJECT}:advertisers"] = advertisers
        if salt:
            self._settings["encryptionsalt"] = salt
        self._write()

    def configure_secret(self, path: str, value: str) -> None:
        """Set a secret at a path of the configuration, as `pulumi config set --secret --path` does."""
        self.stack.set_config(f"{PROJECT}:{path}", automation.ConfigValue(value, secret=True), path=True)

    def preview(self) -> Run:
        """Preview the stack."""
        return self._run(self.stack.preview)

    def up(self) -> Run:
        """Update the stack."""
        return self._run(self.stack.up)

    def destroy(self) -> Run:
        """Destroy the stack's resources."""
        return self._run(self.stack.destroy)

    def outputs(self) -> dict[str, Any]:
        """Return the stack's outputs."""
        return {name: output.value for name, output in self.stack.outputs().items()}

    def state(self) -> dict[str, Any]:
        """Return the stack's state from the backend."""
        content = json.loads(self._state.read_text())  # an export would decrypt the secrets
        return dict(content["checkpoint"]["latest"])

    def resources(self) -> list[Mapping[str, Any]]:
        """Return the resources in the state."""
        return list(self.state().get("resources") or [])

    def _run(self, command: Callable[..., Any]) -> Run:
        run = Run()

        def see(event: automation.EngineEvent) -> None:
            if event.resource_pre_event:
                _add(run, event.resource_pre_event.metadata)
            if event.diagnostic_event and event.diagnostic_event.severity == "warning":
                run.warnings.append(event.diagnostic_event.message.strip())

        try:
            command(on_event=see)
        except automation.CommandError as error:
            run.error = str(error)
        # The engine always issues a warning that the provider was found on PATH.
        run.warnings = [warning for warning in run.warnings if "$PATH" not in warning]
        return run

    def _write(self) -> None:
        self._file.write_text(yaml.safe_dump(self._settings, sort_keys=False))


def _add(run: Run, metadata: Any) -> None:
    kind, _, name = metadata.urn.split("::", 2)[2].partition("::")
    if not kind.rpartition("$")[2].startswith(("aws:", f"{PROJECT}:")):
        return
    if metadata.op.value in _QUIET:
        run.same += 1
        return
    changed = frozenset(metadata.diffs or ())
    run.steps.append(Step(metadata.op.value, kind.rpartition(":")[2], name, changed))


def executable(folder: Path, name: str, lines: str) -> None:
    """Write an executable shell script."""
    script = folder / name
    script.write_text(f"#!/bin/sh\n{lines}\n")
    script.chmod(0o755)


def python_module(module: str) -> str:
    """Return the command that runs a module of this project."""
    return f'cd "{ROOT}" && exec "{sys.executable}" -m {module} "$@"'
