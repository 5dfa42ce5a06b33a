"""Kinds 28, 31, 33 to 35 and 38 of `kinds.md`: lists under `replace/` are sent complete or not at all."""

from __future__ import annotations

import pytest

from tests.field.connector import (
    AVAILABLE,
    DAY,
    HOUR,
    OUT_OF_ORDER,
    SETTLE,
    SUPERSEDED,
    VIP,
    WITHDRAWN,
    FieldConnector,
    File,
    body,
)
from tests.handler.world import people

AMBIGUOUS = ("rejected", "ambiguous_replace")
SUBMITTED = ("submitted", "submitted")
SHRINKS = ("waiting", "shrinks_too_much")


def export(folder: str, first: int, count: int = 3, rows: int = 600, after: float = 1.0) -> list[File]:
    """Return the files of a list: `count` parts with `rows` people each, starting with person `first`."""
    return [
        File(f"replace/{folder}part-{n}.csv", body(people(first + n * rows, rows)), after=after) for n in range(count)
    ]


NAMES = {
    "a run": [f"replace/2026-01-31/{name}.csv" for name in ("north", "south", "east")],
    "a deep run": [f"replace/2026/01/31/{name}.csv" for name in ("north", "south", "east")],
    "subfolders of partitions": [f"replace/daily/country={each}/data.csv" for each in ("DE", "FR", "US")],
    "customers": [f"replace/customers_{n}.csv" for n in (1, 2, 3)],
    "part and total": [f"replace/vip-{n}-of-3.csv" for n in (1, 2, 3)],
    "two counters": [f"replace/data_0_{n}_{m}.csv" for n, m in ((0, 0), (0, 1), (3, 0))],
    "a single file": ["replace/vip.csv"],
}


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("exists", [False, True])
def test_kind_28_many_files_are_one_list(connector: FieldConnector, name: str, *, exists: bool) -> None:
    if exists:
        connector.create_audience()
    files = [File(each, body(people(3000 + n * 1200, 1200)), accepted=1200) for n, each in enumerate(NAMES[name])]
    connector.check_case(files, people(3000, 1200 * len(files)))
    changes = connector.changes()
    assert len(changes) == 1 + exists


def test_kind_28_a_list_waits_for_an_hour_of_quiet(connector: FieldConnector) -> None:
    """The list is sent 12 settling times after the last new file name."""
    base = connector.create_audience()
    messages = connector.upload_all(export("run/", 3000, after=20 * 60))
    connector.wait(55 * 60)
    assert {connector.outcome_of(message) for message in messages} == {("waiting", "settling")}
    assert connector.members() == base
    connector.wait(10 * 60)
    assert {connector.outcome_of(message) for message in messages} == {SUBMITTED}


def test_kind_28_a_list_that_never_pauses_is_sent_after_six_hours(connector: FieldConnector) -> None:
    connector.create_audience()
    messages = []
    for n in range(9):
        messages.append(connector.put(f"{VIP}/replace/run/{n}.csv", body(people(3000 + n * 400, 400)), after=45 * 60))
        connector.sweep()
    assert connector.outcome_of(messages[0]) == ("waiting", "settling")
    connector.wait(SETTLE + 1)
    assert connector.outcome_of(messages[0]) == SUBMITTED


def test_kind_28_runs_of_two_audiences_are_independent(connector: FieldConnector) -> None:
    messages = connector.upload_all(export("run/", 0))
    others = connector.upload_all(export("run/", 5000), "tiktok/others/email_sha256")
    connector.finish()
    assert {connector.outcome_of(message) for message in [*messages, *others]} == {AVAILABLE}
    members = {each["name"]: connector.tiktok.members(each["id"]) for each in connector.audiences()}
    assert members == {"vip": set(people(0, 1800)), "others": set(people(5000, 1800))}


@pytest.mark.parametrize("marked", [(), ("a/",), ("b/",), ("a/", "b/")], ids=str)
def test_kind_28_two_lists_within_an_hour_are_ambiguous_unless_one_has_a_success_marker(
    connector: FieldConnector, marked: tuple[str, ...]
) -> None:
    """The marker must be newer than the files, and exactly one list may have one."""
    base = connector.create_audience()
    messages = {folder: connector.upload_all(export(folder, first)) for folder, first in (("a/", 3000), ("b/", 6000))}
    for folder in marked:
        connector.put(f"{VIP}/replace/{folder}_SUCCESS", b"")
    connector.finish()
    if len(marked) == 1:
        meant = marked[0]
        assert {connector.outcome_of(message) for message in messages[meant]} == {AVAILABLE}
        assert connector.members() == set(people(3000 if meant == "a/" else 6000, 1800))
        assert AVAILABLE not in {
            connector.outcome_of(each) for folder in messages if folder != meant for each in messages[folder]
        }
    else:
        assert {connector.outcome_of(each) for folder in messages.values() for each in folder} == {AMBIGUOUS}
        assert connector.members() == base


