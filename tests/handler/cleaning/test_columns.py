"""Files with columns, with any order, delimiter, quotes and faulty cells, compared with Python's csv module."""

from __future__ import annotations

import csv
import hashlib
import io
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Literal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from console.hashing.columns import named_kind
from console.hashing.values import Kind
from handler.cleaning import records
from handler.cleaning.counts import Tally, merge, progress_from_report, to_report
from handler.cleaning.file_rules import check_file
from handler.cleaning.file_types import HEAD_BYTES
from handler.cleaning.headers import header_of
from handler.cleaning.parts import Part, parts
from handler.cleaning.records import split_fields
from handler.errors import Outcome, Rejected
from handler.model import Action, IdentifierType
from handler.report_codes import Code
from tests.handler.cleaning.reference import EMPTY_VALUE_HASHES, NULLS, classify, is_hex, unwrap

TYPE = IdentifierType.MULTIPLE_TYPES
examples = settings(derandomize=True, database=None, deadline=None, max_examples=150)

NAMES = {
    "email_SHA256": ["email_sha256", "Email SHA256", "hashed_email", "EMAIL-HASH", "sha256_email", "hem",
                     "email_sha256_2"],
    "phone_SHA256": ["phone_sha256", "Phone SHA-256", "hashed phone number", "mobile_hash", "PHONE_SHA256"],
    "MAID_SHA256": ["maid_sha256", "idfa_sha256", "GAID_SHA256", "hashed_idfa", "first_sha256", "device_id_sha256"],
    "MAID_MD5": ["maid_md5", "IDFA MD5", "gaid_md5", "md5_maid"],
}  # fmt: skip
SPELLINGS = {
    "email": ["email_sha256_lower", "email_lc_sha256", "email_lowercase_sha256", "personal_email_sha256",
              "business_email_sha256", "billing_email_sha256", "contact_email_sha256", "email_sha2", "Email SHA2-256",
              "E-Mail SHA256", "E-Mail-Adresse SHA256", "correo_electronico_sha256", "courriel_sha256"],
    "phone": ["phone_e164_sha256", "hashed_phone_e164", "cell_number_sha256", "phone_no_sha256", "celular_sha256",
              "movil_sha256", "M\u00f3vil SHA256", "handy_sha256", "telefono_sha256", "Tele\u0301fono SHA256",
              "Telefon SHA256", "Telefonnummer (SHA256)", "rufnummer_hash", "phone_num_sha256",
              "mobile_phone_number_sha256"],
    "MAID": ["google_advertising_id_sha256", "gps_adid_sha256", "ios_idfa_sha256", "android_gaid_sha256",
             "android_advertising_id_sha256", "ifa_sha256"],
}  # fmt: skip
OTHERS = [
    "first_name",
    "email",
    "Phone",
    "city",
    "",
    "email_md5",
    "email_sha1",
    "note",
    "mailing_list_id",
    "idfa",
    "sha256",
]
ORDER = [*NAMES]


def hashed(number: int, digits: int = 64) -> str:
    return hashlib.sha256(f"person {number}".encode()).hexdigest()[:digits]


def pieces(file: bytes, size: int) -> Iterator[bytes]:
    return (file[at : at + size] for at in range(0, len(file), size))


def read(file: bytes, chunk: int = 1 << 18, max_part_bytes: int = 1 << 20) -> list[Part]:
    found = parts(lambda first: pieces(file[first:], chunk), TYPE, max_part_bytes)
    return [part._replace(chunks=[*part.chunks]) for part in found]


def content(file: bytes) -> bytes:
    return b"".join(b"".join(part.chunks) for part in read(file))


def tally_of(file: bytes) -> Tally:
    return read(file)[-1].progress.tally


@dataclass
class Expected:
    """The expected result of cleaning one file."""

    rows: list[str] = field(default_factory=list)
    rejections: list[tuple[int, str, str | None]] = field(default_factory=list)
    rejected: int = 0
    nulls: int = 0
    filled: dict[int, int] = field(default_factory=dict)
    faulty: dict[int, int] = field(default_factory=dict)


