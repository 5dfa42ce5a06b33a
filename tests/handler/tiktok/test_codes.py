"""Every class of TikTok's codes, and words that must not pass on."""

from __future__ import annotations

import pytest

from handler.tiktok.codes import Meaning, classify, scrub

CLASSES = {
    Meaning.FINE: [0, 20001],
    Meaning.THROTTLED: [40100, 40016, 40132, 40133, 61000],
    Meaning.BUSY: [40200, 40201, 40202, 50000, 50002, 51000, 51999, 52000, 53999, 60001, 99999],
    Meaning.UPLOAD_AGAIN: [40900, 40905, 40910],
    Meaning.FILE_REFUSED: [40906, 40907, 40908, 40909, 40915, 40062],
    Meaning.TOKEN_REFUSED: [40101, 40102, 40103, 40104, 40105, 40106, 40110, 40113, 40115, 40117, 40119, 40124],
    Meaning.PERMISSION_REFUSED: [40001, 40118, 40125, 40130, 40300, 40301],
    Meaning.REQUEST_REFUSED: [40000, 40002, 40003, 40006, 40008, 40010, 40012, 40050, 40051, 40061, 40700],
}


CALLS = ["file/upload", "create", "update", "list", "get"]
NOT_WHEN_ASKING = {Meaning.UPLOAD_AGAIN, Meaning.FILE_REFUSED, Meaning.REQUEST_REFUSED}


@pytest.mark.parametrize("call", CALLS)
@pytest.mark.parametrize(("code", "meaning"), [(code, meaning) for meaning, codes in CLASSES.items() for code in codes])
def test_a_code_has_its_class(code: int, meaning: Meaning, call: str) -> None:
    if call in {"list", "get"} and meaning in NOT_WHEN_ASKING:
        wrong = meaning is Meaning.REQUEST_REFUSED and call == "list"  # it names nothing but the advertiser
        meaning = Meaning.PERMISSION_REFUSED if wrong else Meaning.BUSY
    assert classify(code, "Something about the request", call) is meaning


@pytest.mark.parametrize("code", [-1, 1, 403, 10000, 20002, 40400, 41000, 49999])
def test_a_code_nobody_knows_fails_no_file_where_tiktok_is_only_asked(code: int) -> None:
    classes = {call: classify(code, "Under maintenance", call) for call in CALLS}
    assert classes.pop("list") is classes.pop("get") is Meaning.BUSY
    assert set(classes.values()) == {Meaning.REQUEST_REFUSED}


@pytest.mark.parametrize(
    ("call", "message", "meaning"),
    [
        ("update", "Audience is not editable, please check audience status", Meaning.NOT_EDITABLE),
        ("update", "There is an unfinished REPLACE operation for this audience", Meaning.NOT_EDITABLE),
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
    ],
)
def test_the_words_of_40002_tell(call: str, message: str, meaning: Meaning) -> None:
    assert classify(40002, message, call) is meaning


@pytest.mark.parametrize(
    ("call", "message"),
    [
        ("create", "custom_audience_name: length must be 1 to 128"),
        ("create", "custom_audience_name: The length exceeds the maximum of 128 characters."),
        ("create", "The number of file_paths exceeds the limit of 500."),
        ("create", "Audience name already exists, the maximum is one"),
        ("create", "custom_audience_name: your other audiences limit its length"),
        ("create", "The audience does not exist"),
        ("update", "The number of audiences has reached the limit of 400."),
        ("update", "The advertiser's audience permission was not found"),
        ("update", "The audience cannot be deleted"),
        ("update", "Replacing a file: the format is one identifier per day"),
        ("update", "The size of a file is less than 1,000,000 rows"),
        ("update", "file: must be at least 1000 bytes"),
    ],
)
def test_other_words_of_40002_say_that_the_request_is_wrong(call: str, message: str) -> None:
    assert classify(40002, message, call) is Meaning.REQUEST_REFUSED


@pytest.mark.parametrize(("status", "meaning"), [(500, Meaning.BUSY), (503, Meaning.BUSY)])
def test_http_errors_win_over_the_code(status: int, meaning: Meaning) -> None:
    assert classify(0, "", "create", status) is meaning


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
def test_what_could_identify_somebody_is_removed(personal: str) -> None:
    assert scrub(f"The row {personal} is invalid.") == "The row [removed] is invalid."


@pytest.mark.parametrize(
    "message",
    [
        "The audience size would be less than 1,000.",
        "Codes 40002, 40105 and 50000; 400 of 1,000 to 2,000 audiences, 1000000 rows",
        "custom_audience_ids[0]: Not a valid string of digits.",
        "calculate_type: Must be one of: EMAIL_SHA256, PHONE_SHA256, FIRST_MD5.",
    ],
)
def test_ordinary_words_and_figures_stay(message: str) -> None:
    assert scrub(message) == message


def test_long_words_are_cut() -> None:
    assert len(scrub("word " * 100)) == 300
