"""Kinds 29 to 32, 37, 39 and 40 of `kinds.md`: what people do."""

from __future__ import annotations

import pytest

from tests.field.connector import AVAILABLE, DAY, VIP, WITHDRAWN, FieldConnector, File, S, body
from tests.handler.world import people

ACTIONS = ["append", "remove", "replace"]
SUBMITTED = ("submitted", "submitted")


def test_kind_29_a_new_audience_from_many_small_parts(connector: FieldConnector) -> None:
    """In several batches and over several minutes: none of them alone has 1,000 people."""
    files = [File(f"append/part-{n:03}.csv", body(people(n * 40, 40)), after=5.0) for n in range(60)]
    connector.case(files, people(0, 2400))
    assert connector.changes() == ["create"]


@pytest.mark.parametrize("action", ACTIONS)
def test_kind_30_overwritten_minutes_later(connector: FieldConnector, action: str) -> None:
    base = connector.base()
    wrong, right = people(100, 500), people(300, 500)
    if action == "append":
        wrong, right = people(3000, 1000), people(3500, 1000)
    if action == "replace":
        wrong, right = people(3000, 2000), people(4000, 2000)
    key = f"{VIP}/{action}/x.csv"
    first = connector.put(key, body(wrong))
    second = connector.put(key, body(right), after=S * 0.6)
    connector.end()
    assert connector.ends(second) == AVAILABLE
    ends = connector.ends(first)
    if action == "remove":
        assert ends == AVAILABLE
        assert connector.members() == base - set(wrong) - set(right)
    else:
        assert ends
        assert ends[0] == "skipped"
        assert connector.members() == set(right) | (base if action == "append" else set())


def test_kind_30_a_version_of_another_day_is_another_append(connector: FieldConnector) -> None:
    base = connector.base()
    first = connector.put(f"{VIP}/append/x.csv", body(people(3000, 10)))
    second = connector.put(f"{VIP}/append/x.csv", body(people(3100, 10)), after=S + 60)
    connector.end()
    assert [connector.ends(first), connector.ends(second)] == [AVAILABLE] * 2
    assert connector.members() == base | set(people(3000, 10)) | set(people(3100, 10))


def test_kind_31_a_single_append_is_withdrawn(connector: FieldConnector) -> None:
    base = connector.base()
    message = connector.put(f"{VIP}/append/wrong.csv", body(people(3000, 10)))
    connector.delete(f"{VIP}/append/wrong.csv")
    other = connector.put(f"{VIP}/append/right.csv", body(people(3100, 10)))
    connector.end()
    assert [connector.ends(message), connector.ends(other)] == [WITHDRAWN, AVAILABLE]
    assert connector.members() == base | set(people(3100, 10))


def test_kind_31_deleted_and_uploaded_again(connector: FieldConnector) -> None:
    """The marker after the wrong version counts even though a newer version exists."""
    base = connector.base()
    key = f"{VIP}/append/x.csv"
    wrong = connector.put(key, body(people(3000, 10)))
    connector.delete(key)
    right = connector.put(key, body(people(3100, 10)), after=S + 10)
    connector.end()
    assert [connector.ends(wrong), connector.ends(right)] == [WITHDRAWN, AVAILABLE]
    assert connector.members() == base | set(people(3100, 10))


@pytest.mark.parametrize("folder", ["", "run/"])
@pytest.mark.parametrize("deleted", [1, 3])
def test_kind_31_a_list_is_withdrawn_whole(connector: FieldConnector, folder: str, deleted: int) -> None:
    base = connector.base()
    files = [File(f"replace/{folder}part-{n}.csv", body(people(3000 + n * 600, 600)), WITHDRAWN) for n in range(3)]
    messages = connector.play(files)
    for file in files[:deleted]:
        connector.delete(f"{VIP}/{file.name}")
    connector.end()
    connector.check(files, messages)
    assert connector.members() == base
    assert connector.counted()["FilesSkipped"] == 3


def test_kind_31_a_deletion_after_the_turn_changes_nothing(connector: FieldConnector) -> None:
    base = connector.base()
    message = connector.put(f"{VIP}/append/x.csv", body(people(3000, 10)))
    connector.wait(2 * S)
    assert connector.ends(message) == SUBMITTED
    connector.delete(f"{VIP}/append/x.csv")
    connector.end()
    assert connector.ends(message) == AVAILABLE
    assert connector.members() == base | set(people(3000, 10))


TOOLS = [
    "remove/optouts.csv", "remove/2026-01-31/optouts.csv", "remove/part-00000.csv",
    "append/2026-01-31/new.csv", "append/daily/new.csv", "append/part-00000.csv", "append/new_1.csv",
]  # fmt: skip


