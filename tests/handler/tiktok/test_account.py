"""Choosing the audience for an upload, and the counts from one listing."""

from __future__ import annotations

import unicodedata
from collections.abc import Collection
from typing import Any

import pytest

from handler.clock import Deadline
from handler.model import AudienceKey, IdentifierType
from handler.tiktok.account import Account
from handler.tiktok.client import TikTokClient
from tests.handler.tiktok.altered_responses import alter, without
from tests.handler.world import ADVERTISER_ID, World, lines, people

VIP = AudienceKey(IdentifierType.EMAIL_SHA256, "vip")


def account(world: World) -> Account:
    function = world.function
    client = TikTokClient(
        function.session, world.tiktok.url, function.credentials, Deadline(900), function.logger, function.pause
    )
    return Account(client, world.now)


def seed(world: World, name: str, **fields: Any) -> str:
    (audience_id,) = world.tiktok.seed(ADVERTISER_ID, name=name, **fields)
    return audience_id


def must_not_be_called() -> Collection[str]:
    raise AssertionError("the states were read although no name matches")


def test_a_registered_audience_comes_first_even_if_it_was_renamed(world: World) -> None:
    seed(world, "vip", created_seconds_ago=90_000)
    registered = seed(world, "Renamed in Ads Manager")
    first, other = account(world).find(VIP, registered, must_not_be_called)
    assert (first.id, first.name) == (registered, "Renamed in Ads Manager")
    assert other.name == "vip"


@pytest.mark.parametrize("field", ["audience_type", "is_creator", "name", "calculate_type"])
def test_a_registered_audience_is_found_by_its_id_only(world: World, field: str) -> None:
    registered = seed(world, "vip")
    seed(world, "vip")
    alter(world, "list", without(field))
    first, *_ = account(world).find(VIP, registered, must_not_be_called)
    assert first.id == registered
    assert world.calls("get") == []


def test_a_registered_audience_that_is_not_listed_yet_is_requested_by_its_id(world: World) -> None:
    world.tiktok.configure(list_lag_seconds=3600)
    registered = _created(world)
    found = account(world).find(VIP, registered, must_not_be_called)
    assert [audience.id for audience in found] == [registered]
    assert world.calls("list", "get") == ["list", "get"]


def _created(world: World) -> str:
    audience_id: str = world.activate("tiktok/vip/email_sha256/a.csv", lines(people(0, 2000)))["audience"]["id"]
    world.tiktok.clear_calls()
    return audience_id


@pytest.mark.parametrize("fields", [{"calculate_type": "PHONE_SHA256"}, {"is_creator": False}])
def test_a_registered_id_with_another_type_or_owner_is_ignored(world: World, fields: dict[str, Any]) -> None:
    registered = seed(world, "vip", **fields)
    assert account(world).find(VIP, registered, must_not_be_called) == []
    vip = seed(world, "vip")
    assert [each.id for each in account(world).find(VIP, registered, list)] == [vip]


def test_an_audience_is_found_by_its_name_after_the_registered_one_was_deleted(world: World) -> None:
    registered = seed(world, "vip")
    world.delete_audience(registered)
    assert account(world).find(VIP, registered, must_not_be_called) == []
    vip = seed(world, "vip")
    assert [each.id for each in account(world).find(VIP, registered, list)] == [vip]


def test_an_audience_that_another_name_has_registered_is_never_found_by_its_name(world: World) -> None:
    gold = seed(world, "vip", created_seconds_ago=90_000)
    assert account(world).find(VIP, None, lambda: {gold}) == []
    vip = seed(world, "vip")
    assert [each.id for each in account(world).find(VIP, None, lambda: {gold})] == [vip]


def test_without_a_registered_audience_the_oldest_comes_first(world: World) -> None:
    ids = [seed(world, "vip", created_seconds_ago=age) for age in (1000, 3000, 2000)]
    assert [each.id for each in account(world).find(VIP, None, list)] == [ids[1], ids[2], ids[0]]


@pytest.mark.parametrize(
    ("name", "fields"),
    [
        ("VIP", {}),
        (" vip", {}),
        ("vip", {"calculate_type": "PHONE_SHA256"}),
        ("vip", {"audience_type": "Lookalike Audience"}),
        ("vip", {"is_creator": False}),
    ],
)
def test_other_audiences_are_not_found(world: World, name: str, fields: dict[str, Any]) -> None:
    seed(world, name, **fields)
    assert account(world).find(VIP, None, must_not_be_called) == []


def test_names_are_compared_after_unicode_normalization(world: World) -> None:
    name = "Café"
    decomposed = seed(world, unicodedata.normalize("NFD", name))
    key = AudienceKey(IdentifierType.EMAIL_SHA256, unicodedata.normalize("NFC", name))
    assert [each.id for each in account(world).find(key, None, list)] == [decomposed]


def test_the_other_identifier_types_of_a_name_are_returned(world: World) -> None:
    for calculate_type in ("EMAIL_SHA256", "PHONE_SHA256", "GAID_SHA256", "PHONE_SHA256"):
        seed(world, "vip", calculate_type=calculate_type)
    seed(world, "gold", calculate_type="IDFA_SHA256")
    seed(world, "vip", calculate_type="IDFA_MD5", is_creator=False)
    found = account(world).types_with_name("vip", except_type=IdentifierType.EMAIL_SHA256)
    assert found == [IdentifierType.PHONE_SHA256, IdentifierType.GAID_SHA256]


def test_one_listing_returns_the_number_of_audiences_and_of_expiring_ones(world: World) -> None:
    seed(world, "vip")
    seed(world, "lookalike", audience_type="Lookalike Audience")
    seed(world, "shared", is_creator=False)

    def expiring(response: dict[str, Any]) -> object:
        for each in response["data"]["list"]:
            each["is_expiring"] = True
        return response

    alter(world, "list", expiring)
    here = account(world)
    assert (here.count(), here.count_expiring()) == (2, 1)
    assert world.calls() == ["list"], "one listing is enough"


def test_items_without_an_id_count_toward_the_total_of_a_listing(world: World) -> None:
    world.tiktok.seed(ADVERTISER_ID, name="other", count=3)
    alter(world, "list", without("audience_id"))
    assert account(world).find(VIP, None, must_not_be_called) == []
    assert account(world).count() == 3
