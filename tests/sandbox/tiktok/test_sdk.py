"""TikTok's own SDK works with the emulated TikTok, which verifies the emulator's wire format."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path

import business_api_client  # type: ignore[import-untyped]
import pytest
from business_api_client.tiktok_business.tiktok_exceptions import TiktokSDKError  # type: ignore[import-untyped]

from sandbox.tiktok.emulator import TikTokEmulator
from tests.sandbox.tiktok.conftest import ADVERTISER, HOUR, TOKEN, lines, people


@pytest.fixture
def api(emulator: TikTokEmulator) -> Iterator[business_api_client.AudienceApi]:
    configuration = business_api_client.Configuration()
    configuration.host = emulator.url
    client = business_api_client.ApiClient(configuration)
    yield business_api_client.AudienceApi(client)
    client.rest_client.pool_manager.clear()
    client.pool.close()
    client.pool.join()


def upload(
    api: business_api_client.AudienceApi, content: bytes, directory: Path, calculate_type: str = "EMAIL_SHA256"
) -> str:
    file = directory / "people.csv"
    file.write_bytes(content)
    response = api.dmp_custom_audience_file_upload(
        TOKEN,
        advertiser_id=ADVERTISER,
        file=str(file),
        file_signature=hashlib.md5(content, usedforsecurity=False).hexdigest(),
        calculate_type=calculate_type,
    )
    return str(response["data"]["file_path"])


def test_the_sdk_can_upload_create_list_get_update_and_delete(
    emulator: TikTokEmulator, api: business_api_client.AudienceApi, tmp_path: Path
) -> None:
    created = api.dmp_custom_audience_create(
        TOKEN,
        body=business_api_client.CustomAudienceCreateBody(
            advertiser_id=ADVERTISER,
            custom_audience_name="vip",
            calculate_type="EMAIL_SHA256",
            file_paths=[upload(api, lines(people(0, 2000)), tmp_path)],
        ),
    )
    audience_id = created["data"]["custom_audience_id"]
    emulator.advance(HOUR)

    listed = api.dmp_custom_audience_list(ADVERTISER, TOKEN, page=1, page_size=100)["data"]
    assert listed["page_info"] == {"page": 1, "page_size": 100, "total_number": 1, "total_page": 1}
    assert [(item["audience_id"], item["name"], item["is_valid"]) for item in listed["list"]] == [
        (audience_id, "vip", True)
    ]

    api.dmp_custom_audience_update(
        TOKEN,
        body=business_api_client.CustomAudienceUpdateBody(
            advertiser_id=ADVERTISER,
            custom_audience_id=audience_id,
            action="APPEND",
            file_paths=[upload(api, lines(people(1500, 2500)), tmp_path)],
        ),
    )
    emulator.advance(HOUR)
    (got,) = api.dmp_custom_audience_get(ADVERTISER, [audience_id], TOKEN)["data"]["list"]
    assert got["audience_details"]["cover_num"] == 2500
    assert [entry["action"] for entry in got["audience_history"]] == ["APPEND", "CREATE"]

    api.dmp_custom_audience_delete(
        TOKEN,
        body=business_api_client.CustomAudienceDeleteBody(advertiser_id=ADVERTISER, custom_audience_ids=[audience_id]),
    )
    assert api.dmp_custom_audience_get(ADVERTISER, [audience_id], TOKEN)["data"]["list"] == []


def test_the_sdk_can_upload_a_file_with_several_identifiers_per_person(
    emulator: TikTokEmulator, api: business_api_client.AudienceApi, tmp_path: Path
) -> None:
    rows = zip(people(0, 1500), people(2000, 3500), strict=True)
    content = "email_SHA256,phone_SHA256\n" + "".join(f"{email},{phone}\n" for email, phone in rows)
    created = api.dmp_custom_audience_create(
        TOKEN,
        body=business_api_client.CustomAudienceCreateBody(
            advertiser_id=ADVERTISER,
            custom_audience_name="vip",
            calculate_type="MULTIPLE_TYPES",
            file_paths=[upload(api, content.encode(), tmp_path, "MULTIPLE_TYPES")],
        ),
    )
    emulator.advance(HOUR)
    audience_id = created["data"]["custom_audience_id"]
    (got,) = api.dmp_custom_audience_get(ADVERTISER, [audience_id], TOKEN)["data"]["list"]
    assert (got["audience_details"]["calculate_type"], got["audience_details"]["cover_num"]) == ("MULTIPLE_TYPES", 1500)
    row = f"email_sha256={people(7, 8)[0]},phone_sha256={people(2007, 2008)[0]}"
    assert row in emulator.members(audience_id)


def test_the_sdk_can_read_the_ad_groups_of_an_audience(
    emulator: TikTokEmulator, api: business_api_client.AudienceApi
) -> None:
    (audience_id,) = emulator.seed(ADVERTISER)
    emulator.apply(audience_id, "1", "Spring", "Exclude")
    data = api.dmp_custom_audience_apply_log(ADVERTISER, [audience_id], TOKEN, page=1, page_size=10)["data"]
    assert [(entry["adgroup_id"], entry["usage_mode"]) for entry in data["list"]] == [("1", "Exclude")]


def test_the_sdk_raises_an_error_for_a_refusal_with_http_status_200(api: business_api_client.AudienceApi) -> None:
    with pytest.raises(TiktokSDKError, match="40105"):
        api.dmp_custom_audience_list(ADVERTISER, "expired")
