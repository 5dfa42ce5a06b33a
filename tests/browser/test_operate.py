"""Tests of the operator's commands against the running sandbox."""

from __future__ import annotations

import hashlib
import json
import time

import pytest

from console.errors import Exit
from sandbox.demo.connectors import PROCESSING_SECONDS
from tests.browser.conftest import Sandbox, Write, people


@pytest.fixture(scope="module")
def members(sandbox: Sandbox, tmp_path_factory: pytest.TempPathFactory) -> str:
    """Create an audience with people in it, and return the key of the uploaded file."""
    file = tmp_path_factory.mktemp("members") / "members.csv"
    file.write_text(people("member", 1500))
    completed = sandbox.run(
        *("upload", file, "-a", "acme", "--audience", "members", "--type", "email_sha256", "--hash"),
        *("--wait", "--timeout", "100", "--json"),
    )
    assert completed.returncode == Exit.DONE, completed.stdout + completed.stderr
    return str(json.loads(completed.stdout)["files"][0]["key"])


def secret(sandbox: Sandbox, name: str) -> dict[str, str]:
    outputs = sandbox.connectors.advertisers[name].outputs
    response = sandbox.connectors.cloud.client("secretsmanager").get_secret_value(SecretId=outputs["secret_name"])
    return dict(json.loads(response["SecretString"]))


def test_stored_credentials_are_tested(sandbox: Sandbox) -> None:
    result = json.loads(sandbox.run("credentials", "acme", "--check", "--json").stdout)
    assert (result["can_list"], result["can_upload"], result["stored"]) == (True, True, False)


def test_new_credentials_are_tested_and_stored(sandbox: Sandbox) -> None:
    given = secret(sandbox, "globex")
    completed = sandbox.run("credentials", "globex", given=f"{given['ACCESS_TOKEN']}\n {given['ADVERTISER_ID']}\n")
    assert completed.returncode == Exit.DONE, completed.stdout + completed.stderr
    assert given["ACCESS_TOKEN"] not in completed.stdout + completed.stderr
    assert secret(sandbox, "globex") == given


@pytest.mark.parametrize(
    ("given", "code"),
    [
        ("wrong-token-1234\n700000000000000001\n", Exit.NOT_ACCEPTED),
        ("a token with spaces\n700000000000000001\n", Exit.USAGE),
        ("some-token-1234\nacme\n", Exit.USAGE),
    ],
)
def test_wrong_credentials_are_neither_stored_nor_shown(sandbox: Sandbox, given: str, code: Exit) -> None:
    before = secret(sandbox, "acme")
    completed = sandbox.run("credentials", "acme", given=given)
    assert completed.returncode == code, completed.stdout + completed.stderr
    assert given.split("\n", maxsplit=1)[0] not in completed.stdout + completed.stderr
    assert secret(sandbox, "acme") == before


def test_a_registered_audience_is_listed(sandbox: Sandbox, members: str) -> None:
    assert members
    rows = json.loads(sandbox.run("audiences", "acme", "--json").stdout)["audiences"]
    (row,) = [row for row in rows if row["name"] == "members"]
    assert row["registered"]
    assert row["matched"] > 1000


def test_an_audience_is_deleted_only_after_confirmation(sandbox: Sandbox, write: Write) -> None:
    file = write("deleted.csv", people("deleted"))
    sandbox.run(
        *("upload", file, "-a", "globex", "--audience", "deleted", "--type", "email_sha256", "--hash"),
        *("--wait", "--timeout", "100"),
    )
    refused = sandbox.run("audiences", "globex", "--delete", "deleted", "--type", "email_sha256")
    assert refused.returncode == Exit.USAGE
    done = sandbox.run("audiences", "globex", "--delete", "deleted", "--type", "email_sha256", "--yes", "--json")
    assert json.loads(done.stdout)["deleted"]["name"] == "deleted", done.stdout + done.stderr
    rows = json.loads(sandbox.run("audiences", "globex", "--json").stdout)["audiences"]
    (row,) = [row for row in rows if row["name"] == "deleted"]
    assert row["id"] is None
    assert "deleted at TikTok" in row["findings"][0]


def test_doctor_shows_a_dead_letter_and_redrive_moves_it_back(sandbox: Sandbox) -> None:
    outputs = sandbox.connectors.advertisers["acme"].outputs
    queue = sandbox.connectors.cloud.client("sqs")
    queue.send_message(
        QueueUrl=outputs["dead_letter_queue_url"],
        MessageBody=json.dumps({"sweep": True}),
        MessageAttributes={
            "ERROR_CODE": {"DataType": "String", "StringValue": "NO_PERMISSIONS"},
            "ERROR_MESSAGE": {"DataType": "String", "StringValue": "not allowed to send"},
        },
    )
    found = sandbox.run("doctor", "acme", "--json")
    assert found.returncode == Exit.NOT_ACCEPTED
    checks = {check["check"]: check for check in json.loads(found.stdout)["checks"]}
    assert "waited for" in checks["oldest message"]["found"]
    assert checks["credentials"]["health"] == "fine"
    assert checks["dead letters"]["fix"] == "tiktok-activation redrive acme"
    assert "NO_PERMISSIONS" in checks["dead letters"]["found"]
    assert sandbox.run("redrive", "acme").returncode == Exit.USAGE
    moved = json.loads(sandbox.run("redrive", "acme", "--yes", "--json").stdout)
    assert (moved["moved"], moved["messages"]) == (1, ["a sweep"])
    assert sandbox.connectors.depth(outputs["dead_letter_queue_url"]) == 0


