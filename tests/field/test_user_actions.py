"""Kinds 29 to 32, 37, 39 and 40 of `kinds.md`: the actions of people and tools."""

from __future__ import annotations

import pytest

from tests.field.connector import AVAILABLE, DAY, SETTLE, VIP, WITHDRAWN, FieldConnector, File, body
from tests.handler.world import people

ACTIONS = ["append", "remove", "replace"]
SUBMITTED = ("submitted", "submitted")


def test_kind_29_many_small_parts_create_an_audience_in_one_call(connector: FieldConnector) -> None:
    """The parts arrive over several minutes, and each has far fewer people than TikTok's minimum of 1,000."""
    files = [File(f"append/part-{n:03}.csv", body(people(n * 40, 40)), after=5.0) for n in range(60)]
    connector.check_case(files, people(0, 2400))
    assert connector.changes() == ["create"]


@pytest.mark.parametrize("action", ACTIONS)
def test_kind_30_only_the_newer_of_two_versions_counts_except_under_remove(
    connector: FieldConnector, action: str
) -> None:
    base = connector.create_audience()
    wrong, right = people(100, 500), people(300, 500)
    if action == "append":
        wrong, right = people(3000, 1000), people(3500, 1000)
    if action == "replace":
        wrong, right = people(3000, 2000), people(4000, 2000)
    key = f"{VIP}/{action}/x.csv"
    first = connector.put(key, body(wrong))
    second = connector.put(key, body(right), after=SETTLE * 0.6)
    connector.finish()
    assert connector.outcome_of(second) == AVAILABLE
    outcome = connector.outcome_of(first)
    if action == "remove":
        assert outcome == AVAILABLE
        assert connector.members() == base - set(wrong) - set(right)
    else:
        assert outcome
        assert outcome[0] == "skipped"
        assert connector.members() == set(right) | (base if action == "append" else set())


def test_kind_30_a_version_uploaded_after_the_settling_time_is_another_append(connector: FieldConnector) -> None:
    base = connector.create_audience()
    first = connector.put(f"{VIP}/append/x.csv", body(people(3000, 10)))
    second = connector.put(f"{VIP}/append/x.csv", body(people(3100, 10)), after=SETTLE + 60)
    connector.finish()
    assert [connector.outcome_of(first), connector.outcome_of(second)] == [AVAILABLE] * 2
    assert connector.members() == base | set(people(3000, 10)) | set(people(3100, 10))


def test_kind_31_a_single_append_that_was_deleted_is_withdrawn(connector: FieldConnector) -> None:
    base = connector.create_audience()
    message = connector.put(f"{VIP}/append/wrong.csv", body(people(3000, 10)))
    connector.delete(f"{VIP}/append/wrong.csv")
    other = connector.put(f"{VIP}/append/right.csv", body(people(3100, 10)))
    connector.finish()
    assert [connector.outcome_of(message), connector.outcome_of(other)] == [WITHDRAWN, AVAILABLE]
    assert connector.members() == base | set(people(3100, 10))


def test_kind_31_a_deleted_version_is_withdrawn_although_a_newer_version_exists(connector: FieldConnector) -> None:
    base = connector.create_audience()
    key = f"{VIP}/append/x.csv"
    wrong = connector.put(key, body(people(3000, 10)))
    connector.delete(key)
    right = connector.put(key, body(people(3100, 10)), after=SETTLE + 10)
    connector.finish()
    assert [connector.outcome_of(wrong), connector.outcome_of(right)] == [WITHDRAWN, AVAILABLE]
    assert connector.members() == base | set(people(3100, 10))


@pytest.mark.parametrize("folder", ["", "run/"])
@pytest.mark.parametrize("deleted", [1, 3])
def test_kind_31_a_list_with_a_deleted_file_is_withdrawn_completely(
    connector: FieldConnector, folder: str, deleted: int
) -> None:
    base = connector.create_audience()
    files = [File(f"replace/{folder}part-{n}.csv", body(people(3000 + n * 600, 600)), WITHDRAWN) for n in range(3)]
    messages = connector.upload_all(files)
    for file in files[:deleted]:
        connector.delete(f"{VIP}/{file.name}")
    connector.finish()
    connector.check(files, messages)
    assert connector.members() == base
    assert connector.metric_totals()["FilesSkipped"] == 3


def test_kind_31_a_deletion_after_the_file_was_sent_changes_nothing(connector: FieldConnector) -> None:
    base = connector.create_audience()
    message = connector.put(f"{VIP}/append/x.csv", body(people(3000, 10)))
    connector.wait(2 * SETTLE)
    assert connector.outcome_of(message) == SUBMITTED
    connector.delete(f"{VIP}/append/x.csv")
    connector.finish()
    assert connector.outcome_of(message) == AVAILABLE
    assert connector.members() == base | set(people(3000, 10))


TOOLS = [
    "remove/optouts.csv", "remove/2026-01-31/optouts.csv", "remove/part-00000.csv",
    "append/2026-01-31/new.csv", "append/daily/new.csv", "append/part-00000.csv", "append/new_1.csv",
]  # fmt: skip


