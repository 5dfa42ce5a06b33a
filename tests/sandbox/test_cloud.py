"""The stack's configuration as the sandbox reads it, and sample files that go with it."""

from __future__ import annotations

import pytest

from sandbox.cloud import ConfigurationError, read_config
from sandbox.samples import samples

REFUSED = {
    "": "must be a map",
    "- config": "must be a map",
    "config:": "must be a map",
    "config:\n  tiktok-activation:advertisers: [{name: acme}]": "has no aws:region",
    "config:\n  aws:region: us-east-1\n  tiktok-activation:advertisers: []": "lists no advertiser",
    "config:\n  aws:region: us-east-1\n  x:\n    secure: AAAB": "a secret that Pulumi has encrypted",
}


@pytest.mark.parametrize("text", REFUSED)
def test_a_configuration_that_is_of_no_use_here_is_refused_in_a_sentence(text: str) -> None:
    with pytest.raises(ConfigurationError, match=REFUSED[text]) as refused:
        read_config(text, "Pulumi.dev.yaml")
    assert str(refused.value).startswith("Pulumi.dev.yaml ")


def test_a_configuration_is_read() -> None:
    assert read_config("config:\n  aws:region: eu-west-1", "Pulumi.dev.yaml") == {"aws:region": "eu-west-1"}


def test_a_strict_advertiser_has_the_file_with_mistakes_refused() -> None:
    ends = {ratio: {each.key: each.code for each in samples("acme", ratio)} for ratio in (0.1, 0.001)}
    assert ends[0.1] != ends[0.001]
    assert {*ends[0.001].items()} - {*ends[0.1].items()} == {
        ("tiktok/loyalty/email_sha256/loyalty-with-mistakes.csv", "too_many_rejected")
    }
