"""Listings of the emulated TikTok: unordered pages, audiences of every kind, and delayed changes."""

from __future__ import annotations

from typing import Any

import pytest

from sandbox.tiktok.emulator import TikTokEmulator
from tests.sandbox.tiktok.conftest import ADVERTISER, Client, lines, people


def pages(tiktok: Client, page_size: int) -> list[dict[str, Any]]:
    first = tiktok.query("list", page=1, page_size=page_size)["data"]
    others = range(2, first["page_info"]["total_page"] + 1)
    return [first] + [tiktok.query("list", page=page, page_size=page_size)["data"] for page in others]


@pytest.mark.parametrize(
    ("count", "numbers"), [(0, []), (1, [1]), (100, [100]), (101, [100, 1]), (250, [100, 100, 50])]
)
def test_the_pages_of_a_listing_have_every_audience_once(
    emulator: TikTokEmulator, tiktok: Client, count: int, numbers: list[int]
) -> None:
    ids = emulator.seed(ADVERTISER, count=count)
    got = pages(tiktok, 100)
    assert [len(page["list"]) for page in got if page["list"]] == numbers
    assert [page["page_info"] for page in got] == [
        {"page": page, "page_size": 100, "total_number": count, "total_page": len(numbers)}
        for page in range(1, len(got) + 1)
    ]
    assert sorted(item["audience_id"] for page in got for item in page["list"]) == sorted(ids)


def test_a_listing_is_not_ordered_by_age_or_name(emulator: TikTokEmulator, tiktok: Client) -> None:
    ids = emulator.seed(ADVERTISER, count=50)
    listed = [item["audience_id"] for item in pages(tiktok, 100)[0]["list"]]
    assert listed not in (ids, ids[::-1])


def test_a_page_has_ten_items_by_default_and_none_after_the_last_page(emulator: TikTokEmulator, tiktok: Client) -> None:
    emulator.seed(ADVERTISER, count=11)
    assert len(tiktok.query("list")["data"]["list"]) == 10
    assert tiktok.query("list", page=3)["data"]["list"] == []


def test_audiences_of_other_kinds_and_shared_audiences_are_listed_too(emulator: TikTokEmulator, tiktok: Client) -> None:
    emulator.seed(ADVERTISER, name="vip", calculate_type="PHONE_SHA256")
    emulator.seed(ADVERTISER, name="vip", audience_type="Lookalike Audience")
    emulator.seed(ADVERTISER, name="vip", is_creator=False)
    listed = tiktok.query("list")["data"]["list"]
    assert {(item["audience_type"], item["calculate_type"], item["is_creator"], item["shared"]) for item in listed} == {
        ("Customer File Audience", "PHONE_SHA256", True, False),
        ("Lookalike Audience", None, True, False),
        ("Customer File Audience", "EMAIL_SHA256", False, True),
    }


def test_list_and_get_have_different_fields_for_the_kind(emulator: TikTokEmulator, tiktok: Client) -> None:
    (audience_id,) = emulator.seed(ADVERTISER)
    (item,) = tiktok.query("list")["data"]["list"]
    details = tiktok.details(audience_id)
    assert item.pop("audience_type") == details.pop("type") == "Customer File Audience"
    assert item == details


def test_a_listing_can_omit_the_identifier_type(emulator: TikTokEmulator, tiktok: Client) -> None:
    emulator.configure(lists_calculate_type=False)
    (audience_id,) = emulator.seed(ADVERTISER)
    assert "calculate_type" not in tiktok.query("list")["data"]["list"][0]
    assert tiktok.details(audience_id)["calculate_type"] == "EMAIL_SHA256"


def test_a_listing_can_omit_a_new_audience_that_get_returns(emulator: TikTokEmulator, tiktok: Client) -> None:
    emulator.configure(list_lag_seconds=60)
    audience_id = tiktok.create(lines(people(0, 10)))
    assert tiktok.query("list")["data"]["page_info"]["total_number"] == 0
    assert tiktok.details(audience_id)["name"] == "vip"
    emulator.advance(60)
    assert tiktok.query("list")["data"]["page_info"]["total_number"] == 1


def test_advertisers_see_only_their_own_audiences(emulator: TikTokEmulator, tiktok: Client) -> None:
    emulator.set_account("7000000000000000002", "another-token")
    (audience_id,) = emulator.seed("7000000000000000002")
    assert tiktok.query("list")["data"]["list"] == []
    assert tiktok.query("get", custom_audience_ids=[audience_id])["data"]["list"] == []
    assert tiktok.post("delete", custom_audience_ids=[audience_id])["code"] == 40002


def test_get_shows_the_newest_change_first(emulator: TikTokEmulator, tiktok: Client) -> None:
    emulator.configure(processing_seconds=0)
    audience_id = tiktok.create(lines(people(0, 1500)))
    for action in ("APPEND", "REPLACE"):
        assert tiktok.update(audience_id, lines(people(0, 1500)), action=action)["code"] == 0
    (item,) = tiktok.query("get", custom_audience_ids=[audience_id])["data"]["list"]
    assert [entry["action"] for entry in item["audience_history"]] == [
        "REPLACE",
        "APPEND",
        "CREATE",
    ]


def test_get_returns_many_audiences_in_one_call(emulator: TikTokEmulator, tiktok: Client) -> None:
    ids = emulator.seed(ADVERTISER, count=100)
    items = tiktok.query("get", custom_audience_ids=ids)["data"]["list"]
    assert [item["audience_details"]["audience_id"] for item in items] == ids