@pytest.mark.parametrize("meant", ["a/", "b/"])
def test_kind_28_a_success_marker_decides_between_two_lists_of_the_same_second(
    connector: FieldConnector, meant: str
) -> None:
    connector.create_audience()
    uploaded_at = connector.now()
    folders = {"a/": people(3000, 1500), "b/": people(6000, 1500)}
    messages = {
        folder: connector.put(f"{VIP}/replace/{folder}1.csv", body(rows), after=0, at=uploaded_at)
        for folder, rows in folders.items()
    }
    connector.put(f"{VIP}/replace/{meant}_SUCCESS", b"")
    connector.finish()
    assert connector.outcome_of(messages.pop(meant)) == AVAILABLE
    assert {connector.outcome_of(other) for other in messages.values()} == {AMBIGUOUS}
    assert connector.members() == set(folders[meant])


@pytest.mark.parametrize("deleted", ["a/", "b/"])
@pytest.mark.parametrize("count", [1, 3])
def test_kind_28_31_a_list_that_was_deleted_does_not_compete(
    connector: FieldConnector, deleted: str, count: int
) -> None:
    """This happens if a wrong list is deleted and uploaded under another name, or if a folder is moved."""
    connector.create_audience()
    messages = {folder: connector.upload_all(export(folder, first)) for folder, first in (("a/", 3000), ("b/", 6000))}
    for file in export(deleted, 3000)[:count]:
        connector.delete(f"{VIP}/{file.name}")
    connector.finish()
    assert {connector.outcome_of(message) for message in messages.pop(deleted)} == {WITHDRAWN}
    assert {connector.outcome_of(message) for kept in messages.values() for message in kept} == {AVAILABLE}
    assert connector.members() == set(people(6000 if deleted == "a/" else 3000, 1800))


def test_kind_28_the_newer_of_two_waiting_lists_is_sent(connector: FieldConnector) -> None:
    """The lists arrive two hours apart while TikTok is busy. The older one is superseded."""
    connector.create_audience()
    connector.put(f"{VIP}/append/keeps_tiktok_busy.csv", body(people(9000, 10)))
    connector.tiktok.configure(processing_seconds=6 * HOUR)
    connector.wait(2 * SETTLE)
    older = connector.upload_all(export("monday/", 3000))
    connector.wait(2 * HOUR, every=HOUR / 2)
    newer = connector.upload_all(export("tuesday/", 6000))
    connector.finish()
    assert {connector.outcome_of(message) for message in older} == {SUPERSEDED}
    assert {connector.outcome_of(message) for message in newer} == {AVAILABLE}
    assert connector.members() == set(people(6000, 1800))
    assert connector.metric_totals()["FilesRejected"] == 0


def test_kind_33_a_success_marker_that_arrives_first_does_not_complete_the_list(connector: FieldConnector) -> None:
    """`aws s3 sync` copies several files in parallel, so that `_SUCCESS` may arrive before most parts."""
    connector.create_audience()
    files = [File("replace/run/_SUCCESS", b"", None), *export("run/", 3000, count=10, rows=200, after=4 * 60)]
    connector.check_case(files, people(3000, 2000))
    assert connector.changes()[1:] == ["REPLACE"]


@pytest.mark.parametrize("folder", ["", "run/"])
def test_kind_34_files_that_arrive_minutes_apart_are_one_list(connector: FieldConnector, folder: str) -> None:
    """The files are eight minutes apart, which is more than the settling time, with sweeps in between."""
    base = connector.create_audience()
    messages = []
    for file in export(folder, 3000):
        messages.append(connector.put(f"{VIP}/{file.name}", file.body))
        connector.wait(8 * 60)
        assert connector.members() == base
    connector.finish()
    assert [connector.outcome_of(message) for message in messages] == [AVAILABLE] * 3
    assert connector.members() == set(people(3000, 1800))
    assert connector.changes()[1:] == ["REPLACE"]