@pytest.mark.parametrize("name", TOOLS)
def test_kind_32_tools_clean_up_after_themselves(connector: FieldConnector, name: str) -> None:
    base = connector.base()
    given = set(people(0, 10) if name.startswith("remove") else people(3000, 10))
    message = connector.put(f"{VIP}/{name}", body(given))
    connector.delete(f"{VIP}/{name}")
    connector.end()
    assert connector.ends(message) == AVAILABLE
    assert connector.members() == (base - given if name.startswith("remove") else base | given)
    assert connector.counted()["FilesSkipped"] == 0


def test_kind_32_yesterdays_parts_deleted_while_tiktok_is_busy(connector: FieldConnector) -> None:
    """Spark's overwrite mode: yesterday's opt-outs must not get lost."""
    base = connector.base()
    connector.tiktok.configure(processing_seconds=2 * DAY)
    key = f"{VIP}/remove/optouts/part-00000.csv"
    messages = []
    for day in range(4):
        if day:
            connector.delete(key)
        messages.append(connector.put(key, body(people(day * 10, 10))))
        connector.wait(DAY, every=DAY / 4)
    connector.end(days=8)
    assert {connector.ends(message) for message in messages} == {AVAILABLE}
    assert connector.members() == base - set(people(0, 40))


def test_kind_37_a_small_file_around_the_clock(connector: FieldConnector) -> None:
    """Each goes with the next change, at the latest 12 settling times and TikTok's processing after it arrived."""
    base = connector.base()
    messages, calls = [], len(connector.changes())
    for n in range(72):
        messages.append(connector.put(f"{VIP}/append/{n:03}.csv", body(people(5000 + n, 1)), after=5 * 60))
        connector.sweep()
        if n >= 40:
            assert connector.ends(messages[n - 40]) in {SUBMITTED, AVAILABLE}
    connector.end()
    assert {connector.ends(message) for message in messages} == {AVAILABLE}
    assert connector.members() == base | set(people(5000, 72))
    assert len(connector.changes()) - calls <= 8


@pytest.mark.parametrize("rows", [1000, 999])
def test_kind_39_nobody_matched(connector: FieldConnector, rows: int) -> None:
    """People who are in the audience already look the same to TikTok's counter."""
    connector.base()
    message = connector.put(f"{VIP}/append/x.csv", body(people(0, rows)))
    connector.end()
    report = connector.report_of(message)
    assert report
    assert (report["status"], report["code"]) == AVAILABLE
    matters = rows >= 1000
    assert ("case" in report["reason"].lower()) is matters
    assert connector.counted()["AudiencesUnmatched"] == matters


@pytest.mark.parametrize("action", ACTIONS)
def test_kind_40_renamed_in_ads_manager(connector: FieldConnector, action: str) -> None:
    base = connector.base()
    connector.rename(connector.audiences()[0]["id"], "VIP customers 2026")
    given = people(0, 500) if action == "remove" else people(3000, 1500)
    message = connector.put(f"{VIP}/{action}/x.csv", body(given))
    connector.end()
    expected = {"append": base | set(given), "remove": base - set(given), "replace": set(given)}
    assert connector.ends(message) == AVAILABLE
    assert connector.members() == expected[action]
    assert "VIP customers 2026" in str((connector.report_of(message) or {})["reason"])


def test_kind_40_the_new_name_is_another_audience(connector: FieldConnector) -> None:
    """An id registered under another name is never matched by name."""
    base = connector.base()
    connector.rename(connector.audiences()[0]["id"], "others")
    message = connector.put("tiktok/others/email_sha256/x.csv", body(people(3000, 1500)))
    connector.end()
    assert connector.ends(message) == AVAILABLE
    assert sorted(len(connector.tiktok.members(each["id"])) for each in connector.audiences()) == [1500, len(base)]


def test_kind_40_a_remove_names_the_audiences_that_it_does_not_touch(connector: FieldConnector) -> None:
    """Until the end, and most of all if there is no audience of its own."""
    base = connector.base()
    connector.put("tiktok/vip/phone_sha256/x.csv", body(people(3000, 1500)))
    connector.end()
    right = connector.put(f"{VIP}/remove/x.csv", body(people(0, 10)))
    wrong = connector.put("tiktok/vip/gaid_sha256/remove/x.csv", body(people(0, 10)))
    connector.end()
    assert [connector.ends(right), connector.ends(wrong)] == [AVAILABLE, ("rejected", "nothing_to_remove_from")]
    assert "were not changed: phone_sha256." in (connector.report_of(right) or {})["reason"]
    assert "were not changed: email_sha256, phone_sha256." in (connector.report_of(wrong) or {})["reason"]
    assert len(connector.tiktok.members(connector.audiences()[0]["id"])) == len(base) - 10
