"""An emulated TikTok with one advertiser, and a plain HTTP client for it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from functools import cache
from typing import Any

import pytest
import requests

from sandbox.tiktok.emulator import TikTokEmulator

ADVERTISER = "7000000000000000001"
TOKEN = "token-of-the-first"
HOUR = 3600


@cache
def people(start: int, stop: int) -> tuple[str, ...]:
    """Return the hashes of synthetic people, by number."""
    return tuple(hashlib.sha256(f"person {number}".encode()).hexdigest() for number in range(start, stop))


def lines(identifiers: tuple[str, ...]) -> bytes:
    """Return a file with one identifier per line."""
    return "".join(f"{identifier}\n" for identifier in identifiers).encode()


class Client:
    """A plain HTTP client for TikTok's API, which returns the complete JSON envelopes."""

    def __init__(self, url: str, session: requests.Session) -> None:
        self.base = f"{url}/open_api/v1.3/dmp/custom_audience"
        self.session = session
        self.session.headers["Access-Token"] = TOKEN

    def post(self, call: str, **fields: Any) -> dict[str, Any]:
        body = {"advertiser_id": ADVERTISER, **fields}
        return self._envelope(self.session.post(f"{self.base}/{call}/", json=body))

    def query(self, call: str, **fields: Any) -> dict[str, Any]:
        query = {"advertiser_id": ADVERTISER} | {
            name: json.dumps(value) if isinstance(value, list) else value for name, value in fields.items()
        }
        return self._envelope(self.session.get(f"{self.base}/{call}/", params=query))

    def upload(self, content: bytes, name: str = "part.csv", **fields: Any) -> dict[str, Any]:
        form: dict[str, Any] = {
            "advertiser_id": ADVERTISER,
            "file_signature": hashlib.md5(content, usedforsecurity=False).hexdigest(),
            "calculate_type": "EMAIL_SHA256",
        } | fields
        return self._envelope(
            self.session.post(f"{self.base}/file/upload/", data=form, files={"file": (name, content)})
        )

    def uploaded(self, content: bytes, calculate_type: str = "EMAIL_SHA256") -> str:
        """Upload a file, which must be accepted, and return its `file_path`."""
        envelope = self.upload(content, calculate_type=calculate_type)
        assert envelope["code"] == 0, envelope["message"]
        return str(envelope["data"]["file_path"])

    def create(self, *contents: bytes, name: str = "vip", calculate_type: str = "EMAIL_SHA256") -> str:
        """Create an audience from files, which must be accepted, and return its id."""
        envelope = self.post(
            "create",
            custom_audience_name=name,
            calculate_type=calculate_type,
            file_paths=[self.uploaded(content, calculate_type) for content in contents],
        )
        assert envelope["code"] == 0, envelope["message"]
        return str(envelope["data"]["custom_audience_id"])

    def update(self, audience_id: str, content: bytes, **fields: Any) -> dict[str, Any]:
        return self.post("update", custom_audience_id=audience_id, file_paths=[self.uploaded(content)], **fields)

    def details(self, audience_id: str) -> dict[str, Any]:
        """Return the details of one audience from `get`."""
        (item,) = self.query("get", custom_audience_ids=[audience_id])["data"]["list"]
        return dict(item["audience_details"])

    def history(self, audience_id: str) -> list[dict[str, str]]:
        """Return the history of one audience, newest first."""
        (item,) = self.query("get", custom_audience_ids=[audience_id])["data"]["list"]
        return list(item["audience_history"])

    @staticmethod
    def _envelope(response: requests.Response) -> dict[str, Any]:
        assert response.status_code == 200
        envelope: dict[str, Any] = response.json()
        assert set(envelope) == {"code", "message", "request_id", "data"}
        return envelope


@pytest.fixture
def emulator() -> Iterator[TikTokEmulator]:
    """An emulated TikTok with one advertiser, which processes a change for one hour of its own clock."""
    with TikTokEmulator(accounts={ADVERTISER: TOKEN}, processing_seconds=HOUR) as emulator:
        yield emulator


@pytest.fixture
def tiktok(emulator: TikTokEmulator) -> Iterator[Client]:
    """A client with the advertiser's token."""
    with requests.Session() as session:
        yield Client(emulator.url, session)


@pytest.fixture
def ready(emulator: TikTokEmulator, tiktok: Client) -> str:
    """The id of a processed audience with the email addresses of the first 2,000 people."""
    audience_id = tiktok.create(lines(people(0, 2000)))
    emulator.advance(HOUR)
    return audience_id
