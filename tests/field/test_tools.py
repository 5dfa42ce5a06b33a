"""Kinds 1 to 14 and 16 of `kinds.md`: the data files and auxiliary files that data tools write."""

from __future__ import annotations

import bz2
import gzip
import json
from typing import Any

import pytest

from tests.field.connector import AVAILABLE, COPY, DAY, EMPTY, HOUR, SETTLE, SUPERSEDED, VIP, FieldConnector, File, body
from tests.handler.world import people

UUID = "4d2f1b6e-8f0a-4a52-9f3e-1c0d5a7b9e21"
OTHER_UUID = "0c9be07b-0f44-4a83-b6f5-5d7a34f0c8d2"
EVERYBODY = people(0, 1500)
THIRDS = [body(people(first, 500)) for first in (0, 500, 1000)]
IGNORED = None


def parts(*names: str, header: str | None = None) -> list[File]:
    """Return a file with the next 500 people for each name."""
    return [
        File(name, body(people(500 * number, 500), header=header), accepted=500, rejected=0)
        for number, name in enumerate(names)
    ]


def other(*names: str, content: bytes = b"") -> list[File]:
    """Return files that are not data."""
    return [File(name, content, IGNORED) for name in names]


SPARK = [f"part-0000{number}-{UUID}-c000.csv" for number in range(3)]
CASES = {
    "01 Spark replaces": [
        *parts(*[f"replace/2026-01-31/{name}" for name in SPARK]),
        *other(f"replace/2026-01-31/.{SPARK[0]}.crc", "replace/2026-01-31/_SUCCESS", "replace/2026-01-31_$folder$"),
        *other("replace/2026-01-31/"),
    ],
    "01 Spark appends": [*parts(*[f"append/run/{name}" for name in SPARK]), *other("append/run/_SUCCESS")],
    "01 Spark directly under replace": [*parts(*[f"replace/{name}" for name in SPARK]), *other("replace/_SUCCESS")],
    "01 empty partitions": [
        *parts(*[f"replace/run/{name}" for name in SPARK]),
        File(f"replace/run/part-00003-{UUID}-c000.csv", b"", EMPTY),
        File(f"replace/run/part-00004-{UUID}-c000.csv", b"email_sha256\n", EMPTY),
        *other("replace/run/_SUCCESS"),
    ],
    "01 partition folders": parts(*[f"replace/country={each}/{SPARK[0]}" for each in ("DE", "FR", "US")]),
    "02 Databricks": [
        *other("replace/run/_started_5211", content=b'{"start":1}'),
        *parts(*[f"replace/run/part-0000{number}-tid-5211-{UUID}-1-1-c000.csv" for number in range(3)]),
        *other("replace/run/_committed_5211", content=b'{"added":[]}'),
        *other("replace/run/_SUCCESS"),
    ],
    "03 Glue": parts(*[f"replace/run/run-1706698800000-part-r-0000{number}" for number in range(3)]),
    "03 Glue directly under replace": parts(*[f"replace/run-1706698800000-part-r-0000{number}" for number in range(3)]),
    "03 Hadoop": [
        *parts(*[f"replace/job/part-r-0000{number}" for number in range(3)]),
        *other("replace/job/_SUCCESS", "replace/job/.hive-staging_hive_2026-01-31/-ext-10000/000000_0"),
    ],
    "03 Hive": parts(*[f"replace/00000{number}_0" for number in range(3)]),
    "04 Redshift slices": parts(*[f"replace/000{number}_part_00" for number in range(3)]),
    "04 Redshift in a folder": parts(*[f"replace/unload/vip_000{number}_part_00" for number in range(3)]),
    "04 Redshift without slices": parts(*[f"replace/vip00{number}" for number in range(3)]),
    "04 Redshift with an extension": parts(*[f"replace/vip00{number}.csv" for number in range(3)]),
    "04 Redshift appends with a manifest": [
        *parts(*[f"append/unload/vip_000{number}_part_00" for number in range(3)]),
        *other("append/unload/vip_manifest", content=b'{"entries": []}'),
    ],
    "06 Athena": [
        *parts(f"append/{UUID}.csv"),
        *other(f"append/{UUID}.csv.metadata", content=b"\x00\x01"),
    ],
    "07 BigQuery": parts(*[f"replace/00000000000{number}.csv" for number in range(3)], header="f0_"),
    "07 Postgres": parts(*[f"append/export_{number}.csv" for number in range(3)], header="?column?"),
    "07 SQL Server": parts(*[f"append/export_{number}.csv" for number in range(3)], header="(No column name)"),
    "08 Clean Rooms": parts(*[f"replace/{UUID}/{number}.csv" for number in range(3)]),
    "09 DMS": [
        *parts("replace/LOAD00000009.csv", "replace/LOAD0000000A.csv", "replace/LOAD0000000B.csv"),
        *other("replace/LOAD00000009.dfm", content=b"<xml>"),
    ],
    "09 changes of DMS": parts(*[f"append/2026/01/31/20260131-10101{number}123.csv" for number in range(3)]),
    "10 Salesforce": parts(*[f"replace/vip_2023-07-30-17-55-45-216_0000{number}.csv" for number in range(3)]),
    "11 Firehose": parts(
        *[f"append/2026/01/31/10/vip-1-2026-01-31-10-0{n}-00-{u}" for n, u in enumerate((UUID, OTHER_UUID, UUID))]
    ),
    "12 transfers": [
        *parts("append/x.csv"),
        *other("append/x.csv.filepart", "append/x.csv.part", "append/x.csv.partial", "append/x.csv.crdownload"),
        *other("append/x.csv.writing", "append/x.csv._COPYING_", "append/x.csv.opdownload", "append/x.csv.inprogress"),
        *other("append/x.tmp", "append/x.csv~", "append/#x.csv#", content=b"half a row"),
    ],
    "14 Finder": [
        *parts("append/x.csv"),
        *other("append/.DS_Store", "append/._x.csv", content=bytes.fromhex("00051607")),
    ],
    "16 hidden": [
        *other("append/_old/x.csv", "append/run/_old/x.csv", "append/.hidden/x.csv", content=THIRDS[1]),
        *other("_drafts/x.csv", "append/_x", "append/_x.log", ".x.csv", "append/.x.csv", content=THIRDS[1]),
        *parts("append/_x.csv", "append/_y.txt", "append/run/_z.csv"),
    ],
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_kind_01_02_03_04_06_07_08_09_10_11_12_14_16_data_is_sent_and_other_files_are_ignored(
    connector: FieldConnector, name: str
) -> None:
    files = CASES[name]
    padding = [File("append/more.csv", body(people(500, 1000)))] if name[:2] in {"06", "12", "14"} else []
    connector.check_case([*files, *padding], members=EVERYBODY)
    assert len(connector.audiences()) == 1
    assert connector.metric_totals()["FilesRejected"] + connector.metric_totals()["FilesFailed"] == 0


@pytest.mark.parametrize("cleaned_up", [True, False])
def test_kind_01_a_list_waits_while_its_folder_has_temporary_files(
    connector: FieldConnector, *, cleaned_up: bool
) -> None:
    """Spark writes to `_temporary/` and deletes it at the end, unless the job fails."""
    base = connector.create_audience()
    draft = f"{VIP}/replace/run/_temporary/0/task_1/{SPARK[0]}"
    assert connector.outcome_of(connector.put(draft, THIRDS[0])) is None
    files = [File(f"replace/run/{name}", body(people(3000 + n * 500, 500))) for n, name in enumerate(SPARK)]
    messages = connector.upload_all(files)
    if cleaned_up:
        connector.delete(draft)
    connector.wait(2 * DAY, every=3600)
    outcome = AVAILABLE if cleaned_up else ("rejected", "incomplete_list")
    assert [connector.outcome_of(message) for message in messages] == [outcome] * 3
    assert connector.members() == (set(people(3000, 1500)) if cleaned_up else base)


def manifest(connector: FieldConnector, *keys: str) -> bytes:
    """Return a manifest with these entries."""
    return json.dumps({"entries": [{"url": f"s3://{connector.bucket}/{key}"} for key in keys]}).encode()


@pytest.mark.parametrize("prefix", ["replace/unload/", "replace/", "replace/unload/vip_"])
def test_kind_04_the_entries_of_a_manifest_are_the_list(connector: FieldConnector, prefix: str) -> None:
    files = parts(*[f"{prefix}000{number}_part_00" for number in range(3)])
    messages = connector.upload_all(files)
    manifest_message = connector.put(
        f"{VIP}/{prefix}manifest", manifest(connector, *[f"{VIP}/{each.name}" for each in files])
    )
    connector.finish()
    connector.check(files, messages)
    assert connector.outcome_of(manifest_message) is None
    assert connector.members() == set(EVERYBODY)


@pytest.mark.parametrize(
    ("entry", "outcome", "after"),
    [
        ("tiktok/vip/email_sha256/replace/elsewhere/0003_part_00", ("rejected", "list_rejected"), 2 * DAY),
        (f"{VIP}/replace/unload/0003_part_00", ("rejected", "incomplete_list"), 2 * DAY),
    ],
    ids=["outside the run", "missing"],
)
def test_kind_04_a_manifest_with_a_wrong_entry_rejects_the_list(
    connector: FieldConnector, entry: str, outcome: tuple[str, str], after: float
) -> None:
    base = connector.create_audience()
    files = [
        File(f"replace/unload/000{number}_part_00", body(people(3000 + 500 * number, 500)), outcome)
        for number in range(3)
    ]
    connector.put(f"{VIP}/replace/elsewhere/note.txt.crc", b"")
    messages = connector.upload_all(files)
    content = manifest(connector, *[f"{VIP}/{each.name}" for each in files], entry)
    connector.put(f"{VIP}/replace/unload/manifest", content)
    connector.wait(after, every=6 * 3600)
    connector.check(files, messages)
    assert connector.members() == base


def _reason(connector: FieldConnector, message: str) -> str:
    return str((connector.report_of(message) or {"reason": ""})["reason"])


def _versions_of_reports(connector: FieldConnector) -> int:
    return sum(1 for _ in connector.function.store.versions("reports/"))


@pytest.mark.parametrize("busy", [False, True])
def test_kind_01_04_a_report_has_the_reason_why_its_list_waits(connector: FieldConnector, *, busy: bool) -> None:
    """The reason is there even while TikTok processes another change. Sweeps do not rewrite an unchanged report."""
    connector.create_audience()
    if busy:
        connector.tiktok.configure(processing_seconds=12 * HOUR)
        connector.put(f"{VIP}/append/x.csv", body(people(9000, 10)))
        connector.wait(2 * SETTLE)
    draft, folder = f"{VIP}/replace/unload/_temporary/0/x", f"{VIP}/replace/unload/"
    connector.put(draft, b"")
    first = connector.put(f"{folder}0000_part_00", body(people(3000, 1500)))
    content = manifest(connector, f"{folder}0000_part_00", f"{folder}0001_part_00")
    connector.put(f"{folder}manifest", content)
    connector.wait(HOUR * 2)
    assert "contains a _temporary folder" in _reason(connector, first)
    connector.delete(draft)
    connector.wait(SETTLE)
    assert "have not arrived yet" in _reason(connector, first)
    versions = _versions_of_reports(connector)
    connector.wait(HOUR)
    assert _versions_of_reports(connector) == versions
    second = connector.put(f"{folder}0001_part_00", body(people(6000, 1500)))
    connector.wait(12 * SETTLE + 60)
    assert "manifest is older" in _reason(connector, first)
    assert "manifest is older" in _reason(connector, second)
    connector.put(f"{folder}manifest", content)
    connector.wait(2 * SETTLE)
    outcome = ("waiting", "audience_processing") if busy else ("submitted", "submitted")
    assert [connector.outcome_of(first), connector.outcome_of(second)] == [outcome] * 2
    connector.finish()
    assert [connector.outcome_of(first), connector.outcome_of(second)] == [AVAILABLE] * 2


@pytest.mark.parametrize(
    ("content", "headers"),
    [(b"{", {}), (b"[" * 100_000, {}), (b"", {}), (b'{"entries": []}', {"StorageClass": "GLACIER"})],
    ids=["cut off", "too deep", "empty", "archived"],
)
def test_kind_04_42_a_manifest_that_cannot_be_read_rejects_the_list(
    connector: FieldConnector, content: bytes, headers: dict[str, Any]
) -> None:
    base = connector.create_audience()
    part = connector.put(f"{VIP}/replace/unload/0000_part_00", body(people(3000, 1500)))
    connector.put(f"{VIP}/replace/unload/manifest", content, **headers)
    behind = connector.put(f"{VIP}/append/y.csv", body(people(5000, 10)))
    connector.finish()
    assert [connector.outcome_of(part), connector.outcome_of(behind)] == [("rejected", "list_rejected"), AVAILABLE]
    assert connector.members() == base | set(people(5000, 10))


def test_kind_04_a_file_with_columns_delimited_by_pipes_is_rejected(connector: FieldConnector) -> None:
    rows = "".join(f"{number}|{row}|US\n" for number, row in enumerate(EVERYBODY))
    message = connector.put(f"{VIP}/append/0000_part_00", f"id|hashed_email|country\n{rows}".encode())
    connector.finish()
    report = connector.report_of(message)
    assert report
    assert report["status"] == "rejected"
    assert "hashed_email" in report["reason"]


@pytest.mark.parametrize("extension", [".csv.gz", "", ".gz", ".csv", ".csv.bz2"])
def test_kind_05_compressed_files_are_read_with_any_extension(connector: FieldConnector, extension: str) -> None:
    compress = bz2.compress if "bz2" in extension else gzip.compress
    nulls = body(["\\N"] * 50)
    files = [
        File(f"replace/data_0_{number}_0{extension}", compress(third[:32500] + nulls), accepted=500, rejected=0)
        for number, third in enumerate(THIRDS)
    ]
    connector.check_case(files, members=EVERYBODY)


def test_kind_05_all_members_of_a_gzip_file_are_read(connector: FieldConnector) -> None:
    joined = b"".join(gzip.compress(third) for third in THIRDS)
    connector.check_case([File("append/joined.csv.gz", joined, accepted=1500, rejected=0)], members=EVERYBODY)


@pytest.mark.parametrize("header", ['"_col0"', '"email_sha256"', '"hashed email"'])
def test_kind_06_quotes_around_values_are_removed(connector: FieldConnector, header: str) -> None:
    quoted = body(EVERYBODY, header=header, before='"', after='"')
    connector.check_case([File(f"append/{UUID}.csv", quoted, accepted=1500, rejected=0)], members=EVERYBODY)


def test_kind_06_the_files_of_an_athena_unload_are_one_list(connector: FieldConnector) -> None:
    names = [
        f"replace/2026-01-31/20260131_101010_00042_x7xpv_{each}{n}.gz" for n, each in enumerate((UUID, OTHER_UUID))
    ]
    connector.check_case(
        [File(name, gzip.compress(body(people(n * 800, 800)))) for n, name in enumerate(names)], people(0, 1600)
    )


def test_kind_10_files_with_different_times_are_different_lists(connector: FieldConnector) -> None:
    """Two exports within an hour are ambiguous."""
    base = connector.create_audience()
    ambiguous = ("rejected", "ambiguous_replace")
    times = ["2023-07-30-17-55-45-216", "2023-07-30-18-00-45-216"]
    files = [File(f"replace/vip_{time}_0000{n}.csv", THIRDS[n], ambiguous) for time in times for n in range(3)]
    connector.check_case(files, members=base)
    assert connector.metric_totals()["FilesRejected"] == 6


def test_kind_11_a_stream_that_never_pauses_is_sent(connector: FieldConnector) -> None:
    connector.create_audience()
    messages = []
    for minute in range(0, 76, 4):
        messages.append(connector.put(f"{VIP}/append/2026/01/31/10/s-{minute:02}", body(people(5000 + minute, 4)), 240))
        connector.sweep()
    assert {connector.outcome_of(message) for message in messages[:13]} == {("submitted", "submitted")}
    connector.finish()
    assert {connector.outcome_of(message) for message in messages} == {AVAILABLE}


@pytest.mark.parametrize("action", ["append", "remove", "replace"])
@pytest.mark.parametrize("writes", [2, 3, 4])
def test_kind_13_a_key_written_several_times_is_applied_once(
    connector: FieldConnector, action: str, writes: int
) -> None:
    base = connector.create_audience()
    key = f"{VIP}/{action}/x.csv"
    content = people(1000, 1500) if action == "replace" else people(1500, 1000)
    messages = [connector.put(key, b""), connector.put(key, body(content))]
    for _ in range(writes - 2):
        messages.append(connector.copy(key))
        assert connector.deliver(messages[-1]) == []
    connector.finish()
    outcomes = [connector.outcome_of(message) for message in messages]
    assert outcomes[0]
    assert outcomes[0][0] == "skipped"
    assert outcomes[1:] == [AVAILABLE, *[COPY] * (writes - 2)]
    given = set(content)
    expected = {"append": base | given, "remove": base - given, "replace": given}
    assert connector.members() == expected[action]
    assert connector.metric_totals()["FilesRejected"] + connector.metric_totals()["FilesFailed"] == 0


@pytest.mark.parametrize("action", ["append", "replace"])
@pytest.mark.parametrize("first", [b"", body(people(7000, 1500))], ids=["empty", "full"])
def test_kind_13_56_the_second_of_two_versions_in_a_second_is_newer_even_if_its_event_is_first(
    connector: FieldConnector, action: str, first: bytes
) -> None:
    """S3's times are in whole seconds, but its listing has the newest version of a key first."""
    connector.create_audience()
    key, uploaded_at = f"{VIP}/{action}/x.csv", connector.now()
    older = connector.upload(key, first, at=uploaded_at)
    newer = connector.upload(key, body(people(5000, 1500)), at=uploaded_at)
    connector.deliver_all(newer)
    connector.pass_time(5 / HOUR)
    connector.deliver_all(older)
    connector.finish()
    assert [connector.outcome_of(older), connector.outcome_of(newer)] == [SUPERSEDED, AVAILABLE]
    assert set(people(5000, 1500)) <= connector.members()
