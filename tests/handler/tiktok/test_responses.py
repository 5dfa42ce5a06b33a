"""Responses in undocumented forms: no upload is lost, no audience is duplicated, and no token leaks."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import pytest

from handler.errors import Waiting
from handler.tiktok.responses import Audience, parse_audience, parse_details, parse_id, parse_page
from tests.handler.tiktok.altered_responses import Alter, alter, data, without
from tests.handler.world import ADVERTISER_ID, World, lines, people

KEY = "tiktok/vip/email_sha256/first.csv"
SECOND = "tiktok/vip/email_sha256/second.csv"


def item(**fields: Any) -> dict[str, Any]:
    return {"audience_id": "7", "name": "vip", "audience_type": "Customer File Audience", "is_valid": True, **fields}


def audience(**fields: Any) -> Audience:
    return parse_audience(item(**fields))


@pytest.mark.parametrize(
    ("value", "matched"),
    [("1,000+", 1000), ("--", 0), ("1000.0", 1000), ("21000", 21000), (5, 5), (None, 0), (-1, 0), (1e400, 0), ([], 0)],
)
def test_a_number_is_parsed_in_any_form(value: object, matched: int) -> None:
    assert audience(cover_num=value).matched == matched


@pytest.mark.parametrize(
    ("value", "valid"),
    [(True, True), ("true", True), (1, True), (False, False), ("false", False), (None, None), ("?", None)],
)
def test_a_flag_is_parsed_in_any_form_or_unknown(value: object, valid: bool | None) -> None:
    assert audience(is_valid=value).is_valid is valid


@pytest.mark.parametrize(
    "value", ["1970-01-01 00:00:00", "0000-00-00 00:00:00", "-", "", 0, None, "2026-01-31 12:00:00"]
)
def test_an_impossible_time_of_expiry_is_ignored(value: object) -> None:
    assert audience(expired_time=value, create_time="2026-01-31 12:00:00").expires_at is None


def test_a_time_of_expiry_is_parsed() -> None:
    found = audience(expired_time="2026-01-31 12:00:01", create_time="2026-01-31 12:00:00")
    assert found.expires_at == datetime(2026, 1, 31, 12, 0, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    ("value", "failed"), [("", False), ("-", False), ("OK", False), ("0 errors", False), ("40002", True), ("bad", True)]
)
def test_only_an_error_message_that_names_an_error_counts(value: str, failed: bool) -> None:
    assert audience(error_msg=value).failed is failed


@pytest.mark.parametrize("value", [None, "", " ", 0, "0", "null", "None", True, [], {}])
def test_an_empty_value_is_not_an_id(value: object) -> None:
    assert parse_id(value) is None
    with pytest.raises(Waiting, match="incomplete or cannot be read"):
        parse_details({"list": [{"audience_details": item(audience_id=value)}]})


@pytest.mark.parametrize(
    "content",
    [
        {},
        {"list": None},
        {"list": [item()]},
        {"list": {"7": item()}, "page_info": {"total_page": 1, "total_number": 1}},
        {"list": None, "page_info": {"total_page": 1, "total_number": 1}},
        {"list": [item()], "page_info": {"total_page": "?", "total_number": 1}},
        {"list": ["7"], "page_info": {"total_page": 1, "total_number": 1}},
    ],
)
def test_an_unreadable_listing_is_not_an_empty_one(content: Mapping[str, Any]) -> None:
    with pytest.raises(Waiting, match="incomplete or cannot be read"):
        parse_page(content)


def test_malformed_entries_of_a_history_are_left_out() -> None:
    history = ["?", {"action": "APPEND"}, {"action": "APPEND", "opt_time": "2026-01-31 12:00:00", "msg": None}]
    assert parse_audience(item(), history).history == (("APPEND", datetime(2026, 1, 31, 12, tzinfo=UTC), ""),)
    assert parse_audience(item(), {"odd": "history"}).history == ()


@pytest.mark.parametrize(
    "altered",
    [
        data({"list": []}),
        data({"list": None, "page_info": {"total_number": 0, "total_page": 0}}),
        data({"list": [], "page_info": {"total_number": "0", "total_page": "1"}}),
        lambda response: (
            response
            | {
                "data": {
                    "list": [item(name="other", audience_type="Lookalike Audience", cover_num="1,000+")],
                    "page_info": {"total_number": "1", "total_page": "1"},
                }
            }
        ),
    ],
)
def test_an_unusual_listing_without_the_audience_does_not_stop_the_upload(world: World, altered: Alter) -> None:
    alter(world, "list", altered, times=1)
    assert world.activate(KEY, lines(people(0, 2000)))["status"] == "submitted"


@pytest.mark.parametrize(
    "altered",
    [
        data(None),
        data([]),
        data({"list": [item(audience_id=None)], "page_info": {"total_number": 1, "total_page": 1}}),
        data({"list": [item()], "page_info": {"total_number": 10**9, "total_page": 10**9}}),
        lambda _: [1],
        lambda _: b"[" * 100_000,
        lambda _: b"<html>",
        lambda response: response | {"code": 403, "message": "Forbidden"},
    ],
)
@pytest.mark.parametrize("status", [200, *(pytest.param(code, marks=pytest.mark.processes) for code in (403, 404))])
def test_uploads_wait_while_the_listing_is_unreadable(world: World, altered: Alter, status: int) -> None:
    alter(world, "list", altered, status=status)
    report = world.activate(KEY, lines(people(0, 2000)))
    assert (report["status"], report["code"]) == ("waiting", "tiktok_unavailable")
    assert world.calls("create") == []
    alter(world, "list", lambda response: response)
    world.sweep()
    assert world.outcome(KEY) == ("submitted", "submitted")


@pytest.mark.parametrize("altered", [data(None), data({}), data({"list": [{}]}), data({"list": [7]})])
def test_unreadable_details_do_not_count_as_a_deleted_audience(world: World, altered: Alter) -> None:
    world.activate(KEY, lines(people(0, 2000)))
    world.sweep(hours=1)
    world.tiktok.configure(list_lag_seconds=10 * 3600)
    alter(world, "get", altered)
    report = world.activate(SECOND, lines(people(0, 2000)))
    assert (report["status"], report["code"]) == ("waiting", "tiktok_unavailable")
    assert world.calls("create") == ["create"]


@pytest.mark.parametrize("field", ["is_valid", "cover_num", "create_time"])
def test_an_optional_field_that_the_listing_lacks_creates_no_duplicate(world: World, field: str) -> None:
    (vip,) = world.tiktok.seed(ADVERTISER_ID, name="vip")
    alter(world, "list", without(field))
    assert world.activate(KEY, lines(people(0, 2000)))["audience"]["id"] == vip


@pytest.mark.parametrize("field", ["calculate_type", "audience_type", "is_creator", "name"])
def test_details_of_possible_matches_are_requested_in_one_call(world: World, field: str) -> None:
    world.tiktok.seed(ADVERTISER_ID, name="other")
    world.tiktok.seed(ADVERTISER_ID, name="vip", calculate_type="PHONE_SHA256")
    (vip,) = world.tiktok.seed(ADVERTISER_ID, name="vip")
    alter(world, "list", without(field))
    assert world.activate(KEY, lines(people(0, 2000)))["audience"]["id"] == vip
    assert world.calls("get") == ["get"]


@pytest.mark.parametrize("fields", [["audience_id"], ["audience_type", "type"], ["is_creator"], ["name"]])
def test_an_upload_waits_while_a_possible_match_lacks_details(world: World, fields: list[str]) -> None:
    (vip,) = world.tiktok.seed(ADVERTISER_ID, name="vip")
    for call in ("list", "get"):
        alter(world, call, without(*fields))
    report = world.activate(KEY, lines(people(0, 2000)))
    assert (report["status"], report["code"]) == ("waiting", "tiktok_unavailable")
    assert world.calls("create", "update") == []
    alter(world, "list", lambda response: response)
    world.sweep()
    assert world.report(KEY)["audience"]["id"] == vip


@pytest.mark.parametrize("field", ["calculate_type", "audience_type", "is_creator", "name"])
def test_a_lost_create_is_found_whatever_field_the_listing_lacks(world: World, field: str) -> None:
    alter(world, "list", without(field))
    world.tiktok.fault("create", "cut_after")
    world.activate(KEY, lines(people(0, 2000)))
    for _ in range(2):
        world.sweep(hours=1)
    assert world.outcome(KEY) == ("available", "available")
    assert len(world.audiences()) == 1


@pytest.mark.parametrize(
    ("other", "field"),
    [
        ({"name": "other"}, "audience_id"),
        ({"name": "other"}, "audience_type"),
        ({"name": "other"}, "calculate_type"),
        ({"audience_type": "Lookalike Audience"}, "name"),
        ({"audience_type": "Lookalike Audience"}, "is_creator"),
    ],
)
def test_a_missing_field_of_another_audience_does_not_stop_the_upload(
    world: World, other: dict[str, Any], field: str
) -> None:
    world.tiktok.seed(ADVERTISER_ID, **{"name": "vip", **other})
    alter(world, "list", without(field))
    assert world.activate(KEY, lines(people(0, 2000)))["audience"]["created"] is True


def test_an_upload_waits_while_both_calls_lack_the_type(world: World) -> None:
    world.tiktok.seed(ADVERTISER_ID, name="vip")
    for call in ("list", "get"):
        alter(world, call, without("calculate_type"))
    report = world.activate(KEY, lines(people(0, 2000)))
    assert (report["status"], report["code"]) == ("waiting", "tiktok_unavailable")
    assert world.calls("create") == []


def test_a_type_is_recognized_in_any_case(world: World) -> None:
    (vip,) = world.tiktok.seed(ADVERTISER_ID, name="vip")

    def lower(response: dict[str, Any]) -> object:
        for each in response["data"]["list"]:
            each["calculate_type"] = each["calculate_type"].lower()
        return response

    alter(world, "list", lower)
    assert world.activate(KEY, lines(people(0, 2000)))["audience"]["id"] == vip


def test_an_audience_counts_as_deleted_if_get_returns_a_null_list(world: World) -> None:
    world.activate(KEY, lines(people(0, 2000)))
    world.sweep(hours=1)
    world.delete_audience(world.audiences()[0]["id"])
    alter(world, "get", data({"list": None}))
    report = world.activate(SECOND, lines(people(0, 2000)))
    assert report["audience"]["created"] is True


def test_details_without_is_valid_do_not_finish_a_change(world: World) -> None:
    world.activate(KEY, lines(people(0, 2000)))
    world.sweep(hours=1)
    world.tiktok.configure(stays_valid=True)
    alter(world, "get", without("is_valid", "cover_num"))
    world.activate(SECOND, lines(people(2000, 2000)))
    for _ in range(2):
        world.sweep(hours=0.1)
        assert world.outcome(SECOND) == ("submitted", "submitted")
    world.sweep(hours=1)
    assert world.report(SECOND)["tiktok"]["matched"] == 4000


def test_an_upload_waits_while_both_calls_lack_the_name(world: World) -> None:
    world.tiktok.seed(ADVERTISER_ID, name="other")
    alter(world, "get", without("name"))
    alter(world, "list", without("name"))
    report = world.activate(KEY, lines(people(0, 2000)))
    assert (report["status"], report["code"]) == ("waiting", "tiktok_unavailable")
    assert world.calls("create", "update") == []


def test_a_created_audience_is_recognized_by_its_id(world: World) -> None:
    world.activate(KEY, lines(people(0, 2000)))
    world.sweep(hours=1)

    def rename_kind(response: dict[str, Any]) -> object:
        return json.loads(json.dumps(response).replace("Customer File Audience", "CUSTOMER"))

    alter(world, "list", rename_kind)
    assert world.activate(SECOND, lines(people(0, 2000)))["audience"]["created"] is False


@pytest.mark.parametrize("content", [None, {}, {"custom_audience_id": None}, {"custom_audience_id": ""}])
def test_the_audience_is_found_after_a_create_response_without_an_id(world: World, content: object) -> None:
    alter(world, "create", data(content), times=1)
    report = world.activate(KEY, lines(people(0, 2000)))
    assert (report["status"], report["code"]) == ("waiting", "outcome_unknown")
    world.sweep(hours=1)
    world.sweep(hours=1)
    assert world.outcome(KEY) == ("available", "available")
    (audience,) = world.audiences()
    assert world.report(KEY)["audience"]["id"] == audience["id"]


def test_a_part_without_a_path_is_uploaded_again(world: World) -> None:
    alter(world, "file/upload", data(None), times=1)
    report = world.activate(KEY, lines(people(0, 2000)))
    assert (report["status"], report["code"]) == ("waiting", "tiktok_unavailable")
    world.sweep()
    assert world.outcome(KEY) == ("submitted", "submitted")


def test_the_token_is_removed_from_every_message(world: World) -> None:
    token = "Sec!et.of~acme"
    world.tiktok.set_account(ADVERTISER_ID, token)
    world.set_secret(json.dumps({"ACCESS_TOKEN": token, "ADVERTISER_ID": ADVERTISER_ID}))
    message = f"Access token {token} ({token.upper()}) is fine."

    def quote(response: dict[str, Any]) -> object:
        for each in response["data"].get("list", []):
            each |= {"msg": message, "error_msg": message}
        return response | {"code": 20001, "message": message, "request_id": token}

    alter(world, "", quote)
    world.activate(KEY, lines(people(0, 2000)))
    world.sweep(hours=1)
    alter(world, "list", lambda response: response | {"code": 40105, "message": message})
    report = world.activate("tiktok/gold/email_sha256/first.csv", lines(people(0, 2000)))
    assert "Access token [removed] ([removed]) is fine; request" in report["reason"]
    written = "".join(world.written()).lower()
    assert "is fine." in written
    assert token.lower() not in written


def test_an_unlisted_code_is_quoted_while_the_upload_waits(world: World) -> None:
    world.tiktok.fault("list", "code", code=41001, message="Under maintenance", times=None)
    report = world.activate(KEY, lines(people(0, 2000)))
    assert (report["status"], report["code"]) == ("waiting", "tiktok_unavailable")
    assert "code 41001: Under maintenance" in report["reason"]
    world.tiktok.clear_faults()
    world.sweep()
    assert world.outcome(KEY) == ("submitted", "submitted")
