"""The function's package: `handler/` and its pinned libraries in one directory, identical on every machine.

    .build/libraries-<inputs>/    the wheels of handler/requirements.txt, unpacked for the Lambda runtime
    .build/function-<inputs>/     the function's code: the libraries and handler/

`<inputs>` is a hash of everything that determines the content, including this file. An existing directory is therefore
up to date. An installed component uses a directory in the user's cache instead of `.build`.

The Lambda runtime includes boto3. The package includes all other libraries, even those that the runtime also has
(urllib3, jmespath), so that their versions change only with requirements.txt.
"""

import hashlib
import importlib.util
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import suppress
from functools import cache
from pathlib import Path

import pulumi

_HERE = Path(__file__).resolve().parent
# In a checkout, handler/ is next to this package. In an installed package, it is inside.
ROOT = _HERE if (_HERE / "handler").is_dir() else _HERE.parent

# Options to install wheels for Lambda's python3.13 runtime on arm64. The installer does not resolve dependencies:
# requirements.txt lists all of them, and the result must not depend on the Python version that runs the installer.
_COMMON = ("install", "--require-hashes", "--no-deps", "--only-binary=:all:", "--python-version=3.13", "--quiet")
_UV = ("pip", *_COMMON, "--python-platform=aarch64-manylinux2014", "--no-progress")
_PIP = (
    *_COMMON,
    *("--platform=manylinux2014_aarch64", "--implementation=cp"),
    *("--no-compile", "--no-input", "--disable-pip-version-check"),
)
# Files that differ between machines and installers, and the parts of Powertools that the function does not use: it uses
# only Logger and Metrics. Licenses and METADATA are kept, because scanners read the versions from them.
_EXCLUDED = (
    *("bin", ".lock"),
    *(f"*.dist-info/{name}" for name in ("RECORD", "INSTALLER", "REQUESTED", "direct_url.json", "uv_cache.json")),
    "aws_lambda_powertools/event_handler",
    "aws_lambda_powertools/utilities/[!_j]*",  # all except jmespath_utils and __init__.py
)
_MAX_UNUSED_SECONDS = 7 * 24 * 3600
_DIRECTORIES = ("libraries-*", "function-*", "building-*")


class PackageError(pulumi.RunError):
    """The function's package cannot be built. The message says what to do. Pulumi shows it without a traceback."""


@cache
def handler_package() -> Path:
    """Return the directory with the function's code, which is built if it does not exist.

    Raises:
        PackageError: the package cannot be built.
    """
    return build_package(ROOT, _cache() if ROOT == _HERE else ROOT / ".build")


def _cache() -> Path:
    """Return the directory in which an installed component builds packages: its own directory may be read-only."""
    home = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(home) / "tiktok-activation" / "packages"


def build_package(root: Path, build: Path) -> Path:
    """Build the package from the sources in `root/handler` unless it exists, and return its directory.

    Args:
        root: the directory of a checkout or of the installed component.
        build: the directory for built packages.

    Raises:
        PackageError: the package cannot be built.
    """
    requirements = root / "handler" / "requirements.txt"
    try:
        sources = {path.relative_to(root): path.read_bytes() for path in (root / "handler").rglob("*.py")}
        if not sources:
            raise PackageError(f"There is no handler/*.py in {root}. Check out the complete repository.")
        build_script = Path(__file__).read_bytes()
        libraries_inputs = _digest(
            {Path("build_script"): build_script, Path("requirements"): requirements.read_bytes()}
        )
        libraries_directory = build / f"libraries-{libraries_inputs[:16]}"

        def libraries(directory: Path) -> None:
            _install(requirements, directory)

        def function(directory: Path) -> None:
            shutil.copytree(_build_once(libraries_directory, libraries), directory, dirs_exist_ok=True)
            for name, content in sources.items():
                (directory / name).parent.mkdir(parents=True, exist_ok=True)
                (directory / name).write_bytes(content)

        inputs = _digest({**sources, Path("libraries"): libraries_inputs.encode()})
        return _build_once(build / f"function-{inputs[:16]}", function)
    except OSError as error:
        raise PackageError(f"The function's package cannot be built in {build}: {error}.") from error


def directory_digest(directory: Path) -> str:
    """Return the SHA-256 hash of the names and contents of all files under a directory."""
    files = (path for path in directory.rglob("*") if path.is_file())
    return _digest({path.relative_to(directory): path.read_bytes() for path in files})


def _digest(files: dict[Path, bytes]) -> str:
    digest = hashlib.sha256()
    for name, content in sorted((path.as_posix(), content) for path, content in files.items()):
        digest.update(f"{name}\0{len(content)}\0".encode() + content)
    return digest.hexdigest()