def reference(text: str, delimiter: str, columns: list[tuple[int, str, str]], width: int) -> Expected:
    """Read a file with the csv module. `columns` has index, name and TikTok's header, in the order they are sent."""
    found = Expected(filled=dict.fromkeys(range(len(columns)), 0), faulty=dict.fromkeys(range(len(columns)), 0))
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
    next(reader)
    before = reader.line_num
    for found_fields in reader:
        fields = padded(found_fields, columns, width)
        line, before = before + 1, reader.line_num
        if not any(unwrap(each.encode()) for each in fields):
            continue
        if len(fields) != width:
            found.rejections.append((line, "wrong_number_of_fields", None))
            found.rejected += 1
            continue
        cells, kinds = [], set()
        for number, (index, name, header) in enumerate(columns):
            digits = 32 if header.endswith("MD5") else 64
            kind, cell = clean_cell(fields[index].encode(), digits)
            kinds.add(kind)
            cells.append(cell)
            if kind == "good":
                found.filled[number] += 1
            elif kind not in {"empty", "null", "empty_value"}:
                found.rejections.append((line, kind, name))
                found.filled[number] += 1
                found.faulty[number] += 1
        if any(cells):
            found.rows.append(",".join(cells))
        elif kinds - {"good", "empty", "null", "empty_value"}:
            found.rejected += 1
        elif "empty_value" in kinds:
            found.rejected += 1
            found.rejections.append((line, "hash_of_nothing", None))
        else:
            found.nulls += "null" in kinds
    return found


def padded(fields: list[str], columns: list[tuple[int, str, str]], width: int) -> list[str]:
    """Add empty cells at the end of a row if the present cells hold identifiers and no faults."""
    there = [(unwrap(fields[i].encode()), 32 if h.endswith("MD5") else 64) for i, _, h in columns if i < len(fields)]
    filled = [len(text) == digits and is_hex(text) for text, digits in there if text and text.lower() not in NULLS]
    return fields + [""] * (width - len(fields)) if filled and all(filled) else fields


def clean_cell(cell: bytes, digits: int) -> tuple[str, str]:
    """Return the kind of a cell or its fault, and its identifier."""
    text = unwrap(cell)
    if not text:
        return "empty", ""
    if len(text) == digits and is_hex(text):
        return ("empty_value", "") if text.lower() in EMPTY_VALUE_HASHES[digits] else ("good", text.lower().decode())
    if text.lower() in NULLS:
        return "null", ""
    reason = classify(cell, text, digits, 0, last=False).reason or ""
    return ("not_hashed" if b"@" in text else "not_hex") if reason == "more_than_one_column" else reason, ""


def cells(digits: int) -> st.SearchStrategy[str]:
    good = st.integers(0, 50).map(lambda number: hashed(number, digits))
    odd = [
        *(
            "",
            " ",
            "NULL",
            "\\N",
            "nan",
            EMPTY_VALUE_HASHES[digits][0].decode(),
            EMPTY_VALUE_HASHES[digits][-1].decode().upper(),
            "jane@x.com",
        ),
        *(
            "+49 30 123456",
            "abc",
            hashed(1, digits - 1),
            "0x" + hashed(2, digits),
            " " + hashed(3, digits).upper() + " ",
        ),
        *("x", f"'{hashed(4, digits)}'", "a,b", "a;b", 'say "x"', "\u00a0" + hashed(5, digits), "two\nlines", "\u200b"),
    ]
    return st.one_of(good, good, good, st.sampled_from(odd))


TEXTS = st.sampled_from(["", "Jane", "a, b; c", 'quo"ted', "two\r\nlines", "x\ny\n\nz", "\u00e9", "12", "add"])


