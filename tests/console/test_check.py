"""Tests of `check`, `demo-files`, and error handling on the command line."""

from __future__ import annotations

import gzip
import hashlib
import importlib
import json
import tomllib
from pathlib import Path

import pytest

from console.errors import Exit
from tests.console.processes import ROOT, console

pytestmark = pytest.mark.processes

HASHES = "".join(f"{hashlib.sha256(str(number).encode()).hexdigest()}\n" for number in range(1, 51))


def test_a_valid_file_is_accepted(tmp_path: Path) -> None:
    for name, content in {"a.csv": HASHES.encode(), "a.csv.gz": gzip.compress(HASHES.encode())}.items():
        (tmp_path / name).write_bytes(content)
        completed = console("check", tmp_path / name, "--type", "email_sha256", "--json")
        result = json.loads(completed.stdout)
        assert completed.returncode == Exit.DONE
        assert (result["status"], result["rows"]["accepted"], result["parts"]) == ("accepted", 50, 1)


def test_a_rejected_file_shows_lines_and_reasons_but_no_content(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text(HASHES + "private@example.com\n" * 10)
    for more in ([], ["--json"]):
        completed = console("check", tmp_path / "a.csv", "--type", "email_sha256", *more)
        assert completed.returncode == Exit.NOT_ACCEPTED
        assert "not_hashed" in completed.stdout
        assert "51" in completed.stdout
        assert "private" not in completed.stdout + completed.stderr
    result = json.loads(completed.stdout)
    assert (result["code"], result["rejected_by_reason"]) == ("too_many_rejected", {"not_hashed": 10})


def test_check_shows_the_command_that_hashes_raw_data(tmp_path: Path) -> None:
    (tmp_path / "my list.csv").write_text("email,name\nprivate@example.com,Jane\n")
    completed = console("check", tmp_path / "my list.csv", "--type", "email_sha256")
    assert f"tiktok-activation hash '{tmp_path}/my list.csv' --type email_sha256 -o hashed.csv" in completed.stdout


def test_standard_input_can_be_checked() -> None:
    completed = console("check", "-", "--type", "email_sha256", "--json", given=HASHES)
    assert json.loads(completed.stdout)["rows"]["accepted"] == 50


def test_standard_input_is_not_uploaded_because_it_cannot_be_read_twice() -> None:
    completed = console("upload", "-", "--type", "email_sha256", "--audience", "vip", "--bucket", "none", given=HASHES)
    assert completed.returncode == Exit.USAGE
    assert "Write it to a file" in completed.stderr


def test_errors_are_printed_as_text_or_json(tmp_path: Path) -> None:
    missing = tmp_path / "missing.csv"
    completed = console("check", missing, "--type", "email_sha256")
    assert completed.returncode == Exit.ERROR
    assert "cannot be opened" in completed.stderr
    assert "error" in json.loads(console("check", missing, "--type", "email_sha256", "--json").stdout)
    assert console("check", missing, "--type", "emails").returncode == Exit.USAGE


def test_demo_files_can_be_hashed_and_checked(tmp_path: Path) -> None:
    written = json.loads(console("demo-files", tmp_path, "--json").stdout)["files"]
    assert "test_foodies_phone_sha256_audience.csv" in {Path(each["path"]).name for each in written}
    out = tmp_path / "out.csv"
    hashed = console("hash", tmp_path / "customers.csv", "-t", "email_sha256", "-o", out, "--json")
    assert json.loads(hashed.stdout)["rows"] == {"total": 1500, "written": 1498, "empty": 1, "rejected": 1}
    assert console("check", out, "-t", "email_sha256").returncode == Exit.DONE
    assert console("hash", tmp_path / "devices.txt", "-t", "first_sha256", "-o", out).returncode == Exit.DONE
    assert console("check", tmp_path / "with_mistakes.csv", "-t", "email_sha256").returncode == Exit.NOT_ACCEPTED


def test_the_entry_point_exists() -> None:
    scripts = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["scripts"]
    module, _, function = scripts["tiktok-activation"].partition(":")
    assert callable(getattr(importlib.import_module(module), function))


def test_an_empty_file_is_rejected_only_for_replace(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("email_sha256\n")
    for action, status in {"append": "skipped", "remove": "skipped", "replace": "rejected"}.items():
        completed = console("check", tmp_path / "a.csv", "-t", "email_sha256", "--action", action, "--json")
        assert json.loads(completed.stdout)["status"] == status


def test_a_multiple_types_file_can_be_checked(tmp_path: Path) -> None:
    (tmp_path / "raw.csv").write_text("mail,phone\na@example.com,+491701234567\n,+491701234568\n")
    assert console("hash", tmp_path / "raw.csv", "-t", "multiple_types", "-o", tmp_path / "out.csv").returncode == 0
    completed = console("check", tmp_path / "out.csv", "-t", "multiple_types", "--json")
    assert json.loads(completed.stdout)["rows"] == {"total": 2, "accepted": 2, "rejected": 0}
