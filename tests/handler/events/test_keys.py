"""The layout of object keys: audience, action, run, ignored files, and the file names of one list."""

from __future__ import annotations

import pytest

from handler.errors import Rejected
from handler.events.keys import has_counter, is_ignored, list_folder, list_id, parse_key, type_folder, without_counters
from handler.model import Action, AudienceKey, IdentifierType
from handler.report_codes import Code

EMAIL = IdentifierType.EMAIL_SHA256
UUID = "2f6cf2b4-1111-4222-8333-abcdefabcdef"


@pytest.mark.parametrize(
    ("key", "audience", "action", "run"),
    [
        ("tiktok/vip/email_sha256/a.csv", (EMAIL, "vip"), "append", None),
        ("tiktok/vip/EMAIL_SHA256/a.csv", (EMAIL, "vip"), "append", None),
        ("tiktok/ vip\t/email_sha256/a.csv", (EMAIL, "vip"), "append", None),
        ("tiktok//vip//email_sha256//a.csv", (EMAIL, "vip"), "append", None),
        ("tiktok/vip/email_sha256/append/a.csv", (EMAIL, "vip"), "append", None),
        ("tiktok/vip/email_sha256/REMOVE/a.csv.gz", (EMAIL, "vip"), "remove", None),
        ("tiktok/vip/email_sha256/Replace/a", (EMAIL, "vip"), "replace", None),
        ("tiktok/vip/email_sha256/replace/2026-01-31/a", (EMAIL, "vip"), "replace", "2026-01-31"),
        ("tiktok/vip/email_sha256/append/2026/01/31/a", (EMAIL, "vip"), "append", "2026/01/31"),
        ("tiktok/vip/email_sha256/replace/daily/dt=1/hour=2/a", (EMAIL, "vip"), "replace", "daily"),
        ("tiktok/vip/email_sha256/replace/dt=2026-01-31/a", (EMAIL, "vip"), "replace", None),
        ("tiktok/Vip/idfa_md5/a.txt.gz", (IdentifierType.IDFA_MD5, "Vip"), "append", None),
        ("tiktok/a+b 100%/phone_sha256/x.csv", (IdentifierType.PHONE_SHA256, "a+b 100%"), "append", None),
        ("tiktok/Cafe\u0301/email_sha256/a.csv", (EMAIL, "Caf\u00e9"), "append", None),
        (f"tiktok/{'ü' * 128}/first_sha256/x", (IdentifierType.FIRST_SHA256, "ü" * 128), "append", None),
    ],
)  # fmt: skip
def test_a_key_names_audience_action_and_run(
    key: str, audience: tuple[IdentifierType, str], action: str, run: str | None
) -> None:
    target = parse_key(key)
    assert (target.audience, target.action, target.run) == (AudienceKey(*audience), Action(action), run)
    assert not is_ignored(key)


@pytest.mark.parametrize(
    ("key", "code"),
    [
        ("tiktok/a.csv", Code.WRONG_LAYOUT),
        ("tiktok/vip/a.csv", Code.WRONG_LAYOUT),
        ("tiktok//email_sha256/a.csv", Code.WRONG_LAYOUT),
        ("TikTok/vip/email_sha256/a.csv", Code.WRONG_LAYOUT),
        ("tiktok/ /email_sha256/a.csv", Code.WRONG_AUDIENCE_NAME),
        ("tiktok/a\x00b/email_sha256/a.csv", Code.WRONG_AUDIENCE_NAME),
        (f"tiktok/{'x' * 129}/email_sha256/a.csv", Code.WRONG_AUDIENCE_NAME),
        ("tiktok/vip/email/a.csv", Code.UNKNOWN_IDENTIFIER_TYPE),
        ("tiktok/vip/email_md5/a.csv", Code.UNKNOWN_IDENTIFIER_TYPE),
        ("tiktok/vip/maid_sha256/a.csv", Code.UNKNOWN_IDENTIFIER_TYPE),
        ("tiktok/vip/email_sha256/delete/a.csv", Code.UNKNOWN_ACTION),
        ("tiktok/vip/email_sha256/2026-01-31/a.csv", Code.UNKNOWN_ACTION),
        ("tiktok/vip/email_sha256/remvoe/2026-01-31/a.csv", Code.UNKNOWN_ACTION),
        ("tiktok/vip/email_sha256/a.xlsx", Code.WRONG_FILE_EXTENSION),
        ("tiktok/vip/email_sha256/a.csv.zip", Code.WRONG_FILE_EXTENSION),
        ("tiktok/vip/email_sha256/a.snappy.parquet", Code.WRONG_FILE_EXTENSION),
        ("tiktok/vip/email_sha256/a.JSON", Code.WRONG_FILE_EXTENSION),
        ("tiktok/vip/email_sha256/a.csv.gpg", Code.WRONG_FILE_EXTENSION),
        ("tiktok/vip/email_sha256/a.csv.PGP", Code.WRONG_FILE_EXTENSION),
        ("tiktok/vip/email_sha256/a.age", Code.WRONG_FILE_EXTENSION),
        ("tiktok/vip/email_sha256/a.csv.enc", Code.WRONG_FILE_EXTENSION),
    ],
)
def test_a_key_outside_the_layout_is_rejected_with_a_reason(key: str, code: Code) -> None:
    assert not is_ignored(key)
    with pytest.raises(Rejected) as rejected:
        parse_key(key)
    assert rejected.value.code is code
    assert rejected.value.reason.isprintable()
    assert len(rejected.value.reason) < 300


