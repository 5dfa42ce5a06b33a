"""Kinds 31, 41 and 42 of `kinds.md`: files uploaded again, copies of a file onto itself, and unreadable objects."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any

import pytest

from tests.field.connector import AVAILABLE, COPY, DAY, HOUR, SETTLE, VIP, FieldConnector, body
from tests.handler.world import people

ACTIONS = ["append", "remove", "replace"]
SUBMITTED = ("submitted", "submitted")
CHANGES: list[dict[str, Any]] = [{}, {"StorageClass": "STANDARD_IA"}, {"ServerSideEncryption": "AES256"}]


@pytest.mark.parametrize("action", ACTIONS)
@pytest.mark.parametrize("changes", CHANGES, ids=str)
def test_kind_41_a_copy_of_an_object_onto_itself_is_unchanged(
    connector: FieldConnector, action: str, changes: dict[str, Any]
) -> None:
    connector.create_audience()
    given = people(0, 500) if action == "remove" else people(1000, 2000)
    key = f"{VIP}/{action}/x.csv"
    connector.put(key, body(given))
    connector.finish()
    before, calls = connector.members(), connector.changes()
    connector.wait(DAY, every=DAY / 4)
    message = connector.copy(key, **changes)
    assert connector.deliver(message) == []
    connector.finish()
    assert connector.outcome_of(message) == COPY
    assert (connector.members(), connector.changes()) == (before, calls)


@pytest.mark.parametrize("action", ACTIONS)
@pytest.mark.parametrize("hours", [0.01, 3, 30])
def test_kind_41_a_copy_is_unchanged_while_tiktok_processes_the_original(
    connector: FieldConnector, action: str, hours: float
) -> None:
    connector.create_audience()
    connector.tiktok.configure(processing_seconds=2 * DAY)
    given = people(0, 500) if action == "remove" else people(1000, 2000)
    key = f"{VIP}/{action}/x.csv"
    message = connector.put(key, body(given))
    connector.wait(12 * SETTLE + 60, every=12 * SETTLE + 60)
    assert connector.outcome_of(message) == SUBMITTED
    changes = connector.changes()
    connector.wait(hours * 3600, every=6 * 3600)
    copy = connector.copy(key)
    assert connector.deliver(copy) == []
    connector.finish()
    assert [connector.outcome_of(message), connector.outcome_of(copy)] == [AVAILABLE, COPY]
    assert connector.changes() == changes


@pytest.mark.parametrize("copies", [1, 2])
def test_kind_41_copies_of_an_old_list_do_not_compete_with_a_new_one(connector: FieldConnector, copies: int) -> None:
    connector.put(f"{VIP}/replace/monday/part-0.csv", body(people(0, 1500)))
    connector.put(f"{VIP}/replace/monday/part-1.csv", body(people(1500, 1500)))
    connector.finish()
    connector.wait(DAY, every=DAY / 4)
    messages = [connector.copy(f"{VIP}/replace/monday/part-1.csv") for _ in range(copies)]
    connector.deliver_all(*messages)
    new = connector.put(f"{VIP}/replace/tuesday/part-0.csv", body(people(2000, 2000)))
    connector.finish()
    assert [connector.outcome_of(message) for message in messages] == [COPY] * copies
    assert connector.outcome_of(new) == AVAILABLE
    assert connector.members() == set(people(2000, 2000))


def test_kind_41_a_copy_of_an_append_does_not_undo_a_remove(connector: FieldConnector) -> None:
    base = connector.create_audience()
    connector.put(f"{VIP}/append/x.csv", body(people(3000, 100)))
    connector.finish()
    connector.put(f"{VIP}/remove/x.csv", body(people(3000, 50)))
    connector.finish()
    message = connector.copy(f"{VIP}/append/x.csv")
    assert connector.deliver(message) == []
    connector.finish()
    assert connector.outcome_of(message) == COPY
    assert connector.members() == base | set(people(3050, 50))


def test_kind_41_a_copy_of_a_remove_without_an_audience_is_unchanged(connector: FieldConnector) -> None:
    """The rows of a remove that found no audience count as applied."""
    key = f"{VIP}/remove/x.csv"
    connector.put(key, body(people(0, 500)))
    connector.finish()
    assert connector.outcome(key) == ("rejected", "nothing_to_remove_from")
    base = connector.create_audience()
    message = connector.copy(key)
    assert connector.deliver(message) == []
    connector.finish()
    assert connector.outcome_of(message) == COPY
    assert connector.members() == base


@pytest.mark.parametrize("action", ["append", "replace"])
def test_kind_41_a_multipart_copy_is_unchanged(connector: FieldConnector, action: str) -> None:
    connector.create_audience()
    key, content = f"{VIP}/{action}/x.csv", body(people(1000, 2000))
    connector.put(key, content)
    connector.finish()
    message = connector.multipart(key, content)
    assert connector.deliver(message) == []
    connector.finish()
    assert connector.outcome_of(message) == COPY


@pytest.mark.parametrize("name", ["append/vips.csv", "append/run/x.csv", "replace/vips.csv"])
@pytest.mark.parametrize("deletions", [1, 2])
@pytest.mark.parametrize("wait", [0.0, 3 * SETTLE], ids=["soon", "later"])
def test_kind_31_41_a_deleted_large_file_that_is_uploaded_again_is_applied(
    connector: FieldConnector, name: str, deletions: int, wait: float
) -> None:
    """The AWS CLI uploads files over 8 MB in parts, which looks like a multipart copy."""
    connector.create_audience()
    key, content = f"{VIP}/{name}", body(people(5000, 2000))
    first = connector.multipart(key, content)
    connector.deliver_all(first)
    for _ in range(deletions):
        connector.delete(key)
    connector.wait(wait)
    again = connector.multipart(key, content)
    connector.deliver_all(again)
    connector.finish()
    assert connector.outcome_of(again) == AVAILABLE
    assert set(people(5000, 2000)) <= connector.members()


@pytest.mark.parametrize("multipart", [False, True])
def test_kind_41_a_copy_that_has_not_settled_does_not_supersede_its_original(
    connector: FieldConnector, *, multipart: bool
) -> None:
    """An older upload has waited for an hour, so that the file is sent before its copy has settled."""
    connector.create_audience()
    connector.tiktok.configure(processing_seconds=6 * HOUR)
    connector.put(f"{VIP}/append/busy.csv", body(people(9000, 10)))
    connector.wait(2 * SETTLE)
    connector.put(f"{VIP}/append/older.csv", body(people(9100, 10)))
    connector.wait(6 * HOUR - 2 * SETTLE, every=HOUR)
    key, content = f"{VIP}/append/x.csv", body(people(5000, 1000))
    first = connector.multipart(key, content)
    connector.deliver_all(first)
    connector.pass_time(SETTLE * 0.7 / HOUR)
    copy = connector.multipart(key, content) if multipart else connector.copy(key)
    connector.deliver_all(copy)
    connector.tiktok.advance(6 * HOUR)
    connector.wait(SETTLE * 0.4)
    assert [connector.outcome_of(first), connector.outcome_of(copy)] == [SUBMITTED, COPY]
    connector.finish()
    assert connector.outcome_of(first) == AVAILABLE
    assert set(people(5000, 1000)) <= connector.members()


def test_kind_41_a_failed_file_can_be_uploaded_again_after_a_copy_of_it(connector: FieldConnector) -> None:
    """The copy was skipped before TikTok refused the file. The new upload is not compared with the copy."""
    connector.create_audience()
    key, content = f"{VIP}/append/x.csv", body(people(5000, 1000))
    first, copy = connector.multipart(key, content), connector.copy(key)
    connector.deliver_all(first, copy)
    connector.tiktok.fault("update", "code", code=40002, message="The file is wrong.", times=None)
    connector.finish()
    connector.tiktok.clear_faults()
    assert [connector.outcome_of(first), connector.outcome_of(copy)] == [("failed", "request_refused"), COPY]
    again = connector.multipart(key, content)
    connector.deliver_all(again)
    connector.finish()
    assert connector.outcome_of(again) == AVAILABLE
    assert set(people(5000, 1000)) <= connector.members()


@pytest.mark.parametrize("hours", [0.1, 24])
def test_kind_01_41_copies_of_empty_files_of_a_list_are_unchanged(connector: FieldConnector, hours: float) -> None:
    contents = [body(people(3000, 1500)), b"", b"email\n", b"NULL\n\\N\n"]
    keys = [f"{VIP}/replace/run/part-{number}.csv" for number in range(len(contents))]
    for key, content in zip(keys, contents, strict=True):
        connector.put(key, content)
    connector.finish()
    connector.wait(hours * HOUR, every=HOUR)
    copies = [connector.copy(key) for key in keys]
    connector.deliver_all(*copies)
    connector.finish()
    assert [connector.outcome_of(copy) for copy in copies] == [COPY] * len(copies)
    assert connector.changes() == ["create"]


def test_kind_41_a_faulty_file_is_not_a_copy_of_an_empty_version(connector: FieldConnector) -> None:
    key = f"{VIP}/append/x.csv"
    connector.put(key, b"")
    connector.finish()
    faulty = connector.multipart(key, b"jane@example.com\n")
    connector.deliver_all(faulty)
    connector.finish()
    assert connector.outcome_of(faulty) == ("rejected", "no_valid_row")


def test_kind_41_a_copy_to_another_key_is_an_upload(connector: FieldConnector) -> None:
    connector.create_audience()
    connector.s3.put_object(Bucket=connector.bucket, Key="tiktok/.staging/x.csv", Body=body(people(3000, 10)))
    message = connector.copy("tiktok/.staging/x.csv", f"{VIP}/append/x.csv")
    assert connector.deliver(message) == []
    connector.finish()
    assert connector.outcome_of(message) == AVAILABLE


def delete_version(connector: FieldConnector, key: str, message: str) -> None:
    connector.delete(key, connector.version_id(message))


UNREADABLE: dict[str, tuple[Callable[[FieldConnector, str, str], None] | None, str]] = {
    "archived on upload": (None, "object_archived"),
    "permanently deleted": (delete_version, "object_missing"),
}


@pytest.mark.parametrize(("cause", "action"), [*itertools.product(UNREADABLE, ["append", "remove"])])
def test_kind_42_an_object_that_cannot_be_read_fails(connector: FieldConnector, cause: str, action: str) -> None:
    base = connector.create_audience()
    make_unreadable, code = UNREADABLE[cause]
    key = f"{VIP}/{action}/run/x.csv"
    headers: dict[str, Any] = {} if make_unreadable else {"StorageClass": "GLACIER"}
    message = connector.upload(key, body(people(0, 10)), **headers)
    if make_unreadable:
        make_unreadable(connector, key, message)
    assert connector.deliver(message) == []
    behind = connector.put(f"{VIP}/append/y.csv", body(people(3000, 10)))
    connector.finish()
    assert [connector.outcome_of(message), connector.outcome_of(behind)] == [("failed", code), AVAILABLE]
    assert connector.members() == base | set(people(3000, 10))
    assert connector.metric_totals()["FilesFailed"] == 1


def test_kind_42_an_upload_without_access_fails_after_an_hour_and_others_continue(connector: FieldConnector) -> None:
    """The message is retried for an hour in which other objects can be read. Then the upload fails."""
    base = connector.create_audience()
    key = f"{VIP}/append/denied.csv"

    def denied(method: str, path: str) -> str | None:
        return "403 Forbidden" if method == "GET" and path.endswith("/denied.csv") and "/reports/" not in path else None

    connector.hooks.before = denied
    message = connector.upload(key, body(people(3000, 10)))
    behind = connector.upload(f"{VIP}/append/y.csv", body(people(3100, 10)))
    connector.deliver(message, behind)
    for _ in range(18):
        connector.pass_time(5 / 60)
        connector.deliver('{"sweep": true}')
    connector.hooks.before = lambda *_: None
    connector.finish()
    outcome = connector.outcome_of(message)
    assert outcome
    assert outcome[0] == "failed"
    assert connector.outcome_of(behind) == AVAILABLE
    assert connector.members() == base | set(people(3100, 10))
