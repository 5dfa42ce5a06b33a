"""Buckets that the first release left in each of its pending states: what was pending then still ends.

`schema1/*.json` hold what the first release wrote, and what TikTok had been told by then.
"""

from __future__ import annotations

import hashlib
import json
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
import requests

from tests.field.connector import HOUR, VIP, FieldConnector
from tests.handler.world import ADVERTISER_ID, lines, people
from tests.privacy import TOKEN
from tests.servers import set_last_modified

BUCKETS = {path.stem: json.loads(path.read_text()) for path in (Path(__file__).parent / "schema1").glob("*.json")}


def tell_tiktok(connector: FieldConnector, call: dict[str, Any]) -> None:
    """Repeat a change that the first release made."""
    given: dict[str, Any] = {"file_paths": [upload_part(connector, call["first"], call["count"])]}
    if call["call"] == "create":
        given |= {"custom_audience_name": "vip", "calculate_type": "EMAIL_SHA256"}
    else:
        given |= {"custom_audience_id": connector.audiences()[0]["id"], "action": call["call"].upper()}
    post(connector, "create" if call["call"] == "create" else "update", json={"advertiser_id": ADVERTISER_ID, **given})


def upload_part(connector: FieldConnector, first: int, count: int) -> str:
    """Upload these people to TikTok and return the file's path."""
    content = lines(people(first, count))
    signature = hashlib.md5(content, usedforsecurity=False).hexdigest()
    given = {"advertiser_id": ADVERTISER_ID, "file_signature": signature, "calculate_type": "EMAIL_SHA256"}
    answer = post(connector, "file/upload", data=given, files={"file": ("part.csv", content)})
    return str(answer["file_path"])


def post(connector: FieldConnector, call: str, **request: Any) -> dict[str, Any]:
    """Call TikTok and return its data."""
    url = f"{connector.tiktok.url}/open_api/v1.3/dmp/custom_audience/{call}/"
    answer = requests.post(url, headers={"Access-Token": TOKEN}, timeout=10, **request).json()
    assert answer["code"] == 0, answer
    return dict(answer["data"])


def restore(connector: FieldConnector, bucket: dict[str, Any]) -> list[str]:
    """Put uploads, reports, states and pointers where the first release left them; return the messages on its queue."""
    for call in bucket["calls"]:
        pass_until(connector, call["at"])
        tell_tiktok(connector, call)
    pass_until(connector, bucket["now"])
    text = json.dumps([bucket["objects"], bucket["messages"]])
    for part in bucket["parts"]:
        text = text.replace(part["file_path"], upload_part(connector, part["first"], part["count"]))
    objects, messages = json.loads(text.replace("BUCKET", connector.bucket))
    for upload in bucket["uploads"]:
        content = lines(people(upload["first"], upload["count"]))
        made = connector.s3.put_object(Bucket=connector.bucket, Key=upload["key"], Body=content)["VersionId"]
        moment = datetime.fromisoformat(upload["uploaded_at"])
        set_last_modified(connector.bucket, upload["key"], made, moment)._version_id = upload["version_id"]
    for key, content in objects.items():
        connector.s3.put_object(Bucket=connector.bucket, Key=key, Body=json.dumps(content).encode())
    return list(messages)


def pass_until(connector: FieldConnector, moment: str) -> None:
    """Let time pass until then."""
    connector.pass_time((datetime.fromisoformat(moment) - connector.now()).total_seconds() / HOUR)


def statuses(connector: FieldConnector) -> dict[str, tuple[str, str]]:
    """Return status and code of each report, by the file's name."""
    reports = [connector.json(key) for key in connector.keys("reports/")]
    return {each["file"]["key"].removeprefix(f"{VIP}/"): (each["status"], each["code"]) for each in reports}


@pytest.mark.parametrize("name", sorted(BUCKETS))
@pytest.mark.parametrize("deleted", [False, True], ids=["kept", "deleted"])
def test_what_was_pending_ends(connector: FieldConnector, name: str, *, deleted: bool) -> None:
    """A delete marker withdraws no upload of the first release: that did not look at deletions."""
    bucket = BUCKETS[name]
    messages = restore(connector, bucket)
    if deleted:
        for upload in bucket["uploads"]:
            connector.delete(upload["key"])
    assert connector.deliver(*messages) == []
    connector.end(days=4)
    assert connector.members() == {person for first, count in bucket["members"] for person in people(first, count)}
    ends = statuses(connector)
    if "replace" in name:  # what is older than a replace is part of nothing once that is processed
        assert set(ends.values()) <= {("available", "available"), ("skipped", "superseded")}
    else:
        assert set(ends.values()) == {("available", "available")}


def test_a_file_of_the_first_release_and_a_new_one(connector: FieldConnector) -> None:
    restore(connector, BUCKETS["waiting"])
    message = connector.put(f"{VIP}/remove/new.csv", lines(people(2000, 100)))
    connector.end(days=4)
    assert connector.ends(message) == ("available", "available")
    assert connector.members() == set(people(50, 1450))
    assert {connector.json(key)["schema"] for key in connector.keys("reports/")} <= {1, 2}
