"""Tests that `audiences --delete` shows the ad groups of an audience before it deletes the audience."""

from __future__ import annotations

import json

import pytest

from console.errors import Exit
from tests.browser.conftest import Sandbox


def seed(sandbox: Sandbox, name: str) -> str:
    """Create an audience in acme's account and return its id."""
    advertiser_id = sandbox.connectors.advertisers["acme"].advertiser_id
    (audience_id,) = sandbox.connectors.control("POST", "audiences", advertiser_id=advertiser_id, name=name)
    return str(audience_id)


def names(sandbox: Sandbox) -> set[str]:
    rows = json.loads(sandbox.run("audiences", "acme", "--json").stdout)["audiences"]
    return {row["name"] for row in rows}


def test_the_ad_groups_of_an_audience_are_shown_before_it_is_deleted(sandbox: Sandbox) -> None:
    audience_id = seed(sandbox, "applied")
    for number, (name, mode) in enumerate([("Spring [new]", "Include"), ("Others", "Exclude")], 1):
        group = {"adgroup_id": f"170000000000000000{number}", "adgroup_name": name, "usage_mode": mode}
        sandbox.connectors.control("POST", "apply", audience_id=audience_id, **group)
    command = ("audiences", "acme", "--delete", "applied", "--type", "email_sha256")

    refused = sandbox.run(*command)
    assert refused.returncode == Exit.USAGE
    assert "Ad groups that the audience was applied to: " in refused.stdout
    assert "Spring [new] (1700000000000000001, Include)" in refused.stdout
    assert "Others (1700000000000000002, Exclude)" in refused.stdout
    assert "applied" in names(sandbox)

    done = json.loads(sandbox.run(*command, "--yes", "--json").stdout)
    assert done["deleted"]["id"] == audience_id
    assert sorted(done["ad_groups"], key=lambda each: each["id"]) == [
        {"id": "1700000000000000001", "name": "Spring [new]", "usage": "Include"},
        {"id": "1700000000000000002", "name": "Others", "usage": "Exclude"},
    ]
    assert "applied" not in names(sandbox)


def test_an_audience_without_ad_groups_shows_none(sandbox: Sandbox) -> None:
    seed(sandbox, "unused")
    done = sandbox.run("audiences", "acme", "--delete", "unused", "--type", "email_sha256", "--yes")
    assert done.returncode == Exit.DONE, done.stdout + done.stderr
    assert "Ad groups that the audience was applied to: none." in done.stdout
    assert done.stdout.rstrip().endswith("Deleted.")


@pytest.mark.parametrize("as_json", [True, False])
def test_unknown_ad_groups_are_not_shown_as_none(sandbox: Sandbox, *, as_json: bool) -> None:
    seed(sandbox, "unknown")
    sandbox.connectors.control("POST", "faults", call="apply_log", kind="code", code=40001, message="No.", times=None)
    try:
        command = ("audiences", "acme", "--delete", "unknown", "--type", "email_sha256", "--yes")
        done = sandbox.run(*command, *(["--json"] if as_json else []))
    finally:
        sandbox.connectors.control("DELETE", "faults")
    assert done.returncode == Exit.DONE, done.stdout + done.stderr
    if as_json:
        assert json.loads(done.stdout)["ad_groups"] is None
    else:
        assert "TikTok did not return the ad groups that the audience was applied to." in done.stdout
