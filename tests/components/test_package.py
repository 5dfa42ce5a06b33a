"""The function's package: identical on every machine, built only when needed, with clear messages for errors."""

from __future__ import annotations

import base64
import hashlib
import importlib.util
import os
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from components.package import ROOT, PackageError, build_package, directory_digest, handler_package

pytestmark = pytest.mark.processes

Checkout = Callable[[str], Path]


def build(root: Path) -> Path:
    return build_package(root, root / ".build")


def _wheel(directory: Path, text: str = "VALUE = 1\n") -> str:
    """Write the wheel of a library with one module, and return its hash for pip."""
    files = {
        "tiny.py": text,
        "tiny-1.0.dist-info/METADATA": "Metadata-Version: 2.1\nName: tiny\nVersion: 1.0\n",
        "tiny-1.0.dist-info/WHEEL": "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
        "tiny-1.0.dist-info/entry_points.txt": "[console_scripts]\ntiny = tiny:VALUE\n",
    }
    record = "".join(
        f"{name},sha256={base64.urlsafe_b64encode(hashlib.sha256(content.encode()).digest()).decode().rstrip('=')},"
        f"{len(content)}\n"
        for name, content in files.items()
    )
    directory.mkdir(exist_ok=True)
    wheel = directory / "tiny-1.0-py3-none-any.whl"
    with zipfile.ZipFile(wheel, "w") as archive:
        for name, content in {**files, "tiny-1.0.dist-info/RECORD": record + "tiny-1.0.dist-info/RECORD,,\n"}.items():
            archive.writestr(name, content)
    return f"sha256:{hashlib.sha256(wheel.read_bytes()).hexdigest()}"


INSTALLERS = ["uv", "pip"]
find_spec = importlib.util.find_spec


def only(installer: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Hide every other installer: its module, and uv on PATH."""
    monkeypatch.setenv("PATH", os.devnull)
    others = set(INSTALLERS) - {installer}
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None if name in others else find_spec(name))


@pytest.fixture(params=INSTALLERS)
def index(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The directory of the only package index that the installer uses. Tests run once for each installer."""
    only(request.param, monkeypatch)
    for name in [name for name in os.environ if name.startswith(("PIP_", "UV_"))]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path / "index"))
    configuration = tmp_path / "uv.toml"
    configuration.write_text(f'no-index = true\nno-cache = true\nfind-links = ["{tmp_path / "index"}"]\n')
    monkeypatch.setenv("UV_CONFIG_FILE", str(configuration))
    return tmp_path / "index"


@pytest.fixture
def checkout(tmp_path: Path, index: Path) -> Checkout:
    """A function that creates a checkout with a small handler that needs the library in `index`."""
    pinned = _wheel(index)

    def make(name: str) -> Path:
        handler = tmp_path / name / "handler"
        handler.mkdir(parents=True)
        (handler / "__init__.py").write_text("")
        (handler / "app.py").write_text("import tiny\n")
        (handler / "requirements.in").write_text("tiny==1.0\n")
        (handler / "requirements.txt").write_text(f"tiny==1.0 --hash={pinned}\n")
        return tmp_path / name

    return make


def _names(package: Path) -> set[str]:
    return {path.relative_to(package).as_posix() for path in package.rglob("*") if path.is_file()}


def test_the_real_package_is_the_same_when_built_in_another_directory(tmp_path: Path) -> None:
    for name in ("components", "handler"):
        shutil.copytree(ROOT / name, tmp_path / name, ignore=shutil.ignore_patterns("__pycache__"))
    program = "from components.package import handler_package; print(handler_package())"
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=tmp_path, capture_output=True, text=True, check=True, umask=0o077
    )
    elsewhere = Path(done.stdout.strip())
    assert elsewhere.is_relative_to(tmp_path)
    assert directory_digest(elsewhere) == directory_digest(handler_package())
    assert {path.stat().st_mode & 0o777 for path in elsewhere.rglob("*")} == {0o755, 0o644}


def test_the_real_package_has_the_handler_and_its_libraries_for_lambda() -> None:
    names = _names(handler_package())
    assert {path.name for path in (ROOT / "handler").rglob("*.py")} == {
        Path(name).name for name in names if name.startswith("handler/")
    }
    assert {"requests/__init__.py", "aws_lambda_powertools/__init__.py"} <= names
    assert not [name for name in names if "charset_normalizer" in name or "chardet" in name]
    assert {name for name in names if name.endswith((".so", ".pyd"))} == {
        name for name in names if name.endswith(".cpython-313-aarch64-linux-gnu.so")
    }
    assert not [name for name in names if name.startswith(("bin/", "boto3/")) or "__pycache__" in name]
    # The Python that runs pip would evaluate an environment marker, not the Python that runs the function.
    assert ";" not in (ROOT / "handler" / "requirements.txt").read_text()


def test_a_cold_start_prints_no_warning() -> None:
    """requests warns if no library to detect character sets is installed; the package has none."""
    program = (
        "import sys; sys.modules.update(dict.fromkeys(('charset_normalizer', 'chardet'))); "
        "import handler, requests; print(requests.__file__)"
    )
    done = subprocess.run(
        [sys.executable, "-W", "default", "-c", program],
        cwd=handler_package(),
        capture_output=True,
        text=True,
        check=True,
        env={"PYTHONPATH": str(handler_package()), "PYTHONDONTWRITEBYTECODE": "1"},
    )
    assert done.stdout.startswith(str(handler_package()))
    assert done.stderr == ""