@st.composite
def tables(draw: st.DrawFn) -> tuple[str, str, list[tuple[int, str, str]], int]:
    """Return a file, its delimiter, its identifier columns in the order in which they are sent, and its width."""
    wanted = draw(
        st.lists(st.sampled_from(ORDER), min_size=1, max_size=4).filter(lambda x: all(x.count(h) < 4 for h in x))
    )
    named = [(draw(st.sampled_from(NAMES[header])), header) for header in wanted]
    named += [(draw(st.sampled_from(OTHERS)), "") for _ in range(draw(st.integers(0, 3)))]
    named = draw(st.permutations(named))
    # The delimiter is detected from the header row. A single name has none, and its file is read with commas.
    delimiter = draw(st.sampled_from(",;\t|")) if len(named) > 1 else ","
    quoting: Literal[0, 1] = draw(st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL]))
    end = draw(st.sampled_from(["\n", "\r\n"]))
    kinds = [cells(32 if header.endswith("MD5") else 64) if header else TEXTS for _, header in named]
    row = st.tuples(*kinds)
    short = st.tuples(row, st.integers(0, len(named))).map(lambda each: each[0][: each[1]])
    rows = draw(st.lists(st.one_of(row, row, short, st.lists(TEXTS, max_size=3)), max_size=12))
    out = io.StringIO(newline="")
    writer = csv.writer(out, delimiter=delimiter, quoting=quoting, lineterminator=end)
    writer.writerow([name for name, _ in named])
    for row in rows:
        writer.writerow(row)
    columns = [(index, name, header) for index, (name, header) in enumerate(named) if header]
    columns.sort(key=lambda column: ORDER.index(column[2]))
    return out.getvalue(), delimiter, columns, len(named)


@examples
@given(table=tables(), chunk=st.sampled_from([1, 7, 100, 1 << 18]), max_part_bytes=st.sampled_from([6000, 1 << 20]))
def test_any_file_is_read_as_by_the_csv_module(
    table: tuple[str, str, list[tuple[int, str, str]], int], chunk: int, max_part_bytes: int
) -> None:
    text, delimiter, columns, width = table
    expected = reference(text, delimiter, columns, width)
    found = read(text.encode(), chunk, max_part_bytes)
    header = ",".join(header for _, _, header in columns)
    sent = "".join(f"{row}\n" for row in expected.rows)
    for part in found:
        if part.rows:
            assert part.chunks[0] == part.header == f"{header}\n".encode()
            assert b"".join(part.chunks).count(b"\n") == part.rows + 1
            assert part.bytes == len(b"".join(part.chunks)) <= max_part_bytes
            assert part.md5 == hashlib.md5(b"".join(part.chunks)).hexdigest()  # noqa: S324 - required by TikTok
    assert b"".join(b"".join(part.chunks[1:]) for part in found).decode() == sent
    tally = found[-1].progress.tally
    assert (tally.accepted, tally.rejected, tally.null_markers) == (
        len(expected.rows),
        expected.rejected,
        expected.nulls,
    )
    assert tally.total == tally.accepted + tally.rejected
    assert [(each.line, each.reason.value, each.column) for each in tally.rejections] == expected.rejections
    assert sum(tally.rejected_by_reason.values()) == len(expected.rejections)
    assert [column.filled for column in tally.columns] == [*expected.filled.values()]
    assert [column.faulty for column in tally.columns] == [*expected.faulty.values()]
    assert found[-1].progress.next_byte == len(text.encode())


@pytest.mark.parametrize(
    ("name", "header"),
    [
        *((name, header) for header, names in NAMES.items() for name in names),
        *((name, None) for name in OTHERS),
        ("emailsha256", "email_SHA256"),
        ("Primary Email (SHA256)", "email_SHA256"),
        ("MAID_SHA256", "MAID_SHA256"),
        ("phone_md5", None),
        *((name, f"{kind}_SHA256") for kind, names in SPELLINGS.items() for name in names),
        ("gps_adid_md5", "MAID_MD5"),
        ("email_sha2_512", None),
        ("email_domain_sha256", None),
        ("sha256_of_email_and_phone", None),
        ("Telefon", None),
    ],
)
def test_headers_are_recognized_in_their_usual_spellings(name: str, header: str | None) -> None:
    assert header_of(name) == header


