"""Kinds 41 and 42 of `kinds.md`: stored objects that are copied onto themselves, or that cannot be read."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any

import pytest

from tests.field.connector import AVAILABLE, COPY, DAY, HOUR, VIP, FieldConnector, S, body
from tests.handler.world import people

ACTIONS = ["append", "remove", "replace"]
SUBMITTED = ("submitted", "submitted")
CHANGES: list[dict[str, Any]] = [{}, {"StorageClass": "STANDARD_IA"}, {"ServerSideEncryption": "AES256"}]


@pytest.mark.parametrize("action", ACTIONS)
@pytest.mark.parametrize("changes", CHANGES, ids=str)
def test_kind_41_copies_onto_themselves(connector: FieldConnector, action: str, changes: dict[str, Any]) -> None:
    connector.base()
    given = people(0, 500) if action == "remove" else people(1000, 2000)
    key = f"{VIP}/{action}/x.csv"
    connector.put(key, body(given))
    connector.end()
    before, calls = connector.members(), connector.changes()
    connector.wait(DAY, every=DAY / 4)
    message = connector.copy(key, **changes)
    assert connector.deliver(message) == []
    connector.end()
    assert connector.ends(message) == COPY
    assert (connector.members(), connector.changes()) == (before, calls)


@pytest.mark.parametrize("action", ACTIONS)
@pytest.mark.parametrize("hours", [0.01, 3, 30])
def test_kind_41_copies_while_tiktok_is_at_work(connector: FieldConnector, action: str, hours: float) -> None:
    connector.base()
    connector.tiktok.configure(processing_seconds=2 * DAY)
    given = people(0, 500) if action == "remove" else people(1000, 2000)
    key = f"{VIP}/{action}/x.csv"
    message = connector.put(key, body(given))
    connector.wait(12 * S + 60, every=12 * S + 60)
    assert connector.ends(message) == SUBMITTED
    changes = connector.changes()
    connector.wait(hours * 3600, every=6 * 3600)
    copy = connector.copy(key)
    assert connector.deliver(copy) == []
    connector.end()
    assert [connector.ends(message), connector.ends(copy)] == [AVAILABLE, COPY]
    assert connector.changes() == changes


@pytest.mark.parametrize("copies", [1, 2])
def test_kind_41_copies_of_an_old_list_do_not_compete_with_a_new_one(connector: FieldConnector, copies: int) -> None:
    connector.put(f"{VIP}/replace/monday/part-0.csv", body(people(0, 1500)))
    connector.put(f"{VIP}/replace/monday/part-1.csv", body(people(1500, 1500)))
    connector.end()
    connector.wait(DAY, every=DAY / 4)
    messages = [connector.copy(f"{VIP}/replace/monday/part-1.csv") for _ in range(copies)]
    connector.deliver_all(*messages)
    new = connector.put(f"{VIP}/replace/tuesday/part-0.csv", body(people(2000, 2000)))
    connector.end()
    assert [connector.ends(message) for message in messages] == [COPY] * copies
    assert connector.ends(new) == AVAILABLE
    assert connector.members() == set(people(2000, 2000))


def test_kind_41_a_copy_of_an_append_does_not_undo_a_remove(connector: FieldConnector) -> None:
    base = connector.base()
    connector.put(f"{VIP}/append/x.csv", body(people(3000, 100)))
    connector.end()
    connector.put(f"{VIP}/remove/x.csv", body(people(3000, 50)))
    connector.end()
    message = connector.copy(f"{VIP}/append/x.csv")
    assert connector.deliver(message) == []
    connector.end()
    assert connector.ends(message) == COPY
    assert connector.members() == base | set(people(3050, 50))


def test_kind_41_a_copy_of_a_remove_that_found_no_audience(connector: FieldConnector) -> None:
    """The rows of such a remove count as applied."""
    key = f"{VIP}/remove/x.csv"
    connector.put(key, body(people(0, 500)))
    connector.end()
    assert connector.outcome(key) == ("rejected", "nothing_to_remove_from")
    base = connector.base()
    message = connector.copy(key)
    assert connector.deliver(message) == []
    connector.end()
    assert connector.ends(message) == COPY
    assert connector.members() == base


@pytest.mark.parametrize("action", ["append", "replace"])
def test_kind_41_large_files_are_copied_in_parts(connector: FieldConnector, action: str) -> None:
    connector.base()
    key, content = f"{VIP}/{action}/x.csv", body(people(1000, 2000))
    connector.put(key, content)
    connector.end()
    message = connector.multipart(key, content)
    assert connector.deliver(message) == []
    connector.end()
    assert connector.ends(message) == COPY


@pytest.mark.parametrize("name", ["append/vips.csv", "append/run/x.csv", "replace/vips.csv"])
@pytest.mark.parametrize("deletions", [1, 2])
@pytest.mark.parametrize("wait", [0.0, 3 * S], ids=["soon", "later"])
def test_kind_31_41_a_large_file_that_was_deleted_is_uploaded_again(
    connector: FieldConnector, name: str, deletions: int, wait: float
) -> None:
    """The CLI uploads files over 8 MB in parts, which looks like a copy."""
    connector.base()
    key, content = f"{VIP}/{name}", body(people(5000, 2000))
    first = connector.multipart(key, content)
    connector.deliver_all(first)
    for _ in range(deletions):
        connector.delete(key)
    connector.wait(wait)
    again = connector.multipart(key, content)
    connector.deliver_all(again)
    connector.end()
    assert connector.ends(again) == AVAILABLE
    assert set(people(5000, 2000)) <= connector.members()


@pytest.mark.parametrize("multipart", [False, True])
def test_kind_41_a_copy_that_has_not_settled_replaces_no_version(connector: FieldConnector, *, multipart: bool) -> None:
    """Something older has waited for an hour, so that the file goes before its copy has settled."""
    connector.base()
    connector.tiktok.configure(processing_seconds=6 * HOUR)
    connector.put(f"{VIP}/append/busy.csv", body(people(9000, 10)))
    connector.wait(2 * S)
    connector.put(f"{VIP}/append/older.csv", body(people(9100, 10)))
    connector.wait(6 * HOUR - 2 * S, every=HOUR)
    key, content = f"{VIP}/append/x.csv", body(people(5000, 1000))
    first = connector.multipart(key, content)
    connector.deliver_all(first)
    connector.pass_time(S * 0.7 / HOUR)
    copy = connector.multipart(key, content) if multipart else connector.copy(key)
    connector.deliver_all(copy)
    connector.tiktok.advance(6 * HOUR)
    connector.wait(S * 0.4)
    assert [connector.ends(first), connector.ends(copy)] == [SUBMITTED, COPY]
    connector.end()
    assert connector.ends(first) == AVAILABLE
    assert set(people(5000, 1000)) <= connector.members()


def test_kind_41_what_failed_is_uploaded_again_after_a_copy_of_it(connector: FieldConnector) -> None:
    """The copy ended as unchanged before TikTok refused the file, and says nothing about what comes after it."""
    connector.base()
    key, content = f"{VIP}/append/x.csv", body(people(5000, 1000))
    first, copy = connector.multipart(key, content), connector.copy(key)
    connector.deliver_all(first, copy)
    connector.tiktok.fault("update", "code", code=40002, message="The file is wrong.", times=None)
    connector.end()
    connector.tiktok.clear_faults()
    assert [connector.ends(first), connector.ends(copy)] == [("failed", "request_refused"), COPY]
    again = connector.multipart(key, content)
    connector.deliver_all(again)
    connector.end()
    assert connector.ends(again) == AVAILABLE
    assert set(people(5000, 1000)) <= connector.members()


@pytest.mark.parametrize("hours", [0.1, 24])
def test_kind_01_41_copies_of_empty_files_of_a_list(connector: FieldConnector, hours: float) -> None:
    contents = [body(people(3000, 1500)), b"", b"email\n", b"NULL\n\\N\n"]
    keys = [f"{VIP}/replace/run/part-{number}.csv" for number in range(len(contents))]
    for key, content in zip(keys, contents, strict=True):
        connector.put(key, content)
    connector.end()
    connector.wait(hours * HOUR, every=HOUR)
    copies = [connector.copy(key) for key in keys]
    connector.deliver_all(*copies)
    connector.end()
    assert [connector.ends(copy) for copy in copies] == [COPY] * len(copies)
    assert connector.changes() == ["create"]


def test_kind_41_a_version_without_rows_is_no_copy_if_another_file_is_faulty(connector: FieldConnector) -> None:
    key = f"{VIP}/append/x.csv"
    connector.put(key, b"")
    connector.end()
    faulty = connector.multipart(key, b"jane@example.com\n")
    connector.deliver_all(faulty)
    connector.end()
    assert connector.ends(faulty) == ("rejected", "no_valid_row")


def test_kind_41_a_copy_to_another_key_is_an_upload(connector: FieldConnector) -> None:
    connector.base()
    connector.s3.put_object(Bucket=connector.bucket, Key="tiktok/.staging/x.csv", Body=body(people(3000, 10)))
    message = connector.copy("tiktok/.staging/x.csv", f"{VIP}/append/x.csv")
    assert connector.deliver(message) == []
    connector.end()
    assert connector.ends(message) == AVAILABLE


def gone_for_good(connector: FieldConnector, key: str, message: str) -> None:
    connector.delete(key, connector.version_id(message))


UNREADABLE: dict[str, tuple[Callable[[FieldConnector, str, str], None] | None, str]] = {
    "archived on upload": (None, "object_archived"),
    "gone for good": (gone_for_good, "object_missing"),
}


@pytest.mark.parametrize(("cause", "action"), [*itertools.product(UNREADABLE, ["append", "remove"])])
def test_kind_42_an_object_that_cannot_be_read(connector: FieldConnector, cause: str, action: str) -> None:
    base = connector.base()
    happens, code = UNREADABLE[cause]
    key = f"{VIP}/{action}/run/x.csv"
    headers: dict[str, Any] = {} if happens else {"StorageClass": "GLACIER"}
    message = connector.upload(key, body(people(0, 10)), **headers)
    if happens:
        happens(connector, key, message)
    assert connector.deliver(message) == []
    behind = connector.put(f"{VIP}/append/y.csv", body(people(3000, 10)))
    connector.end()
    assert [connector.ends(message), connector.ends(behind)] == [("failed", code), AVAILABLE]
    assert connector.members() == base | set(people(3000, 10))
    assert connector.counted()["FilesFailed"] == 1


def test_kind_42_access_denied_to_one_object(connector: FieldConnector) -> None:
    """Fails and is retried for an hour in which others can be read; then it fails and the rest goes on."""
    base = connector.base()
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
    connector.end()
    ends = connector.ends(message)
    assert ends
    assert ends[0] == "failed"
    assert connector.ends(behind) == AVAILABLE
    assert connector.members() == base | set(people(3100, 10))
