"""Tests of hashing files: detection, streaming, worker processes, and no raw data in any output."""

from __future__ import annotations

import bz2
import csv
import gzip
import hashlib
import io
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from console.errors import ConsoleError, Exit
from console.hashing.blocks import MAX_LISTED_FAULTS, Counts, Plan, cut_at_records, hash_block
from console.hashing.columns import InputColumn
from console.hashing.plans import HashOptions, PreparedFile, prepare
from console.hashing.sources import read_text
from console.hashing.values import Kind, Rules
from tests.console.processes import ROOT, console

SHOP = (
    "email;phone;first_name\n Jane@Example.com;+49 170 1234567;Jäne\n"
    '"bob@example.org";0170/1234568;"Bob\nJr; the 2nd"\n;;Zoe\nno address;4,47E+11;Max\n'
)


def sha256(value: str) -> str:
    return hashlib.sha256(value.encode()).hexdigest()


def run(
    content: bytes, identifier_type: str, *columns: str, country: str | None = None
) -> tuple[list[str], Counts, PreparedFile]:
    text = read_text([content])
    prepared = prepare(text, HashOptions(identifier_type, columns, country))
    hashing = prepared.hashing()
    rows = prepared.header_row + b"".join(hashing.rows(text.chunks))
    return rows.decode().splitlines(), hashing.counts, prepared


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "cp1252"])
@pytest.mark.parametrize("pack", [bytes, gzip.compress, bz2.compress])
def test_a_csv_export_is_hashed_in_any_encoding_and_compression(encoding: str, pack: type[bytes]) -> None:
    rows, counts, prepared = run(pack(SHOP.encode(encoding)), "email_sha256")
    assert rows == [sha256("jane@example.com"), sha256("bob@example.org")]
    assert (counts.rows, counts.written, counts.empty) == (4, 2, 1)
    assert counts.listed_faults == [(6, "email", "not_an_email")]
    assert prepared.layout.delimiter == ";"


def test_several_columns_become_a_multiple_types_file() -> None:
    rows, counts, _ = run(SHOP.encode(), "multiple_types", country="DE")
    assert rows == [
        "email_SHA256,phone_SHA256",
        f"{sha256('jane@example.com')},{sha256('+491701234567')}",
        f"{sha256('bob@example.org')},{sha256('+491701234568')}",
    ]
    assert counts.faults == {"not_an_email": 1, "excel_notation": 1}


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_any_delimiter_and_line_end_is_detected(delimiter: str, end: str) -> None:
    lines = [delimiter.join(["id", "mail"]), *(delimiter.join([str(n), f"p{n}@example.com"]) for n in range(5))]
    rows, counts, _ = run(end.join([*lines, ""]).encode(), "email_sha256")
    assert rows == [sha256(f"p{n}@example.com") for n in range(5)]
    assert counts.rows == 5


def test_a_single_column_needs_no_header() -> None:
    rows, counts, prepared = run(b"a@example.com\nb@example.com", "email_sha256")
    assert rows == [sha256("a@example.com"), sha256("b@example.com")]
    assert prepared.layout.header is None
    assert counts.rows == 2


def test_excels_separator_line_is_not_a_row() -> None:
    rows, counts, _ = run(b"sep=|\r\nmail|x\r\na@example.com|1\r\nbad|2\r\n", "email_sha256")
    assert rows == [sha256("a@example.com")]
    assert counts.listed_faults == [(4, "mail", "not_an_email")]


def test_matching_hashes_are_kept_and_other_hashes_are_faults() -> None:
    file = f"email_sha256\n{sha256('a').upper()}\n{'a' * 32}\nb@example.com\n{sha256('')}\n".encode()
    rows, counts, _ = run(file, "email_sha256")
    assert rows == [sha256("a"), sha256("b@example.com")]
    assert (counts.already_hashed, counts.empty) == (1, 1)
    assert counts.listed_faults == [(3, "email_sha256", "other_hash")]


@pytest.mark.parametrize("prefix", ["0x", "\\x"])
def test_hashes_with_a_hexadecimal_prefix_are_kept_without_it(prefix: str) -> None:
    rows, counts, _ = run(f"h\n{prefix}{sha256('a').upper()}\n".encode(), "email_sha256")
    assert rows == [sha256("a")]
    assert counts.already_hashed == 1