def test_the_console_recognizes_the_same_column_names() -> None:
    kinds = {"email": Kind.EMAIL, "phone": Kind.PHONE, "MAID": Kind.DEVICE_ID}
    assert [name for kind, names in SPELLINGS.items() for name in names if named_kind(name) is not kinds[kind]] == []


HEADER = "email_sha256,phone_sha256,name"
ROW = f"{hashed(1)},{hashed(2)},Jane"


def refusal(text: str, ratio: float = 0.1, action: Action = Action.APPEND) -> Outcome:
    with pytest.raises(Outcome) as refused:
        check_file(tally_of(text.encode()), action, ratio, TYPE)
    assert refused.value.reason.endswith(".")
    assert "Jane" not in refused.value.reason
    return refused.value


def test_other_columns_are_never_sent() -> None:
    assert content(f"\ufeff{HEADER}\r\n{ROW}\r\n".encode()) == (
        f"email_SHA256,phone_SHA256\n{hashed(1)},{hashed(2)}\n".encode()
    )


@pytest.mark.parametrize(
    ("text", "code", "what"),
    [
        (f"{ROW}\n", Code.WRONG_COLUMNS, "The first line is not a header"),
        ("first_name,city\nJane,Berlin\n", Code.WRONG_COLUMNS, "email_SHA256, phone_SHA256, MAID_SHA256, MAID_MD5"),
        (f"email_sha256,audience_action,batch_size\n{ROW}\n", Code.WRONG_COLUMNS, 'column 2 ("audience_action")'),
        (
            f"email_sha256,x\n{hashed(1)},add\n{hashed(2)},remove\n",
            Code.WRONG_COLUMNS,
            "column 2 says whether a person",
        ),
        (
            f"email_sha256,MAID\n{hashed(1)},x\n",
            Code.NOT_HASHED,
            'Column 2 ("MAID") of the file has identifiers in plain',
        ),
        (",".join(["email_sha256"] * 4) + "\n", Code.WRONG_COLUMNS, "more than 3 email_SHA256 columns"),
        ("email_sha256,city\njane@x.com,Berlin\n" * 3, Code.NO_VALID_ROW, "are not hashed"),
        ("email_sha256\nNULL\n", Code.NO_VALID_ROW, "NULL markers (1)"),
        (
            f"email_sha256\n{EMPTY_VALUE_HASHES[64][0].decode()}\n",
            Code.NO_VALID_ROW,
            "hashes of an empty or missing value (1)",
        ),
    ],
)
def test_a_rejection_says_what_to_do(text: str, code: Code, what: str) -> None:
    refused = refusal(text)
    assert (refused.status, refused.code) == ("rejected", code)
    assert what in refused.reason


@pytest.mark.parametrize("rows", [1200, 9000])  # in the first block and in a later block
@pytest.mark.parametrize(
    ("added", "removed"),
    [
        ("added", "removed"),
        ("Subscribed", "unsubscribed"),
        ("opt-in", "Opted Out"),
        ("entered", "exited"),
        ("upsert", "delete"),
    ],
)
def test_a_column_that_mixes_additions_and_removals_is_found_in_any_block(added: str, removed: str, rows: int) -> None:
    words = [added] * rows + [removed] * 300
    text = "email_sha256,city,x\n" + "".join(f"{hashed(n)},{n},{word}\n" for n, word in enumerate(words))
    refused = refusal(text)
    assert refused.code is Code.WRONG_COLUMNS
    assert "column 3 says whether a person is added or removed" in refused.reason


