"""Tests of the messages for AWS configurations that cannot be used."""

from __future__ import annotations

from pathlib import Path

import pytest

from console import aws
from console.errors import ConsoleError
from console.stack import Connector, Location

CONNECTOR = Connector("acme", {"bucket": "b"}, Location("test", region="us-east-1"))


@pytest.fixture
def files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a folder for the AWS configuration files, and remove the AWS variables that would be used instead."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "credentials"))
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    return tmp_path


@pytest.mark.usefixtures("files")
def test_a_profile_that_does_not_exist_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_PROFILE", "acme-prod")
    with pytest.raises(ConsoleError, match=r"for acme, .*\(acme-prod\) could not be found\. Correct AWS_PROFILE"):
        aws.s3(CONNECTOR)


@pytest.mark.parametrize(
    ("name", "content", "cause"),
    [("config", "no section", "Unable to parse"), ("credentials", "[default]\naws_access_key_id = a\n", "Partial")],
)
def test_a_file_that_cannot_be_used_is_an_error(files: Path, name: str, content: str, cause: str) -> None:
    (files / name).write_text(content)
    with pytest.raises(ConsoleError, match=rf"configuration cannot be used: {cause}.*~/\.aws/credentials\.$"):
        aws.secrets(CONNECTOR)
