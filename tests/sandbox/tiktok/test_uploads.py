"""Uploads to the emulated TikTok: accepted files, the use of a `file_path`, and valid and faulty rows."""

from __future__ import annotations

import io
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from werkzeug.datastructures import FileStorage
from werkzeug.wsgi import LimitedStream

from sandbox.tiktok.emulator import TikTokEmulator
from sandbox.tiktok.files import read_identifiers
from sandbox.tiktok.people import Identifiers
from sandbox.tiktok.server import read_form
from tests.sandbox.tiktok.conftest import ADVERTISER, HOUR, TOKEN, Client, lines, people

FILE = lines(people(0, 10))


def test_a_file_path_has_sixteen_characters_and_is_unique(tiktok: Client) -> None:
    paths = {tiktok.uploaded(FILE) for _ in range(5)}
    assert {len(path) for path in paths} == {16}
    assert len(paths) == 5


@pytest.mark.parametrize("name", ["part.csv", "part.txt"])
def test_csv_and_txt_files_are_accepted(tiktok: Client, name: str) -> None:
    assert tiktok.upload(FILE, name=name)["code"] == 0


@pytest.mark.parametrize("name", ["part.CSV", "part.csv.gz", "part.zip", "part", "csv", "part.csv "])
def test_any_other_file_name_is_refused(tiktok: Client, name: str) -> None:
    assert tiktok.upload(FILE, name=name)["code"] == 40908


@pytest.mark.parametrize("signature", ["0" * 32, "", "not a signature"])
def test_a_wrong_signature_is_refused(tiktok: Client, signature: str) -> None:
    assert tiktok.upload(FILE, file_signature=signature)["code"] == 40900


def test_an_empty_file_is_refused(tiktok: Client) -> None:
    assert tiktok.upload(b"")["code"] == 40906


def test_a_file_over_the_limit_is_refused(emulator: TikTokEmulator, tiktok: Client) -> None:
    emulator.configure(max_file_bytes=len(FILE))
    assert tiktok.upload(FILE)["code"] == 0
    assert tiktok.upload(FILE + b"\n")["code"] == 40907


@pytest.mark.parametrize("calculate_type", ["EMAIL_MD5", "email_sha256", "", "SHA256"])
def test_an_unknown_identifier_type_is_refused(tiktok: Client, calculate_type: str) -> None:
    assert tiktok.upload(FILE, calculate_type=calculate_type)["code"] == 40002


@pytest.mark.parametrize("missing", ["advertiser_id", "file_signature", "calculate_type"])
def test_an_upload_without_a_required_field_is_refused(tiktok: Client, missing: str) -> None:
    left_out: dict[str, Any] = {missing: None}
    envelope = tiktok.upload(FILE, **left_out)
    assert (envelope["code"], envelope["message"]) == (40002, f"{missing}: Missing data for required field.")


def test_an_upload_without_a_file_or_with_another_content_type_is_refused(tiktok: Client) -> None:
    form = {"advertiser_id": ADVERTISER, "file_signature": "0" * 32, "calculate_type": "EMAIL_SHA256"}
    urls = tiktok.base + "/file/upload/"
    no_file = tiktok.session.post(urls, files={name: (None, value) for name, value in form.items()})
    assert no_file.json()["message"].startswith("file: ")
    urlencoded = tiktok.session.post(urls, data=form)
    assert urlencoded.json()["message"] == "Content-Type must be multipart/form-data."
    assert tiktok.upload(FILE)["code"] == 0


def test_a_file_path_is_valid_only_for_its_advertiser(emulator: TikTokEmulator, tiktok: Client) -> None:
    other = "7000000000000000002"
    emulator.set_account(other, TOKEN)
    create = {
        "custom_audience_name": "vip",
        "calculate_type": "EMAIL_SHA256",
        "file_paths": [tiktok.uploaded(FILE)],
    }
    assert tiktok.post("create", advertiser_id=other, **create)["code"] == 40905
    assert tiktok.post("create", **create)["code"] == 0


def test_files_of_another_identifier_type_are_refused(tiktok: Client) -> None:
    paths = [tiktok.uploaded(FILE), tiktok.uploaded(FILE, "PHONE_SHA256")]
    create = {"custom_audience_name": "vip", "file_paths": paths}
    assert tiktok.post("create", calculate_type="EMAIL_SHA256", **create)["code"] == 40909
    assert tiktok.post("create", calculate_type="FIRST_SHA256", **create)["code"] == 40909


def test_a_file_path_is_unknown_after_forget_files(emulator: TikTokEmulator, tiktok: Client) -> None:
    path = tiktok.uploaded(FILE)
    emulator.forget_files()
    envelope = tiktok.post("create", custom_audience_name="vip", calculate_type="EMAIL_SHA256", file_paths=[path])
    assert envelope["code"] == 40905


CLEAN = b"\n".join(identifier.encode() for identifier in people(0, 1500))


