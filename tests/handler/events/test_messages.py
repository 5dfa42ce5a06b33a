"""Parsing of the messages from SQS."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from handler.errors import MessageError
from handler.events.messages import continue_message, parse_message
from handler.model import AudienceKey, IdentifierType, Upload

EVENTS = Path(__file__).parents[2] / "events"
VIP = AudienceKey(IdentifierType.EMAIL_SHA256, "vip")


def event(**changes: Any) -> dict[str, Any]:
    message: dict[str, Any] = json.loads((EVENTS / "s3_object_created.json").read_text())
    return {**message, **changes}


def test_an_s3_event_is_parsed_as_an_upload() -> None:
    upload = parse_message(json.dumps(event()), "acme-uploads")
    assert isinstance(upload, Upload)
    assert upload.key == "tiktok/vip/email_sha256/march+april 100%.csv"
    assert upload.version_id == "IYV3p45BT0ac8hjHg1houSdS1a.Mro8e"
    assert upload.uploaded_at.isoformat() == "2026-01-31T12:00:00+00:00"


def test_a_continue_message_names_the_audience() -> None:
    assert parse_message(continue_message(VIP), "acme-uploads") == VIP


def test_the_message_from_the_schedule_is_a_sweep() -> None:
    assert parse_message('{"sweep": true}', "acme-uploads") is None


def _with_key(key: object) -> str:
    message = event()
    message["detail"]["object"]["key"] = key
    return json.dumps(message)


@pytest.mark.parametrize(
    "body",
    [
        "",
        "not JSON",
        "[]",
        "null",
        '{"sweep": false}',
        '{"sweep": true, "more": 1}',
        '{"continue": {"audience": "vip"}}',
        '{"continue": {"audience": "vip", "identifier_type": "email"}}',
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
def test_any_other_message_is_refused(body: str) -> None:
    with pytest.raises(MessageError):
        parse_message(body, "acme-uploads")


def test_an_event_from_another_bucket_is_refused() -> None:
    with pytest.raises(MessageError, match="another bucket"):
        parse_message(json.dumps(event()), "globex-uploads")
