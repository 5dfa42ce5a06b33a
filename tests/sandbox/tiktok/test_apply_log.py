"""The log of the ad groups to which audiences of the emulated TikTok were applied."""

from __future__ import annotations

from sandbox.tiktok.emulator import TikTokEmulator
from tests.sandbox.tiktok.conftest import ADVERTISER, HOUR, Client


def test_an_audience_that_was_never_applied_has_an_empty_log(emulator: TikTokEmulator, tiktok: Client) -> None:
    (audience_id,) = emulator.seed(ADVERTISER)
    data = tiktok.query("apply/log", custom_audience_ids=[audience_id])["data"]
    assert data == {
        "advertiser_id": ADVERTISER,
        "list": [],
        "page_info": {"page": 1, "page_size": 10, "total_number": 0, "total_page": 0},
    }


def test_each_entry_has_the_fields_in_the_openapi_file(emulator: TikTokEmulator, tiktok: Client) -> None:
    (audience_id,) = emulator.seed(ADVERTISER)
    emulator.apply(audience_id, "1001", "Spring", "Exclude")
    (entry,) = tiktok.query("apply/log", custom_audience_ids=[audience_id])["data"]["list"]
    assert len(entry.pop("action_timestamp")) == len("2026-01-31 12:00:00")
    assert entry == {
        "audience_id": audience_id,
        "adgroup_id": "1001",
        "adgroup_name": "Spring",
        "usage_mode": "Exclude",
        "editor": "a person",
    }


def test_the_log_of_several_audiences_is_paginated_with_the_newest_entry_first(
    emulator: TikTokEmulator, tiktok: Client
) -> None:
    ids = emulator.seed(ADVERTISER, count=3)
    for number in range(12):
        emulator.apply(ids[number % 2], str(number), f"group {number}")
        emulator.advance(HOUR)
    emulator.apply(ids[2], "99", "of another audience")
    first, second, third = (
        tiktok.query("apply/log", custom_audience_ids=ids[:2], page=page)["data"] for page in (1, 2, 3)
    )
    assert [entry["adgroup_id"] for entry in first["list"]] == [str(number) for number in range(11, 1, -1)]
    assert [entry["adgroup_id"] for entry in second["list"]] == ["1", "0"]
    assert third["list"] == []
    assert second["page_info"] == {"page": 2, "page_size": 10, "total_number": 12, "total_page": 2}


def test_only_the_owner_of_all_audiences_can_read_the_log(emulator: TikTokEmulator, tiktok: Client) -> None:
    (own,) = emulator.seed(ADVERTISER)
    (shared,) = emulator.seed(ADVERTISER, is_creator=False)
    assert tiktok.query("apply/log", custom_audience_ids=[own])["code"] == 0
    assert tiktok.query("apply/log", custom_audience_ids=[own, shared])["code"] == 40002
    assert tiktok.query("apply/log", custom_audience_ids=["1"])["code"] == 40002
