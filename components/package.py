"""The function's package: `handler/` and its pinned libraries in one directory, the same bytes on every machine.

    .build/libraries-<inputs>/    the wheels of handler/requirements.txt, unpacked for Lambda's machine
    .build/function-<inputs>/     the libraries and handler/ itself: the function's code

`<inputs>` is a hash of everything that decides about the content, this file included, so an existing directory is the
right one. Lambda's runtime has boto3. Everything else is shipped, even where the runtime happens to have it too
(urllib3, jmespath), so that versions change only here.
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
# In a checkout handler/ is beside this package, in an installed package inside it.
ROOT = _HERE if (_HERE / "handler").is_dir() else _HERE.parent

# The wheels of Lambda's python3.13 on arm64. No dependencies are resolved: requirements.txt holds them all, and the
# result must not depend on the Python that installs.
_COMMON = ("install", "--require-hashes", "--no-deps", "--only-binary=:all:", "--python-version=3.13", "--quiet")
_UV = ("pip", *_COMMON, "--python-platform=aarch64-manylinux2014", "--no-progress")
_PIP = (
    *_COMMON,
    *("--platform=manylinux2014_aarch64", "--implementation=cp"),
    *("--no-compile", "--no-input", "--disable-pip-version-check"),
)
# Files that differ between machines and installers, and the half of Powertools that nobody calls in Lambda: only Logger
# and Metrics are used. Licenses and METADATA stay, because scanners read versions there.
_LEFT_OUT = (
    *("bin", ".lock"),
    *(f"*.dist-info/{name}" for name in ("RECORD", "INSTALLER", "REQUESTED", "direct_url.json", "uv_cache.json")),
    "aws_lambda_powertools/event_handler",
    "aws_lambda_powertools/utilities/[!_j]*",  # all but jmespath_utils
)
_KEPT_SECONDS = 7 * 24 * 3600
_DIRECTORIES = ("libraries-*", "function-*", "making-*")


class PackageError(pulumi.RunError):
    """The function's package cannot be built; the message says why and what to do. Pulumi shows only the message."""


@cache
def handler_package() -> Path:
    """Return the directory with the function's code; built once per program, and only if it does not exist.

    Raises:
        PackageError: the package cannot be built.
    """
    return build_package(ROOT, _cache() if ROOT == _HERE else ROOT / ".build")


def _cache() -> Path:
    """Return the directory for packages built by an installed component, whose own directory may be read-only."""
    home = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(home) / "tiktok-activation" / "packages"


def build_package(root: Path, build: Path) -> Path:
    """Build the package of the sources in `root/handler`, unless it exists.

    Args:
        root: a checkout, or the installed component.
        build: the directory for built packages.

    Raises:
        PackageError: the package cannot be built.
    """
    requirements = root / "handler" / "requirements.txt"
    try:
        sources = {path.relative_to(root): path.read_bytes() for path in (root / "handler").rglob("*.py")}
        if not sources:
            raise PackageError(f"There is no handler/*.py in {root}. Check out the whole repository.")
        recipe = Path(__file__).read_bytes()
        libraries_inputs = _digest({Path("recipe"): recipe, Path("requirements"): requirements.read_bytes()})
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
        raise PackageError(f"The function's package cannot be built: {error}.") from error


def directory_digest(directory: Path) -> str:
    """Return the SHA-256 of every file's name and content below a directory."""
    files = (path for path in directory.rglob("*") if path.is_file())
    return _digest({path.relative_to(directory): path.read_bytes() for path in files})


def _digest(files: dict[Path, bytes]) -> str:
    digest = hashlib.sha256()
    for name, content in sorted((path.as_posix(), content) for path, content in files.items()):
        digest.update(f"{name}\0{len(content)}\0".encode() + content)
    return digest.hexdigest()


