"""The environment variables: defaults, valid values, and errors that name the missing or malformed variable."""

from __future__ import annotations

import pytest

from handler.errors import SettingsError
from handler.settings import read_settings

COMPLETE = {
    "BUCKET_NAME": "acme-uploads",
    "CREDENTIALS_SECRET_ARN": "arn:aws:secretsmanager:us-east-1:111122223333:secret:acme",
    "QUEUE_URL": "https://sqs.us-east-1.amazonaws.com/111122223333/acme",
    "ADVERTISER": "acme",
}


def test_optional_variables_have_defaults() -> None:
    settings = read_settings(COMPLETE)
    assert settings.tiktok_url == "https://business-api.tiktok.com"
    assert settings.max_part_bytes == 50_000_000
    assert settings.max_rejected_ratio == 0.1
    assert settings.create_grace_seconds == 900


def test_optional_variables_can_be_set() -> None:
    settings = read_settings(
        COMPLETE
        | {
            "TIKTOK_API_URL": "http://127.0.0.1:8080/",
            "MAX_PART_BYTES": "1000",
            "MAX_REJECTED_RATIO": "0.5",
            "CREATE_GRACE_SECONDS": "0",
        }
    )
    assert settings.tiktok_url == "http://127.0.0.1:8080"
    assert (settings.max_part_bytes, settings.max_rejected_ratio, settings.create_grace_seconds) == (1000, 0.5, 0)


@pytest.mark.parametrize("name", COMPLETE)
@pytest.mark.parametrize("value", [None, "", " "])
def test_a_missing_variable_is_named(name: str, value: str | None) -> None:
    environment = {key: text for key, text in COMPLETE.items() if key != name} | ({name: value} if value else {})
    with pytest.raises(SettingsError, match=name):
        read_settings(environment)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("TIKTOK_API_URL", "business-api.tiktok.com"),
        ("TIKTOK_API_URL", "ftp://tiktok"),
        ("MAX_PART_BYTES", "50 MB"),
        ("MAX_PART_BYTES", "999"),
        ("MAX_PART_BYTES", "250000001"),
        ("MAX_REJECTED_RATIO", "10%"),
        ("MAX_REJECTED_RATIO", "1.1"),
        ("MAX_REJECTED_RATIO", "nan"),
        ("CREATE_GRACE_SECONDS", "-1"),
    ],
)
def test_a_malformed_variable_is_named(name: str, value: str) -> None:
    with pytest.raises(SettingsError, match=name):
        read_settings(COMPLETE | {name: value})


def test_an_integer_with_a_fraction_is_rejected_as_such() -> None:
    with pytest.raises(SettingsError, match="MAX_PART_BYTES must be an integer from"):
        read_settings({**COMPLETE, "MAX_PART_BYTES": "1.5"})
