"""The meaning of TikTok's codes, and of its messages if a code is ambiguous."""

from __future__ import annotations

import pytest

from handler.errors import CredentialsRefused, Failed, Throttled, Waiting
from handler.report_codes import Code
from handler.tiktok.codes import Meaning, meaning_of_code, refusal
from handler.tiktok.responses import TikTokResponse, classify

CODES = {
    Meaning.SUCCESS: [0, 20001],
    Meaning.THROTTLED: [40100, 40016, 40132, 40133, 61000],
    Meaning.BUSY: [40200, 40201, 40202, 50000, 50002, 51000, 51999, 52000, 53999, 60001, 99999],
    Meaning.UPLOAD_AGAIN: [40900, 40905, 40910],
    Meaning.FILE_REFUSED: [40906, 40907, 40908, 40909, 40915, 40062],
    Meaning.TOKEN_REFUSED: [
        *range(40101, 40118), 40119, 40124, 40126, 40127, 40128, 40129, 40131,
    ],
    Meaning.PERMISSION_REFUSED: [40001, 40003, 40118, 40125, 40130, 40300, 40301, 41000],
    Meaning.REQUEST_REFUSED: [
        40000, 40002, 40006, 40007, 40008, 40010, 40011, 40012, 40050, 40051, 40061, 40700,
    ],
}  # fmt: skip
UNLISTED = [-1, 1, 403, 10000, 20002, 40400, 41001, 49999]
CHANGING = ["file/upload", "create", "update"]


@pytest.mark.parametrize("meaning", CODES, ids=lambda meaning: meaning.name)
def test_a_code_has_the_same_meaning_for_every_call_that_makes_a_change(meaning: Meaning) -> None:
    found = {(code, call): classify(code, "Something is wrong", call) for code in CODES[meaning] for call in CHANGING}
    assert found == dict.fromkeys(found, meaning)


@pytest.mark.parametrize("meaning", CODES, ids=lambda meaning: meaning.name)
def test_a_call_that_only_reads_never_blames_a_file(meaning: Meaning) -> None:
    found = {call: {classify(code, "Something is wrong", call) for code in CODES[meaning]} for call in ("list", "get")}
    at_fault = meaning in {Meaning.UPLOAD_AGAIN, Meaning.FILE_REFUSED, Meaning.REQUEST_REFUSED}
    # The only argument of a listing is the advertiser.
    listed = Meaning.PERMISSION_REFUSED if meaning is Meaning.REQUEST_REFUSED else Meaning.BUSY
    assert found == {"list": {listed if at_fault else meaning}, "get": {Meaning.BUSY if at_fault else meaning}}


@pytest.mark.parametrize("code", UNLISTED)
def test_an_unlisted_code_of_a_call_that_only_reads_fails_no_file(code: int) -> None:
    assert {classify(code, "Under maintenance", call) for call in CHANGING} == {Meaning.REQUEST_REFUSED}
    assert {classify(code, "Under maintenance", call) for call in ("list", "get")} == {Meaning.BUSY}


@pytest.mark.parametrize("status", [500, 503])
def test_http_errors_take_precedence_over_the_code(status: int) -> None:
    assert classify(0, "", "create", status) is Meaning.BUSY


MESSAGES = [
    ("update", "Audience is not editable, please check audience status", Meaning.NOT_EDITABLE),
    ("update", "There is an unfinished REPLACE operation for this audience", Meaning.NOT_EDITABLE),
    (
        "update",
        "This replace operation is rejected as there is an existing unfinished replace operation for this audience. "
        "Please note that no more than one replace operation per day is allowed.",
        Meaning.NOT_EDITABLE,
    ),
    ("update", "Only one REPLACE operation is allowed per audience per day.", Meaning.REPLACED_TODAY),
    ("update", "You can replace an audience once every 24 hours", Meaning.REPLACED_TODAY),
    ("create", "The number of audiences has reached the limit of 400.", Meaning.AUDIENCE_LIMIT),
    ("create", "You have exceeded the maximum number of custom audiences", Meaning.AUDIENCE_LIMIT),
    ("create", "Audience count limit exceeded", Meaning.AUDIENCE_LIMIT),
    ("update", "The audience size would be less than 1,000 after the operation.", Meaning.TOO_FEW_LEFT),
    ("update", "At least 1000 users have to remain", Meaning.TOO_FEW_LEFT),
    ("update", "custom_audience_id: the audience does not exist.", Meaning.UNKNOWN_AUDIENCE),
    ("get", "Audience with id 7 cannot be found", Meaning.UNKNOWN_AUDIENCE),
    ("update", "The audience has been deleted", Meaning.UNKNOWN_AUDIENCE),
    ("create", "custom audience: file_paths[0] does not exist", Meaning.UPLOAD_AGAIN),
    ("update", "file_path has expired", Meaning.UPLOAD_AGAIN),
    ("file/upload", "You have not accepted the Custom Audience Terms", Meaning.TERMS_NOT_ACCEPTED),
    ("list", "Please agree to the custom audience terms of service.", Meaning.TERMS_NOT_ACCEPTED),
    ("get", "The custom audience terms are not found for this audience", Meaning.TERMS_NOT_ACCEPTED),
]