def test_two_checkouts_build_the_same_bytes(checkout: Checkout) -> None:
    one, two = build(checkout("one")), build(checkout("a longer name"))
    assert one != two
    assert directory_digest(one) == directory_digest(two)
    assert _names(one) == {
        "handler/__init__.py",
        "handler/app.py",
        "tiny.py",
        "tiny-1.0.dist-info/METADATA",
        "tiny-1.0.dist-info/WHEEL",
        "tiny-1.0.dist-info/entry_points.txt",
    }


def test_only_changed_parts_are_built_again(checkout: Checkout, index: Path) -> None:
    root = checkout("one")
    first = build(root)
    shutil.rmtree(index)  # an installation would fail from here on
    assert build(root) == first
    (root / "handler" / "app.py").write_text("import tiny  # changed\n")
    second = build(root)
    assert second != first
    assert (second / "handler" / "app.py").read_text() == "import tiny  # changed\n"
    (root / "handler" / "requirements.txt").write_text("tiny==1.0 --hash=sha256:" + "0" * 64)
    with pytest.raises(PackageError):
        build(root)


def test_a_modified_package_is_built_again(checkout: Checkout) -> None:
    root = checkout("one")
    package = build(root)
    before = directory_digest(package)
    (package / "handler" / "__pycache__").mkdir()
    (package / "handler" / "__pycache__" / "app.cpython-311.pyc").write_bytes(b"")
    assert build(root) == package
    assert directory_digest(package) == before


def test_two_programs_can_build_the_package_at_the_same_time(checkout: Checkout) -> None:
    root = checkout("one")
    program = (
        f"from pathlib import Path; from components.package import build_package; root = Path({str(root)!r}); "
        "build_package(root, root / '.build')"
    )
    both = [subprocess.Popen([sys.executable, "-c", program], cwd=ROOT) for _ in range(2)]
    assert [process.wait() for process in both] == [0, 0]
    assert sorted(path.name.partition("-")[0] for path in (root / ".build").iterdir()) == [
        *("function", "function"),
        *("libraries", "libraries"),
    ]


def test_packages_that_were_not_used_for_a_week_are_removed(checkout: Checkout) -> None:
    root = checkout("one")
    old = build(root)
    for path in (root / ".build").glob("function-*"):
        os.utime(path, (0, 0))
    (root / "handler" / "app.py").write_text("import tiny  # changed\n")
    assert build(root).is_dir()
    assert not old.exists()


def test_a_wheel_with_another_hash_is_refused(checkout: Checkout, index: Path) -> None:
    root = checkout("one")
    _wheel(index, "VALUE = 2\n")
    with pytest.raises(PackageError, match=r"hash of a wheel differs from the one in .* Do not deploy"):
        build(root)
    assert list((root / ".build").iterdir()) == []


def test_a_library_without_a_hash_is_refused(checkout: Checkout) -> None:
    root = checkout("one")
    (root / "handler" / "requirements.txt").write_text("tiny==1.0\n")
    with pytest.raises(PackageError, match=r"cannot be installed: .*[Hh]ash"):
        build(root)


def test_the_message_names_a_missing_library(checkout: Checkout, index: Path) -> None:
    root = checkout("one")
    (index / "tiny-1.0-py3-none-any.whl").unlink()
    with pytest.raises(PackageError, match=r"the package index has no tiny(==1\.0)?\. Check"):
        build(root)


def test_the_message_says_that_the_index_cannot_be_reached(
    checkout: Checkout, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    unreachable = "http://127.0.0.1:9/simple"  # nothing listens on the discard port
    monkeypatch.delenv("PIP_NO_INDEX")
    monkeypatch.delenv("PIP_FIND_LINKS")
    monkeypatch.setenv("PIP_INDEX_URL", unreachable)
    monkeypatch.setenv("PIP_RETRIES", "1")
    (tmp_path / "uv.toml").write_text(f'index-url = "{unreachable}"\nno-cache = true\n')
    monkeypatch.setenv("UV_HTTP_RETRIES", "0")
    with pytest.raises(PackageError, match=r"the package index cannot be reached. Check the network"):
        build(checkout("one"))


def test_uv_on_the_path_is_sufficient(checkout: Checkout, index: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A virtual environment that uv created has no pip and no uv module."""
    monkeypatch.undo()
    uv = Path(sys.executable).parent / "uv"
    (index.parent / "bin").mkdir()
    (index.parent / "bin" / "uv").symlink_to(uv)
    monkeypatch.setenv("PATH", str(index.parent / "bin"))
    monkeypatch.setenv("UV_CONFIG_FILE", str(index.parent / "uv.toml"))
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None if name in INSTALLERS else find_spec(name))
    assert "tiny.py" in _names(build(checkout("one")))


def test_the_message_says_that_uv_and_pip_are_missing(checkout: Checkout, monkeypatch: pytest.MonkeyPatch) -> None:
    only("neither", monkeypatch)
    with pytest.raises(
        PackageError, match=r"uv is not installed, and .* has no pip\. Install uv .*, or run .* -m ensurepip"
    ):
        build(checkout("one"))


def test_uv_and_pip_install_the_same_bytes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    packages = []
    for installer in INSTALLERS:
        with monkeypatch.context() as patched:
            only(installer, patched)
            packages.append(build_package(ROOT, tmp_path / installer))
    assert directory_digest(packages[0]) == directory_digest(packages[1])


def test_a_checkout_without_a_handler_is_refused(tmp_path: Path) -> None:
    with pytest.raises(PackageError, match="Check out the complete repository"):
        build(tmp_path)
