"""Tests of connector discovery and object keys."""

from __future__ import annotations

import json
import os
from datetime import UTC, datetime
from pathlib import Path

import pytest

from console.errors import ConsoleError
from console.objects import confirmation_key
from console.stack import Source, find_connector, find_connectors, running_sandbox
from console.uploading import object_keys

OUTPUTS = {
    "advertisers": {
        "acme": {"bucket": "acme-bucket", "queue_arn": "arn:aws:sqs:eu-west-1:111122223333:acme"},
        "globex": {"bucket": "globex-bucket", "queue_arn": "arn:aws:sqs:eu-west-1:111122223333:globex"},
    },
    "dashboard": "https://example.com",
}
NOW = datetime(2026, 1, 31, 12, tzinfo=UTC)


@pytest.mark.parametrize("content", [OUTPUTS, OUTPUTS["advertisers"]])
def test_connectors_are_read_from_a_file_of_outputs(tmp_path: Path, content: object) -> None:
    file = tmp_path / "outputs.json"
    file.write_text(json.dumps(content))
    connector = find_connector(Source(outputs=file), "globex")
    assert (connector.bucket, connector.region) == ("globex-bucket", "eu-west-1")
    with pytest.raises(ConsoleError, match="acme, globex"):
        find_connector(Source(outputs=file), None)
    with pytest.raises(ConsoleError, match="'nobody'"):
        find_connector(Source(outputs=file), "nobody")
    with pytest.raises(ConsoleError, match="secret_name"):
        connector.output("secret_name")


@pytest.mark.parametrize("content", ["no json", "[]", '{"acme": "bucket"}'])
def test_a_file_without_outputs_is_an_error(tmp_path: Path, content: str) -> None:
    file = tmp_path / "outputs.json"
    file.write_text(content)
    with pytest.raises(ConsoleError):
        find_connectors(Source(outputs=file))


def test_the_sandbox_is_used_only_while_it_is_running(tmp_path: Path) -> None:
    file = tmp_path / "sandbox.json"
    running = {**OUTPUTS, "pid": os.getpid(), "aws_url": "http://127.0.0.1:1", "tiktok_url": "http://127.0.0.1:2"}
    file.write_text(json.dumps(running))
    found = running_sandbox(file)
    assert found
    assert found["acme"].location.aws_url == "http://127.0.0.1:1"
    file.write_text(json.dumps({**running, "pid": 2**22 + 1}))
    assert running_sandbox(file) is None
    assert running_sandbox(tmp_path / "missing.json") is None


def test_a_single_file_has_no_run_and_several_files_share_one() -> None:
    assert object_keys(["a.csv"], " vip ", "email_sha256", "append", NOW) == ["tiktok/vip/email_sha256/append/a.csv"]
    assert object_keys(["a.csv", "b/a.csv", "_hidden"], "vip", "email_sha256", "replace", NOW) == [
        "tiktok/vip/email_sha256/replace/2026-01-31T12-00-00Z/a.csv",
        "tiktok/vip/email_sha256/replace/2026-01-31T12-00-00Z/a-2.csv",
        "tiktok/vip/email_sha256/replace/2026-01-31T12-00-00Z/hidden.csv",
    ]
    for name in ("", "a/b", "x" * 129, "a\nb"):
        with pytest.raises(ConsoleError):
            object_keys(["a.csv"], name, "email_sha256", "append", NOW)


def test_the_confirmation_marker_is_above_hive_partitions() -> None:
    folder = "tiktok/vip/email_sha256/replace/2026-01-31"
    assert confirmation_key(f"{folder}/part-0.csv") == f"{folder}/_CONFIRMED"
    assert confirmation_key(f"{folder}/day=1/hour=2/part-0.csv") == f"{folder}/_CONFIRMED"


def test_a_stack_without_advertisers_is_an_error(tmp_path: Path) -> None:
    file = tmp_path / "outputs.json"
    file.write_text('{"advertisers": {}}')
    for advertiser in ("acme", None):
        with pytest.raises(ConsoleError, match="no advertisers yet"):
            find_connector(Source(outputs=file), advertiser)
