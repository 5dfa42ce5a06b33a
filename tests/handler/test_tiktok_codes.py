"""Every class of TikTok's codes, and words that must not pass on."""

from __future__ import annotations

import pytest

from handler.tiktok_codes import Meaning, classify, scrub

CLASSES = {
    Meaning.FINE: [0, 20001],
    Meaning.THROTTLED: [40100, 40016, 40132, 40133, 61000],
    Meaning.BUSY: [40200, 40201, 40202, 50000, 50002, 51000, 51999, 52000, 53999, 60001, 99999],
    Meaning.UPLOAD_AGAIN: [40900, 40905, 40910],
    Meaning.FILE_REFUSED: [40906, 40907, 40908, 40909, 40915, 40062],
    Meaning.TOKEN_REFUSED: [40101, 40102, 40103, 40104, 40105, 40106, 40110, 40113, 40115, 40117, 40119, 40124],
    Meaning.PERMISSION_REFUSED: [40001, 40118, 40125, 40130, 40300, 40301],
    Meaning.REQUEST_REFUSED: [40000, 40002, 40003, 40006, 40008, 40010, 40012, 40050, 40051, 40061, 40700, 1, 49999],
}


@pytest.mark.parametrize(("code", "meaning"), [(code, meaning) for meaning, codes in CLASSES.items() for code in codes])
def test_a_code_has_its_class(code: int, meaning: Meaning) -> None:
    assert classify(code, "Something about the request") is meaning


@pytest.mark.parametrize(
    ("message", "meaning"),
    [
        ("Audience is not editable, please check audience status", Meaning.NOT_EDITABLE),
        ("There is an unfinished REPLACE operation for this audience", Meaning.NOT_EDITABLE),
        ("Only one REPLACE operation is allowed per audience per day.", Meaning.REPLACED_TODAY),
        ("You can replace an audience once every 24 hours", Meaning.REPLACED_TODAY),
        ("The number of audiences has reached the limit of 400.", Meaning.AUDIENCE_LIMIT),
        ("You have exceeded the maximum number of custom audiences", Meaning.AUDIENCE_LIMIT),
        ("The audience size would be less than 1,000 after the operation.", Meaning.TOO_FEW_LEFT),
        ("custom_audience_id: the audience does not exist.", Meaning.UNKNOWN_AUDIENCE),
        ("custom_audience_name: length must be 1 to 128", Meaning.REQUEST_REFUSED),
    ],
)
def test_the_words_of_40002_tell(message: str, meaning: Meaning) -> None:
    assert classify(40002, message) is meaning


@pytest.mark.parametrize(("status", "meaning"), [(429, Meaning.THROTTLED), (500, Meaning.BUSY), (503, Meaning.BUSY)])
def test_http_errors_win_over_the_code(status: int, meaning: Meaning) -> None:
    assert classify(0, "", status) is meaning


@pytest.mark.parametrize(
    "personal",
    [
        "jane.doe@example.com",
        "3d562b4ba5680ddba530ca888ec699e921b74fcbf5b89e34868d2c9afcd82fb9",
        "3D562B4BA5680DDBA530CA888EC699E9",
        "+1 415 555 26 71",
        "38400000-8cf0-11bd-b23e-10b96e40000d",
        "act-0123456789abcdefghijklmnopqrstuvwxyz_TOKEN",
    ],
)
def test_what_could_identify_somebody_is_removed(personal: str) -> None:
    assert scrub(f"The row {personal} is invalid.") == "The row [removed] is invalid."


def test_ordinary_words_stay_and_long_ones_are_cut() -> None:
    assert scrub("The audience size would be less than 1,000.") == "The audience size would be less than 1,000."
    assert len(scrub("word " * 100)) == 300