def test_a_file_is_uploaded_again(sandbox: Sandbox, members: str) -> None:
    completed = sandbox.run("again", members, "-a", "acme", "--json")
    assert completed.returncode == Exit.DONE, completed.stdout + completed.stderr
    version = json.loads(completed.stdout)["version_id"]
    deadline = time.monotonic() + 60
    # Wait for the final status, because an unfinished change would block the audience for the other tests.
    while statuses(sandbox, members).get(version) != "available" and time.monotonic() < deadline:
        time.sleep(0.3)
    assert statuses(sandbox, members).get(version) == "available"


def statuses(sandbox: Sandbox, key: str) -> dict[str, str]:
    """Return the status of each version of a file."""
    completed = sandbox.run("report", key, "-a", "acme", "--versions", "--json")
    return {each["file"]["version_id"]: each["status"] for each in json.loads(completed.stdout)["reports"]}


def test_only_a_list_that_waits_for_confirmation_can_be_confirmed(sandbox: Sandbox, members: str) -> None:
    completed = sandbox.run("confirm", members, "-a", "acme")
    assert completed.returncode == Exit.NOT_ACCEPTED
    assert "is not waiting for a confirmation" in completed.stderr


def test_forget_removes_a_person_from_an_audience(sandbox: Sandbox, members: str) -> None:
    assert members
    person = "Member7@example.com"
    completed = sandbox.run("forget", "acme", "--yes", "--json", given=f"{person}\n+491700000007\n\n")
    assert completed.returncode == Exit.DONE, completed.stdout + completed.stderr
    assert "ember7" not in completed.stdout + completed.stderr
    assert "1700000007" not in completed.stdout + completed.stderr
    keys = [each["key"] for each in json.loads(completed.stdout)["removals"] if each["audience"] == "members"]
    assert len(keys) == 1
    assert keys[0].startswith("tiktok/members/email_sha256/remove/forget-")
    advertiser = sandbox.connectors.advertisers["acme"]
    (audience,) = [each for each in sandbox.connectors.audiences(advertiser) if each["name"] == "members"]
    deadline = time.monotonic() + 60
    while len(sandbox.connectors.members(audience["id"])) != 1499 and time.monotonic() < deadline:
        time.sleep(0.5)
    assert len(sandbox.connectors.members(audience["id"])) == 1499


def test_waiting_uploads_are_withdrawn_but_not_a_submitted_one(sandbox: Sandbox) -> None:
    connectors = sandbox.connectors
    advertiser = connectors.advertisers["acme"]
    first, *later = (
        f"tiktok/waiting/email_sha256/{name}.csv" for name in ("append/first", "remove/second", "replace/third")
    )
    connectors.control("POST", "settings", processing_seconds=600)
    try:
        connectors.upload(advertiser, first, hashed(first))
        wait_for(sandbox, first, "submitted")
    finally:  # the setting applies to changes that start later; the first file's change keeps the long time
        connectors.control("POST", "settings", processing_seconds=PROCESSING_SECONDS)
    for key in later:
        connectors.upload(advertiser, key, hashed(key))
        wait_for(sandbox, key, "waiting")
    for key in later:
        assert sandbox.run("withdraw", key, "-a", "acme").returncode == Exit.USAGE
        completed = sandbox.run("withdraw", key, "-a", "acme", "--yes", "--json")
        assert completed.returncode == Exit.DONE, completed.stdout + completed.stderr
        report = json.loads(sandbox.run("report", key, "-a", "acme", "--json").stdout)
        assert (report["status"], report["code"]) == ("skipped", "withdrawn")
    late = sandbox.run("withdraw", first, "-a", "acme", "--yes")
    assert late.returncode == Exit.NOT_ACCEPTED
    assert "Not withdrawn" in late.stdout


def hashed(name: str) -> bytes:
    return b"".join(hashlib.sha256(f"{name}{number}".encode()).hexdigest().encode() + b"\n" for number in range(1200))


def wait_for(sandbox: Sandbox, key: str, status: str) -> None:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        completed = sandbox.run("report", key, "-a", "acme", "--json")
        if completed.returncode == Exit.DONE and json.loads(completed.stdout)["status"] == status:
            return
        time.sleep(0.3)
    raise AssertionError(f"{key} did not become {status}")
