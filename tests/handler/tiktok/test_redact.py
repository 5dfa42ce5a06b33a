"""Removing identifiers and tokens from TikTok's messages."""

from __future__ import annotations

import pytest

from handler.tiktok.redact import redact, redact_token


@pytest.mark.parametrize(
    "personal",
    [
        "jane.doe@example.com",
        "3d562b4ba5680ddba530ca888ec699e921b74fcbf5b89e34868d2c9afcd82fb9",
        "3D562B4BA5680DDBA530CA888EC699E9",
        "+1 415 555 26 71",
        "38400000-8cf0-11bd-b23e-10b96e40000d",
        "act-0123456789abcdefghijklmnopqrstuvwxyz_TOKEN",
        "act.Example12345Example12345Example!4545.va",
        "act.Example!",
        "gho_16C7e42F292c6912E7.kX!",
        "PVYrS6Vmh9pTDKiI7Gmem5IbdM+1tPjjTQpuiC2c/7k=",
        "5d41402abc4b2a76",
        "a1b2c3d4-0000-1111",
        "030123456",
        "+49.30.1234567",
        "030 123/45-67",
        "jane @ example.com",
        "jane%40example.com",
    ],
)
def test_identifiers_and_tokens_are_removed(personal: str) -> None:
    assert redact(f"The row {personal} is invalid.") == "The row [removed] is invalid."


@pytest.mark.parametrize(
    "message",
    [
        "The audience size would be less than 1,000.",
        "Codes 40002, 40105 and 50000; 400 of 1,000 to 2,000 audiences, 1000000 rows",
        "custom_audience_ids[0]: Not a valid string of digits.",
        "calculate_type: Must be one of: EMAIL_SHA256, PHONE_SHA256, FIRST_MD5.",
    ],
)
def test_ordinary_words_and_numbers_are_kept(message: str) -> None:
    assert redact(message) == message


def test_long_messages_are_truncated() -> None:
    assert len(redact("word " * 100)) == 300


def test_the_token_of_a_call_is_removed_in_any_case() -> None:
    assert redact_token("The token Sec!et.of~acme (SEC!ET.OF~ACME) is bad", "Sec!et.of~acme") == (
        "The token [removed] ([removed]) is bad"
    )
