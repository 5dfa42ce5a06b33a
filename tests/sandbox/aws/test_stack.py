"""The stack's configuration as the sandbox reads it, and the sample files that depend on it."""

from __future__ import annotations

import json

import pytest

from components.config import read_advertisers
from sandbox.aws.stack import ConfigurationError, read_config
from sandbox.demo.samples import samples

REFUSED = {
    "": "must be a map",
    "- config": "must be a map",
    "config:": "must be a map",
    "config:\n  tiktok-activation:advertisers: [{name: acme}]": "has no aws:region",
    "config:\n  aws:region: {secure: AAAB}\n  tiktok-activation:advertisers: [{name: acme}]": "no aws:region in plain",
    "config:\n  aws:region: us-east-1\n  tiktok-activation:advertisers: []": "lists no advertiser",
    "config:\n  aws:region: us-east-1\n  tiktok-activation:advertisers:\n    secure: AAAB": "has an encrypted option",
    "config: [": "is not valid YAML",
}


@pytest.mark.parametrize("text", REFUSED)
def test_an_unusable_configuration_is_refused_with_a_message(text: str) -> None:
    with pytest.raises(ConfigurationError, match=REFUSED[text]) as refused:
        read_config(text, "Pulumi.dev.yaml")
    assert str(refused.value).startswith("Pulumi.dev.yaml ")


def test_a_valid_configuration_is_read() -> None:
    assert read_config("config:\n  aws:region: eu-west-1", "Pulumi.dev.yaml") == {"aws:region": "eu-west-1"}


def test_encrypted_credentials_get_placeholders() -> None:
    entries = [
        {"name": name, "accessToken": {"secure": "AAAB"}, "advertiserId": {"secure": "AAAC"}} for name in ("a", "b")
    ]
    config = {"aws:region": "eu-west-1", "aws:token": {"secure": "AAAD"}, "tiktok-activation:advertisers": entries}
    read = read_config(json.dumps({"encryptionsalt": "v1:x", "config": config}), "Pulumi.dev.yaml")
    assert "secure" not in json.dumps(read)
    assert [advertiser.name for advertiser in read_advertisers(read["tiktok-activation:advertisers"])] == ["a", "b"]
    assert len({entry["accessToken"] for entry in read["tiktok-activation:advertisers"]}) == 2


def test_the_file_with_mistakes_is_rejected_if_max_rejected_ratio_is_low() -> None:
    codes = {ratio: {each.key: each.code for each in samples("acme", ratio)} for ratio in (0.1, 0.001)}
    assert codes[0.1] != codes[0.001]
    assert {*codes[0.001].items()} - {*codes[0.1].items()} == {
        ("tiktok/loyalty/email_sha256/loyalty-with-mistakes.csv", "too_many_rejected")
    }
