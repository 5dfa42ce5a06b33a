"""Tests of normalization with TikTok's published examples and with common variants."""

from __future__ import annotations

import hashlib

import pytest

from console.hashing.values import (
    EMPTY_VALUE_HASHES,
    FaultError,
    Kind,
    Rules,
    ValueFault,
    is_empty_value,
    normalize,
    stripped,
)


def hashed(kind: Kind, value: str, rules: Rules | None = None) -> str:
    return hashlib.sha256(normalize(kind, stripped(value), rules or Rules()).encode()).hexdigest()


@pytest.mark.parametrize(
    "value",
    [
        "janedoe@gmail.com",
        " JaneDoe@Gmail.com\t",
        '"janedoe@gmail.com"',
        "'janedoe@gmail.com'",
        "'janedoe@gmail.com",
        '="janedoe@gmail.com"',
        "\u201cjanedoe@gmail.com\u201d",
        "\ufeffjanedoe@gmail.com\u00a0",
        "\u202ajanedoe@gmail.com\u202c",
        "mailto:JaneDoe@gmail.com",
        '"Jane Doe" <janedoe@gmail.com>',
        "janedoe@gmail.com <janedoe@gmail.com>",
        "< mailto:janedoe@gmail.com >",
    ],
)
def test_variants_of_tiktoks_email_example_have_its_hash(value: str) -> None:
    assert hashed(Kind.EMAIL, value) == "d6117306485ed0e50afab3ac871e98f81699151f30281527d63ff5f233656c69"


@pytest.mark.parametrize(
    ("value", "country"),
    [
        ("37493828222", None),
        ("+37493828222", None),
        ("00374 93 828222", None),
        ("093 82-82-22", "AM"),
        ("37493828222", "AM"),
    ],
)
def test_variants_of_tiktoks_phone_example_have_its_hash_without_the_plus(value: str, country: str | None) -> None:
    wanted = "65b7e6dcf6f4310f8d7cbfbd78289a753062fb054d6664fb9aaac5df66a422d4"
    assert hashed(Kind.PHONE, value, Rules(country, plus=False)) == wanted


@pytest.mark.parametrize("value", ["5f3a2b18-9c4d-4e7f-b8e2-17d3a1e69b25", " 5F3A2B18-9C4D-4E7F-B8E2-17D3A1E69B25"])
def test_variants_of_tiktoks_device_id_example_have_its_hash(value: str) -> None:
    assert hashed(Kind.DEVICE_ID, value) == "83dc3f5f32b9472613b0f038d36f22585a609d018af6f6067f50da318bf354bd"


@pytest.mark.parametrize(
    ("value", "country", "e164"),
    [
        ("+49 (0)170 1234567", None, "+491701234567"),
        ("0170/1234567", "DE", "+491701234567"),
        ("'+491701234567", None, "+491701234567"),
        ("tel:+491701234567", None, "+491701234567"),
        ("491701234567.0", "DE", "+491701234567"),
        ("491701234567,0", "DE", "+491701234567"),
        ("(202) 555-0123", "US", "+12025550123"),
        ("202-555-0123 ext. 5", "US", "+12025550123"),
        ("+44 20 7946 0958", "US", "+442079460958"),
        ("+ 49 170 1234567", None, "+491701234567"),
        ("(+49) 170 1234567", None, "+491701234567"),
        ("p:+491701234567", None, "+491701234567"),
        ("Mobil: 0170 1234567", "DE", "+491701234567"),
        ('="+491701234567"', None, "+491701234567"),
        ("\u202a+49\u2011170\u20091234567\u202c", None, "+491701234567"),
        ("\uff10\uff19\uff10\u22121234\uff0d5678", "JP", "+819012345678"),
        ("1-202-555-0123 extension 5", None, "+12025550123"),
        ("202-555-0123 #5", "US", "+12025550123"),
        ("202-555-0123;ext=5", "US", "+12025550123"),
    ],
)
def test_phone_numbers_are_converted_to_e164(value: str, country: str | None, e164: str) -> None:
    assert normalize(Kind.PHONE, stripped(value), Rules(country)) == e164


@pytest.mark.parametrize(
    ("kind", "value", "fault"),
    [
        (Kind.EMAIL, "jane", ValueFault.NOT_AN_EMAIL),
        (Kind.EMAIL, "jane@localhost", ValueFault.NOT_AN_EMAIL),
        (Kind.EMAIL, "jane doe@example.com", ValueFault.NOT_AN_EMAIL),
        (Kind.EMAIL, "a@example.com,b@example.com", ValueFault.NOT_AN_EMAIL),
        (Kind.EMAIL, "jane@example.com.", ValueFault.NOT_AN_EMAIL),
        (Kind.EMAIL, "jane@example..com", ValueFault.NOT_AN_EMAIL),
        (Kind.EMAIL, "jane@example.com^Jane", ValueFault.NOT_AN_EMAIL),
        (Kind.EMAIL, "jane@example.com?subject=x", ValueFault.NOT_AN_EMAIL),
        (Kind.EMAIL, "jane\u00a0doe@example.com", ValueFault.NOT_AN_EMAIL),
        (Kind.EMAIL, "jane\u200b@example.com", ValueFault.NOT_AN_EMAIL),
        (Kind.EMAIL, "j\ufffdne@example.com", ValueFault.NOT_AN_EMAIL),
        (Kind.EMAIL, "<a@example.com>, <b@example.com>", ValueFault.NOT_AN_EMAIL),
        (Kind.PHONE, "0170 1234567, 0171 7654321", ValueFault.NOT_A_PHONE_NUMBER),
        (Kind.PHONE, "4.47E+11", ValueFault.EXCEL_NOTATION),
        (Kind.PHONE, "4,47E+11", ValueFault.EXCEL_NOTATION),
        (Kind.PHONE, "2025550123", ValueFault.NO_COUNTRY),
        (Kind.PHONE, "unknown", ValueFault.NOT_A_PHONE_NUMBER),
        (Kind.PHONE, "+1 2", ValueFault.NOT_A_PHONE_NUMBER),
        (Kind.DEVICE_ID, "5f3a2b189c4d4e7fb8e217d3a1e69b25", ValueFault.NOT_A_DEVICE_ID),
    ],
)
def test_an_invalid_value_raises_a_fault_that_does_not_contain_it(kind: Kind, value: str, fault: ValueFault) -> None:
    with pytest.raises(FaultError) as caught:
        normalize(kind, value, Rules())
    assert caught.value.fault is fault
    assert value not in str(caught.value)


@pytest.mark.parametrize(
    "value", ["", "-", "0", "0" * 32, "\\N", "NULL", "None", "nan", "N/A", hashlib.sha256(b"").hexdigest()]
)
def test_null_markers_and_hashes_of_empty_values_are_empty(value: str) -> None:
    assert is_empty_value(value)


@pytest.mark.parametrize("value", ["o'neil@example.com", "jürgen@münchen.de", "a.+b!#$%&*/=?^_`{|}~-@ex-ample.co.uk"])
def test_an_unusual_email_address_is_hashed_unchanged(value: str) -> None:
    assert normalize(Kind.EMAIL, stripped(value), Rules()) == value


def test_an_all_zero_device_id_is_empty() -> None:
    assert normalize(Kind.DEVICE_ID, "00000000-0000-0000-0000-000000000000", Rules()) == ""
    assert hashlib.sha256(b"00000000-0000-0000-0000-000000000000").hexdigest() in EMPTY_VALUE_HASHES
