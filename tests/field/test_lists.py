"""Kinds 28, 33, 34, 35 and 38 of `kinds.md`: lists under `replace/`, whole or not at all."""

from __future__ import annotations

import pytest

from tests.field.connector import (
    AVAILABLE,
    DAY,
    HOUR,
    OUT_OF_ORDER,
    SUPERSEDED,
    VIP,
    WITHDRAWN,
    FieldConnector,
    File,
    S,
    body,
)
from tests.handler.world import people

AMBIGUOUS = ("rejected", "ambiguous_replace")
SUBMITTED = ("submitted", "submitted")
SHRINKS = ("waiting", "shrinks_too_much")


def export(folder: str, first: int, count: int = 3, rows: int = 600, after: float = 1.0) -> list[File]:
    """Return `count` parts of a list of people from `first` on."""
    return [
        File(f"replace/{folder}part-{n}.csv", body(people(first + n * rows, rows)), after=after) for n in range(count)
    ]


NAMES = {
    "a run": [f"replace/2026-01-31/{name}.csv" for name in ("north", "south", "east")],
    "a deep run": [f"replace/2026/01/31/{name}.csv" for name in ("north", "south", "east")],
    "subfolders of partitions": [f"replace/daily/country={each}/data.csv" for each in ("DE", "FR", "US")],
    "customers": [f"replace/customers_{n}.csv" for n in (1, 2, 3)],
    "of": [f"replace/vip-{n}-of-3.csv" for n in (1, 2, 3)],
    "two counters": [f"replace/data_0_{n}_{m}.csv" for n, m in ((0, 0), (0, 1), (3, 0))],
    "a single file": ["replace/vip.csv"],
}


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("exists", [False, True])
def test_kind_28_many_files_are_one_list(connector: FieldConnector, name: str, *, exists: bool) -> None:
    if exists:
        connector.base()
    files = [File(each, body(people(3000 + n * 1200, 1200)), accepted=1200) for n, each in enumerate(NAMES[name])]
    connector.case(files, people(3000, 1200 * len(files)))
    changes = connector.changes()
    assert len(changes) == 1 + exists


def test_kind_28_a_list_waits_for_an_hour_of_quiet(connector: FieldConnector) -> None:
    """Twelve times the settling time after the last new file name."""
    base = connector.base()
    messages = connector.play(export("run/", 3000, after=20 * 60))
    connector.wait(55 * 60)
    assert {connector.ends(message) for message in messages} == {("waiting", "settling")}
    assert connector.members() == base
    connector.wait(10 * 60)
    assert {connector.ends(message) for message in messages} == {SUBMITTED}


def test_kind_28_a_list_that_never_pauses_goes_after_six_hours(connector: FieldConnector) -> None:
    connector.base()
    messages = []
    for n in range(9):
        messages.append(connector.put(f"{VIP}/replace/run/{n}.csv", body(people(3000 + n * 400, 400)), after=45 * 60))
        connector.sweep()
    assert connector.ends(messages[0]) == ("waiting", "settling")
    connector.wait(S + 1)
    assert connector.ends(messages[0]) == SUBMITTED


def test_kind_28_runs_of_two_audiences_do_not_meet(connector: FieldConnector) -> None:
    messages = connector.play(export("run/", 0))
    others = connector.play(export("run/", 5000), "tiktok/others/email_sha256")
    connector.end()
    assert {connector.ends(message) for message in [*messages, *others]} == {AVAILABLE}
    members = {each["name"]: connector.tiktok.members(each["id"]) for each in connector.audiences()}
    assert members == {"vip": set(people(0, 1800)), "others": set(people(5000, 1800))}