def test_hashes_in_a_column_with_an_unknown_name_are_not_used_for_multiple_types() -> None:
    with pytest.raises(ConsoleError, match="--column: id, hash"):
        run(f"id,hash\n1,{sha256('a')}\n".encode(), "multiple_types")
    rows, *_ = run(f"hash,phone\n{sha256('a')},+491701234567\n".encode(), "multiple_types")
    assert rows == ["phone_SHA256", sha256("+491701234567")]


def test_device_ids_are_hashed_with_md5() -> None:
    device = "6D92078A-8246-4BA4-AE5B-76104861E7DC"
    rows, *_ = run(f"{device}\n".encode(), "gaid_md5")
    assert rows == [hashlib.md5(device.lower().encode(), usedforsecurity=False).hexdigest()]


@pytest.mark.parametrize("header", ["email,email_2", "a,b"])
def test_an_error_names_all_columns_that_fit(header: str) -> None:
    with pytest.raises(ConsoleError, match="--column") as caught:
        run(f"{header}\na@example.com,b@example.com\n".encode(), "email_sha256")
    assert caught.value.exit_code is Exit.USAGE
    assert "a@example.com" not in str(caught.value)
    assert run(f"{header}\na@example.com,b@example.com\n".encode(), "email_sha256", "2")[0] == [sha256("b@example.com")]


def test_a_column_of_other_numbers_is_not_a_phone_column() -> None:
    file = "customer,order,last sms,mobile\n" + "".join(
        f"491701234{n:03},20260131{n:03},2026-01-31,+49170765{n:04}\n" for n in range(20)
    )
    rows, _, prepared = run(file.encode(), "phone_sha256")
    assert [column.name for column in prepared.plan.columns] == ["mobile"]
    assert len(rows) == 20


@pytest.mark.parametrize(
    "name",
    ["Rufnummer", "Portable", "Te\u0301le\u0301phone", "Móvil", "Telemóvel", "Cellulare", "GSM", "Numer komórkowy"],
)
def test_a_phone_column_is_recognized_by_its_name_in_many_languages(name: str) -> None:
    file = f"Nr;{name};Ort\n" + "".join(f"{n};0170 {n};Bonn\n" for n in range(1234567, 1234570))
    assert run(file.encode(), "phone_sha256", country="DE")[0][0] == sha256("+491701234567")


@pytest.mark.parametrize("name", ["電話番号", "携帯電話", "手机号", "휴대폰 번호", "Телефон"])
def test_a_phone_column_is_recognized_by_its_name_in_other_scripts(name: str) -> None:
    file = f"Nr;{name};Ort\n" + "".join(f"{n};0170 {n};Bonn\n" for n in range(1234567, 1234570))
    assert run(file.encode(), "phone_sha256", country="DE")[0][0] == sha256("+491701234567")


def test_a_header_may_contain_numbers() -> None:
    rows, counts, _ = run(b"segment_20260131,Email\nx,a@example.com\n", "email_sha256", "email")
    assert (rows, counts.rows) == ([sha256("a@example.com")], 1)


def test_a_first_row_of_data_is_not_a_header() -> None:
    assert len(run(b"p:+491701234567\np:+491701234568\n", "phone_sha256")[0]) == 2
    assert len(run(b"whatsapp:+491701234567\n", "phone_sha256")[0]) == 1


def test_decimal_commas_are_not_delimiters() -> None:
    rows, _, prepared = run(b"a@example.com;12,50;3,20\nb@example.com;1,50;3,20\n", "email_sha256")
    assert rows == [sha256("a@example.com"), sha256("b@example.com")]
    assert prepared.layout.delimiter == ";"


def test_columns_with_the_same_name_are_listed_by_number() -> None:
    file = b"Email,Email,Name\na@example.com,b@example.com,Jane\n"
    with pytest.raises(ConsoleError, match=r"Email \(1\), Email \(2\)"):
        run(file, "email_sha256")
    with pytest.raises(ConsoleError, match="--column: 1, 2, Name"):
        run(file, "email_sha256", "Email")


def test_an_unknown_column_is_an_error() -> None:
    with pytest.raises(ConsoleError, match="name, city"):
        run(b"name,city\nJane,Bonn\n", "email_sha256")
    with pytest.raises(ConsoleError, match="no column 'mail'"):
        run(b"name,email\nJane,j@example.com\n", "email_sha256", "mail")