def test_change_codes_for_insertions_and_deletions_are_found() -> None:
    text = "x,email_sha256\n" + "".join(f"{'IUd'[n % 3]},{hashed(n)}\n" for n in range(9000))
    assert "column 1 says whether a person is added or removed" in refusal(text).reason
    for other in ("I", "U", "D", "A", ""):  # only one kind of change, or letters with another meaning
        rows = [f"{other},{hashed(n)}\n" for n in range(9000)]
        rows += [f"D,{hashed(1)}\n"] if other in {"A", ""} else []
        assert tally_of(("x,email_sha256\n" + "".join(rows)).encode()).accepted == len(rows)


def test_a_column_with_many_values_is_not_an_action_column() -> None:
    words = ["add", "remove", "active", *(f"note {n}" for n in range(30))]
    text = "email_sha256,x\n" + "".join(f"{hashed(n)},{word}\n" for n, word in enumerate(words))
    assert tally_of(text.encode()).accepted == len(words)
    text = "email_sha256,x\n" + "".join(f"{hashed(n)},{'in' * (n % 2)}active\n" for n in range(9))
    assert tally_of(text.encode()).accepted == 9


@pytest.mark.parametrize("blank", ["\n", "\r\n", " \n"])
def test_blank_lines_can_precede_the_header(blank: str) -> None:
    text = blank * 20_000 + f"{HEADER}\n{ROW}\nabc,,\n"
    (part,) = read(text.encode())
    assert (part.rows, part.progress.tally.rejections[0].line) == (1, 20_003)


@pytest.mark.parametrize(("blank", "count"), [("\n", 70_000), ("\n", 4_300_000), (",,\r\n", 20_000)])
def test_a_file_whose_header_comes_after_too_many_blank_lines_is_rejected_and_not_empty(blank: str, count: int) -> None:
    refused = refusal(f"{blank * count}{HEADER}\n{ROW}\n")
    assert (refused.code, type(refused)) == (Code.WRONG_COLUMNS, Rejected)
    assert "Remove the blank lines before the header row" in refused.reason


@pytest.mark.parametrize("size", [1, HEAD_BYTES - 1, HEAD_BYTES, 5_000_000])
def test_a_blank_file_of_any_size_is_empty(size: int) -> None:
    assert refusal("\n" * size).code is Code.EMPTY_FILE


def test_the_deadline_is_checked_for_each_chunk_of_a_blank_file() -> None:
    checks: list[None] = []
    file = b"\n" * (20 << 18)
    [*parts(lambda _: pieces(file, 1 << 18), TYPE, 1 << 20, check_time=lambda: checks.append(None))]
    assert len(checks) == 20


def test_a_long_column_name_is_truncated() -> None:
    name = f"{'hashed_' * 30}email"
    text = f"{name},phone_sha256\n" + f"jane@x.com,{hashed(1)}\n" * 30
    assert f'in the column "{name[:40]}" of the file' in refusal(text).reason
    assert tally_of(text.encode()).rejections[0].column == name[:40]


def test_a_column_of_hashes_that_is_left_out_is_reported() -> None:
    names = "user id,Mail SHA1,email_sha256,Jane's,email_md5,sha256,note"
    row = f"7,{hashed(1, 40)},{hashed(1)},{hashed(2)},{hashed(3, 32)},NULL,x\n"
    rows = row.replace("NULL", hashed(4).upper()) + row + f"8,,{hashed(5)},,,,{hashed(6)}\n"
    underlined = f"{names}\n-------,---------,---\n{rows}"
    for text in (f"{names}\n{rows}", f"sep=,\n{names}\n{rows.replace('x', chr(34) + 'x' + chr(34))}", underlined):
        tally = tally_of(text.encode())
        assert (tally.total, tally.accepted, tally.rejected) == (3, 3, 0)
        assert tally.rejected_by_reason == {"column_left_out": 3}
        assert [each.column for each in tally.rejections] == ["column 4", "email_md5", "sha256"]
        assert {each.line for each in tally.rejections} == {1 + text.startswith("sep")}
        check_file(tally, Action.REPLACE, 0, TYPE)
    refused = refusal(f"email_sha256,sha256\njane@x.com,{hashed(1)}\n")
    assert "are not hashed (first in line 2)" in refused.reason


