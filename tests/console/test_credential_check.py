"""Tests of the check of TikTok credentials."""

from __future__ import annotations

import json

import pytest

from console import aws
from console.credential_check import check_credentials, connect, credentials_problem
from console.stack import Connector, Location
from handler.tiktok.credentials import Credentials
from tests.handler.world import ADVERTISER_ID, World
from tests.privacy import TOKEN


@pytest.mark.parametrize(
    ("message", "advice", "hint"),
    [("No permission.", "Operator", True), ("Accept the Custom Audience Terms.", "Accept the Custom Audience", False)],
)
def test_only_a_missing_permission_has_the_hint_about_the_role(
    world: World, message: str, advice: str, hint: bool
) -> None:
    world.tiktok.fault("upload", "code", code=40001, message=message)
    connector = Connector("acme", {"bucket": world.bucket}, Location("test", tiktok_url=world.tiktok.url))
    result = check_credentials(connector, Credentials(TOKEN, ADVERTISER_ID))
    assert (result["can_list"], result["can_upload"]) == (True, False)
    assert advice in result["problem"]
    assert ("Analyst" in result["problem"]) is hint


def test_the_id_of_a_shared_secret_comes_from_the_stack_outputs(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    world.set_secret(json.dumps({"ACCESS_TOKEN": TOKEN}))
    monkeypatch.setattr(aws, "secrets", lambda _: world.secrets)
    outputs = {"bucket": world.bucket, "secret_name": world.bucket, "advertiser_id": ADVERTISER_ID}
    connector = Connector("acme", outputs, Location("test", tiktok_url=world.tiktok.url))
    assert credentials_problem(connector) is None
    assert connect(connector).audiences() == []