@pytest.mark.parametrize("marked", [(), ("a/",), ("b/",), ("a/", "b/")], ids=str)
def test_kind_28_two_lists_within_the_hour(connector: FieldConnector, marked: tuple[str, ...]) -> None:
    """Only a `_SUCCESS` that is newer than the files of exactly one of them says which one is meant."""
    base = connector.base()
    messages = {folder: connector.play(export(folder, first)) for folder, first in (("a/", 3000), ("b/", 6000))}
    for folder in marked:
        connector.put(f"{VIP}/replace/{folder}_SUCCESS", b"")
    connector.end()
    if len(marked) == 1:
        meant = marked[0]
        assert {connector.ends(message) for message in messages[meant]} == {AVAILABLE}
        assert connector.members() == set(people(3000 if meant == "a/" else 6000, 1800))
        assert AVAILABLE not in {
            connector.ends(each) for folder in messages if folder != meant for each in messages[folder]
        }
    else:
        assert {connector.ends(each) for folder in messages.values() for each in folder} == {AMBIGUOUS}
        assert connector.members() == base


@pytest.mark.parametrize("meant", ["a/", "b/"])
def test_kind_28_two_lists_of_the_same_second(connector: FieldConnector, meant: str) -> None:
    connector.base()
    moment = connector.now()
    folders = {"a/": people(3000, 1500), "b/": people(6000, 1500)}
    messages = {
        folder: connector.put(f"{VIP}/replace/{folder}1.csv", body(rows), after=0, at=moment)
        for folder, rows in folders.items()
    }
    connector.put(f"{VIP}/replace/{meant}_SUCCESS", b"")
    connector.end()
    assert connector.ends(messages.pop(meant)) == AVAILABLE
    assert {connector.ends(other) for other in messages.values()} == {AMBIGUOUS}
    assert connector.members() == set(folders[meant])


@pytest.mark.parametrize("deleted", ["a/", "b/"])
@pytest.mark.parametrize("count", [1, 3])
def test_kind_28_31_a_list_that_was_deleted_does_not_compete(
    connector: FieldConnector, deleted: str, count: int
) -> None:
    """A wrong list is deleted and the right one uploaded under another name, or a folder is moved to another."""
    connector.base()
    messages = {folder: connector.play(export(folder, first)) for folder, first in (("a/", 3000), ("b/", 6000))}
    for file in export(deleted, 3000)[:count]:
        connector.delete(f"{VIP}/{file.name}")
    connector.end()
    assert {connector.ends(message) for message in messages.pop(deleted)} == {WITHDRAWN}
    assert {connector.ends(message) for kept in messages.values() for message in kept} == {AVAILABLE}
    assert connector.members() == set(people(6000 if deleted == "a/" else 3000, 1800))


def test_kind_28_the_newer_of_two_lists_goes(connector: FieldConnector) -> None:
    """Two hours apart while TikTok is busy: the older one is superseded once the newer one is processed."""
    connector.base()
    connector.put(f"{VIP}/append/keeps_tiktok_busy.csv", body(people(9000, 10)))
    connector.tiktok.configure(processing_seconds=6 * HOUR)
    connector.wait(2 * S)
    older = connector.play(export("monday/", 3000))
    connector.wait(2 * HOUR, every=HOUR / 2)
    newer = connector.play(export("tuesday/", 6000))
    connector.end()
    assert {connector.ends(message) for message in older} == {SUPERSEDED}
    assert {connector.ends(message) for message in newer} == {AVAILABLE}
    assert connector.members() == set(people(6000, 1800))
    assert connector.counted()["FilesRejected"] == 0


def test_kind_33_success_arrives_first(connector: FieldConnector) -> None:
    """`aws s3 sync` copies `_SUCCESS` beside the first three of many parts."""
    connector.base()
    files = [File("replace/run/_SUCCESS", b"", None), *export("run/", 3000, count=10, rows=200, after=4 * 60)]
    connector.case(files, people(3000, 2000))
    assert connector.changes()[1:] == ["REPLACE"]


@pytest.mark.parametrize("folder", ["", "run/"])
def test_kind_34_a_slow_link(connector: FieldConnector, folder: str) -> None:
    """Eight minutes between the files, more than the time to settle, with sweeps between them."""
    base = connector.base()
    messages = []
    for file in export(folder, 3000):
        messages.append(connector.put(f"{VIP}/{file.name}", file.body))
        connector.wait(8 * 60)
        assert connector.members() == base
    connector.end()
    assert [connector.ends(message) for message in messages] == [AVAILABLE] * 3
    assert connector.members() == set(people(3000, 1800))
    assert connector.changes()[1:] == ["REPLACE"]