TEMPLATE = "MAID,phone_SHA256,email_SHA256,MAID_SHA256,MAID_MD5"  # TikTok's template


@pytest.mark.parametrize("cell", ["", " ", '""', "NULL"])
def test_a_plain_text_column_can_be_empty(cell: str) -> None:
    rows = f"{cell},{hashed(1)},{hashed(2)},,\n" * 2
    assert content(f"{TEMPLATE}\n{rows}".encode()).splitlines()[1:] == [f"{hashed(2)},{hashed(1)},,".encode()] * 2


@pytest.mark.parametrize("rows_before", [0, 1, 1000])
def test_one_plain_text_identifier_rejects_the_file(rows_before: int) -> None:
    rows = f",{hashed(1)},{hashed(2)},,\n" * rows_before + f"{uuid.UUID(int=7)},,,,\n"
    refused = refusal(f"{TEMPLATE}\n{rows}")
    assert refused.code is Code.NOT_HASHED
    assert 'Column 1 ("MAID") of the file has identifiers in plain text' in refused.reason


@pytest.mark.parametrize("text", ["", "\n\n", f"{HEADER}\n", f"{HEADER}\n,,\n\n", f"sep=,\n{HEADER}\n"])
def test_a_file_without_rows_is_empty(text: str) -> None:
    assert refusal(text).code is Code.EMPTY_FILE
    assert refusal(text).status == "skipped"
    assert refusal(text, action=Action.REPLACE).status == "rejected"


def device_id(number: int) -> str:
    return uuid.UUID(int=int(hashed(number, 32), 16), version=4).hex


@pytest.mark.parametrize("header", ["email_sha256,maid_md5", "maid_md5,email_sha256"])  # unchanged, or reordered
@pytest.mark.parametrize("empty", [0, 1, 9])
@pytest.mark.parametrize("hashes", [0, 1, 3000])
def test_device_ids_without_hyphens_in_a_column_are_rejected(header: str, empty: int, hashes: int) -> None:
    cells = [hashed(n, 32) for n in range(hashes)] + ["0" * 32] + [device_id(n) for n in range(1000)]
    cells = [cell for each in cells for cell in [*[""] * empty, each]]
    rows = [sorted([hashed(n), cell], key=len, reverse=header.startswith("email")) for n, cell in enumerate(cells)]
    refused = refusal("".join(f"{first},{second}\n" for first, second in [header.split(","), *rows]))
    assert (refused.status, refused.code) == ("rejected", Code.NOT_HASHED)


def test_a_column_with_too_many_faulty_cells_is_named() -> None:
    rows = "".join(f"{hashed(n)},{hashed(n) if n % 5 else 'jane@x.com'}\n" for n in range(100))
    refused = refusal(f"email_sha256,Phone SHA256\n{rows}")
    assert refused.code is Code.TOO_MANY_REJECTED
    assert refused.reason.startswith('20 of the 100 cells in the column "Phone SHA256" of the file cannot be used,')
    assert "are not hashed (first in line 2)." in refused.reason
    tally = tally_of(f"email_sha256,Phone SHA256\n{rows}".encode())
    good = tally_of(f"email_sha256,Phone SHA256\n{hashed(1)},{hashed(2)}\n".encode() * 1)
    merged = merge([tally, *[good._replace(columns=tuple(c._replace(filled=100) for c in good.columns))] * 2])
    check_file(merged, Action.REPLACE, 0.1, TYPE, "list")
    assert (tally.total, tally.rejected, tally.rejected_by_reason) == (100, 0, {"not_hashed": 20})