@pytest.mark.parametrize("folder", ["", "daily/"])
def test_kind_35_each_day_in_the_same_folder_is_a_separate_list(connector: FieldConnector, folder: str) -> None:
    """The second day has two parts, the first had three. The third part is not in the second list."""
    messages = connector.upload_all(export(folder, 0))
    connector.finish()
    connector.wait(DAY, every=DAY / 4)
    again = connector.upload_all(export(folder, 3000, count=2))
    connector.finish()
    assert [connector.outcome_of(message) for message in [*messages, *again]] == [AVAILABLE] * 5
    assert connector.members() == set(people(3000, 1200))


def test_kind_35_a_late_file_makes_the_list_start_again(connector: FieldConnector) -> None:
    connector.create_audience()
    *early, late = export("run/", 3000)
    messages = connector.upload_all(early)
    connector.wait(3 * HOUR, every=HOUR / 2)
    messages.append(connector.put(f"{VIP}/{late.name}", late.body))
    connector.finish()
    assert [connector.outcome_of(message) for message in messages] == [AVAILABLE] * 3
    assert connector.members() == set(people(3000, 1800))


def test_kind_35_a_late_file_makes_the_list_start_again_while_another_change_is_processed(
    connector: FieldConnector,
) -> None:
    """The complete list is sent again, however long the late file waits for TikTok."""
    connector.create_audience()
    *early, late = export("run/", 3000)
    messages = connector.upload_all(early)
    connector.wait(3 * HOUR, every=HOUR / 2)
    _process_a_remove(connector, first=3000)
    messages.append(connector.put(f"{VIP}/{late.name}", late.body))
    connector.finish(days=8)
    assert [connector.outcome_of(message) for message in messages] == [AVAILABLE] * 3
    assert connector.members() == set(people(3010, 1790))


def _process_a_remove(connector: FieldConnector, first: int) -> None:
    """Send a remove of ten people that TikTok takes two days to process."""
    connector.tiktok.configure(processing_seconds=2 * DAY)
    removed = connector.put(f"{VIP}/remove/x.csv", body(people(first, 10)))
    connector.wait(HOUR / 2, every=HOUR / 4)
    assert connector.outcome_of(removed) == SUBMITTED


def test_kind_35_a_late_file_after_a_newer_append_is_out_of_order(connector: FieldConnector) -> None:
    """Sending the list again would undo the append."""
    connector.create_audience()
    *early, late = export("run/", 3000)
    connector.upload_all(early)
    connector.wait(2.5 * HOUR, every=HOUR / 2)
    added = connector.put(f"{VIP}/append/x.csv", body(people(9000, 10)))
    connector.wait(2.5 * HOUR, every=HOUR / 2)
    assert connector.outcome_of(added) == AVAILABLE
    message = connector.put(f"{VIP}/{late.name}", late.body)
    connector.finish()
    assert connector.outcome_of(message) == OUT_OF_ORDER
    assert connector.members() == {*people(3000, 1200), *people(9000, 10)}
    assert connector.metric_totals()["FilesRejected"] >= 1


@pytest.mark.parametrize("hours", [0.01, 2, 8])
@pytest.mark.parametrize("deleted", [False, True])
@pytest.mark.parametrize("folder", ["", "run/"])
def test_kind_35_a_new_version_is_sent_after_the_list_that_tiktok_is_processing(
    connector: FieldConnector, folder: str, hours: float, *, deleted: bool
) -> None:
    connector.create_audience()
    connector.tiktok.configure(processing_seconds=2 * DAY)
    key = f"{VIP}/replace/{folder}x.csv"
    message = connector.put(key, body(people(3000, 1500)))
    connector.wait(12 * SETTLE + 60, every=12 * SETTLE + 60)
    assert connector.outcome_of(message) == SUBMITTED
    connector.wait(hours * HOUR, every=HOUR)
    if deleted:
        connector.delete(key)
    newer = connector.put(key, body(people(5000, 1500)))
    connector.finish(days=8)
    assert connector.outcome_of(message) in {AVAILABLE, SUPERSEDED}
    assert connector.outcome_of(newer) == AVAILABLE
    assert connector.changes() == ["create", "REPLACE", "REPLACE"]
    assert connector.members() == set(people(5000, 1500))


def test_kind_35_a_late_file_of_a_withdrawn_list_is_withdrawn(connector: FieldConnector) -> None:
    base = connector.create_audience()
    *early, late = export("run/", 3000)
    connector.upload_all(early)
    connector.delete(f"{VIP}/{early[0].name}")
    connector.wait(2 * HOUR, every=HOUR / 2)
    message = connector.put(f"{VIP}/{late.name}", late.body)
    connector.finish()
    assert connector.outcome_of(message) == WITHDRAWN
    assert connector.members() == base


