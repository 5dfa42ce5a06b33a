"""The test environment of the handler: it behaves like AWS where tests rely on it."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.handler.world import START, World, lines, people

KEY, OTHER = "tiktok/vip/email_sha256/a b+c%20é.csv", "tiktok/vip/email_sha256/other.csv"
ROWS = lines(people(0, 1000))


def _event(message: str) -> dict[str, Any]:
    event: dict[str, Any] = json.loads(message)
    return {"time": event["time"], "reason": event["detail"]["reason"], **event["detail"]["object"]}


def test_upload_times_are_one_second_apart_in_s3_and_in_events(world: World) -> None:
    events = [_event(world.upload(key, ROWS)) for key in (KEY, OTHER)]
    world.pass_time(hours=2)
    events.append(_event(world.upload(KEY, ROWS)))
    assert [event["time"] for event in events] == [
        "2026-01-31T12:00:00Z",
        "2026-01-31T12:00:01Z",
        "2026-01-31T14:00:01Z",
    ]
    for event in events:
        head = world.s3.head_object(Bucket=world.bucket, Key=event["key"], VersionId=event["version-id"])
        assert head["LastModified"].isoformat().replace("+00:00", "Z") == event["time"]
    assert world.now() == START + timedelta(hours=2, seconds=1)


def test_an_upload_with_a_given_time_does_not_advance_the_clock(world: World) -> None:
    event = _event(world.upload(KEY, ROWS, at=START - timedelta(days=50)))
    head = world.s3.head_object(Bucket=world.bucket, Key=KEY)
    assert (event["time"], head["LastModified"]) == ("2025-12-12T12:00:00Z", START - timedelta(days=50))
    assert world.now() == START


def test_objects_with_equal_bytes_have_different_etags(world: World) -> None:
    messages = [
        world.upload(KEY, ROWS),
        world.upload(KEY, ROWS),
        world.copy(KEY),
        world.copy(KEY, to=OTHER),
        world.multipart(KEY, ROWS),
    ]
    events = [_event(message) for message in messages]
    assert len({event["etag"] for event in events}) == 5
    assert [event["reason"] for event in events] == [
        "PutObject",
        "PutObject",
        "CopyObject",
        "CopyObject",
        "CompleteMultipartUpload",
    ]
    for message, event in zip(messages, events, strict=True):
        response = world.s3.get_object(Bucket=world.bucket, Key=event["key"], VersionId=world.version_id(message))
        assert response["ETag"] == f'"{event["etag"]}"'
        assert response["Body"].read() == ROWS


def test_a_delete_marker_is_newer_than_the_version_it_hides(world: World) -> None:
    first = world.upload(KEY, ROWS)
    marker = world.delete(KEY)
    second = world.upload(KEY, ROWS)
    listing = world.s3.list_object_versions(Bucket=world.bucket, Prefix=KEY)
    times = {each["VersionId"]: each["LastModified"] for each in (*listing["Versions"], *listing["DeleteMarkers"])}
    assert sorted(times, key=times.__getitem__) == [world.version_id(first), marker, world.version_id(second)]
    world.delete(KEY, world.version_id(first))
    with pytest.raises(ClientError, match="404"):
        world.s3.head_object(Bucket=world.bucket, Key=KEY, VersionId=world.version_id(first))


def test_the_gate_of_a_world_sees_and_can_refuse_its_requests(world: World) -> None:
    seen: list[str] = []
    world.hooks.before = lambda method, path: seen.append(f"{method} {path}")
    world.activate(OTHER, ROWS)
    world.messages()
    assert f"PUT /{world.bucket}/{OTHER}" in seen
    assert "POST /secretsmanager.GetSecretValue" in seen
    assert "POST /AmazonSQS.ReceiveMessage" in seen
    world.hooks.before = lambda _, path: "403 Forbidden" if path.startswith("/secretsmanager") else None
    world.hooks.after = lambda method, _: "500 Internal Server Error" if method == "HEAD" else None
    with pytest.raises(ClientError, match="403"):
        world.secrets.get_secret_value(SecretId=world.secret_arn)
    with pytest.raises(ClientError, match="500"):
        world.s3.head_object(Bucket=world.bucket, Key=OTHER)


def test_conditional_writes_are_atomic_and_compare_the_etag(world: World) -> None:
    created = world.s3.put_object(Bucket=world.bucket, Key="state", Body=b"1", IfNoneMatch="*")
    changed = world.s3.put_object(Bucket=world.bucket, Key="state", Body=b"1", IfMatch=created["ETag"])
    assert changed["ETag"] != created["ETag"]
    with pytest.raises(ClientError, match="PreconditionFailed"):
        world.s3.put_object(Bucket=world.bucket, Key="state", Body=b"2", IfMatch=created["ETag"])


@pytest.mark.processes
def test_run_sweeps_at_every_interval(world: World) -> None:
    world.deliver_all(*(world.upload(f"tiktok/vip {n}/email_sha256/a.csv", ROWS) for n in range(11)))
    world.tiktok.clear_calls()
    world.run(hours=1.1, every=0.25)
    assert world.calls("list") == ["list"] * 4
    assert {world.outcome(key) for key in world.events} == {("available", "available")}
