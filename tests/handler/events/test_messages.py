"""What a message and an object key ask for."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from handler.errors import MessageError, Rejected
from handler.events.keys import parse_key
from handler.events.messages import Sweep, object_created_event, parse_message
from handler.model import Action, AudienceKey, IdentifierType, Target, Upload
from handler.report_codes import Code

EVENTS = Path(__file__).parents[2] / "events"
VIP = AudienceKey(IdentifierType.EMAIL_SHA256, "vip")


def event(**changes: Any) -> dict[str, Any]:
    message: dict[str, Any] = json.loads((EVENTS / "s3_object_created.json").read_text())
    return {**message, **changes}


def test_an_event_of_s3_is_a_file() -> None:
    file = parse_message(json.dumps(event()), "acme-uploads")
    assert isinstance(file, Upload)
    assert file.key == "tiktok/vip/email_sha256/march+april 100%.csv"
    assert file.version_id == "IYV3p45BT0ac8hjHg1houSdS1a.Mro8e"
    assert file.uploaded_at.isoformat() == "2026-01-31T12:00:00+00:00"


def test_the_message_to_go_on_is_the_event_again() -> None:
    file = parse_message(json.dumps(event()), "acme-uploads")
    assert isinstance(file, Upload)
    assert parse_message(object_created_event("acme-uploads", file), "acme-uploads") == file


def test_the_schedule_asks_for_a_sweep() -> None:
    assert parse_message('{"sweep": true}', "acme-uploads") == Sweep()


def test_a_folder_marker_asks_for_nothing() -> None:
    marker = event()
    marker["detail"]["object"]["key"] = "tiktok/vip/"
    assert parse_message(json.dumps(marker), "acme-uploads") is None


def _with_key(key: object) -> str:
    message = event()
    message["detail"]["object"]["key"] = key
    return json.dumps(message)


@pytest.mark.parametrize(
    "body",
    [
        "",
        "no JSON",
        "[]",
        "null",
        '{"sweep": false}',
        '{"sweep": true, "more": 1}',
        json.dumps(event(**{"detail-type": "Object Deleted"})),
        json.dumps(event(detail=None)),
        json.dumps(event(detail={"bucket": {"name": "acme-uploads"}})),
        json.dumps(event(time="yesterday")),
        json.dumps(event(time=None)),
        _with_key(None),
        _with_key(7),
        _with_key("\ud800"),
        _with_key("reports/x.json"),
        _with_key("tiktok/vip/email_sha256/" + "x" * 900 + ".csv"),
    ],
)
def test_anything_else_is_refused(body: str) -> None:
    with pytest.raises(MessageError):
        parse_message(body, "acme-uploads")


def test_an_event_of_another_bucket_is_refused() -> None:
    with pytest.raises(MessageError, match="another bucket"):
        parse_message(json.dumps(event()), "globex-uploads")


def appended(identifier_type: IdentifierType, name: str) -> Target:
    return Target(AudienceKey(identifier_type, name), Action.APPEND)


@pytest.mark.parametrize(
    ("key", "target"),
    [
        ("tiktok/vip/email_sha256/a.csv", Target(VIP, Action.APPEND)),
        ("tiktok/vip/EMAIL_SHA256/a.csv", Target(VIP, Action.APPEND)),
        ("tiktok/ vip\t/email_sha256/a.csv", Target(VIP, Action.APPEND)),
        ("tiktok/vip/email_sha256/append/a.csv", Target(VIP, Action.APPEND)),
        ("tiktok/vip/email_sha256/REMOVE/a.csv.gz", Target(VIP, Action.REMOVE)),
        ("tiktok/vip/email_sha256/Replace/a.txt", Target(VIP, Action.REPLACE)),
        ("tiktok/Vip/idfa_md5/a.txt.gz", Target(AudienceKey(IdentifierType.IDFA_MD5, "Vip"), Action.APPEND)),
        ("tiktok/a+b 100%/phone_sha256/x.csv", appended(IdentifierType.PHONE_SHA256, "a+b 100%")),
        (f"tiktok/{'ü' * 128}/first_sha256/x.csv", appended(IdentifierType.FIRST_SHA256, "ü" * 128)),
    ],
)  # fmt: skip
def test_a_key_says_audience_type_and_action(key: str, target: Target) -> None:
    assert parse_key(key) == target


@pytest.mark.parametrize(
    ("key", "code"),
    [
        ("tiktok/a.csv", Code.WRONG_LAYOUT),
        ("tiktok/vip/a.csv", Code.WRONG_LAYOUT),
        ("tiktok/vip/email_sha256/append/deeper/a.csv", Code.WRONG_LAYOUT),
        ("TikTok/vip/email_sha256/a.csv", Code.WRONG_LAYOUT),
        ("tiktok//email_sha256/a.csv", Code.WRONG_AUDIENCE_NAME),
        ("tiktok/ /email_sha256/a.csv", Code.WRONG_AUDIENCE_NAME),
        ("tiktok/../email_sha256/a.csv", Code.WRONG_AUDIENCE_NAME),
        ("tiktok/a\x00b/email_sha256/a.csv", Code.WRONG_AUDIENCE_NAME),
        (f"tiktok/{'x' * 129}/email_sha256/a.csv", Code.WRONG_AUDIENCE_NAME),
        ("tiktok/vip/email/a.csv", Code.UNKNOWN_IDENTIFIER_TYPE),
        ("tiktok/vip/email_md5/a.csv", Code.UNKNOWN_IDENTIFIER_TYPE),
        ("tiktok/vip/maid_sha256/a.csv", Code.UNKNOWN_IDENTIFIER_TYPE),
        ("tiktok/vip/email_sha256/delete/a.csv", Code.UNKNOWN_ACTION),
        ("tiktok/vip/email_sha256/a.xlsx", Code.WRONG_FILE_EXTENSION),
        ("tiktok/vip/email_sha256/a.zip", Code.WRONG_FILE_EXTENSION),
        ("tiktok/vip/email_sha256/csv", Code.WRONG_FILE_EXTENSION),
    ],
)
def test_a_key_outside_the_layout_is_rejected_with_its_reason(key: str, code: Code) -> None:
    with pytest.raises(Rejected) as rejected:
        parse_key(key)
    assert rejected.value.code is code
    assert rejected.value.reason.isprintable()
    assert len(rejected.value.reason) < 300
