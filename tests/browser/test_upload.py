"""Tests of `upload`, `status` and `report` against the running sandbox."""

from __future__ import annotations

import json

from console.errors import Exit
from tests.browser.conftest import Sandbox, Write, people


def test_a_raw_csv_becomes_an_audience(sandbox: Sandbox, write: Write) -> None:
    file = write("customers.csv", people("raw"))
    completed = sandbox.run(
        *("upload", file, "--advertiser", "acme", "--audience", "raw customers", "--type", "email_sha256"),
        *("--hash", "--wait", "--timeout", "100", "--json"),
    )
    assert completed.returncode == Exit.DONE, completed.stdout + completed.stderr
    result = json.loads(completed.stdout)
    (report,) = result["reports"]
    assert (report["status"], report["rows"]["accepted"]) == ("available", 1200)
    assert "raw0@example.com" not in completed.stdout + completed.stderr
    status = json.loads(sandbox.run("status", "acme", "--json").stdout)["advertisers"]["acme"]
    (seen,) = [each for each in status["files"] if each["audience"] == "raw customers"]
    assert (seen["status"], seen["matched"]) == ("available", report["tiktok"]["matched"])
    assert ("raw customers", "email_sha256") in {
        (each["name"], each["identifier_type"]) for each in status["audiences"]
    }
    key = result["files"][0]["key"]
    assert json.loads(sandbox.run("report", key, "-a", "acme", "--json").stdout) == report
    shown = sandbox.run("report", f"s3://{result['bucket']}/{key}").stdout
    assert "available" in shown
    assert "1,200 accepted" in shown


def test_a_file_that_would_be_rejected_is_not_uploaded(sandbox: Sandbox, write: Write) -> None:
    file = write("plain.csv", people("plain"))
    completed = sandbox.run("upload", file, "-a", "acme", "--audience", "plain", "--type", "email_sha256")
    assert completed.returncode == Exit.NOT_ACCEPTED
    assert "Nothing was uploaded" in completed.stdout
    assert "plain0" not in completed.stdout + completed.stderr
    assert not list(sandbox.connectors.keys(sandbox.connectors.advertisers["acme"], "tiktok/plain/"))


def test_a_list_with_too_many_rows_that_cannot_be_hashed_is_not_uploaded(sandbox: Sandbox, write: Write) -> None:
    file = write("broken.csv", people("broken") + "no address,,Anna\n" * 300)
    place = ("-a", "acme", "--audience", "broken", "--type", "email_sha256", "--action", "replace")
    completed = sandbox.run("upload", file, *place, "--hash")
    assert completed.returncode == Exit.NOT_ACCEPTED
    assert "300 of the 1,500 rows cannot be hashed. The limit is 10%." in " ".join(completed.stdout.split())
    assert "Nothing was uploaded" in completed.stdout
    assert not list(sandbox.connectors.keys(sandbox.connectors.advertisers["acme"], "tiktok/broken/"))
    allowed = sandbox.run("upload", file, *place, "--hash", "--max-rejected-ratio", "0.3")
    assert allowed.returncode == Exit.DONE


def test_several_files_become_one_run(sandbox: Sandbox, write: Write) -> None:
    files = [write(f"part{number}.csv", people(f"run{number}-", 700)) for number in range(2)]
    completed = sandbox.run(
        *("upload", *files, "-a", "acme", "--audience", "several", "--type", "phone_sha256", "--hash", "--json")
    )
    keys = [each["key"] for each in json.loads(completed.stdout)["files"]]
    assert len({key.rsplit("/", 1)[0] for key in keys}) == 1
    assert all(key.startswith("tiktok/several/phone_sha256/append/20") for key in keys)


def test_a_bucket_name_is_enough_without_pulumi(sandbox: Sandbox, write: Write) -> None:
    bucket = sandbox.connectors.advertisers["globex"].outputs["bucket"]
    file = write("more.csv", people("more"))
    completed = sandbox.run(
        *("upload", file, "--bucket", bucket, "--audience", "by bucket", "--type", "email_sha256", "--hash"),
        *("--wait", "--timeout", "100"),
    )
    assert completed.returncode == Exit.DONE, completed.stdout + completed.stderr
    assert "available" in completed.stdout
    assert "by bucket" in sandbox.run("status", "--bucket", bucket, "--limit", 0).stdout


def test_an_unknown_key_or_advertiser_is_an_error(sandbox: Sandbox) -> None:
    completed = sandbox.run("report", "tiktok/nobody/email_sha256/a.csv")
    assert completed.returncode == Exit.ERROR
    assert "There is no report" in completed.stderr
    assert sandbox.run("status", "nobody").returncode == Exit.USAGE