@pytest.mark.parametrize(
    ("header", "cell", "advice"),
    [
        ("email_sha256", hashed(1, 32), "algorithm that was used. Hashes of 32 digits are MD5, which TikTok accepts"),
        ("maid_md5", hashed(1), "algorithm that was used. Hashes of 64 digits are SHA-256."),
        (
            "email_sha256",
            hashed(1, 40),
            "algorithm that was used. Hashes of 40 digits are SHA-1, which TikTok does not",
        ),
        ("email_sha256", hashed(1, 31), "Check that the column name states the hash algorithm that was used."),
        ("email_sha256", "x" * 64, "Upload hashes as hexadecimal digits (0-9, a-f)."),
        ("email_sha256", "x" * 600, "Check the delimiter and the quotation marks in these lines."),
    ],
)
def test_the_advice_is_about_columns_rather_than_folders_or_lines(header: str, cell: str, advice: str) -> None:
    refused = refusal(f"{header},name\n" + f"{cell},Jane\n" * 30)
    assert refused.code is Code.NO_VALID_ROW
    assert advice in refused.reason
    assert "folder" not in refused.reason
    assert "per line" not in refused.reason


@pytest.mark.parametrize("end", [f"{hashed(9)}", f"{hashed(9)},{hashed(8)[:10]}", f'{hashed(9)},"{hashed(8)}', '"x'])
def test_a_row_cut_off_at_the_end_is_detected(end: str) -> None:
    tally = tally_of(f"email_sha256,phone_sha256\n{hashed(1)},{hashed(2)}\n{end}".encode())
    assert (tally.accepted, tally.rejected_by_reason, tally.cut_off) == (1, {"cut_off": 1}, True)
    complete = tally_of(f"email_sha256,phone_sha256\n{hashed(1)},{hashed(2)}\n{hashed(3)},{hashed(4)}".encode())
    assert (complete.accepted, complete.cut_off) == (2, False)


def test_a_complete_last_row_without_a_line_end_is_not_cut_off() -> None:
    tails = [f"{digit}{hashed(1)[1:]}" for digit in "0123456789abcdef"]
    rows = [
        tally_of(f"email_sha256,phone_sha256\n{hashed(1)},{hashed(2)}\n{hashed(3)},{tail}".encode()) for tail in tails
    ]
    assert [(tally.accepted, tally.cut_off) for tally in rows] == [(2, False)] * 16


def test_a_stray_quote_makes_only_one_row_faulty() -> None:
    text = f'email_sha256,name\n{hashed(1)},"Jane\n' + "".join(f"{hashed(n)},x\n" for n in range(2, 200))
    tally = tally_of(text.encode())
    assert (tally.accepted, tally.rejected_by_reason) == (198, {"wrong_number_of_fields": 1})
    text = f'email_sha256,name\n"{hashed(1)}","Jane\n"{hashed(2)}","Joe"\n{hashed(3)},x\n'
    assert tally_of(text.encode()).accepted == 2


@pytest.mark.parametrize(
    ("first", "line"),
    [
        ('a,"x', '""'),  # doubled quotes, as in an HTML attribute
        ('a,"x', '","'),  # each line closes a quote and opens the next
        ('x","', 'x","'),  # each line opens a quote, whether or not one is already open
        ('a,"x', "text"),
    ],
)
def test_an_unclosed_quote_does_not_make_reading_slow(first: str, line: str, monkeypatch: pytest.MonkeyPatch) -> None:
    examined = 0  # bytes

    def counting(text: bytes, delimiter: bytes) -> tuple[list[bytes], bool, bool]:
        nonlocal examined
        examined += len(text)
        return split_fields(text, delimiter)

    monkeypatch.setattr(records, "split_fields", counting)
    text = "\n".join([first, *[line] * 9000, ""]).encode()
    records.read_records(text, b",", 1, 1 << 16, last=True)
    assert examined < 5 * len(text)


