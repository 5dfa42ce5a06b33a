"""Kinds 54 to 58 of `kinds.md`: the behavior of AWS with uploads and their events."""

from __future__ import annotations

import json
from datetime import timedelta
from itertools import permutations
from typing import Any
from urllib.parse import quote

import pytest

from tests.field.connector import AVAILABLE, COPY, DAY, HOUR, OUT_OF_ORDER, SETTLE, VIP, FieldConnector, body
from tests.handler.world import people

SUBMITTED = ("submitted", "submitted")


@pytest.mark.parametrize("prefix", ["TikTok", "TIKTOK", "Tiktok"])
def test_kind_54_other_spellings_of_the_first_folder_are_rejected(connector: FieldConnector, prefix: str) -> None:
    key = f"{prefix}/vip/email_sha256/x.csv"
    message = connector.put(key, body(people(0, 1500)))
    connector.wait(2 * SETTLE)
    report = connector.report_of(message)
    assert report
    assert report["status"] == "rejected"
    assert "tiktok/" in report["reason"]
    assert connector.audiences() == []
    assert connector.metric_totals()["FilesRejected"] == 1
    connector.delete(key, connector.version_id(message))  # objects outside tiktok/ are searched for identifiers


def test_kind_55_the_sweep_sends_settled_uploads(connector: FieldConnector) -> None:
    message = connector.put(f"{VIP}/x.csv", body(people(0, 1500)))
    assert connector.outcome_of(message) == ("waiting", "settling")
    assert connector.messages() == []
    connector.sweep(0.9 * SETTLE / HOUR)
    assert connector.outcome_of(message) == ("waiting", "settling")
    connector.sweep(0.2 * SETTLE / HOUR)
    assert connector.outcome_of(message) == SUBMITTED


def test_kind_55_without_settling_each_file_is_sent_immediately(connector: FieldConnector) -> None:
    connector.cold_start(SETTLE_SECONDS="0")
    message = connector.put(f"{VIP}/replace/x.csv", body(people(0, 1500)))
    assert connector.outcome_of(message) == SUBMITTED


UPLOADS = {
    "append": [*people(0, 1100), *people(2000, 500)],
    "remove": people(2000, 300),
    "append again": people(2100, 100),
}


@pytest.mark.parametrize("order", [*permutations(range(3))])
@pytest.mark.parametrize("gap", [0, SETTLE + 1, 3 * HOUR])
def test_kind_56_upload_times_decide_when_events_arrive_late_in_any_order(
    connector: FieldConnector, order: tuple[int, ...], gap: float
) -> None:
    """For each person, the latest upload that contains them decides, whenever the events arrive."""
    base = connector.create_audience(1100)
    keys = [f"{VIP}/{name.split()[0]}/{n}.csv" for n, name in enumerate(UPLOADS)]
    messages = [connector.upload(key, body(rows)) for key, rows in zip(keys, UPLOADS.values(), strict=True)]
    for number in order:
        connector.pass_time(gap / HOUR)
        connector.deliver_all(messages[number])
        connector.sweep()
    connector.finish()
    assert connector.members() == base | set(people(2300, 200)) | set(people(2100, 100))
    outcomes = [connector.outcome_of(message) for message in messages]
    assert outcomes[0] == outcomes[2] == AVAILABLE
    assert outcomes[1] in {AVAILABLE, ("skipped", "overtaken")}


def test_kind_56_a_late_append_whose_rows_were_all_removed_is_overtaken(connector: FieldConnector) -> None:
    base = connector.create_audience()
    late = connector.upload(f"{VIP}/append/x.csv", body(people(0, 50)))
    connector.put(f"{VIP}/remove/y.csv", body(people(0, 100)))
    connector.finish()
    assert connector.deliver(late) == []
    connector.finish()
    report = connector.report_of(late)
    assert report
    assert (report["status"], report["code"]) == ("skipped", "overtaken")
    assert report["rows"]["overtaken"] == 50
    assert connector.members() == base - set(people(0, 100))


@pytest.mark.parametrize("processed", [False, True])
def test_kind_56_an_upload_registered_after_a_newer_replace_was_sent_is_out_of_order(
    connector: FieldConnector, *, processed: bool
) -> None:
    """The listing before a replace finds uploads of the last day that have no report. This upload is older."""
    connector.create_audience()
    connector.tiktok.configure(processing_seconds=6 * HOUR)
    late = connector.upload(f"{VIP}/append/x.csv", body(people(9000, 50)))
    connector.pass_time(25)
    sent = connector.put(f"{VIP}/replace/y.csv", body(people(3000, 1500)))
    connector.wait(12 * SETTLE + 60, every=12 * SETTLE + 60)
    assert (connector.outcome_of(late), connector.outcome_of(sent)) == (None, SUBMITTED)
    if processed:
        connector.finish()
    assert connector.deliver(late) == []
    connector.finish()
    assert [connector.outcome_of(late), connector.outcome_of(sent)] == [OUT_OF_ORDER, AVAILABLE]
    assert connector.metric_totals()["FilesRejected"] == 1
    assert connector.members() == set(people(3000, 1500))