@pytest.mark.parametrize(
    "key",
    [
        "tiktok/",
        "tiktok/vip/",
        "tiktok/vip/email_sha256/append/",
        "tiktok/vip/email_sha256/.DS_Store",
        "tiktok/vip/email_sha256/._a.csv",
        "tiktok/.vip/email_sha256/a.csv",
        "tiktok/vip/email_sha256/replace/.hive-staging_1/a.csv",
        "tiktok/vip/email_sha256/replace/_temporary/0/part-00000.csv",
        "tiktok/vip/email_sha256/_temporary/0/part-00000.csv",
        "tiktok/vip/email_sha256/replace/_SUCCESS",
        "tiktok/vip/email_sha256/replace/_CONFIRMED",
        "tiktok/vip/email_sha256/replace/_committed_123",
        "tiktok/vip/email_sha256/replace/vip_manifest",
        "tiktok/vip/email_sha256/replace_$folder$",
        "tiktok/vip/email_sha256/a.csv.crc",
        "tiktok/vip/email_sha256/a.csv.metadata",
        "tiktok/vip/email_sha256/LOAD00000009.dfm",
        "tiktok/vip/email_sha256/a.csv.filepart",
        "tiktok/vip/email_sha256/a.csv.crdownload",
        "tiktok/vip/email_sha256/a.csv._COPYING_",
        "tiktok/vip/email_sha256/a.csv.writing",
        "tiktok/vip/email_sha256/a.csv.Download",
        "tiktok/vip/email_sha256/a.csv.opdownload",
        "tiktok/vip/email_sha256/a.csv.temp",
        "tiktok/vip/email_sha256/a.csv.uploading",
        "tiktok/vip/email_sha256/a.csv.inprogress",
        "tiktok/vip/email_sha256/a.csv~",
        "tiktok/vip/email_sha256/#a.csv#",
        "tiktok/vip/email_sha256/a.csv.sha256",
        "tiktok/vip/email_sha256/a.csv.gz.MD5",
        "tiktok/vip/email_sha256/a.txt.sha1",
    ],
)
def test_a_key_that_is_not_data_is_ignored(key: str) -> None:
    assert is_ignored(key)


@pytest.mark.parametrize(
    "name", ["_col0.csv", "_a.txt", "_a.gz", "_a.bz2", "manifest.csv", "part", "~a", "#", "emails.sha256"]
)
def test_a_file_with_an_unusual_name_may_be_data(name: str) -> None:
    assert not is_ignored(f"tiktok/vip/email_sha256/{name}")