@pytest.mark.parametrize(
    "content",
    [
        b"PK\x03\x04xxxx",
        b"PAR1",
        gzip.compress(b"a@example.com\n", mtime=0)[:-4],
        b"a\0b\0\0",
        b"",
        b'{"email":"a@example.com"}\n',
        b"\xef\xbb\xbf\r\n<HTML><table>",
        b"BEGIN:VCARD\nEMAIL:a@example.com\n",
        b"email,x\na@example.com," + b"x" * (2 << 20),
    ],
)
def test_a_file_that_is_not_tabular_text_is_refused(content: bytes) -> None:
    with pytest.raises(ConsoleError) as caught:
        run(content, "email_sha256")
    assert caught.value.exit_code is Exit.NOT_ACCEPTED


CELLS = st.sampled_from(
    ["a@example.com", "B@Example.COM ", "", "NULL", "nobody", 'q"x@example.com', "l\nf@example.com", "é@example.com"]
)


@settings(deadline=None)  # other processes may slow down an example
@given(st.lists(st.tuples(CELLS, CELLS), min_size=1, max_size=30), st.integers(1, 40), st.sampled_from(["\n", "\r\n"]))
def test_blocks_of_any_size_give_the_same_result_as_the_csv_module(
    pairs: list[tuple[str, str]], size: int, end: str
) -> None:
    file = io.StringIO()
    csv.writer(file, lineterminator=end).writerows([("name", "email"), *pairs])
    content = file.getvalue().encode()
    plan = run(b"name,email\nx,a@example.com\n", "email_sha256")[2].plan
    expected_rows, expected_counts = hash_block(content, plan, header=True)
    expected = [cell.strip().lower() for _, cell in pairs]
    assert expected_rows.decode().split() == [
        sha256(cell) for cell in expected if "@" in cell and '"' not in cell and "\n" not in cell
    ]
    pieces = list(cut_at_records([content[at : at + size] for at in range(0, len(content), size)], ",", size))
    assert b"".join(pieces) == content
    total = Counts()
    rows = b""
    for number, piece in enumerate(pieces):
        more, found = hash_block(piece, plan, header=number == 0)
        rows += more
        total.add(found)
    assert (rows, total) == (expected_rows, expected_counts)


@pytest.mark.parametrize(
    "cell",
    [
        "'a@example.com'",
        "'a@example.com",
        "o'neil@example.com",
        "a+b@example.com",
        "a@example.com'",
        "a@b+c.com",
        "a@example..com",
        ".a..b@example.com",
        "`a@example.com",
        "a@example.com!",
        "@example.com",
        "a@.com",
        "a@b.",
    ],
)
@pytest.mark.parametrize("delimiter", [None, ","])
def test_the_fast_path_for_email_addresses_gives_the_same_result_as_the_slow_path(
    cell: str, delimiter: str | None
) -> None:
    plan = Plan((InputColumn(0, Kind.EMAIL, "email"),), Rules(), delimiter, "utf-8")
    rows, counts = hash_block(f"x@example.com\n{cell}\n".encode(), plan)
    slow_rows, slow_counts = hash_block(f"x@example.com\n{cell}\nx y\n".encode(), plan)
    assert rows == slow_rows
    assert counts.rows == slow_counts.rows - 1


def test_curly_quotes_in_windows_1252_are_stripped() -> None:
    rows, _, prepared = run("email;n\n“a@example.com”;1\n".encode("cp1252"), "email_sha256")
    assert rows == [sha256("a@example.com")]
    assert prepared.text.original == "Windows-1252"


def test_a_column_with_a_matching_name_is_used_even_if_its_first_cells_are_empty() -> None:
    rows, counts, _ = run(("name,email\n" + "x,\n" * 2000 + "x,a@example.com\n").encode(), "email_sha256")
    assert (rows, counts.empty) == ([sha256("a@example.com")], 2000)


def test_a_file_with_only_delimiters_has_no_identifiers() -> None:
    assert run(b",,,\n,,\n", "email_sha256")[1].written == 0


def test_an_unclosed_quote_does_not_hide_the_lines_after_it() -> None:
    lines = [f"p{n}@example.com,{n}" for n in range(9)]
    lines[4] = 'p4@example.com,"4'
    for end in ("", "\n"):
        rows, counts, _ = run(("\n".join(["email,n", *lines]) + end).encode(), "email_sha256")
        assert rows == [sha256(f"p{n}@example.com") for n in range(9)]
        assert counts.lines == 9 + len(end)