@pytest.mark.parametrize("quote", ["", '"'])
def test_the_header_of_a_concatenated_file_is_not_a_row(quote: str) -> None:
    file = f"{HEADER}\n{ROW}\n{quote}{hashed(3)}{quote},,x\n".encode()
    tally = tally_of(file * 3)
    assert (tally.total, tally.accepted, tally.rejections) == (6, 6, ())


def test_missing_empty_cells_at_the_end_of_a_row_are_added() -> None:
    rows = [f"{hashed(1)},{hashed(2)}", f"{hashed(3)}", f'"{hashed(4)}"', f",{hashed(5)}", "NULL," + hashed(6)]
    tally = tally_of("\r\n".join([HEADER, *rows, ""]).encode())
    assert (tally.accepted, tally.rejected) == (5, 0)
    broken = ["Jane", f"{hashed(7)},Jane", f"{hashed(8)};{hashed(9)}", "Doe," + hashed(10)]
    tally = tally_of("\r\n".join([HEADER, *broken, ""]).encode())
    assert tally.rejected_by_reason == {"wrong_number_of_fields": 4}


def test_a_row_that_is_too_long_is_rejected() -> None:
    tally = tally_of(f"email_sha256,name\n{hashed(1)},{'x' * 70_000}\n{hashed(2)},x\n".encode())
    assert (tally.accepted, tally.rejected_by_reason) == (1, {"too_long": 1})


def test_a_row_without_identifiers_is_rejected_unless_its_cells_are_empty_or_null() -> None:
    empty_value = EMPTY_VALUE_HASHES[64][0].decode()
    rows = ["NULL,,Jane", ",,", f"{empty_value},,x", f"{empty_value},{hashed(1)},x", "abc,,x", f"abc,{hashed(2)},x"]
    tally = tally_of("\n".join([HEADER, *rows, ""]).encode())
    assert (tally.total, tally.accepted, tally.rejected, tally.null_markers) == (4, 2, 2, 1)
    assert tally.rejected_by_reason == {"hash_of_nothing": 1, "wrong_length": 2}
    assert [(each.line, each.column) for each in tally.rejections] == [
        (4, None),
        (6, "email_sha256"),
        (7, "email_sha256"),
    ]


@pytest.mark.parametrize("quote", ["", '"'])
def test_reading_that_continues_after_a_part_gives_the_same_parts(quote: str) -> None:
    cell = "abc" + quote
    rows = [f"{hashed(n)},{hashed(n + 1) if n % 7 else quote + cell},{quote}a\nb{quote}" if quote else
            f"{hashed(n)},{hashed(n + 1) if n % 7 else cell},a" for n in range(500)]  # fmt: skip
    file = "\n".join([HEADER, *rows, ""]).encode()
    found = read(file, max_part_bytes=9000)
    assert len(found) > 5
    for at in range(len(found) - 1):
        report = {**to_report(found[at].progress.tally), "progress": {
            "next_byte": found[at].progress.next_byte, "next_line": found[at].progress.next_line}}  # fmt: skip
        start = progress_from_report(report)
        rest = [
            p._replace(chunks=[*p.chunks])
            for p in parts(lambda first: pieces(file[first:], 77), TYPE, 9000, start=start)
        ]
        assert rest == found[at + 1 :]


def test_overtaken_rows_are_left_out_and_the_header_is_kept() -> None:
    file = f"{HEADER}\n{ROW}\n{hashed(3)},{hashed(4)},x\n".encode()
    row = f"{hashed(1)},{hashed(2)}\n".encode()
    (part,) = parts(lambda _: [file], TYPE, 9000, keep=lambda rows: rows.replace(row, b""))
    assert b"".join(part.chunks) == f"email_SHA256,phone_SHA256\n{hashed(3)},{hashed(4)}\n".encode()
    assert (part.rows, part.progress.tally.accepted, part.progress.tally.overtaken) == (1, 2, 1)
