"""Test that a list that shrank too much waits until it is confirmed."""

from __future__ import annotations

import json
import time
from typing import Any

from console.errors import Exit
from tests.browser.conftest import Sandbox, Write, people

FOLDER = "tiktok/shrinking/email_sha256/replace"


def upload(sandbox: Sandbox, write: Write, name: str, count: int) -> str:
    """Upload a list and return its key."""
    completed = sandbox.run(
        *("upload", write(name, people("member", count)), "-a", "acme", "--audience", "shrinking"),
        *("--type", "email_sha256", "--action", "replace", "--hash", "--json"),
    )
    assert completed.returncode == Exit.DONE, completed.stdout + completed.stderr
    (file,) = json.loads(completed.stdout)["files"]
    assert file["key"] == f"{FOLDER}/{name}"
    return str(file["key"])


def wait_for(sandbox: Sandbox, key: str, status: str, code: str | None = None) -> dict[str, Any]:
    deadline = time.monotonic() + 90
    report: dict[str, Any] = {}
    while time.monotonic() < deadline:
        completed = sandbox.run("report", key, "-a", "acme", "--json")
        if completed.returncode == Exit.DONE:
            report = json.loads(completed.stdout)
            if report["status"] == status and code in {None, report["code"]}:
                return report
        time.sleep(0.3)
    raise AssertionError(f"{key} did not become {status}; it is {report.get('status')} ({report.get('code')})")


def test_a_list_that_shrank_is_sent_after_it_is_confirmed(sandbox: Sandbox, write: Write) -> None:
    wait_for(sandbox, upload(sandbox, write, "january.csv", 3000), "available")
    shrunk = upload(sandbox, write, "february.csv", 1200)
    assert "1,200" in wait_for(sandbox, shrunk, "waiting", "shrinks_too_much")["reason"]
    checks = json.loads(sandbox.run("doctor", "acme", "--json").stdout)["checks"]
    fixes = [check["fix"] for check in checks if check["check"] == "waiting files"]
    assert f"tiktok-activation confirm '{shrunk}' --advertiser acme" in fixes
    time.sleep(5)  # ten sweeps
    wait_for(sandbox, shrunk, "waiting", "shrinks_too_much")

    completed = sandbox.run("confirm", shrunk, "-a", "acme", "--json")
    assert completed.returncode == Exit.DONE, completed.stdout + completed.stderr
    assert json.loads(completed.stdout)["marker"] == f"{FOLDER}/_CONFIRMED"
    assert wait_for(sandbox, shrunk, "available")["tiktok"]["matched"] == 1200
    late = sandbox.run("confirm", shrunk, "-a", "acme")
    assert (late.returncode, "is not waiting for a confirmation" in late.stderr) == (Exit.NOT_ACCEPTED, True)
