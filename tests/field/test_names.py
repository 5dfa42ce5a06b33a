"""Kinds 14 to 16 and 50 of `kinds.md`: the folders of an object key."""

from __future__ import annotations

import unicodedata

import pytest

from tests.field.connector import AVAILABLE, SETTLE, VIP, FieldConnector, body
from tests.handler.world import ADVERTISER_ID, people

EVERYBODY = people(0, 1500)


@pytest.mark.parametrize("names", [("NFC", "NFD"), ("NFD", "NFC")])
def test_kind_14_50_both_spellings_are_one_audience(connector: FieldConnector, names: tuple[str, ...]) -> None:
    for number, form in enumerate(names):
        name = unicodedata.normalize(form, "Käufer é")  # type: ignore[arg-type] # a form, from the list above
        message = connector.put(f"tiktok/{name}/email_sha256/x{number}.csv", body(people(1000 * number, 1000)))
        connector.finish()
        assert connector.outcome_of(message) == AVAILABLE
    assert connector.members() == set(people(0, 2000))


@pytest.mark.parametrize("form", ["NFC", "NFD"])
def test_kind_50_an_existing_audience_is_found_by_a_name_in_another_normalization_form(
    connector: FieldConnector, form: str
) -> None:
    at_tiktok = unicodedata.normalize(form, "Käufer")  # type: ignore[arg-type] # a form, from the list above
    (audience_id,) = connector.tiktok.seed(ADVERTISER_ID, name=at_tiktok, members=people(0, 1500))
    message = connector.put("tiktok/Käufer/email_sha256/x.csv", body(people(1500, 100)))
    connector.finish()
    assert connector.outcome_of(message) == AVAILABLE
    assert connector.tiktok.members(audience_id) == set(people(0, 1600))
    assert len(connector.audiences()) == 1


@pytest.mark.parametrize(
    "key",
    [
        "tiktok//vip/email_sha256/append/x.csv",
        "tiktok/vip//email_sha256/x.csv",
        "tiktok/vip/email_sha256//append//x.csv",
        "tiktok/ vip /email_sha256/x.csv",
        "tiktok/vip/EMAIL_SHA256/Append/x.csv",
    ],
)
def test_kind_15_doubled_slashes_spaces_and_case_do_not_matter(connector: FieldConnector, key: str) -> None:
    message = connector.put(key, body(EVERYBODY))
    connector.finish()
    report = connector.report_of(message)
    assert report
    assert (report["status"], report["audience"]["name"]) == ("available", "vip")
    assert (report["audience"]["identifier_type"], report["audience"]["action"]) == ("email_sha256", "append")
    assert connector.members() == set(EVERYBODY)


@pytest.mark.parametrize("folder", ["remvoe", "delete", "appends", "2026-01-31"])
def test_kind_16_an_unknown_folder_in_place_of_the_action_is_rejected(connector: FieldConnector, folder: str) -> None:
    message = connector.put(f"{VIP}/{folder}/x.csv", body(EVERYBODY))
    connector.wait(2 * SETTLE)
    assert connector.outcome_of(message) == ("rejected", "unknown_action")
    assert connector.audiences() == []