@pytest.mark.parametrize(
    ("content", "bad"),
    [
        (b"\xef\xbb\xbf" + CLEAN, {"bom": 1}),
        (b"email_sha256\n" + CLEAN, {"header": 1}),
        (b"\n" + CLEAN + b"\n\n", {"blank_line": 2}),
        (CLEAN.replace(b"\n", b"\r\n"), {"crlf": 1499}),
        (CLEAN.replace(b"\n", b"\r"), {"crlf": 1}),
        (CLEAN + b"\nanna@example.com", {"not_hex": 1}),
        (CLEAN + b"\n " + people(0, 1)[0].encode(), {"not_hex": 1}),
        (CLEAN + b"\n" + b"a" * 32 + b"\n" + b"a" * 128, {"wrong_length": 2}),
    ],
)
def test_a_change_with_faulty_rows_fails_and_the_controls_show_the_faults(
    emulator: TikTokEmulator, tiktok: Client, content: bytes, bad: dict[str, int]
) -> None:
    audience_id = tiktok.create(content)
    emulator.advance(HOUR)
    details = tiktok.details(audience_id)
    assert (
        details["error_msg"] == f"The operation failed: {sum(bad.values())} rows of its files are not valid "
        "identifiers."
    )
    assert (details["is_valid"], details["cover_num"]) == (False, 0)
    (seen,) = emulator.audiences(ADVERTISER)
    assert (seen["bad_rows"], seen["state"], seen["members"]) == (bad, "failed", 0)


def test_an_identifier_counts_once_in_either_case_with_or_without_a_newline_at_the_end(
    emulator: TikTokEmulator, tiktok: Client
) -> None:
    audience_id = tiktok.create(lines(people(0, 1200)), CLEAN.upper(), lines(people(1000, 1600))[:-1])
    emulator.advance(HOUR)
    assert emulator.members(audience_id) == set(people(0, 1600))
    assert tiktok.details(audience_id)["cover_num"] == 1600


def test_md5_types_have_32_digits(emulator: TikTokEmulator, tiktok: Client) -> None:
    short = tuple(identifier[:32] for identifier in people(0, 1500))
    audience_id = tiktok.create(lines(short), calculate_type="GAID_MD5")
    emulator.advance(HOUR)
    assert emulator.members(audience_id) == set(short)


LINE = st.one_of(
    st.sampled_from([each.encode() for each in people(0, 50)]),
    st.sampled_from([b"", b"\r", b"0", b"e-mail", b"a" * 63, b"A" * 64, b"z" * 64, b"a" * 64 + b"\r", b"\xef\xbb\xbf"]),
)

# All lines have the same length, so that only their characters determine whether the fast path is used.
ALIGNED = st.sampled_from([people(0, 1)[0].encode(), b"A" * 64, b"z" * 64, b"a" * 62 + b"  ", b"a" * 63 + b"\r"])


@given(st.one_of(st.lists(LINE), st.lists(ALIGNED, min_size=1)), st.booleans(), st.integers(0, 300))
def test_the_fast_path_reads_the_same_rows_as_one_row_at_a_time(
    some: list[bytes], newline_at_end: bool, clean: int
) -> None:
    rows = [each.encode() for each in people(0, clean)] + some
    data = b"\n".join(rows) + (b"\n" if newline_at_end and rows else b"")
    expected = data.split(b"\n")
    if not expected[-1]:
        expected.pop()
    good = {row.decode().lower() for row in expected if len(row) == 64 and not row.strip(b"0123456789abcdefABCDEF")}
    read = read_identifiers(data, 32)
    assert set(read.people) == good
    assert read.faults.total() == sum(row.decode("latin-1").lower() not in good for row in expected)


@given(st.sets(st.binary(min_size=16, max_size=16)), st.sets(st.binary(min_size=16, max_size=16)))
def test_identifiers_have_the_operations_of_sets(some: set[bytes], others: set[bytes]) -> None:
    left, right = (Identifiers.of(16, b"".join([*each, *each])) for each in (some, others))
    assert len(left) == len(some)
    assert {bytes.fromhex(each) for each in left.union(right)} == some | others
    assert {bytes.fromhex(each) for each in left - right} == some - others


def form(content: bytes, boundary: bytes = b"xyz") -> bytes:
    return (
        b'--%b\r\nContent-Disposition: form-data; name="file"; filename="part.csv"\r\n\r\n%b\r\n'
        b'--%b\r\nContent-Disposition: form-data; name="name"\r\n\r\npart\r\n--%b--\r\n'
    ) % (boundary, content, boundary, boundary)


CHUNK = 256 * 1024


@pytest.mark.parametrize("around", [20, CHUNK, 4 * CHUNK])
def test_a_file_arrives_complete_for_every_position_of_chunk_boundaries(around: int) -> None:
    header = form(b"").index(b"\r\n\r\n") + 4
    for size in range(max(0, around - header - 20), around - header + 20):
        whole = (b"\r\n--xy" * (size // 6 + 1))[:size]
        data = form(whole)
        body = LimitedStream(io.BytesIO(data + b"the next request"), len(data))
        fields = read_form(body, 'multipart/form-data; boundary="xyz"')
        file = fields.pop("file")
        assert fields == {"name": "part"}
        assert isinstance(file, FileStorage)
        assert file.read() == whole
