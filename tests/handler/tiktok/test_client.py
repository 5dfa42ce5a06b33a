"""The client against the emulator: timeouts, retries, the circuit breaker and the secret."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import pytest
import requests
from requests.adapters import HTTPAdapter

from handler.clock import Deadline
from handler.errors import CredentialsRefused, OutcomeUnknown, Throttled, UnknownAudience, Waiting
from handler.model import IdentifierType
from handler.report_codes import Code
from handler.tiktok.client import TikTokClient
from handler.tiktok.credentials import CredentialsStore
from handler.tiktok.responses import AdGroup
from tests.handler.tiktok.altered_responses import alter
from tests.handler.world import ADVERTISER_ID, World
from tests.privacy import TOKEN

EMAIL = IdentifierType.EMAIL_SHA256


def client(world: World, **fields: Any) -> TikTokClient:
    function = world.function
    made = TikTokClient(
        function.session, world.tiktok.url, function.credentials, Deadline(900), function.logger, function.pause
    )
    return replace(made, **fields)


@pytest.mark.parametrize(
    ("fault", "error"),
    [
        ({"code": 40105}, CredentialsRefused),
        ({"code": 40001}, CredentialsRefused),
        ({"code": 40001, "message": "Accept the Custom Audience Terms"}, CredentialsRefused),
        ({"code": 40100}, Throttled),
    ],
)
def test_the_circuit_breaker_stops_every_further_call(
    world: World, fault: Mapping[str, Any], error: type[Waiting]
) -> None:
    made = client(world)
    world.tiktok.fault("list", "code", times=None, **fault)
    with pytest.raises(error) as first:
        made.list_audiences()
    calls = world.calls()
    with pytest.raises(error) as second:
        made.create("vip", EMAIL, ["path"])
    assert second.value is first.value
    assert world.calls() == calls


def test_a_busy_tiktok_does_not_open_the_circuit_breaker(world: World) -> None:
    made = client(world)
    world.tiktok.fault("list", "code", code=50000, times=3)
    with pytest.raises(Waiting):
        made.list_audiences()
    assert made.list_audiences() == []


def test_a_rotated_token_is_read_within_the_refused_call(world: World) -> None:
    made = client(world)
    made.list_audiences()
    world.tiktok.set_account(ADVERTISER_ID, "rotated")
    world.set_secret(json.dumps({"ACCESS_TOKEN": "rotated", "ADVERTISER_ID": ADVERTISER_ID}))
    assert made.list_audiences() == []
    assert made.credentials_refused == 0


@pytest.mark.parametrize("kind", ["slow_before", "slow_after"])
def test_a_create_that_timed_out_is_not_repeated(world: World, kind: str) -> None:
    world.tiktok.fault("create", kind, seconds=60)
    with pytest.raises(OutcomeUnknown):
        client(world, read_seconds=0.1, min_read_seconds=0.1).create("vip", EMAIL, ["path"])


def test_a_listing_that_timed_out_is_repeated(world: World) -> None:
    world.tiktok.fault("list", "slow_before", seconds=60)
    assert client(world, read_seconds=0.5, min_read_seconds=0.5).list_audiences() == []


class TimeoutRecorder(HTTPAdapter):
    """An adapter that records the timeouts of requests."""

    def __init__(self) -> None:
        super().__init__()
        self.timeouts: list[Any] = []

    def send(self, request: requests.PreparedRequest, *args: Any, **kwargs: Any) -> requests.Response:
        self.timeouts.append(kwargs["timeout"])
        return super().send(request, *args, **kwargs)


def test_no_call_outlives_the_invocation(world: World) -> None:
    world.function.session.mount(world.tiktok.url, recorder := TimeoutRecorder())
    client(world, deadline=Deadline(31), connect_seconds=2.0).list_audiences()
    ((connect, read),) = recorder.timeouts
    assert connect == 2.0
    assert 25 < read <= 30


def test_deleted_audiences_are_no_longer_listed(world: World) -> None:
    ids: Sequence[str] = world.tiktok.seed(ADVERTISER_ID, name="vip", count=2)
    made = client(world)
    made.delete_audiences(ids)
    assert made.list_audiences() == []
    with pytest.raises(UnknownAudience):
        made.delete_audiences(ids)


def _applied(*groups: tuple[str, str, str], pages: object = 1) -> Any:
    items = [{"adgroup_id": each, "adgroup_name": name, "usage_mode": mode} for each, name, mode in groups]
    data = {"list": items, "page_info": {"total_page": pages}}
    return lambda _: {"code": 0, "message": "OK", "request_id": "1", "data": data}


def test_each_ad_group_of_an_audience_is_returned_once(world: World) -> None:
    # The response has the format of TikTok's OpenAPI file.
    alter(world, "apply/log", _applied(("1", "Spring", "Include"), ("1", "Spring", "Include"), ("2", "", "Exclude")))
    assert client(world).applied_ad_groups("7") == [AdGroup("1", "Spring", "Include"), AdGroup("2", "", "Exclude")]
    alter(world, "apply/log", _applied(("1", "Spring", "Include"), pages=10**9))
    assert client(world).applied_ad_groups("7") == [AdGroup("1", "Spring", "Include")]
    alter(world, "apply/log", _applied(pages="?"))
    with pytest.raises(Waiting, match="incomplete or cannot be read"):
        client(world).applied_ad_groups("7")


# --- The secret ----------------------------------------------------------------------------------


def store(world: World, secret: str, advertiser_id: str = "") -> CredentialsStore:
    world.set_secret(secret)
    return CredentialsStore(world.secrets, world.secret_arn, advertiser_id)


def test_with_a_configured_advertiser_the_secret_needs_only_a_token(world: World) -> None:
    for secret in ({"ACCESS_TOKEN": TOKEN}, {"ACCESS_TOKEN": TOKEN, "ADVERTISER_ID": "7"}):
        credentials = store(world, json.dumps(secret), ADVERTISER_ID).get()
        assert (credentials.access_token, credentials.advertiser_id) == (TOKEN, ADVERTISER_ID)


def test_the_advice_for_an_unusable_secret_depends_on_the_configuration(world: World) -> None:
    with pytest.raises(CredentialsRefused, match=r'The secret is empty\. Put \{"ACCESS_TOKEN": "\.\.\."\} into'):
        store(world, " ", ADVERTISER_ID).get()
    with pytest.raises(CredentialsRefused, match=r'has no ADVERTISER_ID\. Put .*"ADVERTISER_ID": "\.\.\."\} into'):
        store(world, json.dumps({"ACCESS_TOKEN": TOKEN})).get()


def test_a_token_in_place_of_the_advertiser_id_is_refused_and_not_quoted(world: World) -> None:
    with pytest.raises(CredentialsRefused, match="ADVERTISER_ID is not a number") as refused:
        store(world, json.dumps({"ACCESS_TOKEN": "7", "ADVERTISER_ID": TOKEN})).get()
    assert refused.value.code is Code.SECRET_UNUSABLE
    assert TOKEN not in refused.value.reason


def test_the_secret_is_read_again_only_by_reload(world: World) -> None:
    credentials = store(world, json.dumps({"ACCESS_TOKEN": "old", "ADVERTISER_ID": "7"}))
    assert credentials.get().access_token == "old"
    world.set_secret(json.dumps({"ACCESS_TOKEN": "new", "ADVERTISER_ID": "7"}))
    assert credentials.get().access_token == "old"
    assert credentials.reload()
    assert credentials.get().access_token == "new"
    assert not credentials.reload()
