"""MULTIPLE_TYPES files at the emulated TikTok: their strict format, and people with several identifiers."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from sandbox.tiktok.emulator import TikTokEmulator
from sandbox.tiktok.files import read_columns
from tests.sandbox.tiktok.conftest import ADVERTISER, HOUR, Client, people

A, B, C = people(0, 3)
MD5 = A[:32]
DEVICE = "5f3a2b18-9c4d-4e7f-b8e2-17d3a1e69b25"


def table(*rows: Sequence[str]) -> bytes:
    return "".join(f"{','.join(row)}\n" for row in rows).encode()


def pairs(start: int, count: int) -> bytes:
    """Return a file with the email address and the phone number of each person."""
    emails, phones = people(start, start + count), people(start + 10_000, start + 10_000 + count)
    return table(("email_sha256", "phone_sha256"), *zip(emails, phones, strict=True))


@pytest.mark.parametrize(
    ("content", "rows"),
    [
        (table(("email_SHA256",), (A,)), {f"email_sha256={A}"}),
        (
            table(("PHONE_sha256", "Email_SHA256"), (A, B.upper())),
            {f"email_sha256={B},phone_sha256={A}"},
        ),
        (
            table(("MAID", "MAID_SHA256", "MAID_MD5"), (DEVICE.upper(), A, MD5)),
            {f"maid={DEVICE},maid_md5={MD5},maid_sha256={A}"},
        ),
        (
            table(("email_SHA256", "email_SHA256", "email_SHA256"), (A, B, C)),
            {",".join(sorted(f"email_sha256={each}" for each in (A, B, C)))},
        ),
        (table(("email_SHA256", "phone_SHA256"), (A, ""), ("", B)), {f"email_sha256={A}", f"phone_sha256={B}"}),
    ],
    ids=["one column", "any case and order", "device ids", "three of a kind", "empty fields"],
)
def test_columns_become_rows(content: bytes, rows: set[str]) -> None:
    for data in (content, content.removesuffix(b"\n")):
        read = read_columns(data, accepts_empty_fields=True)
        assert (set(read.people), read.faults) == (rows, {})


@pytest.mark.parametrize(
    ("content", "faults"),
    [
        (table((A, B)), {"header": 1}),
        (table(("email", "phone"), (A, B)), {"header": 1}),
        (table(("email_SHA256", "first_name"), (A, "x")), {"header": 1}),
        (table(("email_SHA256",) * 4, (A,) * 4), {"header": 1}),
        (table(("email_SHA256;phone_SHA256",), (f"{A};{B}",)), {"header": 1}),
        (table(("email_SHA256\r",), (f"{A}\r",)), {"header": 1}),
        (b"\xef\xbb\xbf" + table(("email_SHA256",), (A,)), {"bom": 1}),
        (table(("email_SHA256", "phone_SHA256"), (A,), (A, B, C)), {"field_count": 2}),
        (table(("email_SHA256", "phone_SHA256"), ("", "")), {"no_identifier": 1}),
        (table(("email_SHA256",), (f'"{A}"',), (MD5,), ("x" * 64,)), {"not_identifier": 3}),
        (table(("MAID_MD5",), (A,)), {"not_identifier": 1}),
        (table(("email_SHA256",), ("",), (f"{A}\r",)), {"blank_line": 1, "crlf": 1}),
    ],
)
def test_a_deviation_from_the_format_is_a_fault(content: bytes, faults: dict[str, int]) -> None:
    assert read_columns(content, accepts_empty_fields=True).faults == faults


def test_empty_fields_can_be_refused(emulator: TikTokEmulator, tiktok: Client) -> None:
    emulator.configure(accepts_empty_fields=False)
    tiktok.create(pairs(0, 1500) + f"{A},\n".encode(), calculate_type="MULTIPLE_TYPES")
    emulator.advance(HOUR)
    (audience,) = emulator.audiences(ADVERTISER)
    assert (audience["state"], audience["bad_rows"]) == ("failed", {"empty_field": 1})


def test_a_person_is_matched_and_removed_by_any_identifier(emulator: TikTokEmulator, tiktok: Client) -> None:
    emulator.set_unmatched([*people(0, 2000), *people(10_000, 10_300)])
    audience_id = tiktok.create(pairs(0, 2000), calculate_type="MULTIPLE_TYPES")
    emulator.advance(HOUR)
    assert (tiktok.details(audience_id)["cover_num"], len(emulator.members(audience_id))) == (1700, 2000)
    by_email = table(("email_SHA256",), *((each,) for each in people(1900, 2000)))
    path = tiktok.uploaded(by_email, "MULTIPLE_TYPES")
    assert tiktok.post("update", custom_audience_id=audience_id, action="REMOVE", file_paths=[path])["code"] == 0
    emulator.advance(HOUR)
    assert (tiktok.details(audience_id)["cover_num"], len(emulator.members(audience_id))) == (1600, 1900)