@pytest.mark.parametrize("gap", [0.0, 10.0, 1200.0])
def test_kind_35_a_job_may_overwrite_its_folder_before_its_list_is_sent(connector: FieldConnector, gap: float) -> None:
    """In overwrite mode, Spark deletes the files of the previous run and writes files with other names."""
    connector.create_audience()
    first = [File(f"replace/run/part-0000{n}-aa.csv", body(people(3000 + n * 600, 600))) for n in range(3)]
    messages = connector.upload_all(first)
    connector.wait(600)
    for file in first:
        connector.delete(f"{VIP}/{file.name}")
    connector.wait(gap)
    second = [File(f"replace/run/part-0000{n}-bb.csv", body(people(6000 + n * 600, 600))) for n in range(2)]
    newer = connector.upload_all(second)
    connector.finish()
    assert {connector.outcome_of(message) for message in messages} == {WITHDRAWN}
    assert {connector.outcome_of(message) for message in newer} == {AVAILABLE}
    assert connector.members() == set(people(6000, 1200))


@pytest.mark.parametrize("hours", [1.5, 5])
def test_kind_28_a_late_file_of_an_ambiguous_list_is_ambiguous(connector: FieldConnector, hours: float) -> None:
    base = connector.create_audience()
    messages = [*connector.upload_all(export("a/", 3000)), *connector.upload_all(export("b/", 6000))]
    connector.wait(hours * HOUR, every=HOUR / 2)
    assert {connector.outcome_of(message) for message in messages} == {AMBIGUOUS}
    late = connector.put(f"{VIP}/replace/a/part-9.csv", body(people(9000, 1500)))
    connector.finish()
    assert connector.outcome_of(late) == AMBIGUOUS
    assert connector.members() == base


def test_kind_28_a_late_file_of_an_ambiguous_list_is_ambiguous_while_another_change_is_processed(
    connector: FieldConnector,
) -> None:
    base = connector.create_audience()
    messages = [*connector.upload_all(export("a/", 3000)), *connector.upload_all(export("b/", 6000))]
    connector.wait(1.5 * HOUR, every=HOUR / 2)
    assert {connector.outcome_of(message) for message in messages} == {AMBIGUOUS}
    _process_a_remove(connector, first=0)
    late = connector.put(f"{VIP}/replace/a/part-9.csv", body(people(9000, 1500)))
    connector.finish(days=8)
    assert connector.outcome_of(late) == AMBIGUOUS
    assert connector.members() == base - set(people(0, 10))


def test_kind_35_files_uploaded_after_all_files_were_deleted_are_another_export(connector: FieldConnector) -> None:
    connector.create_audience()
    wrong = export("run/", 3000)
    messages = connector.upload_all(wrong)
    connector.wait(12 * SETTLE + 60, every=12 * SETTLE + 60)
    assert connector.outcome_of(messages[0]) == SUBMITTED
    for file in wrong:
        connector.delete(f"{VIP}/{file.name}")
    right = connector.upload_all(export("run/", 6000, count=2))
    connector.finish()
    assert {connector.outcome_of(message) for message in right} == {AVAILABLE}
    assert connector.members() == set(people(6000, 1200))


def upload_shrunk_list(connector: FieldConnector) -> list[str]:
    """Apply a list of 2,400 people, upload a list of 1,100 a day later, and return the messages of the second."""
    connector.upload_all(export("monday/", 0, count=4))
    connector.finish()
    connector.wait(DAY, every=DAY / 4)
    messages = connector.upload_all([File("replace/tuesday/a.csv", body(people(100, 600))),
                               File("replace/tuesday/b.csv", body(people(700, 500)))])  # fmt: skip
    connector.wait(3 * HOUR, every=HOUR / 2)
    assert {connector.outcome_of(message) for message in messages} == {SHRINKS}
    assert len(connector.members()) == 2400
    return messages


def test_kind_38_a_confirmed_list_is_sent(connector: FieldConnector) -> None:
    messages = upload_shrunk_list(connector)
    connector.put(f"{VIP}/replace/tuesday/_CONFIRMED", b"")
    connector.finish()
    assert {connector.outcome_of(message) for message in messages} == {AVAILABLE}
    assert connector.members() == set(people(100, 1100))


