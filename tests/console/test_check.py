"""`check`, `demo-files` and the command line as a whole."""

from __future__ import annotations

import gzip
import hashlib
import importlib
import json
import tomllib
from pathlib import Path

import pytest

from console.errors import Exit
from tests.console.running import ROOT, console

pytestmark = pytest.mark.processes

HASHES = "".join(f"{hashlib.sha256(str(number).encode()).hexdigest()}\n" for number in range(1, 51))


def test_a_good_file_is_accepted(tmp_path: Path) -> None:
    for name, content in {"a.csv": HASHES.encode(), "a.csv.gz": gzip.compress(HASHES.encode())}.items():
        (tmp_path / name).write_bytes(content)
        answer = console("check", tmp_path / name, "--type", "email_sha256", "--json")
        result = json.loads(answer.stdout)
        assert answer.returncode == Exit.DONE
        assert (result["status"], result["rows"]["accepted"], result["parts"]) == ("accepted", 50, 1)


def test_a_faulty_file_says_lines_and_reasons_but_no_content(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text(HASHES + "private@example.com\n" * 10)
    for more in ([], ["--json"]):
        answer = console("check", tmp_path / "a.csv", "--type", "email_sha256", *more)
        assert answer.returncode == Exit.NOT_ACCEPTED
        assert "not_hashed" in answer.stdout
        assert "51" in answer.stdout
        assert "private" not in answer.stdout + answer.stderr
    result = json.loads(answer.stdout)
    assert (result["code"], result["rejected_by_reason"]) == ("too_many_rejected", {"not_hashed": 10})


def test_raw_data_is_told_how_to_be_hashed(tmp_path: Path) -> None:
    (tmp_path / "my list.csv").write_text("email,name\nprivate@example.com,Jane\n")
    answer = console("check", tmp_path / "my list.csv", "--type", "email_sha256")
    assert f"tiktok-activation hash '{tmp_path}/my list.csv' --type email_sha256 -o hashed.csv" in answer.stdout


def test_standard_input_can_be_checked() -> None:
    answer = console("check", "-", "--type", "email_sha256", "--json", given=HASHES)
    assert json.loads(answer.stdout)["rows"]["accepted"] == 50


def test_standard_input_is_not_uploaded_because_it_cannot_be_read_twice() -> None:
    answer = console("upload", "-", "--type", "email_sha256", "--audience", "vip", "--bucket", "none", given=HASHES)
    assert answer.returncode == Exit.USAGE
    assert "Write it to a file" in answer.stderr


def test_errors_are_sentences_and_json_on_request(tmp_path: Path) -> None:
    missing = tmp_path / "missing.csv"
    answer = console("check", missing, "--type", "email_sha256")
    assert answer.returncode == Exit.ERROR
    assert "cannot be opened" in answer.stderr
    assert "error" in json.loads(console("check", missing, "--type", "email_sha256", "--json").stdout)
    assert console("check", missing, "--type", "emails").returncode == Exit.USAGE


def test_demo_files_are_hashed_and_checked_as_they_say(tmp_path: Path) -> None:
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


def test_an_empty_list_is_a_fault_only_for_a_replace(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("email_sha256\n")
    for action, status in {"append": "skipped", "remove": "skipped", "replace": "rejected"}.items():
        answer = console("check", tmp_path / "a.csv", "-t", "email_sha256", "--action", action, "--json")
        assert json.loads(answer.stdout)["status"] == status


def test_several_identifiers_are_checked(tmp_path: Path) -> None:
    (tmp_path / "raw.csv").write_text("mail,phone\na@example.com,+491701234567\n,+491701234568\n")
    assert console("hash", tmp_path / "raw.csv", "-t", "multiple_types", "-o", tmp_path / "out.csv").returncode == 0
    answer = console("check", tmp_path / "out.csv", "-t", "multiple_types", "--json")
    assert json.loads(answer.stdout)["rows"] == {"total": 2, "accepted": 2, "rejected": 0}
