"""Pulumi's programs for the tests: the CLI with the engine, and the language host for YAML.

If `pulumi` is on PATH, it is used with the language host in the same folder. A missing program is built from its Go
module, in the version of `cli/go.mod` or `yaml/go.mod`, into the user's cache. That takes minutes, but only the first
time.

    python -m tests.engine.toolchain    builds the programs and prints their paths
"""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

HERE = Path(__file__).parent
# The folder with go.mod, the name of the program, and its Go package.
_CLI = ("cli", "pulumi", "github.com/pulumi/pulumi/pkg/v3/cmd/pulumi")
_YAML = ("yaml", "pulumi-language-yaml", "github.com/pulumi/pulumi-yaml/cmd/pulumi-language-yaml")
_VERSION = "github.com/pulumi/pulumi/sdk/v3/go/common/version.Version"


class ToolchainError(RuntimeError):
    """The programs are not on PATH and cannot be built. The message says what to do."""


def programs() -> dict[str, Path]:
    """Return the paths of `pulumi` and `pulumi-language-yaml`, which are built if they are missing.

    Raises:
        ToolchainError: Go is missing, or a build failed.
    """
    return {
        program: _from_path(program) or _built(folder, program, package) for folder, program, package in (_CLI, _YAML)
    }


def _from_path(program: str) -> Path | None:
    # The language host is installed with the CLI, in the same folder.
    cli = shutil.which("pulumi")
    found = cli and shutil.which(program, path=str(Path(cli).parent))
    return Path(found) if found else None


def _built(folder: str, program: str, package: str) -> Path:
    module = HERE / folder
    digest = hashlib.sha256(b"".join((module / name).read_bytes() for name in ("go.mod", "go.sum"))).hexdigest()
    home = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    target = home / "tiktok-activation" / f"engine-{digest[:16]}" / program
    if target.exists():
        return target
    go = shutil.which("go")
    if go is None:
        raise ToolchainError(
            f"{program} was not found, and Go is not installed to build it. Install the Pulumi CLI or Go "
            f"{_go_version(module)}, then try again."
        )
    print(f"Building {program} from its Go module. This takes minutes the first time.", file=sys.stderr)
    started = time.monotonic()
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=target.parent) as scratch:
        built = Path(scratch) / program
        flags = f"-s -w -X {_VERSION}={_required_version(module, package)}"
        done = subprocess.run(
            [go, "build", "-mod=readonly", "-buildvcs=false", "-ldflags", flags, "-o", built, package],
            cwd=module,
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            raise ToolchainError(f"{program} cannot be built: {done.stderr.strip()[-2000:]}")
        built.replace(target)
    print(f"Built {program} in {time.monotonic() - started:.0f} s: {target}", file=sys.stderr)
    return target


def _required_version(module: Path, package: str) -> str:
    lines = re.findall(r"^\s*(\S+) v(\S+)", (module / "go.mod").read_text(), re.MULTILINE)
    return str(next(version for path, version in lines if package.startswith(f"{path}/")))


def _go_version(module: Path) -> str:
    (version,) = re.findall(r"^go (\S+)$", (module / "go.mod").read_text(), re.MULTILINE)
    return str(version)


if __name__ == "__main__":
    for path in programs().values():
        print(path)