@pytest.mark.parametrize("folder", ["", "daily/"])
def test_kind_35_one_folder_every_day(connector: FieldConnector, folder: str) -> None:
    """Two parts on the second day where the first had three: the third is not part of the second list."""
    messages = connector.play(export(folder, 0))
    connector.end()
    connector.wait(DAY, every=DAY / 4)
    again = connector.play(export(folder, 3000, count=2))
    connector.end()
    assert [connector.ends(message) for message in [*messages, *again]] == [AVAILABLE] * 5
    assert connector.members() == set(people(3000, 1200))


def test_kind_35_a_late_file_makes_the_list_anew(connector: FieldConnector) -> None:
    connector.base()
    *early, late = export("run/", 3000)
    messages = connector.play(early)
    connector.wait(3 * HOUR, every=HOUR / 2)
    messages.append(connector.put(f"{VIP}/{late.name}", late.body))
    connector.end()
    assert [connector.ends(message) for message in messages] == [AVAILABLE] * 3
    assert connector.members() == set(people(3000, 1800))


def test_kind_35_a_late_file_while_another_change_is_processed(connector: FieldConnector) -> None:
    """The list is made anew whole, however long its late file waits for TikTok."""
    connector.base()
    *early, late = export("run/", 3000)
    messages = connector.play(early)
    connector.wait(3 * HOUR, every=HOUR / 2)
    _process_a_remove(connector, first=3000)
    messages.append(connector.put(f"{VIP}/{late.name}", late.body))
    connector.end(days=8)
    assert [connector.ends(message) for message in messages] == [AVAILABLE] * 3
    assert connector.members() == set(people(3010, 1790))


def _process_a_remove(connector: FieldConnector, first: int) -> None:
    """Let TikTok begin with the removal of ten people, which takes it two days."""
    connector.tiktok.configure(processing_seconds=2 * DAY)
    removed = connector.put(f"{VIP}/remove/x.csv", body(people(first, 10)))
    connector.wait(HOUR / 2, every=HOUR / 4)
    assert connector.ends(removed) == SUBMITTED


def test_kind_35_a_late_file_after_a_newer_append_is_out_of_order(connector: FieldConnector) -> None:
    """The list made anew would undo the append."""
    connector.base()
    *early, late = export("run/", 3000)
    connector.play(early)
    connector.wait(2.5 * HOUR, every=HOUR / 2)
    added = connector.put(f"{VIP}/append/x.csv", body(people(9000, 10)))
    connector.wait(2.5 * HOUR, every=HOUR / 2)
    assert connector.ends(added) == AVAILABLE
    message = connector.put(f"{VIP}/{late.name}", late.body)
    connector.end()
    assert connector.ends(message) == OUT_OF_ORDER
    assert connector.members() == {*people(3000, 1200), *people(9000, 10)}
    assert connector.counted()["FilesRejected"] >= 1


@pytest.mark.parametrize("hours", [0.01, 2, 8])
@pytest.mark.parametrize("deleted", [False, True])
@pytest.mark.parametrize("folder", ["", "run/"])
def test_kind_35_a_new_version_while_tiktok_is_at_work(
    connector: FieldConnector, folder: str, hours: float, *, deleted: bool
) -> None:
    """The list that TikTok is processing ends by itself; the new version goes afterwards."""
    connector.base()
    connector.tiktok.configure(processing_seconds=2 * DAY)
    key = f"{VIP}/replace/{folder}x.csv"
    message = connector.put(key, body(people(3000, 1500)))
    connector.wait(12 * S + 60, every=12 * S + 60)
    assert connector.ends(message) == SUBMITTED
    connector.wait(hours * HOUR, every=HOUR)
    if deleted:
        connector.delete(key)
    newer = connector.put(key, body(people(5000, 1500)))
    connector.end(days=8)
    assert connector.ends(message) in {AVAILABLE, SUPERSEDED}
    assert connector.ends(newer) == AVAILABLE
    assert connector.changes() == ["create", "REPLACE", "REPLACE"]
    assert connector.members() == set(people(5000, 1500))