def _build_once(directory: Path, make: Callable[[Path], None]) -> Path:
    """Return `directory`, built unless it exists undamaged; two processes at once get the same result."""
    seal = directory.with_name(f"{directory.name}.sha256")

    def is_intact() -> bool:
        return seal.is_file() and directory.is_dir() and seal.read_text() == directory_digest(directory)

    if is_intact():
        os.utime(directory)
        os.utime(seal)
        return directory
    directory.parent.mkdir(parents=True, exist_ok=True)
    scratch = Path(tempfile.mkdtemp(prefix="making-", dir=directory.parent))
    try:
        new = scratch / "new"
        new.mkdir()
        make(new)
        _normalize(new)
        (scratch / "seal").write_text(directory_digest(new))
        (scratch / "seal").replace(seal)
        if directory.exists() and not is_intact():
            directory.rename(scratch / "damaged")
        try:
            new.rename(directory)
        except OSError:
            if not is_intact():  # else another process was faster
                raise
    finally:
        shutil.rmtree(scratch, ignore_errors=True)
    _remove_old(directory.parent)
    return directory


def _normalize(directory: Path) -> None:
    """Remove files that differ between machines, and set modes that Lambda can read whatever the umask is."""
    for pattern in _LEFT_OUT:
        for path in directory.glob(pattern):
            shutil.rmtree(path) if path.is_dir() else path.unlink()
    for path in (directory, *directory.rglob("*")):
        path.chmod(0o755 if path.is_dir() else 0o644)


def _remove_old(build: Path) -> None:
    """Remove the directories that no program has used for a week."""
    for pattern in _DIRECTORIES:
        for path in build.glob(pattern):
            with suppress(OSError):  # another process removes it too
                if time.time() - path.stat().st_mtime > _KEPT_SECONDS:
                    shutil.rmtree(path) if path.is_dir() else path.unlink()


def _install(requirements: Path, directory: Path) -> None:
    """Unpack the wheels of `requirements` into `directory`, with uv or else with pip.

    Raises:
        PackageError: both are missing, or the installation failed.
    """
    done = subprocess.run(  # noqa: S603 - the arguments are constants and paths; neither uv nor pip has another interface
        [*_installer(), "--target", directory, "--requirement", requirements],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise PackageError(f"The function's libraries cannot be installed: {_reason(done.stderr)}")


def _installer() -> list[str]:
    """Return the command that installs: uv is faster, and an environment made by uv has no pip."""
    if importlib.util.find_spec("uv"):
        return [sys.executable, "-m", "uv", *_UV]
    if uv := shutil.which("uv"):
        return [uv, *_UV]
    if importlib.util.find_spec("pip"):
        return [sys.executable, "-m", "pip", *_PIP]
    raise PackageError(
        f"The function's libraries cannot be installed: there is no uv, and {sys.executable} has no pip. "
        f"Install uv (https://docs.astral.sh/uv), or run '{sys.executable} -m ensurepip', then try again."
    )


def _reason(stderr: str) -> str:
    """Return the meaning of an installer's complaint, and what to do about it."""
    text = " ".join(re.sub(r"[^\x00-\x7f]", " ", stderr).split())  # uv draws lines and arrows
    if re.search("DO NOT MATCH THE HASHES|Hash mismatch for", text):
        return (
            "a wheel differs from the hash pinned in handler/requirements.txt. Do not deploy. Check the package index "
            "(pip config list, or uv.toml), or pin anew with 'make lock' if the change is wanted."
        )
    if re.search("after connection broken|Could not fetch URL|Name or service not known|timed out|error sending", text):
        return (
            "the package index cannot be reached. Check the network, the proxy and the index's address (pip config "
            "list, or uv.toml), then try again. It is needed once, until handler/requirements.txt changes."
        )
    if missing := re.search(r"No matching distribution found for (\S+)|Because (\S+) was not found", text):
        return (
            f"the package index has no {missing[1] or missing[2]}. Check the index's address (pip config list, or "
            "uv.toml) and the variables that begin with PIP_ or UV_, then try again."
        )
    errors = re.findall(r"^(?:ERROR|error): (.+)$", stderr, re.MULTILINE)
    return f"the installer says: {errors[-1] if errors else text[-300:] or 'nothing'}"
