"""Tests of the commands' permissions: documented, complete, and granted by the stated options."""

from __future__ import annotations

import typer.main

from components import policies
from console.cli import build
from console.permissions import NEEDS, table
from tests.console.processes import ROOT

PRINCIPAL = "arn:aws:iam::111122223333:role/somebody"
KEY = "arn:aws:kms:eu-west-1:111122223333:key/k"
BUCKET = "arn:aws:s3:::bucket"


def test_the_documented_permissions_match_the_code() -> None:
    text = (ROOT / "docs" / "permissions.md").read_text()
    _, _, rest = text.partition("<!-- permissions:start -->\n")
    assert rest.partition("<!-- permissions:end -->")[0] == table()


def test_every_command_lists_its_permissions() -> None:
    commands = {command.name for command in typer.main.get_group(build()).commands.values()}
    assert {name.partition(" ")[0] for name in NEEDS} == commands


def granted(option: str) -> set[tuple[str, str]]:
    """Return the actions that an option grants, each with the resource below the bucket, or `*` for the key."""
    named = {"uploaders": (), "readers": (), option: (PRINCIPAL,)}
    own = policies.bucket(bucket_arn=BUCKET, key_arn=KEY, **named)
    keys = policies.key(key_arn=KEY, bucket_arn=BUCKET, name_prefix="acme/dev/", alarms=False, archive=False, **named)
    found = set()
    for statement in [*own, *keys]:
        elements = statement.elements
        if elements["Effect"] == "Allow" and elements.get("Principal") == {"AWS": [PRINCIPAL]}:
            actions = elements["Action"]
            for action in [actions] if isinstance(actions, str) else actions:
                found.add((str(action), str(elements["Resource"]).removeprefix(BUCKET).lstrip("/")))
    return found


def test_the_options_grant_the_permissions_in_the_table() -> None:
    for option in ("uploaders", "readers"):
        needs = {need for some in NEEDS.values() for need in some if need.granted_by == option}
        wanted = {
            (action, "*" if need.on.startswith("the key") else "" if need.on.startswith("the bucket") else need.on)
            for need in needs
            for action in need.actions
        }
        assert wanted
        assert wanted <= granted(option)