def _build_once(directory: Path, make: Callable[[Path], None]) -> Path:
    """Return `directory`; build it first if it is missing or damaged. Two processes can do this at the same time."""
    checksum = directory.with_name(f"{directory.name}.sha256")

    def is_intact() -> bool:
        return checksum.is_file() and directory.is_dir() and checksum.read_text() == directory_digest(directory)

    if is_intact():
        os.utime(directory)
        os.utime(checksum)
        return directory
    directory.parent.mkdir(parents=True, exist_ok=True)
    scratch = Path(tempfile.mkdtemp(prefix="building-", dir=directory.parent))
    try:
        new = scratch / "new"
        new.mkdir()
        make(new)
        _normalize(new)
        (scratch / "checksum").write_text(directory_digest(new))
        (scratch / "checksum").replace(checksum)
        if directory.exists() and not is_intact():
            directory.rename(scratch / "damaged")
        try:
            new.rename(directory)
        except OSError:
            if not is_intact():  # otherwise another process has built it in the meantime
                raise
    finally:
        shutil.rmtree(scratch, ignore_errors=True)
    _remove_old(directory.parent)
    return directory


def _normalize(directory: Path) -> None:
    """Remove the files in `_EXCLUDED`, and set modes with which Lambda can read the others, regardless of the umask."""
    for pattern in _EXCLUDED:
        for path in directory.glob(pattern):
            shutil.rmtree(path) if path.is_dir() else path.unlink()
    for path in (directory, *directory.rglob("*")):
        path.chmod(0o755 if path.is_dir() else 0o644)


def _remove_old(build: Path) -> None:
    """Remove packages that no program has used for a week."""
    for pattern in _DIRECTORIES:
        for path in build.glob(pattern):
            with suppress(OSError):  # another process may remove it at the same time
                if time.time() - path.stat().st_mtime > _MAX_UNUSED_SECONDS:
                    shutil.rmtree(path) if path.is_dir() else path.unlink()


def _install(requirements: Path, directory: Path) -> None:
    """Install the wheels of `requirements` into `directory`, with uv if it is available, otherwise with pip.

    Raises:
        PackageError: there is no installer, or the installation failed.
    """
    done = subprocess.run(  # noqa: S603 - the arguments are constants and paths; uv and pip have no Python interface
        [*_installer(), "--target", directory, "--requirement", requirements],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise PackageError(f"The function's libraries cannot be installed: {_explain(done.stderr)}")


def _installer() -> list[str]:
    """Return the install command. uv is preferred: it is faster, and an environment created by uv has no pip.

    Raises:
        PackageError: uv and pip are missing.
    """
    if importlib.util.find_spec("uv"):
        return [sys.executable, "-m", "uv", *_UV]
    if uv := shutil.which("uv"):
        return [uv, *_UV]
    if importlib.util.find_spec("pip"):
        return [sys.executable, "-m", "pip", *_PIP]
    raise PackageError(
        f"The function's libraries cannot be installed: uv is not installed, and {sys.executable} has no pip. "
        f"Install uv (https://docs.astral.sh/uv), or run '{sys.executable} -m ensurepip', then try again."
    )


def _explain(stderr: str) -> str:
    """Return the meaning of an installer's error message, and what to do about it."""
    text = " ".join(re.sub(r"[^\x00-\x7f]", " ", stderr).split())  # without the lines and arrows that uv draws
    if re.search("DO NOT MATCH THE HASHES|Hash mismatch for", text):
        return (
            "the hash of a wheel differs from the one in handler/requirements.txt. Do not deploy. Check the package "
            "index (pip config list, or uv.toml). If you expected the change, run 'make lock' to pin the new hash."
        )
    if re.search("after connection broken|Could not fetch URL|Name or service not known|timed out|error sending", text):
        return (
            "the package index cannot be reached. Check the network, the proxy and the URL of the index (pip config "
            "list, or uv.toml), then try again. The index is needed only after handler/requirements.txt has changed."
        )
    if missing := re.search(r"No matching distribution found for (\S+)|Because (\S+) was not found", text):
        return (
            f"the package index has no {missing[1] or missing[2]}. Check the URL of the index (pip config list, or "
            "uv.toml) and the environment variables that start with PIP_ or UV_, then try again."
        )
    errors = re.findall(r"^(?:ERROR|error): (.+)$", stderr, re.MULTILINE)
    return f"the installer reported: {errors[-1] if errors else text[-300:] or 'no message'}"