def test_a_very_long_field_is_read() -> None:
    lines = ["email,note", "a@example.com,x", *["b@example.com,y"] * 70_000, f"c@example.com,{'x' * (17 << 20)}", ""]
    _, counts, _ = run("\n".join(lines).encode(), "email_sha256")
    assert counts.written == 70_002


def test_a_stray_quote_affects_only_nearby_rows() -> None:
    lines = [f'{n},6" pipe,p{n}@example.com' for n in range(40_000)]
    lines[5] = '5,"never closed,p5@example.com'
    content = ("\n".join(["n,what,email", *lines]) + "\n").encode()
    _, counts, _ = run(content, "email_sha256")
    assert counts.written > 35_000


@pytest.mark.processes
def test_worker_processes_keep_the_order_and_the_line_numbers(tmp_path: Path) -> None:
    people = [f"person{number}@example.com" for number in range(120_000)]
    people[100_000] = "no address"
    source, target = tmp_path / "people.csv", tmp_path / "hashed.csv"
    source.write_text("\n".join(["email", *people]) + "\n")
    result = json.loads(console("hash", source, "-t", "email_sha256", "-o", target, "--json").stdout)
    assert result["rejections"] == [{"line": 100_002, "reason": "not_an_email", "column": "email"}]
    assert result["rows"] == {"total": 120_000, "written": 119_999, "empty": 0, "rejected": 1}
    assert target.read_text().split() == [sha256(each) for each in people if "@" in each]


@pytest.mark.processes
def test_raw_values_appear_in_no_output_or_file(tmp_path: Path) -> None:
    secret = "very-private"
    lines = [f"{secret}{number}@@example.com" for number in range(200)]
    source = tmp_path / "people.csv"
    source.write_text("\n".join([*lines, f"{secret}@example.com"]) + "\n")
    for more in ([], ["--json"], ["-c", "email"]):
        completed = console("hash", source, "-t", "email_sha256", "-o", tmp_path / "out.csv", *more)
        assert secret not in completed.stdout + completed.stderr
    assert (tmp_path / "out.csv").read_text() == sha256(f"{secret}@example.com") + "\n"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["out.csv", "people.csv"]
    assert f"{MAX_LISTED_FAULTS}" in console("hash", source, "-t", "email_sha256", "-o", tmp_path / "out.csv").stdout


@pytest.mark.processes
def test_no_output_file_is_written_if_no_row_can_be_hashed(tmp_path: Path) -> None:
    source = tmp_path / "people.csv"
    source.write_text("email\nnobody\n")
    completed = console("hash", source, "-t", "email_sha256", "-o", tmp_path / "out.csv")
    assert completed.returncode == Exit.NOT_ACCEPTED
    assert not (tmp_path / "out.csv").exists()


@pytest.mark.processes
def test_rows_are_written_to_standard_output_and_faults_to_standard_error() -> None:
    completed = console("hash", "-", "-t", "email_sha256", "-o", "-", given="a@example.com\nprivate\n")
    assert completed.stdout == sha256("a@example.com") + "\n"
    assert "2  not_an_email" in completed.stderr
    assert "private" not in completed.stderr


@pytest.mark.processes
def test_symbolic_links_and_pipes_are_written_to_and_not_replaced(tmp_path: Path) -> None:
    source, link, pipe = (tmp_path / name for name in ("people.csv", "link.csv", "pipe"))
    source.write_text("a@example.com\n")
    link.symlink_to(tmp_path / "target.csv")
    assert console("hash", source, "-t", "email_sha256", "-o", link).returncode == Exit.DONE
    assert link.is_symlink()
    os.mkfifo(pipe)
    reader = subprocess.Popen(
        [sys.executable, "-c", f"print(open({str(pipe)!r}).read(), end='')"], stdout=subprocess.PIPE, text=True
    )
    assert console("hash", source, "-t", "email_sha256", "-o", pipe).returncode == Exit.DONE
    assert reader.communicate(timeout=60)[0] == (tmp_path / "target.csv").read_text() == sha256("a@example.com") + "\n"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["link.csv", "people.csv", "pipe", "target.csv"]


@pytest.mark.processes
def test_a_file_is_hashed_from_standard_input_to_standard_output() -> None:
    completed = subprocess.run(
        [sys.executable, "-m", "console", "hash", "-", "-t", "email_sha256", "-o", "-"],
        input="A@example.com\n",
        capture_output=True,
        text=True,
        cwd=ROOT,
        check=True,
    )
    assert completed.stdout == sha256("a@example.com") + "\n"