@pytest.mark.parametrize(
    ("first", "second"),
    [
        (f"part-00000-{UUID}-c000.csv", f"part-00199-{UUID}-c000.csv"),
        ("0000_part_00", "0003_part_12"),
        ("vip0000_part_00.gz", "vip0001_part_00.gz"),
        ("vip000", "vip001"),
        ("data_0_0_0.csv.gz", "data_3_7_1.csv.gz"),
        ("LOAD00000009.csv", "LOAD0000000A.csv"),
        ("customers_1.csv", "customers_2.csv"),
        ("seg_2023-07-30-17-55-45-216_00000.csv", "seg_2023-07-30-17-55-45-216_00004.csv"),
        ("run-1701234567890-part-r-00000", "run-1701234567890-part-r-00001"),
        ("000000_0", "000001_0"),
        (f"20260131_120000_00012_abcde_{UUID}.gz", f"20260131_120000_00012_abcde_{UUID.replace('abcdef', 'fedcba')}.gz"
        ),
        ("000000000000.csv", "000000000001.csv"),
        ("customers_2026-01-31_0007.csv", "customers_2026-01-31_0123.csv"),
        ("customers_20260131_000001.csv", "customers_20260131_000002.csv"),
        ("vip_2026-01-31_09-00-00_1.csv", "vip_2026-01-31_09-00-00_2.csv"),
        ("vip_20260131_0001.csv", "vip_20260131_0002.csv"),
        ("vip_202601310000_part_00", "vip_202601311123_part_01"),
        ("vip_20260131000", "vip_20260131001"),
        ("vip_20260131000000000000.csv", "vip_20260131000000000001.csv"),
        ("vip_2026-01-310000_part_00", "vip_2026-01-310003_part_00"),
        ("vip_2026_01_31_0000_part_00", "vip_2026_01_31_0003_part_00"),
        ("vip_2026_01_31000", "vip_2026_01_31001"),
        ("vip_2026_01_31_0_0_0.csv.gz", "vip_2026_01_31_0_17_10.csv.gz"),
        ("vip_2026_01_31_1.csv", "vip_2026_01_31_2.csv"),
        ("vip_2026_0_1_0.csv.gz", "vip_2026_0_2_0.csv.gz"),
        ("vip_1_marketing_10.csv", "vip_2_marketing_10.csv"),
    ],
)  # fmt: skip
def test_names_that_differ_only_in_counters_belong_to_one_list(first: str, second: str) -> None:
    assert without_counters(first) == without_counters(second)
    assert has_counter(first)


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("customers_2026-01-31.csv", "customers_2026-02-01.csv"),
        ("customers_20260131.csv", "customers_20260201.csv"),
        ("customers_31.01.2026.csv", "customers_01.02.2026.csv"),
        ("customers_2025.csv", "customers_2026.csv"),
        ("seg_2023-07-30-17-55-45-216_00000.csv", "seg_2023-07-31-17-55-45-216_00000.csv"),
        (f"part-00000-{UUID}-c000.csv", f"part-00000-{UUID.replace('1111', '2222')}-c000.csv"),
        ("run-1701234567890-part-r-00000", "run-1701334567890-part-r-00000"),
        ("export_20260131_120000.csv", "export_20260131_130000.csv"),
        ("export_2026-01-31T1200.csv", "export_2026-01-31T1300.csv"),
        ("vip.csv", "gold.csv"),
        ("vip_20260131000", "vip_20260201000"),
        ("vip_202601310000_part_00", "vip_202602010000_part_00"),
        ("vip_20260131_0900.csv", "vip_20260201_0900.csv"),
    ],
)
def test_names_that_differ_in_dates_or_ids_belong_to_two_lists(first: str, second: str) -> None:
    assert without_counters(first) != without_counters(second)


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("vip_2026_01_31.csv", "vip_2026_02_01.csv"),
        ("vip_2026.01.31.csv", "vip_2026.02.01.csv"),
        ("vip_2026-1-31.csv", "vip_2026-2-1.csv"),
        ("vip_31012026.csv", "vip_01022026.csv"),
        ("vip_01312026.csv", "vip_02012026.csv"),
        ("vip_31_01_2026.csv", "vip_01_02_2026.csv"),
        ("vip_31-Jan-2026.csv", "vip_30-Jan-2026.csv"),
        ("vip 31 January 2026.csv", "vip 30 January 2026.csv"),
        ("vip_31Jan26.csv", "vip_30Jan26.csv"),
        ("vip_Jan-31-2026.csv", "vip_Jan-30-2026.csv"),
        ("vip_2026-W05.csv", "vip_2026-W06.csv"),
        ("customers_202601311020.csv", "customers_202601311420.csv"),
        ("vip_20260131090000.csv", "vip_20260131130000.csv"),
        ("vip_20260131090000123.csv", "vip_20260131130000123.csv"),
        ("vip_20260131_090000123.csv", "vip_20260131_130000123.csv"),
        ("vip_20260131T09.csv", "vip_20260131T13.csv"),
        ("query_result_2026-01-31T10_20_30.481Z.csv", "query_result_2026-01-31T14_20_30.481Z.csv"),
        ("vip_2026-01-31T090000.123Z.csv", "vip_2026-01-31T130000.123Z.csv"),
        ("vip_2026-01-31T09:00:00+01:00.csv", "vip_2026-01-31T13:00:00+01:00.csv"),
        ("vip_2026-01-31_09h00.csv", "vip_2026-01-31_13h00.csv"),
        ("vip 2026-01-31 at 09.00.00.csv", "vip 2026-01-31 at 13.00.00.csv"),
        ("vip 2026-01-31 at 9.00.00 AM.csv", "vip 2026-01-31 at 8.00.00 AM.csv"),
        ("vip_31.01.2026_09-00.csv", "vip_31.01.2026_13-00.csv"),
        ("vip_2026_01_31_09_00_00.csv", "vip_2026_01_31_13_00_00.csv"),
        (f"vip_2026-01-31-10-20-30-{UUID}", f"vip_2026-01-31-14-20-30-{UUID}"),
        ("vip_1769850000.csv", "vip_1769864400.csv"),
        ("vip_1769850000.123456.csv", "vip_1769864400.123456.csv"),
        ("vip_1769850000123.csv", "vip_1769864400123.csv"),
        ("vip_1769850000123456.csv", "vip_1769864400123456.csv"),
        (f"vip_{UUID}.csv", f"vip_{UUID.replace('1111', '2222')}.csv"),
        (f"vip_{UUID.replace('-', '')}.csv", f"vip_{UUID.replace('-', '').replace('1111', '2222')}.csv"),
        ("vip_01KGABCDEFGHJKMNPQRSTVWXYZ.csv", "vip_01KHABCDEFGHJKMNPQRSTVWXYZ.csv"),
    ],
)
def test_a_date_a_time_or_an_id_in_any_format_is_not_a_counter(first: str, second: str) -> None:
    assert without_counters(first) != without_counters(second)
    assert not has_counter(first)
    assert not has_counter(second)


