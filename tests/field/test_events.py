"""Kinds 54 to 58 of `kinds.md`: what AWS does with uploads and their events."""

from __future__ import annotations

import json
from datetime import timedelta
from itertools import permutations
from typing import Any
from urllib.parse import quote

import pytest

from tests.field.connector import AVAILABLE, COPY, DAY, HOUR, OUT_OF_ORDER, VIP, FieldConnector, S, body
from tests.handler.world import people

SUBMITTED = ("submitted", "submitted")


@pytest.mark.parametrize("prefix", ["TikTok", "TIKTOK", "Tiktok"])
def test_kind_54_other_spellings_of_the_first_folder(connector: FieldConnector, prefix: str) -> None:
    key = f"{prefix}/vip/email_sha256/x.csv"
    message = connector.put(key, body(people(0, 1500)))
    connector.wait(2 * S)
    report = connector.report_of(message)
    assert report
    assert report["status"] == "rejected"
    assert "tiktok/" in report["reason"]
    assert connector.audiences() == []
    assert connector.counted()["FilesRejected"] == 1
    connector.delete(key, connector.version_id(message))  # what is not below tiktok/ must hold no identifier


def test_kind_55_the_sweep_starts_what_has_settled(connector: FieldConnector) -> None:
    message = connector.put(f"{VIP}/x.csv", body(people(0, 1500)))
    assert connector.ends(message) == ("waiting", "settling")
    assert connector.messages() == []
    connector.sweep(0.9 * S / HOUR)
    assert connector.ends(message) == ("waiting", "settling")
    connector.sweep(0.2 * S / HOUR)
    assert connector.ends(message) == SUBMITTED


def test_kind_55_with_0_each_file_goes_at_once(connector: FieldConnector) -> None:
    connector.cold_start(SETTLE_SECONDS="0")
    message = connector.put(f"{VIP}/replace/x.csv", body(people(0, 1500)))
    assert connector.ends(message) == SUBMITTED


STORY = {
    "append": [*people(0, 1100), *people(2000, 500)],
    "remove": people(2000, 300),
    "append again": people(2100, 100),
}


@pytest.mark.parametrize("order", [*permutations(range(3))])
@pytest.mark.parametrize("gap", [0, S + 1, 3 * HOUR])
def test_kind_56_late_events_in_any_order(connector: FieldConnector, order: tuple[int, ...], gap: float) -> None:
    """The upload times decide, whenever the events arrive: for each person the latest upload that names them."""
    base = connector.base(1100)
    keys = [f"{VIP}/{name.split()[0]}/{n}.csv" for n, name in enumerate(STORY)]
    messages = [connector.upload(key, body(rows)) for key, rows in zip(keys, STORY.values(), strict=True)]
    for number in order:
        connector.pass_time(gap / HOUR)
        connector.deliver_all(messages[number])
        connector.sweep()
    connector.end()
    assert connector.members() == base | set(people(2300, 200)) | set(people(2100, 100))
    ends = [connector.ends(message) for message in messages]
    assert ends[0] == ends[2] == AVAILABLE
    assert ends[1] in {AVAILABLE, ("skipped", "overtaken")}


def test_kind_56_all_rows_overtaken(connector: FieldConnector) -> None:
    base = connector.base()
    late = connector.upload(f"{VIP}/append/x.csv", body(people(0, 50)))
    connector.put(f"{VIP}/remove/y.csv", body(people(0, 100)))
    connector.end()
    assert connector.deliver(late) == []
    connector.end()
    report = connector.report_of(late)
    assert report
    assert (report["status"], report["code"]) == ("skipped", "overtaken")
    assert report["rows"]["overtaken"] == 50
    assert connector.members() == base - set(people(0, 100))


@pytest.mark.parametrize("processed", [False, True])
def test_kind_56_registered_after_a_newer_replace_was_sent(connector: FieldConnector, *, processed: bool) -> None:
    """The listing before a replace finds uploads of the last day without a report; this one is older."""
    connector.base()
    connector.tiktok.configure(processing_seconds=6 * HOUR)
    late = connector.upload(f"{VIP}/append/x.csv", body(people(9000, 50)))
    connector.pass_time(25)
    sent = connector.put(f"{VIP}/replace/y.csv", body(people(3000, 1500)))
    connector.wait(12 * S + 60, every=12 * S + 60)
    assert (connector.ends(late), connector.ends(sent)) == (None, SUBMITTED)
    if processed:
        connector.end()
    assert connector.deliver(late) == []
    connector.end()
    assert [connector.ends(late), connector.ends(sent)] == [OUT_OF_ORDER, AVAILABLE]
    assert connector.counted()["FilesRejected"] == 1
    assert connector.members() == set(people(3000, 1500))


