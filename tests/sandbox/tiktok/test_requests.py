"""Requests that the emulated TikTok refuses before it executes them: invalid tokens, paths and fields."""

from __future__ import annotations

from typing import Any

import pytest
import requests

from sandbox.tiktok.emulator import TikTokEmulator
from tests.sandbox.tiktok.conftest import ADVERTISER, TOKEN, Client, lines, people

OTHER = "7000000000000000002"
FILE = lines(people(0, 10))
PATH = "0123456789abcdef"
CREATE = {"custom_audience_name": "vip", "calculate_type": "EMAIL_SHA256", "file_paths": [PATH]}
UPDATE = {"custom_audience_id": "1", "action": "APPEND", "file_paths": [PATH]}


@pytest.mark.parametrize(
    ("call", "fields", "named"),
    [
        ("create", {**CREATE, "advertiser_id": int(ADVERTISER)}, "advertiser_id"),
        ("create", {**CREATE, "advertiser_id": "acme"}, "advertiser_id"),
        ("create", {**CREATE, "custom_audience_name": ""}, "custom_audience_name"),
        ("create", {**CREATE, "custom_audience_name": "x" * 129}, "custom_audience_name"),
        ("create", {**CREATE, "custom_audience_name": 7}, "custom_audience_name"),
        ("create", {**CREATE, "calculate_type": "email_sha256"}, "calculate_type"),
        ("create", {**CREATE, "calculate_type": "EMAIL_MD5"}, "calculate_type"),
        ("create", {**CREATE, "calculate_type": "MAID_SHA256"}, "calculate_type"),
        ("create", {**CREATE, "file_paths": []}, "file_paths"),
        ("create", {**CREATE, "file_paths": [PATH] * 501}, "file_paths"),
        ("create", {**CREATE, "file_paths": PATH}, "file_paths"),
        ("create", {**CREATE, "file_paths": [PATH + "0"]}, "file_paths"),
        ("create", {**CREATE, "file_paths": [1234567890123456]}, "file_paths"),
        ("create", {**CREATE, "retention_in_days": "30"}, "retention_in_days"),
        ("create", {**CREATE, "audience_enhancement": "false"}, "audience_enhancement"),
        ("create", {**CREATE, "audience_sub_type": "OTHER"}, "audience_sub_type"),
        ("create", {**CREATE, "name": "vip"}, "name"),
        ("update", {**UPDATE, "custom_audience_id": 1}, "custom_audience_id"),
        ("update", {**UPDATE, "action": "append"}, "action"),
        ("update", {**UPDATE, "action": None}, "action"),
        ("update", {**UPDATE, "Action": "APPEND"}, "Action"),
        ("update", {**UPDATE, "audience_sub_type": "NORMAL"}, "audience_sub_type"),
        ("update", {"custom_audience_id": "1", "action": "APPEND"}, "file_paths"),
        ("delete", {"custom_audience_ids": []}, "custom_audience_ids"),
        ("delete", {"custom_audience_ids": ["1"] * 101}, "custom_audience_ids"),
        ("delete", {"custom_audience_ids": [1]}, "custom_audience_ids"),
    ],
)
def test_the_refusal_of_a_post_request_names_the_invalid_field(
    tiktok: Client, call: str, fields: Any, named: str
) -> None:
    envelope = tiktok.post(call, **fields)
    assert (envelope["code"], envelope["message"].partition(":")[0]) == (40002, named)


@pytest.mark.parametrize(
    ("call", "fields", "named"),
    [
        ("list", {"page": 0}, "page"),
        ("list", {"page": "first"}, "page"),
        ("list", {"page": "true"}, "page"),
        ("list", {"page_size": 0}, "page_size"),
        ("list", {"page_size": 101}, "page_size"),
        ("list", {"page_size": "10.0"}, "page_size"),
        ("list", {"filtering": "{}"}, "filtering"),
        ("get", {"custom_audience_ids": "1,2"}, "custom_audience_ids"),
        ("get", {"custom_audience_ids": "1"}, "custom_audience_ids"),
        ("get", {"custom_audience_ids": [1]}, "custom_audience_ids"),
        ("get", {"custom_audience_ids": []}, "custom_audience_ids"),
        ("get", {"custom_audience_ids": ["1"] * 101}, "custom_audience_ids"),
        ("get", {}, "custom_audience_ids"),
        ("apply/log", {}, "custom_audience_ids"),
        ("apply/log", {"custom_audience_ids": "1"}, "custom_audience_ids"),
        ("apply/log", {"custom_audience_ids": ["1"] * 101}, "custom_audience_ids"),
        ("apply/log", {"custom_audience_ids": ["1"], "page": 0}, "page"),
        ("apply/log", {"custom_audience_ids": ["1"], "page_size": 101}, "page_size"),
        ("apply/log", {"custom_audience_ids": ["1"], "history_size": 10}, "history_size"),
    ],
)
def test_the_refusal_of_a_get_request_names_the_invalid_field(
    tiktok: Client, call: str, fields: Any, named: str
) -> None:
    envelope = tiktok.query(call, **fields)
    assert (envelope["code"], envelope["message"].partition(":")[0]) == (40002, named)


