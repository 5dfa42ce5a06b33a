"""Upgrade from the first release: uploads that were pending in any of its states reach a final status.

Each file `schema1/*.json` is a snapshot: the objects that the first release wrote, and the TikTok calls that it made.
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

SNAPSHOTS = {path.stem: json.loads(path.read_text()) for path in (Path(__file__).parent / "schema1").glob("*.json")}


def repeat_change(connector: FieldConnector, call: dict[str, Any]) -> None:
    """Repeat at TikTok a change that the first release made."""
    payload: dict[str, Any] = {"file_paths": [upload_part(connector, call["first"], call["count"])]}
    if call["call"] == "create":
        payload |= {"custom_audience_name": "vip", "calculate_type": "EMAIL_SHA256"}
    else:
        payload |= {"custom_audience_id": connector.audiences()[0]["id"], "action": call["call"].upper()}
    post(
        connector, "create" if call["call"] == "create" else "update", json={"advertiser_id": ADVERTISER_ID, **payload}
    )


def upload_part(connector: FieldConnector, first: int, count: int) -> str:
    """Upload a file of people to TikTok and return its path."""
    content = lines(people(first, count))
    signature = hashlib.md5(content, usedforsecurity=False).hexdigest()
    payload = {"advertiser_id": ADVERTISER_ID, "file_signature": signature, "calculate_type": "EMAIL_SHA256"}
    answer = post(connector, "file/upload", data=payload, files={"file": ("part.csv", content)})
    return str(answer["file_path"])


def post(connector: FieldConnector, call: str, **request: Any) -> dict[str, Any]:
    """Call TikTok and return the data of the response."""
    url = f"{connector.tiktok.url}/open_api/v1.3/dmp/custom_audience/{call}/"
    answer = requests.post(url, headers={"Access-Token": TOKEN}, timeout=10, **request).json()
    assert answer["code"] == 0, answer
    return dict(answer["data"])


def restore(connector: FieldConnector, bucket: dict[str, Any]) -> list[str]:
    """Restore the objects and TikTok's changes of a snapshot; return the messages on its queue."""
    for call in bucket["calls"]:
        pass_until(connector, call["at"])
        repeat_change(connector, call)
    pass_until(connector, bucket["now"])
    text = json.dumps([bucket["objects"], bucket["messages"]])
    for part in bucket["parts"]:
        text = text.replace(part["file_path"], upload_part(connector, part["first"], part["count"]))
    objects, messages = json.loads(text.replace("BUCKET", connector.bucket))
    for upload in bucket["uploads"]:
        content = lines(people(upload["first"], upload["count"]))
        version_id = connector.s3.put_object(Bucket=connector.bucket, Key=upload["key"], Body=content)["VersionId"]
        uploaded_at = datetime.fromisoformat(upload["uploaded_at"])
        set_last_modified(connector.bucket, upload["key"], version_id, uploaded_at)._version_id = upload["version_id"]
    for key, content in objects.items():
        connector.s3.put_object(Bucket=connector.bucket, Key=key, Body=json.dumps(content).encode())
    return list(messages)


def pass_until(connector: FieldConnector, uploaded_at: str) -> None:
    """Let time pass until an ISO 8601 time."""
    connector.pass_time((datetime.fromisoformat(uploaded_at) - connector.now()).total_seconds() / HOUR)


def statuses(connector: FieldConnector) -> dict[str, tuple[str, str]]:
    """Return the status and the code of each report, by file name."""
    reports = [connector.json(key) for key in connector.keys("reports/")]
    return {each["file"]["key"].removeprefix(f"{VIP}/"): (each["status"], each["code"]) for each in reports}


@pytest.mark.parametrize("name", sorted(SNAPSHOTS))
@pytest.mark.parametrize("deleted", [False, True], ids=["kept", "deleted"])
def test_pending_uploads_reach_a_final_status(connector: FieldConnector, name: str, *, deleted: bool) -> None:
    """A delete marker withdraws no upload of the first release, because that release ignored deletions."""
    bucket = SNAPSHOTS[name]
    messages = restore(connector, bucket)
    if deleted:
        for upload in bucket["uploads"]:
            connector.delete(upload["key"])
    assert connector.deliver(*messages) == []
    connector.finish(days=4)
    assert connector.members() == {person for first, count in bucket["members"] for person in people(first, count)}
    outcomes = statuses(connector)
    if "replace" in name:  # older uploads are superseded after the replace is processed
        assert set(outcomes.values()) <= {("available", "available"), ("skipped", "superseded")}
    else:
        assert set(outcomes.values()) == {("available", "available")}


def test_a_pending_file_of_the_first_release_and_a_new_file_are_both_applied(connector: FieldConnector) -> None:
    restore(connector, SNAPSHOTS["waiting"])
    message = connector.put(f"{VIP}/remove/new.csv", lines(people(2000, 100)))
    connector.finish(days=4)
    assert connector.outcome_of(message) == ("available", "available")
    assert connector.members() == set(people(50, 1450))
    assert {connector.json(key)["schema"] for key in connector.keys("reports/")} <= {1, 2}