@pytest.mark.parametrize(
    "name",
    [
        "test_foodies_phone_sha256_audience.csv",
        "emails-SHA256.csv",
        "emails SHA-256.csv",
        "emails_sha_512.csv",
        "hashed_md5.csv",
        "customers_utf8.csv",
        "customers UTF-8.csv",
        "customers_sha256_2026-01-31.csv",
    ],
)
def test_an_algorithm_or_an_encoding_in_a_name_is_not_a_counter(name: str) -> None:
    assert not has_counter(name)


def test_a_counter_after_an_algorithm_is_a_counter() -> None:
    assert without_counters("emails_sha256_0007.csv") == "emails_sha256_#.csv"
    assert without_counters("sha2560007.csv") == "sha#.csv"
    assert without_counters("sha_1.csv") == without_counters("sha_2.csv")
    assert without_counters("emails_sha256.csv") != without_counters("emails_sha512.csv")


def test_a_list_is_identified_by_its_run_or_its_name_pattern() -> None:
    base = "tiktok/vip/email_sha256/replace/"
    run = {list_id(parse_key(f"{base}{rest}")) for rest in ("daily/a.csv", "daily/b.csv", "daily/dt=1/c.csv")}
    without_run = {list_id(parse_key(f"{base}{rest}")) for rest in ("x_1.csv", "x_2.csv", "dt=1/x_3.csv")}
    assert (len(run), len(without_run)) == (1, 1)
    assert run != without_run


def test_folders_keep_their_original_spelling() -> None:
    key = "tiktok//Vip/EMAIL_sha256/Replace/daily/dt=1/a.csv"
    assert type_folder(key) == "tiktok//Vip/EMAIL_sha256/"
    assert list_folder(key) == "tiktok//Vip/EMAIL_sha256/Replace/daily/"