@pytest.mark.parametrize("name", TOOLS)
def test_kind_32_a_file_that_its_tool_deletes_is_applied(connector: FieldConnector, name: str) -> None:
    base = connector.create_audience()
    given = set(people(0, 10) if name.startswith("remove") else people(3000, 10))
    message = connector.put(f"{VIP}/{name}", body(given))
    connector.delete(f"{VIP}/{name}")
    connector.finish()
    assert connector.outcome_of(message) == AVAILABLE
    assert connector.members() == (base - given if name.startswith("remove") else base | given)
    assert connector.metric_totals()["FilesSkipped"] == 0


def test_kind_32_opt_outs_that_spark_overwrites_are_applied(connector: FieldConnector) -> None:
    """In overwrite mode, Spark deletes yesterday's file while TikTok is still processing a change."""
    base = connector.create_audience()
    connector.tiktok.configure(processing_seconds=2 * DAY)
    key = f"{VIP}/remove/optouts/part-00000.csv"
    messages = []
    for day in range(4):
        if day:
            connector.delete(key)
        messages.append(connector.put(key, body(people(day * 10, 10))))
        connector.wait(DAY, every=DAY / 4)
    connector.finish(days=8)
    assert {connector.outcome_of(message) for message in messages} == {AVAILABLE}
    assert connector.members() == base - set(people(0, 40))


def test_kind_37_a_constant_stream_of_small_files_is_sent_in_few_changes(connector: FieldConnector) -> None:
    """Each file is sent at most 12 settling times plus TikTok's processing time after it arrived."""
    base = connector.create_audience()
    messages, calls = [], len(connector.changes())
    for n in range(72):
        messages.append(connector.put(f"{VIP}/append/{n:03}.csv", body(people(5000 + n, 1)), after=5 * 60))
        connector.sweep()
        if n >= 40:
            assert connector.outcome_of(messages[n - 40]) in {SUBMITTED, AVAILABLE}
    connector.finish()
    assert {connector.outcome_of(message) for message in messages} == {AVAILABLE}
    assert connector.members() == base | set(people(5000, 72))
    assert len(connector.changes()) - calls <= 8


@pytest.mark.parametrize("rows", [1000, 999])
def test_kind_39_a_large_append_that_matches_nobody_has_a_reason_and_a_metric(
    connector: FieldConnector, rows: int
) -> None:
    """The rows are already in the audience, so that TikTok's count of matched users does not grow."""
    connector.create_audience()
    message = connector.put(f"{VIP}/append/x.csv", body(people(0, rows)))
    connector.finish()
    report = connector.report_of(message)
    assert report
    assert (report["status"], report["code"]) == AVAILABLE
    is_large = rows >= 1000
    assert ("case" in report["reason"].lower()) is is_large
    assert connector.metric_totals()["AudiencesUnmatched"] == is_large


@pytest.mark.parametrize("action", ACTIONS)
def test_kind_40_uploads_reach_an_audience_that_was_renamed_in_ads_manager(
    connector: FieldConnector, action: str
) -> None:
    base = connector.create_audience()
    connector.rename(connector.audiences()[0]["id"], "VIP customers 2026")
    given = people(0, 500) if action == "remove" else people(3000, 1500)
    message = connector.put(f"{VIP}/{action}/x.csv", body(given))
    connector.finish()
    expected = {"append": base | set(given), "remove": base - set(given), "replace": set(given)}
    assert connector.outcome_of(message) == AVAILABLE
    assert connector.members() == expected[action]
    assert "VIP customers 2026" in str((connector.report_of(message) or {})["reason"])


def test_kind_40_an_upload_to_the_new_name_creates_another_audience(connector: FieldConnector) -> None:
    """An audience that is registered under another name is never found by name."""
    base = connector.create_audience()
    connector.rename(connector.audiences()[0]["id"], "others")
    message = connector.put("tiktok/others/email_sha256/x.csv", body(people(3000, 1500)))
    connector.finish()
    assert connector.outcome_of(message) == AVAILABLE
    assert sorted(len(connector.tiktok.members(each["id"])) for each in connector.audiences()) == [1500, len(base)]


def test_kind_40_a_remove_names_the_audiences_that_it_does_not_touch(connector: FieldConnector) -> None:
    """The final report lists the name's other identifier types, even if the audience of the remove does not exist."""
    base = connector.create_audience()
    connector.put("tiktok/vip/phone_sha256/x.csv", body(people(3000, 1500)))
    connector.finish()
    right = connector.put(f"{VIP}/remove/x.csv", body(people(0, 10)))
    wrong = connector.put("tiktok/vip/gaid_sha256/remove/x.csv", body(people(0, 10)))
    connector.finish()
    assert [connector.outcome_of(right), connector.outcome_of(wrong)] == [
        AVAILABLE,
        ("rejected", "nothing_to_remove_from"),
    ]
    assert "were not changed: phone_sha256." in (connector.report_of(right) or {})["reason"]
    assert "were not changed: email_sha256, phone_sha256." in (connector.report_of(wrong) or {})["reason"]
    assert len(connector.tiktok.members(connector.audiences()[0]["id"])) == len(base) - 10