def test_kind_35_a_late_file_shares_the_end_of_its_list(connector: FieldConnector) -> None:
    base = connector.base()
    *early, late = export("run/", 3000)
    connector.play(early)
    connector.delete(f"{VIP}/{early[0].name}")
    connector.wait(2 * HOUR, every=HOUR / 2)
    message = connector.put(f"{VIP}/{late.name}", late.body)
    connector.end()
    assert connector.ends(message) == WITHDRAWN
    assert connector.members() == base


@pytest.mark.parametrize("gap", [0.0, 10.0, 1200.0])
def test_kind_35_a_job_that_overwrites_its_folder_before_the_turn_of_its_list(
    connector: FieldConnector, gap: float
) -> None:
    """Spark in overwrite mode deletes what the run before wrote, and gives its own files other names."""
    connector.base()
    first = [File(f"replace/run/part-0000{n}-aa.csv", body(people(3000 + n * 600, 600))) for n in range(3)]
    messages = connector.play(first)
    connector.wait(600)
    for file in first:
        connector.delete(f"{VIP}/{file.name}")
    connector.wait(gap)
    second = [File(f"replace/run/part-0000{n}-bb.csv", body(people(6000 + n * 600, 600))) for n in range(2)]
    newer = connector.play(second)
    connector.end()
    assert {connector.ends(message) for message in messages} == {WITHDRAWN}
    assert {connector.ends(message) for message in newer} == {AVAILABLE}
    assert connector.members() == set(people(6000, 1200))


@pytest.mark.parametrize("hours", [1.5, 5])
def test_kind_28_a_late_file_of_an_ambiguous_list(connector: FieldConnector, hours: float) -> None:
    base = connector.base()
    messages = [*connector.play(export("a/", 3000)), *connector.play(export("b/", 6000))]
    connector.wait(hours * HOUR, every=HOUR / 2)
    assert {connector.ends(message) for message in messages} == {AMBIGUOUS}
    late = connector.put(f"{VIP}/replace/a/part-9.csv", body(people(9000, 1500)))
    connector.end()
    assert connector.ends(late) == AMBIGUOUS
    assert connector.members() == base


def test_kind_28_a_late_file_of_an_ambiguous_list_while_another_change_is_processed(connector: FieldConnector) -> None:
    base = connector.base()
    messages = [*connector.play(export("a/", 3000)), *connector.play(export("b/", 6000))]
    connector.wait(1.5 * HOUR, every=HOUR / 2)
    assert {connector.ends(message) for message in messages} == {AMBIGUOUS}
    _process_a_remove(connector, first=0)
    late = connector.put(f"{VIP}/replace/a/part-9.csv", body(people(9000, 1500)))
    connector.end(days=8)
    assert connector.ends(late) == AMBIGUOUS
    assert connector.members() == base - set(people(0, 10))


def test_kind_35_what_comes_after_all_files_were_deleted_is_another_export(connector: FieldConnector) -> None:
    connector.base()
    wrong = export("run/", 3000)
    messages = connector.play(wrong)
    connector.wait(12 * S + 60, every=12 * S + 60)
    assert connector.ends(messages[0]) == SUBMITTED
    for file in wrong:
        connector.delete(f"{VIP}/{file.name}")
    right = connector.play(export("run/", 6000, count=2))
    connector.end()
    assert {connector.ends(message) for message in right} == {AVAILABLE}
    assert connector.members() == set(people(6000, 1200))


def shrunk(connector: FieldConnector) -> list[str]:
    """Apply a list of 2,400 people and upload one of 1,100, a day later; return the messages of that."""
    connector.play(export("monday/", 0, count=4))
    connector.end()
    connector.wait(DAY, every=DAY / 4)
    messages = connector.play([File("replace/tuesday/a.csv", body(people(100, 600))),
                               File("replace/tuesday/b.csv", body(people(700, 500)))])  # fmt: skip
    connector.wait(3 * HOUR, every=HOUR / 2)
    assert {connector.ends(message) for message in messages} == {SHRINKS}
    assert len(connector.members()) == 2400
    return messages


def test_kind_38_confirmed(connector: FieldConnector) -> None:
    messages = shrunk(connector)
    connector.put(f"{VIP}/replace/tuesday/_CONFIRMED", b"")
    connector.end()
    assert {connector.ends(message) for message in messages} == {AVAILABLE}
    assert connector.members() == set(people(100, 1100))


