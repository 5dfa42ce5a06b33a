"""`handler/` and its pinned libraries become one directory: the same bytes every time and on every machine.

    .build/libraries-<inputs>/    the wheels of handler/requirements.txt, unpacked by pip for Lambda's machine
    .build/function-<inputs>/     those and handler/ itself: what the function is made of

`<inputs>` is a hash of everything that decides what is inside, this file included, so a directory that is there is the
right one. boto3 comes with Lambda's runtime. Everything else is shipped, even where the runtime happens to hold it too
(urllib3, jmespath): what is pinned here changes only here.
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

ROOT = Path(__file__).resolve().parents[1]

# Lambda's python3.13 on arm64. --no-deps: requirements.txt holds them all, and what is installed must not depend on the
# Python that runs pip.
_PIP_OPTIONS = (
    *("--require-hashes", "--no-deps", "--only-binary=:all:", "--no-compile"),
    *("--platform", "manylinux2014_aarch64", "--python-version", "3.13", "--implementation", "cp"),
    *("--quiet", "--no-input", "--disable-pip-version-check"),
)
# What pip writes differently from machine to machine, and what nobody calls in Lambda: of Powertools only Logger and
# Metrics are used, and the rest is half of the whole package. Licences and METADATA stay: scanners read versions there.
_LEFT_OUT = (
    "bin",
    *(f"*.dist-info/{name}" for name in ("RECORD", "INSTALLER", "REQUESTED", "direct_url.json")),
    "aws_lambda_powertools/event_handler",
    "aws_lambda_powertools/utilities/[!_j]*",  # all but jmespath_utils
)
_KEPT_SECONDS = 7 * 24 * 3600
_OURS = ("libraries-*", "function-*", "making-*")


class PackageError(pulumi.RunError):
    """The function's package cannot be built; the message says why and what to do. Pulumi shows only the message."""


@cache
def handler_package() -> Path:
    """The directory that the function is made of; built once per program, and only if it is not there already.

    Raises:
        PackageError: the package cannot be built.
    """
    return build_package(ROOT)


def build_package(root: Path) -> Path:
    """Build the package of the checkout at `root`, below its `.build/`, unless it is there.

    Raises:
        PackageError: the package cannot be built.
    """
    requirements = root / "handler" / "requirements.txt"
    build = root / ".build"
    try:
        sources = {path.relative_to(root): path.read_bytes() for path in (root / "handler").rglob("*.py")}
        if not sources:
            raise PackageError(f"There is no handler/*.py in {root}: check the whole repository out.")
        recipe = Path(__file__).read_bytes()
        libraries_inputs = _digest({Path("recipe"): recipe, Path("requirements"): requirements.read_bytes()})
        libraries_directory = build / f"libraries-{libraries_inputs[:16]}"

        def libraries(directory: Path) -> None:
            _install(requirements, directory)

        def function(directory: Path) -> None:
            shutil.copytree(_made(libraries_directory, libraries), directory, dirs_exist_ok=True)
            for name, content in sources.items():
                (directory / name).parent.mkdir(parents=True, exist_ok=True)
                (directory / name).write_bytes(content)

        inputs = _digest({**sources, Path("libraries"): libraries_inputs.encode()})
        return _made(build / f"function-{inputs[:16]}", function)
    except OSError as error:
        raise PackageError(f"The function's package cannot be built: {error}.") from error


def directory_digest(directory: Path) -> str:
    """SHA-256 of every file's name and content below a directory."""
    files = (path for path in directory.rglob("*") if path.is_file())
    return _digest({path.relative_to(directory): path.read_bytes() for path in files})


def _digest(files: dict[Path, bytes]) -> str:
    digest = hashlib.sha256()
    for name, content in sorted((path.as_posix(), content) for path, content in files.items()):
        digest.update(f"{name}\0{len(content)}\0".encode() + content)
    return digest.hexdigest()


def _made(directory: Path, make: Callable[[Path], None]) -> Path:
    """`directory`, made unless it is there and whole; two processes at once both come out with the same."""
    seal = directory.with_name(f"{directory.name}.sha256")

    def whole() -> bool:
        return seal.is_file() and directory.is_dir() and seal.read_text() == directory_digest(directory)

    if whole():
        os.utime(directory)
        os.utime(seal)
        return directory
    directory.parent.mkdir(exist_ok=True)
    making = Path(tempfile.mkdtemp(prefix="making-", dir=directory.parent))
    try:
        new = making / "new"
        new.mkdir()
        make(new)
        _normalise(new)
        (making / "seal").write_text(directory_digest(new))
        (making / "seal").replace(seal)
        if directory.exists() and not whole():
            directory.rename(making / "damaged")
        try:
            new.rename(directory)
        except OSError:
            if not whole():  # else another process was faster
                raise
    finally:
        shutil.rmtree(making, ignore_errors=True)
    _forget_old(directory.parent)
    return directory


def _normalise(directory: Path) -> None:
    """Leave out what differs between machines, and set modes that Lambda can read whatever the umask here is."""
    for pattern in _LEFT_OUT:
        for path in directory.glob(pattern):
            shutil.rmtree(path) if path.is_dir() else path.unlink()
    for path in (directory, *directory.rglob("*")):
        path.chmod(0o755 if path.is_dir() else 0o644)


def _forget_old(build: Path) -> None:
    """Remove what no program has used for a week."""
    for pattern in _OURS:
        for path in build.glob(pattern):
            with suppress(OSError):  # another process removes it too
                if time.time() - path.stat().st_mtime > _KEPT_SECONDS:
                    shutil.rmtree(path) if path.is_dir() else path.unlink()


def _install(requirements: Path, directory: Path) -> None:
    """Let pip unpack the wheels of `requirements` into `directory`.

    Raises:
        PackageError: pip is missing or failed.
    """
    if importlib.util.find_spec("pip") is None:
        raise PackageError(
            f"The function's libraries cannot be installed: {sys.executable} has no pip. "
            f"Run '{sys.executable} -m ensurepip', then try again."
        )
    done = subprocess.run(  # noqa: S603 - every argument is ours; pip has no other interface
        [sys.executable, "-m", "pip", "install", *_PIP_OPTIONS, "--target", directory, "--requirement", requirements],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise PackageError(f"The function's libraries cannot be installed: {_reason(done.stderr)}")


def _reason(stderr: str) -> str:
    """What pip's complaint means, and what to do about it."""
    if re.search("DO NOT MATCH THE HASHES", stderr):
        return (
            "a wheel differs from the hash pinned in handler/requirements.txt. Do not deploy: check the package index "
            "(pip config list), or pin anew with 'make lock' if the change is wanted."
        )
    if re.search("after connection broken|Could not fetch URL|Name or service not known|timed out", stderr):
        return (
            "the package index cannot be reached. Check the network, the proxy and 'pip config list', then try again; "
            "it is needed once, until handler/requirements.txt changes."
        )
    if missing := re.search(r"No matching distribution found for (\S+)", stderr):
        return (
            f"the package index has no {missing[1]}. Check 'pip config list' and the variables PIP_NO_INDEX and "
            "PIP_INDEX_URL, then try again."
        )
    errors = re.findall(r"^ERROR: (.+)$", stderr, re.MULTILINE)
    return f"pip says: {errors[-1] if errors else stderr.strip()[-300:] or 'nothing'}"