@pytest.mark.parametrize("missing", ["custom_audience_name", "calculate_type", "file_paths"])
def test_the_refusal_of_a_create_names_the_missing_field(tiktok: Client, missing: str) -> None:
    envelope = tiktok.post("create", **{name: value for name, value in CREATE.items() if name != missing})
    assert (envelope["code"], envelope["message"]) == (40002, f"{missing}: Missing data for required field.")


@pytest.mark.parametrize(
    ("headers", "body"),
    [
        ({"Content-Type": "text/plain"}, b"{}"),
        ({}, b"{}"),
        ({"Content-Type": "application/json"}, b"{"),
        ({"Content-Type": "application/json"}, b"[]"),
        ({"Content-Type": "application/json"}, b""),
        ({"Content-Type": "application/json"}, b"\xff"),
        ({"Content-Type": "application/json"}, b"[" * 100_000),
    ],
)
def test_a_body_that_is_not_a_json_object_is_refused(tiktok: Client, headers: dict[str, str], body: bytes) -> None:
    response = tiktok.session.post(f"{tiktok.base}/create/", data=body, headers=headers)
    assert (response.status_code, response.json()["code"]) == (200, 40002)


@pytest.mark.parametrize(
    ("token", "advertiser_id", "code"),
    [("", ADVERTISER, 40104), ("expired", ADVERTISER, 40105), (TOKEN, OTHER, 40001), (TOKEN, "1", 40001)],
)
def test_a_token_is_valid_only_for_its_own_advertiser(
    emulator: TikTokEmulator, tiktok: Client, token: str, advertiser_id: str, code: int
) -> None:
    emulator.set_account(OTHER, "token-of-the-other")
    tiktok.session.headers["Access-Token"] = token
    assert tiktok.query("list", advertiser_id=advertiser_id)["code"] == code
    assert tiktok.upload(FILE, advertiser_id=advertiser_id)["code"] == code


def test_a_token_in_the_query_is_ignored(tiktok: Client) -> None:
    del tiktok.session.headers["Access-Token"]
    assert tiktok.query("list", **{"Access-Token": TOKEN})["code"] == 40104


def test_a_rotated_token_replaces_the_old_one(emulator: TikTokEmulator, tiktok: Client) -> None:
    emulator.set_account(ADVERTISER, "token-after-rotation")
    assert tiktok.query("list")["code"] == 40105
    tiktok.session.headers["Access-Token"] = "token-after-rotation"
    assert tiktok.query("list")["code"] == 0


def test_one_token_can_be_valid_for_several_advertisers(emulator: TikTokEmulator, tiktok: Client) -> None:
    emulator.set_account(OTHER, TOKEN)
    assert tiktok.query("list", advertiser_id=OTHER)["code"] == 0


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "list"),
        ("GET", "lists/"),
        ("GET", "apply/"),
        ("POST", "apply/log/"),
        ("POST", "list/"),
        ("GET", "create/"),
        ("POST", "file/upload"),
        ("GET", ""),
    ],
)
def test_a_path_with_a_missing_slash_or_the_wrong_method_is_unknown(tiktok: Client, method: str, path: str) -> None:
    response = tiktok.session.request(method, f"{tiktok.base}/{path}", data=b"{}")
    assert (response.status_code, response.json()["code"]) == (404, 40400)


def test_requests_on_one_connection_do_not_affect_each_other(tiktok: Client) -> None:
    assert tiktok.post("create", **CREATE)["code"] == 40905
    assert tiktok.upload(b"x" * 600_000, name="part.exe")["code"] == 40908
    assert tiktok.query("list")["code"] == 0


def test_a_body_of_unknown_length_is_refused(tiktok: Client) -> None:
    response = tiktok.session.post(f"{tiktok.base}/create/", data=iter([b"{}"]))
    assert response.status_code == 411


def test_every_response_has_a_unique_request_id(tiktok: Client) -> None:
    assert len({tiktok.query("list")["request_id"] for _ in range(5)}) == 5


def test_nothing_is_logged(emulator: TikTokEmulator, capfd: pytest.CaptureFixture[str]) -> None:
    requests.get(f"{emulator.url}/open_api/v1.3/dmp/custom_audience/list/", timeout=5).close()
    assert capfd.readouterr() == ("", "")