@pytest.mark.parametrize(("call", "message", "meaning"), MESSAGES)
def test_a_message_decides_under_every_code_for_an_invalid_request(call: str, message: str, meaning: Meaning) -> None:
    codes = [*CODES[Meaning.REQUEST_REFUSED], *UNLISTED]
    assert {classify(code, words, call) for code in codes for words in (message, message.upper())} == {meaning}


def test_the_message_of_a_missing_permission_is_only_checked_for_the_terms() -> None:
    for code in CODES[Meaning.PERMISSION_REFUSED]:
        assert classify(code, "Accept the Custom Audience Terms first", "create") is Meaning.TERMS_NOT_ACCEPTED
        assert classify(code, "Audience is not editable", "update") is Meaning.PERMISSION_REFUSED
    assert classify(40105, "See our terms", "create") is Meaning.TOKEN_REFUSED


@pytest.mark.parametrize(
    ("call", "message"),
    [
        ("create", "custom_audience_name: length must be 1 to 128"),
        ("create", "custom_audience_name: The length exceeds the maximum of 128 characters."),
        ("create", "The number of file_paths exceeds the limit of 500."),
        ("create", "Audience name already exists, the maximum is one"),
        ("create", "custom_audience_name: your other audiences limit its length"),
        ("create", "The audience does not exist"),
        ("create", "In terms of size the file is unusual"),
        ("update", "The number of audiences has reached the limit of 400."),
        ("update", "The advertiser's audience permission was not found"),
        ("update", "The advertiser was not found by the audience service"),
        ("update", "The audience cannot be deleted"),
        ("update", "Replacing a file: the format is one identifier per day"),
        ("update", "The size of a file is less than 1,000,000 rows"),
        ("update", "file: must be at least 1000 bytes"),
    ],
)
def test_other_messages_mean_that_the_request_is_invalid(call: str, message: str) -> None:
    assert classify(40002, message, call) is Meaning.REQUEST_REFUSED


@pytest.mark.parametrize(
    ("meaning", "error", "code"),
    [
        (Meaning.THROTTLED, Throttled, Code.TIKTOK_THROTTLED),
        (Meaning.BUSY, Waiting, Code.TIKTOK_UNAVAILABLE),
        (Meaning.TOKEN_REFUSED, CredentialsRefused, Code.TOKEN_REFUSED),
        (Meaning.PERMISSION_REFUSED, CredentialsRefused, Code.PERMISSION_REFUSED),
        (Meaning.TERMS_NOT_ACCEPTED, CredentialsRefused, Code.TERMS_NOT_ACCEPTED),
        (Meaning.REQUEST_REFUSED, Failed, Code.REQUEST_REFUSED),
    ],
)
def test_a_meaning_has_its_error(meaning: Meaning, error: type[Exception], code: Code) -> None:
    outcome = refusal(meaning, TikTokResponse(meaning, 40002, "No.", "42").details, "7000000000000000001")
    assert type(outcome) is error
    assert outcome.code is code
    assert meaning is Meaning.THROTTLED or "(code 40002: No; request 42)" in outcome.reason


def test_every_meaning_except_success_has_an_error() -> None:
    for meaning in {*Meaning} - {Meaning.SUCCESS}:
        assert refusal(meaning, TikTokResponse(meaning).details, "7").reason.endswith(".")


def test_the_reason_of_a_missing_permission_names_the_advertiser() -> None:
    details = " (code 40001: Not found; request 42)"
    reason = refusal(meaning_of_code(40001), details, "7000000000000000001").reason
    assert f"advertiser 7000000000000000001{details}" in reason
