"""Kinds 17 to 27 of `kinds.md`: the content of files."""

from __future__ import annotations

import base64
import gzip
import hashlib
from typing import Any

import pytest

from tests.field.connector import AVAILABLE, EMPTY, HOUR, SETTLE, VIP, FieldConnector, File, body
from tests.handler.world import people

PEOPLE = people(0, 1200)
CLEAN = body(PEOPLE)
NULL_MARKERS = ["\\N", "NULL", "null", "None", "nan", "NaN"]
ZERO_ID = "00000000-0000-0000-0000-000000000000"
EMPTY_VALUES = ["", " ", "\n", *NULL_MARKERS, "email", "phone", ZERO_ID]
ACTIONS = ["append", "remove", "replace"]


def sha256(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def md5(text: str) -> str:
    return hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()


def activate(
    connector: FieldConnector, content: bytes, name: str = "append/x.csv", folder: str = VIP
) -> dict[str, Any]:
    """Upload one file and return its final report."""
    message = connector.put(f"{folder}/{name}", content)
    connector.finish()
    report = connector.report_of(message)
    assert report
    return report


def assert_repaired(
    connector: FieldConnector, content: bytes, accepted: int = 1200, rejected: int = 0
) -> dict[str, Any]:
    """Upload a file with PEOPLE in another notation, check that TikTok gets them, and return the report."""
    report = activate(connector, content)
    assert (report["status"], report["code"]) == AVAILABLE, report["reason"]
    rows = report["rows"]
    assert (rows["total"], rows["accepted"], rows["rejected"]) == (accepted + rejected, accepted, rejected)
    assert connector.members() == set(PEOPLE)
    return report


@pytest.mark.parametrize("marker", [*NULL_MARKERS, *[f'"{each}"' for each in NULL_MARKERS], "'NULL'", '""', "  "])
def test_kind_17_null_markers_are_blank_lines(connector: FieldConnector, marker: str) -> None:
    mixed = [row for number, person in enumerate(PEOPLE) for row in ([person, marker] if number % 3 else [person])]
    assert_repaired(connector, body(mixed))


@pytest.mark.parametrize("action", ACTIONS)
@pytest.mark.parametrize(
    "rows",
    [NULL_MARKERS * 20, [sha256("")] * 300, [sha256("nan"), "NULL"] * 200, ["email_sha256", *[sha256("null")] * 9]],
    ids=["NULL markers", "hashes of empty values", "both", "with a header"],
)
def test_kind_17_18_a_file_with_only_empty_values_is_rejected(
    connector: FieldConnector, action: str, rows: list[str]
) -> None:
    base = connector.create_audience()
    report = activate(connector, body(rows), f"{action}/x.csv")
    assert report["status"] == "rejected"
    assert connector.members() == base
    assert connector.metric_totals()["FilesRejected"] == 1


@pytest.mark.parametrize("text", EMPTY_VALUES, ids=repr)
def test_kind_18_hashes_of_empty_values_do_not_count_toward_the_ratio(connector: FieldConnector, text: str) -> None:
    """Rejected rows are 1,200 of 2,400, more than the ratio allows."""
    report = assert_repaired(connector, body([*PEOPLE, *[sha256(text)] * 1200]), rejected=1200)
    assert report["rejected_by_reason"] == {"hash_of_nothing": 1200}
    assert report["rejections"][0] == {"line": 1201, "reason": "hash_of_nothing", "column": None}


@pytest.mark.parametrize("text", ["", "null", ZERO_ID], ids=repr)
def test_kind_18_md5_hashes_of_empty_values_are_rejected_rows(connector: FieldConnector, text: str) -> None:
    given = [md5(person) for person in PEOPLE]
    empty_values = [md5(text), md5(text).upper()] * 300
    report = activate(connector, body([*given, *empty_values]), folder="tiktok/vip/idfa_md5")
    assert (report["status"], report["rejected_by_reason"]) == ("available", {"hash_of_nothing": 600})
    assert connector.members() == set(given)


def test_kind_18_in_a_list_a_file_with_only_empty_values_is_skipped(connector: FieldConnector) -> None:
    files = [
        File("replace/run/a.csv", CLEAN, accepted=1200),
        File("replace/run/b.csv", body([sha256("")] * 100), EMPTY),
        File("replace/run/c.csv", body(["NULL"] * 100), EMPTY),
    ]
    connector.check_case(files, PEOPLE)


@pytest.mark.parametrize("after", [",", ";", "\t", "|", ",,", " ,"])
@pytest.mark.parametrize("quote", ["", '"'])
def test_kind_19_trailing_delimiters_are_removed(connector: FieldConnector, after: str, quote: str) -> None:
    assert_repaired(connector, body(PEOPLE, before=quote, after=quote + after))


@pytest.mark.parametrize("before", ["0x", "0X", "\\x"])
@pytest.mark.parametrize("upper", [False, True])
def test_kind_20_hexadecimal_prefixes_are_removed(connector: FieldConnector, before: str, *, upper: bool) -> None:
    assert_repaired(connector, body([person.upper() if upper else person for person in PEOPLE], before=before))


@pytest.mark.parametrize("action", ACTIONS)
def test_kind_20_base64_is_rejected(connector: FieldConnector, action: str) -> None:
    base = connector.create_audience()
    encoded = [base64.b64encode(bytes.fromhex(person)).decode() for person in PEOPLE]
    assert activate(connector, body(encoded), f"{action}/x.csv")["status"] == "rejected"
    assert connector.members() == base


NOTATIONS = {
    "no-break spaces": body(PEOPLE, before="\u00a0", after="\u00a0"),
    "zero-width spaces": body(PEOPLE, before="\u200b", after="\u200b\u200d"),
    "byte order mark": b"\xef\xbb\xbf" + CLEAN,
    "byte order mark and header": b"\xef\xbb\xbfemail\n" + CLEAN,
    "two files joined": CLEAN[:6500] + b"\xef\xbb\xbf" + CLEAN[6500:],
    "Ctrl-Z": CLEAN + b"\x1a",
    "Ctrl-Z on its own line": CLEAN + b"\x1a\r\n",
    "Ctrl-Z between two files": CLEAN[:6500] + b"\x1a" + CLEAN[6500:] + b"\x1a",
    "single quotes": body(PEOPLE, before="'", after="'"),
    "CRLF": body(PEOPLE, end="\r\n"),
    "upper case": CLEAN.upper(),
    "no newline at the end": CLEAN[:-1],
    "blank lines": body(PEOPLE, end="\n\n"),
}


@pytest.mark.parametrize("name", NOTATIONS)
def test_kind_21_invisible_characters_and_quotes_are_removed(connector: FieldConnector, name: str) -> None:
    assert_repaired(connector, NOTATIONS[name])


HEADERS = [
    "email_sha256", "Email Address", "Hashed E-Mail", "电子邮件", "Adresse e-mail hachée", "хэш", "f0_", "_col0",
    "?column?", "(No column name)", '"email"', "EMAIL", "sha256(lower(trim(email)))", "to_hex(sha256(email))", "0",
    "sep=;", "sep=,\nemail",
]  # fmt: skip


@pytest.mark.parametrize("header", HEADERS)
def test_kind_22_a_header_is_not_a_row(connector: FieldConnector, header: str) -> None:
    assert_repaired(connector, body(PEOPLE, header=header))


def test_kind_22_every_part_of_a_list_can_have_a_header(connector: FieldConnector) -> None:
    files = [
        File(f"replace/run/{n}.csv", body(PEOPLE[n * 400 : n * 400 + 400], header=header), accepted=400, rejected=0)
        for n, header in enumerate(("email_sha256", "电子邮件", '"?column?"'))
    ]
    connector.check_case(files, PEOPLE)


def table(header: str, row: str) -> bytes:
    """Return a file with columns. In `row`, `{hash}` and `{other}` are hashes, and `{n}` is a number."""
    rows = (row.format(hash=person, other=sha256(person), n=n) for n, person in enumerate(PEOPLE))
    return body(rows, header=header)


COLUMNS = {
    ",email_sha256": ("{n},{hash}", "email_sha256"),
    "hashed_mail,phone,first_name": ("{hash},+1555{n},Ann", "hashed_mail"),
    "id;hashed_mail;country": ("{n};{hash};US", "hashed_mail"),
    "id\thashed_mail": ("{n}\t{hash}", "hashed_mail"),
    '"id","hashed_mail"': ('"{n}","{hash}"', "hashed_mail"),
    "mail_hash,phone_hash": ("{hash},{other}", None),
}


@pytest.mark.parametrize("header", COLUMNS)
def test_kind_23_a_file_with_several_columns_is_rejected(connector: FieldConnector, header: str) -> None:
    row, column = COLUMNS[header]
    report = activate(connector, table(header, row))
    assert report["status"] == "rejected"
    if column:
        assert column in report["reason"]
    else:
        assert "mail_hash" not in report["reason"].replace(header, "")
    assert connector.audiences() == []


SEGMENT = {
    "email,audience_action,batch_size": '"{hash}","true","50"',
    "email,audience_action": "{hash},add",
    "audience_action,email": "false,{hash}",
}


@pytest.mark.parametrize("header", SEGMENT)
@pytest.mark.parametrize("action", ACTIONS)
def test_kind_24_a_file_that_mixes_additions_and_removals_is_rejected(
    connector: FieldConnector, action: str, header: str
) -> None:
    base = connector.create_audience()
    report = activate(connector, table(header, SEGMENT[header]), f"{action}/x.csv")
    assert report["status"] == "rejected"
    assert "audience_action" in report["reason"]
    assert connector.members() == base


def test_kind_25_the_share_of_faulty_rows_is_computed_over_the_list(connector: FieldConnector) -> None:
    files = [
        File("replace/run/1.csv", CLEAN, accepted=1200),
        File("replace/run/2.csv", body([*people(5000, 2), "not a hash"]), accepted=2, rejected=1),
        File("replace/run/3.csv", b"", EMPTY),
        File("replace/run/4.csv", b"email\n", EMPTY),
    ]
    connector.check_case(files, {*PEOPLE, *people(5000, 2)})


def test_kind_25_too_many_faulty_rows_over_the_list_reject_every_part(connector: FieldConnector) -> None:
    """The list has almost 12 percent faulty rows, although one part has only 6 percent."""
    base = connector.create_audience()
    parts = [[*people(5000, 1000), *["x"] * 64], [*people(6000, 1000), *["x"] * 200]]
    messages = connector.upload_all([File(f"replace/run/{n}.csv", body(rows)) for n, rows in enumerate(parts)])
    connector.finish()
    reports = [connector.report_of(message) or {} for message in messages]
    assert [report["status"] for report in reports] == ["rejected"] * 2
    assert {report["code"] for report in reports} <= {"too_many_rejected", "list_rejected"}
    assert connector.members() == base


@pytest.mark.parametrize(
    "faulty",
    [b"%PDF-1.7\n%\xe2\xe3\xcf\xd3", gzip.compress(CLEAN)[:-30], body(["nobody@example.com"] * 50), body(["x"] * 3)],
    ids=["unreadable", "truncated gzip", "not hashed", "no valid row"],
)
def test_kind_25_a_faulty_part_rejects_the_list_and_is_named(connector: FieldConnector, faulty: bytes) -> None:
    base = connector.create_audience()
    files = [
        File("replace/run/part-1.csv", body(people(3000, 1500))),
        File("replace/run/part-2.csv", faulty),
        File("replace/run/part-3.csv", body(people(5000, 1500))),
    ]
    messages = connector.upload_all(files)
    connector.finish()
    reports = [connector.report_of(message) or {} for message in messages]
    assert [report["status"] for report in reports] == ["rejected"] * 3
    assert [reports[0]["code"], reports[2]["code"]] == ["list_rejected"] * 2
    assert all("part-2.csv" in report["reason"] for report in (reports[0], reports[2]))
    assert connector.members() == base


@pytest.mark.parametrize("name", ["part-2.xlsx", "part-2.snappy.parquet", "country=de/part-2.csv.zst"])
def test_kind_25_a_file_rejected_because_of_its_name_rejects_its_run(connector: FieldConnector, name: str) -> None:
    """Without this file, the list would lack the people in it."""
    base = connector.create_audience()
    first = connector.put(f"{VIP}/replace/run/part-1.csv", body(people(3000, 1500)))
    refused = connector.put(f"{VIP}/replace/run/{name}", b"PK\x03\x04")
    connector.finish()
    assert connector.outcome_of(refused) == ("rejected", "wrong_file_extension")
    assert connector.outcome_of(first) == ("rejected", "list_rejected")
    assert name in (connector.report_of(first) or {})["reason"]
    assert connector.members() == base
    connector.delete(f"{VIP}/replace/run/{name}")
    second = connector.put(f"{VIP}/replace/run/part-2.csv", body(people(5000, 1500)))
    connector.finish()
    assert [connector.outcome_of(each) for each in (first, second)] == [AVAILABLE] * 2
    assert connector.members() == set(people(3000, 1500)) | set(people(5000, 1500))


@pytest.mark.parametrize("folder", ["", "run/"])
def test_kind_25_a_file_rejected_because_of_its_name_does_not_affect_the_next_list(
    connector: FieldConnector, folder: str
) -> None:
    connector.create_audience()
    connector.put(f"{VIP}/replace/{folder}vip.xlsx", b"PK\x03\x04")
    right = connector.put(
        f"{VIP}/replace/{folder}vip.csv", body(people(3000, 1500)), after=7 * HOUR if folder else SETTLE
    )
    connector.finish()
    assert connector.outcome_of(right) == AVAILABLE
    assert connector.members() == set(people(3000, 1500))


def test_kind_25_a_corrected_file_makes_the_list_start_again(connector: FieldConnector) -> None:
    connector.create_audience()
    files = [File(f"replace/run/part-{n}.csv", body(people(3000 + n * 500, 500))) for n in range(3)]
    messages = connector.upload_all([files[0], File("replace/run/part-1.csv", b"%PDF-1.7\n"), files[2]])
    connector.finish()
    connector.sweep(hours=7 * 24)
    again = connector.put(f"{VIP}/replace/run/part-1.csv", files[1].body)
    connector.finish()
    assert [connector.outcome_of(each) for each in (messages[0], again, messages[2])] == [AVAILABLE] * 3
    assert connector.members() == set(people(3000, 1500))


@pytest.mark.parametrize("end", [1, 20, 63])
def test_kind_26_a_file_that_ends_within_a_row_loses_only_that_row_unless_it_is_a_replace(
    connector: FieldConnector, end: int
) -> None:
    cut = CLEAN + people(9000, 1)[0][:end].encode()
    assert_repaired(connector, cut, rejected=1)
    report = activate(connector, cut, "replace/x.csv")
    assert (report["status"], report["code"]) == ("rejected", "cut_off")
    assert connector.members() == set(PEOPLE)


def test_kind_12_26_a_truncated_part_rejects_the_list(connector: FieldConnector) -> None:
    base = connector.create_audience()
    parts = [body(people(3000, 1500)), body(people(5000, 1500))[:-30]]
    messages = connector.upload_all([File(f"replace/run/{n}.csv", part) for n, part in enumerate(parts)])
    connector.finish()
    assert connector.outcome_of(messages[0]) == ("rejected", "list_rejected")
    assert connector.outcome_of(messages[1]) in {("rejected", "cut_off"), ("rejected", "list_rejected")}
    assert connector.members() == base


@pytest.mark.parametrize(
    "content",
    [b"", b"email_sha256\n", b"\n\n", b"\xef\xbb\xbf", gzip.compress(b"", mtime=0)],
    ids=["no bytes", "header", "blank lines", "byte order mark", "gzip"],
)
@pytest.mark.parametrize("action", ACTIONS)
def test_kind_27_an_empty_file_is_skipped_unless_it_is_a_replace(
    connector: FieldConnector, action: str, content: bytes
) -> None:
    base = connector.create_audience()
    report = activate(connector, content, f"{action}/2026-02-01.csv")
    assert (report["status"], report["code"]) == (("rejected", "empty_file") if action == "replace" else EMPTY)
    assert connector.members() == base
    counted = connector.metric_totals()
    assert (counted["FilesSkipped"], counted["FilesRejected"]) == ((0, 1) if action == "replace" else (1, 0))


def test_kind_27_an_empty_file_does_not_hold_up_other_files(connector: FieldConnector) -> None:
    base = connector.create_audience()
    files = [File("remove/a.csv", b"", EMPTY), File("append/b.csv", body(people(3000, 10)), accepted=10)]
    messages = connector.upload_all(files)
    connector.wait(2 * SETTLE)
    assert connector.outcome_of(messages[1]) == ("submitted", "submitted")
    connector.finish()
    connector.check(files, messages)
    assert connector.members() == base | set(people(3000, 10))