def test_kind_38_a_confirmation_may_be_in_the_folder_of_a_partition(connector: FieldConnector) -> None:
    connector.upload_all(export("daily/dt=1/", 0, count=4))
    connector.finish()
    connector.wait(DAY, every=DAY / 4)
    message = connector.put(f"{VIP}/replace/daily/dt=2/part-0.csv", body(people(100, 1100)))
    connector.wait(2 * HOUR, every=HOUR / 2)
    assert connector.outcome_of(message) == SHRINKS
    connector.put(f"{VIP}/replace/daily/dt=2/_CONFIRMED", b"")
    connector.finish()
    assert connector.outcome_of(message) == AVAILABLE


def test_kind_38_a_confirmation_that_is_older_than_the_files_is_ignored(connector: FieldConnector) -> None:
    connector.put(f"{VIP}/replace/tuesday/_CONFIRMED", b"")
    upload_shrunk_list(connector)


def test_kind_38_a_newer_list_supersedes_a_shrunk_list(connector: FieldConnector) -> None:
    messages = upload_shrunk_list(connector)
    newer = connector.upload_all(export("wednesday/", 100, count=4))
    connector.finish()
    assert {connector.outcome_of(message) for message in messages} == {SUPERSEDED}
    assert {connector.outcome_of(message) for message in newer} == {AVAILABLE}
    assert connector.members() == set(people(100, 2400))


def test_kind_38_a_shrunk_list_is_rejected_after_a_day_without_a_confirmation(connector: FieldConnector) -> None:
    messages = upload_shrunk_list(connector)
    behind = connector.put(f"{VIP}/append/x.csv", body(people(9000, 10)))
    connector.wait(DAY, every=HOUR * 2)
    connector.finish()
    assert {connector.outcome_of(message) for message in messages} == {("rejected", "shrinks_too_much")}
    assert connector.outcome_of(behind) == AVAILABLE
    assert connector.members() == {*people(0, 2400), *people(9000, 10)}
    assert connector.metric_totals()["FilesRejected"] == 2


def test_kind_38_a_shrunk_list_is_sent_if_the_check_is_turned_off(connector: FieldConnector) -> None:
    connector.cold_start(MAX_SHRINK="1")
    connector.upload_all(export("monday/", 0, count=4))
    connector.finish()
    connector.wait(DAY, every=DAY / 4)
    connector.check_case([File("replace/tuesday/a.csv", body(people(100, 1001)))], people(100, 1001))


def test_kind_38_the_next_list_is_compared_with_a_list_whose_response_was_lost(connector: FieldConnector) -> None:
    connector.create_audience()
    connector.tiktok.fault("update", "cut_after")
    upload_shrunk_list(connector)


def test_kind_35_a_file_uploaded_before_all_files_of_a_withdrawn_list_are_deleted_is_withdrawn(
    connector: FieldConnector,
) -> None:
    base = connector.create_audience()
    files = export("run/", 3000, count=2)
    first = connector.upload_all(files)
    connector.delete(f"{VIP}/{files[0].name}")
    connector.wait(12 * SETTLE + 60, every=12 * SETTLE + 60)
    assert {connector.outcome_of(message) for message in first} == {WITHDRAWN}
    newer = connector.upload_all(files[:1])
    connector.pass_time(1 / HOUR)
    connector.delete(f"{VIP}/{files[1].name}")
    connector.finish()
    assert connector.outcome_of(newer[0]) == WITHDRAWN
    assert connector.members() == base


def test_kind_35_a_late_file_of_a_deleted_list_does_not_withdraw_the_next_list(connector: FieldConnector) -> None:
    connector.create_audience()
    wrong = export("run/", 3000, count=2)
    first = connector.upload_all(wrong[:1])
    late = connector.upload(f"{VIP}/{wrong[1].name}", wrong[1].body)
    connector.pass_time(1 / HOUR)
    for file in wrong:
        connector.delete(f"{VIP}/{file.name}")
    connector.upload_all(export("other/", 9000, count=1, rows=1200))
    connector.wait(12 * SETTLE + 60, every=12 * SETTLE + 60)
    assert connector.outcome_of(first[0]) == WITHDRAWN
    right = connector.upload_all(export("run/", 6000, count=2, after=HOUR))
    assert connector.deliver(late) == []
    connector.finish()
    assert connector.outcome_of(late) == WITHDRAWN
    assert {connector.outcome_of(message) for message in right} == {AVAILABLE}
    assert connector.members() == set(people(6000, 1200))