@pytest.mark.parametrize("call", ["create", "replace"])
def test_kind_56_the_listing_before_a_create_or_replace_finds_uploads_without_an_event(
    connector: FieldConnector, call: str
) -> None:
    """Before a create and before a replace, the connector lists the identifier type folders of the uploads to send."""
    folder = "replace/run/" if call == "replace" else "append/"
    if call == "replace":
        connector.create_audience()
    late = connector.upload(f"{VIP}/{folder}a.csv", body(people(3000, 600)))
    seen = connector.put(f"{VIP}/{folder}b.csv", body(people(3600, 600)))
    connector.finish()
    assert [connector.outcome_of(late), connector.outcome_of(seen)] == [AVAILABLE] * 2
    assert connector.members() == set(people(3000, 1200))
    assert connector.deliver(late) == []
    connector.finish()
    assert connector.outcome_of(late) == AVAILABLE


def test_kind_56_an_event_that_arrives_more_than_once_changes_nothing(connector: FieldConnector) -> None:
    base = connector.create_audience()
    message = connector.put(f"{VIP}/append/x.csv", body(people(3000, 10)))
    assert connector.deliver(message, message) == []
    connector.wait(2 * SETTLE)
    assert connector.deliver(message) == []
    connector.finish()
    calls = len(connector.changes())
    assert connector.deliver(message) == []
    connector.finish()
    assert len(connector.changes()) == calls
    assert connector.outcome_of(message) == AVAILABLE
    assert connector.members() == base | set(people(3000, 10))


def test_kind_56_a_copy_with_a_different_etag_is_unchanged(connector: FieldConnector) -> None:
    connector.create_audience()
    content = body(people(3000, 10))
    etags = [json.loads(connector.put(f"{VIP}/append/x.csv", content))["detail"]["object"]["etag"]]
    connector.finish()
    message = connector.copy(f"{VIP}/append/x.csv")
    etags.append(json.loads(message)["detail"]["object"]["etag"])
    assert connector.deliver(message) == []
    connector.finish()
    assert len(set(etags)) == 2
    assert connector.outcome_of(message) == COPY


def test_kind_56_the_time_of_a_multipart_upload_is_its_start(connector: FieldConnector) -> None:
    """LastModified is the time when the upload started, so that a remove during the upload is newer."""
    base = connector.create_audience()
    started = connector.now() + timedelta(seconds=5)
    connector.pass_time(1)
    removed = connector.put(f"{VIP}/remove/y.csv", body(people(3000, 5)))
    message = connector.multipart(f"{VIP}/append/x.csv", body(people(3000, 10)), at=started)
    assert connector.deliver(message) == []
    connector.finish()
    report: dict[str, Any] = connector.report_of(message) or {}
    assert report["file"]["uploaded_at"] == started.strftime("%Y-%m-%dT%H:%M:%SZ")
    assert connector.outcome_of(message) == AVAILABLE
    assert connector.outcome_of(removed) in {AVAILABLE, ("skipped", "overtaken")}
    assert connector.members() == base | set(people(3005, 5))


def test_kind_57_delete_markers_of_the_lifecycle_withdraw_nothing(connector: FieldConnector) -> None:
    """A delete marker created `FILE_RETENTION_DAYS` or more after the upload is attributed to the lifecycle rule."""
    connector.cold_start(FILE_RETENTION_DAYS="2")
    base = connector.create_audience()
    connector.tiktok.fault("update", "code", code=40105, message="Access token is incorrect.", times=None)
    kept = connector.put(f"{VIP}/append/kept.csv", body(people(3000, 10)))
    withdrawn = connector.put(f"{VIP}/append/withdrawn.csv", body(people(3100, 10)))
    connector.wait(DAY, every=DAY / 2)
    connector.delete(f"{VIP}/append/withdrawn.csv")
    connector.wait(1.5 * DAY, every=DAY / 2)
    connector.delete(f"{VIP}/append/kept.csv")
    connector.tiktok.clear_faults()
    connector.finish()
    assert [connector.outcome_of(kept), connector.outcome_of(withdrawn)] == [AVAILABLE, ("skipped", "withdrawn")]
    assert connector.members() == base | set(people(3000, 10))


ODD_NAMES = ["a+b.csv", "a%20b.csv", "100%.csv", "a b & c=d.csv", "naïve ü.csv", "a%2Bb+c.csv"]


@pytest.mark.parametrize("name", ODD_NAMES)
@pytest.mark.parametrize("encoded", [False, True])
def test_kind_58_the_key_in_an_event_may_be_raw_or_url_encoded(
    connector: FieldConnector, name: str, *, encoded: bool
) -> None:
    """The connector tries the decoded key only if no object has the raw key."""
    key = f"{VIP}/append/{name}"
    message = connector.upload(key, body(people(0, 1500)))
    event = json.loads(message)
    if encoded:
        event["detail"]["object"]["key"] = quote(key)
    assert connector.deliver(json.dumps(event)) == []
    connector.finish()
    assert connector.outcome_of(message) == AVAILABLE
    assert connector.members() == set(people(0, 1500))


def test_kind_58_the_raw_key_of_a_deleted_object_is_used(connector: FieldConnector) -> None:
    """A `HEAD` request without a version returns 404 for a delete marker, although the key exists."""
    base = connector.create_audience()
    removed = connector.upload(f"{VIP}/remove/a%2Db.csv", body(people(0, 10)))
    connector.delete(f"{VIP}/remove/a%2Db.csv")
    assert connector.deliver(removed) == []
    connector.finish()
    assert connector.outcome_of(removed) == AVAILABLE
    assert connector.members() == base - set(people(0, 10))
