"""The expiry and the deletion of audiences at the emulated TikTok."""

from __future__ import annotations

import pytest

from sandbox.tiktok.emulator import TikTokEmulator
from tests.sandbox.tiktok.conftest import ADVERTISER, HOUR, Client, lines, people

DAY = 24 * HOUR
FILE = lines(people(0, 1500))


def test_an_audience_expires_a_year_after_its_last_change(emulator: TikTokEmulator, tiktok: Client, ready: str) -> None:
    emulator.advance(364 * DAY)
    assert tiktok.details(ready)["is_expiring"] is True
    assert tiktok.update(ready, FILE, action="APPEND")["code"] == 0
    assert tiktok.details(ready)["is_expiring"] is False
    emulator.advance(364 * DAY)
    assert tiktok.details(ready)["is_valid"] is True
    emulator.advance(DAY)
    assert tiktok.details(ready)["is_valid"] is False
    assert emulator.audiences()[0]["state"] == "expired"
    assert tiktok.update(ready, FILE, action="APPEND")["message"].startswith("Audience is not editable")
    assert tiktok.post("delete", custom_audience_ids=[ready])["code"] == 0


def test_an_audience_expires_a_year_after_its_last_use(emulator: TikTokEmulator, tiktok: Client, ready: str) -> None:
    emulator.advance(364 * DAY)
    emulator.apply(ready, "1", "Spring")
    emulator.advance(364 * DAY)
    assert tiktok.details(ready)["is_valid"] is True
    emulator.advance(DAY)
    assert tiktok.details(ready)["is_valid"] is False
    with pytest.raises(ValueError, match="has expired"):
        emulator.apply(ready, "1", "Spring")


def test_a_call_deletes_all_given_audiences_or_none(emulator: TikTokEmulator, tiktok: Client) -> None:
    own = emulator.seed(ADVERTISER, count=2)
    shared = emulator.seed(ADVERTISER, is_creator=False)
    assert tiktok.post("delete", custom_audience_ids=[*own, *shared])["code"] == 40002
    assert len(emulator.audiences()) == 3
    assert tiktok.post("delete", custom_audience_ids=[*own, own[0]])["code"] == 0
    assert [each["id"] for each in emulator.audiences()] == shared


def test_an_audience_can_be_deleted_while_it_is_being_processed(emulator: TikTokEmulator, tiktok: Client) -> None:
    audience_id = tiktok.create(FILE)
    assert tiktok.post("delete", custom_audience_ids=[audience_id])["code"] == 0
    emulator.advance(HOUR)
    assert emulator.audiences() == []