@pytest.mark.parametrize("call", ["create", "replace"])
def test_kind_56_found_by_the_listing_before_its_event(connector: FieldConnector, call: str) -> None:
    """Every folder with pending uploads is listed before a create and a replace."""
    folder = "replace/run/" if call == "replace" else "append/"
    if call == "replace":
        connector.base()
    late = connector.upload(f"{VIP}/{folder}a.csv", body(people(3000, 600)))
    seen = connector.put(f"{VIP}/{folder}b.csv", body(people(3600, 600)))
    connector.end()
    assert [connector.ends(late), connector.ends(seen)] == [AVAILABLE] * 2
    assert connector.members() == set(people(3000, 1200))
    assert connector.deliver(late) == []
    connector.end()
    assert connector.ends(late) == AVAILABLE


def test_kind_56_more_than_once(connector: FieldConnector) -> None:
    base = connector.base()
    message = connector.put(f"{VIP}/append/x.csv", body(people(3000, 10)))
    assert connector.deliver(message, message) == []
    connector.wait(2 * S)
    assert connector.deliver(message) == []
    connector.end()
    calls = len(connector.changes())
    assert connector.deliver(message) == []
    connector.end()
    assert len(connector.changes()) == calls
    assert connector.ends(message) == AVAILABLE
    assert connector.members() == base | set(people(3000, 10))


def test_kind_56_equal_bytes_get_different_etags(connector: FieldConnector) -> None:
    connector.base()
    content = body(people(3000, 10))
    etags = [json.loads(connector.put(f"{VIP}/append/x.csv", content))["detail"]["object"]["etag"]]
    connector.end()
    message = connector.copy(f"{VIP}/append/x.csv")
    etags.append(json.loads(message)["detail"]["object"]["etag"])
    assert connector.deliver(message) == []
    connector.end()
    assert len(set(etags)) == 2
    assert connector.ends(message) == COPY


def test_kind_56_a_multipart_upload_is_as_old_as_its_beginning(connector: FieldConnector) -> None:
    """LastModified is the time when it began; a remove during the upload is newer."""
    base = connector.base()
    began = connector.now() + timedelta(seconds=5)
    connector.pass_time(1)
    removed = connector.put(f"{VIP}/remove/y.csv", body(people(3000, 5)))
    message = connector.multipart(f"{VIP}/append/x.csv", body(people(3000, 10)), at=began)
    assert connector.deliver(message) == []
    connector.end()
    report: dict[str, Any] = connector.report_of(message) or {}
    assert report["file"]["uploaded_at"] == began.strftime("%Y-%m-%dT%H:%M:%SZ")
    assert connector.ends(message) == AVAILABLE
    assert connector.ends(removed) in {AVAILABLE, ("skipped", "overtaken")}
    assert connector.members() == base | set(people(3005, 5))


def test_kind_57_the_lifecycle_withdraws_nothing(connector: FieldConnector) -> None:
    """A delete marker on an upload older than `FILE_RETENTION_DAYS` comes from the lifecycle."""
    connector.cold_start(FILE_RETENTION_DAYS="2")
    base = connector.base()
    connector.tiktok.fault("update", "code", code=40105, message="Access token is incorrect.", times=None)
    kept = connector.put(f"{VIP}/append/kept.csv", body(people(3000, 10)))
    withdrawn = connector.put(f"{VIP}/append/withdrawn.csv", body(people(3100, 10)))
    connector.wait(DAY, every=DAY / 2)
    connector.delete(f"{VIP}/append/withdrawn.csv")
    connector.wait(1.5 * DAY, every=DAY / 2)
    connector.delete(f"{VIP}/append/kept.csv")
    connector.tiktok.clear_faults()
    connector.end()
    assert [connector.ends(kept), connector.ends(withdrawn)] == [AVAILABLE, ("skipped", "withdrawn")]
    assert connector.members() == base | set(people(3000, 10))


ODD_NAMES = ["a+b.csv", "a%20b.csv", "100%.csv", "a b & c=d.csv", "naïve ü.csv", "a%2Bb+c.csv"]


@pytest.mark.parametrize("name", ODD_NAMES)
@pytest.mark.parametrize("encoded", [False, True])
def test_kind_58_keys_as_they_stand(connector: FieldConnector, name: str, *, encoded: bool) -> None:
    """Only if no object has the key as it stands, the decoded key is tried."""
    key = f"{VIP}/append/{name}"
    message = connector.upload(key, body(people(0, 1500)))
    event = json.loads(message)
    if encoded:
        event["detail"]["object"]["key"] = quote(key)
    assert connector.deliver(json.dumps(event)) == []
    connector.end()
    assert connector.ends(message) == AVAILABLE
    assert connector.members() == set(people(0, 1500))


def test_kind_58_a_deleted_object_is_not_taken_for_another_key(connector: FieldConnector) -> None:
    """`HEAD` without a version answers 404 behind a delete marker; the key is right all the same."""
    base = connector.base()
    removed = connector.upload(f"{VIP}/remove/a%2Db.csv", body(people(0, 10)))
    connector.delete(f"{VIP}/remove/a%2Db.csv")
    assert connector.deliver(removed) == []
    connector.end()
    assert connector.ends(removed) == AVAILABLE
    assert connector.members() == base - set(people(0, 10))