def test_kind_38_confirmed_in_the_folder_of_a_partition(connector: FieldConnector) -> None:
    connector.play(export("daily/dt=1/", 0, count=4))
    connector.end()
    connector.wait(DAY, every=DAY / 4)
    message = connector.put(f"{VIP}/replace/daily/dt=2/part-0.csv", body(people(100, 1100)))
    connector.wait(2 * HOUR, every=HOUR / 2)
    assert connector.ends(message) == SHRINKS
    connector.put(f"{VIP}/replace/daily/dt=2/_CONFIRMED", b"")
    connector.end()
    assert connector.ends(message) == AVAILABLE


def test_kind_38_a_confirmation_that_is_older_than_the_files_says_nothing(connector: FieldConnector) -> None:
    connector.put(f"{VIP}/replace/tuesday/_CONFIRMED", b"")
    shrunk(connector)


def test_kind_38_a_newer_list(connector: FieldConnector) -> None:
    messages = shrunk(connector)
    newer = connector.play(export("wednesday/", 100, count=4))
    connector.end()
    assert {connector.ends(message) for message in messages} == {SUPERSEDED}
    assert {connector.ends(message) for message in newer} == {AVAILABLE}
    assert connector.members() == set(people(100, 2400))


def test_kind_38_a_day_without_a_confirmation(connector: FieldConnector) -> None:
    messages = shrunk(connector)
    behind = connector.put(f"{VIP}/append/x.csv", body(people(9000, 10)))
    connector.wait(DAY, every=HOUR * 2)
    connector.end()
    assert {connector.ends(message) for message in messages} == {("rejected", "shrinks_too_much")}
    assert connector.ends(behind) == AVAILABLE
    assert connector.members() == {*people(0, 2400), *people(9000, 10)}
    assert connector.counted()["FilesRejected"] == 2


def test_kind_38_turned_off(connector: FieldConnector) -> None:
    connector.cold_start(MAX_SHRINK="1")
    connector.play(export("monday/", 0, count=4))
    connector.end()
    connector.wait(DAY, every=DAY / 4)
    connector.case([File("replace/tuesday/a.csv", body(people(100, 1001)))], people(100, 1001))


def test_kind_38_a_list_whose_answer_was_lost_is_what_the_next_one_is_compared_with(connector: FieldConnector) -> None:
    connector.base()
    connector.tiktok.fault("update", "cut_after")
    shrunk(connector)


def test_kind_35_what_comes_before_the_last_file_of_a_withdrawn_list_is_deleted_shares_its_end(
    connector: FieldConnector,
) -> None:
    base = connector.base()
    files = export("run/", 3000, count=2)
    first = connector.play(files)
    connector.delete(f"{VIP}/{files[0].name}")
    connector.wait(12 * S + 60, every=12 * S + 60)
    assert {connector.ends(message) for message in first} == {WITHDRAWN}
    newer = connector.play(files[:1])
    connector.pass_time(1 / HOUR)
    connector.delete(f"{VIP}/{files[1].name}")
    connector.end()
    assert connector.ends(newer[0]) == WITHDRAWN
    assert connector.members() == base


def test_kind_35_a_late_file_of_a_deleted_list_does_not_make_the_next_share_its_end(connector: FieldConnector) -> None:
    connector.base()
    wrong = export("run/", 3000, count=2)
    first = connector.play(wrong[:1])
    late = connector.upload(f"{VIP}/{wrong[1].name}", wrong[1].body)
    connector.pass_time(1 / HOUR)
    for file in wrong:
        connector.delete(f"{VIP}/{file.name}")
    connector.play(export("other/", 9000, count=1, rows=1200))
    connector.wait(12 * S + 60, every=12 * S + 60)
    assert connector.ends(first[0]) == WITHDRAWN
    right = connector.play(export("run/", 6000, count=2, after=HOUR))
    assert connector.deliver(late) == []
    connector.end()
    assert connector.ends(late) == WITHDRAWN
    assert {connector.ends(message) for message in right} == {AVAILABLE}
    assert connector.members() == set(people(6000, 1200))
