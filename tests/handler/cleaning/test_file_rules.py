"""Rejections of entire files and lists: the code, and a reason that says what happened, where, and what to do."""

from __future__ import annotations

import bz2
import gzip
import hashlib
import io
import random
import uuid
import zipfile
from collections.abc import Callable, Iterable, Iterator

import pytest

from handler.cleaning.counts import ColumnCounts, Progress, Rejection, RejectionReason, Tally, merge
from handler.cleaning.file_rules import check_file, check_list_file
from handler.cleaning.file_types import HEAD_BYTES
from handler.cleaning.parts import parts
from handler.errors import Outcome, Rejected, Skipped
from handler.model import Action, IdentifierType
from handler.report_codes import Code

GOOD = b"ab" * 32
ROWS = (GOOD + b"\n") * 10
CSV = "email_sha256\r\n" + GOOD.decode() + "\r\n"


def archive(*names: str) -> bytes:
    """Return a zip archive with the given files."""
    zipped = io.BytesIO()
    with zipfile.ZipFile(zipped, "w", zipfile.ZIP_DEFLATED) as entries:
        for name in names:
            entries.writestr(zipfile.ZipInfo(name), CSV * 30)
    return zipped.getvalue()


def pieces(data: bytes, size: int) -> Iterator[bytes]:
    return (data[at : at + size] for at in range(0, len(data), size))


def counted(
    chunks: Iterable[bytes],
    identifier_type: IdentifierType = IdentifierType.EMAIL_SHA256,
    start: Progress | None = None,
) -> Tally:
    """Read a file to its end and return its counts."""
    tally = Tally()
    for part in parts(lambda _: chunks, identifier_type, 1 << 20, start=start):
        tally = part.progress.tally
    return tally


def refusal(
    chunks: Iterable[bytes],
    ratio: float = 0.1,
    identifier_type: IdentifierType = IdentifierType.EMAIL_SHA256,
    action: Action = Action.APPEND,
) -> Outcome:
    """Read a file and return the outcome with which it is rejected or skipped."""
    with pytest.raises(Outcome) as refused:
        check_file(counted(chunks, identifier_type), action, ratio, identifier_type)
    reason = refused.value.reason
    assert reason.isprintable()
    assert reason.endswith(".")
    assert len(reason) < 400
    return refused.value


KINDS = {
    "utf-16 of Excel": ("\ufeff" + CSV).encode("utf-16-le"),
    "utf-16, big-endian": ("\ufeff" + CSV).encode("utf-16-be"),
    "utf-16 without a mark": CSV.encode("utf-16-le"),
    "utf-16, big-endian, without a mark": CSV.encode("utf-16-be"),
    "utf-16 that begins with a blank line": ("\r\n" + CSV).encode("utf-16-le"),
    "utf-32": ("\ufeff" + CSV).encode("utf-32-le"),
    "xlsx": archive("[Content_Types].xml", "_rels/.rels", "xl/workbook.xml"),
    "xlsx of openpyxl": archive("docProps/app.xml", "docProps/core.xml", "xl/theme/theme1.xml"),
    "xls": b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(504),
    "parquet": b"PAR1\x15\x04\x15" + bytes(50),
    "zip": archive("people.csv"),
    "empty zip": archive(),
    "pdf": b"%PDF-1.7\n%\xe2\xe3",
    "png": b"\x89PNG\r\n\x1a\n" + bytes(9),
    "jpeg": b"\xff\xd8\xff\xe0" + bytes(20),
    "twice gzip": gzip.compress(gzip.compress(CSV.encode())),
    "twice bzip2 in gzip": gzip.compress(bz2.compress(CSV.encode())),
    "orc": b"ORC\x0a\x0b" + bytes(20),
    "avro": b"Obj\x01\x04\x14avro.codec",
    "json": b'\r\n {"email": "x"}\n',
    "json list": b"\xef\xbb\xbf[\n {}]",
    "html": b"<!DOCTYPE html><html>",
    "xml": b"<?xml version='1.0'?>",
    "zstd": b"\x28\xb5\x2f\xfd" + bytes(20),
    "7z": b"7z\xbc\xaf\x27\x1c" + bytes(20),
    "rar": b"Rar!\x1a\x07\x00",
    "xz": b"\xfd7zXZ\0",
    "tar": b"people.csv" + bytes(247) + b"ustar\x0000",
    "tar in gzip": gzip.compress(b"people.csv" + bytes(247) + b"ustar\x0000"),
    "zip in gzip": gzip.compress(archive("people.csv")),
    "ods": b"PK\x03\x04" + bytes(26) + b"mimetypeapplication/vnd.oasis.opendocument.spreadsheet",
    "pgp": b"-----BEGIN PGP MESSAGE-----",
    "salted by OpenSSL": b"Salted__" + bytes(range(40)),
    "age": b"age-encryption.org/v1\n-> X25519 abc\n",
    "armored age": b"-----BEGIN AGE ENCRYPTED FILE-----\n",
    "bin of PGP": b"\x85\x01\x0c\x03" + b"".join(hashlib.sha256(b"%d" % number).digest() for number in range(64)),
    "macos": b"\0\x05\x16\x07\0\x02\0\0Mac OS X",
}
EXPECTED = {
    "utf": (Code.UTF16, "UTF-16", "Save it as CSV UTF-8"),
    "xls": (Code.EXCEL_WORKBOOK, "is an Excel workbook", "Save the sheet as CSV"),
    "ods": (Code.EXCEL_WORKBOOK, "workbook", "Save the sheet as CSV"),
    "par": (Code.PARQUET, "is a Parquet file", "Export the list as CSV"),
    "zip": (Code.ZIP_ARCHIVE, "is a zip archive", "Unpack it"),
    "emp": (Code.ZIP_ARCHIVE, "is a zip archive", "Unpack it"),
    "pdf": (Code.NOT_TEXT, "is a PDF document", "Export the list as CSV"),
    "png": (Code.NOT_TEXT, "is a picture", "Export the list as CSV"),
    "jpe": (Code.NOT_TEXT, "is a picture", "Export the list as CSV"),
    "orc": (Code.NOT_TEXT, "is an ORC file", "Export the list as CSV"),
    "avr": (Code.NOT_TEXT, "is an Avro file", "Export the list as CSV"),
    "jso": (Code.NOT_TEXT, "is JSON", "Export the list as CSV"),
    "htm": (Code.NOT_TEXT, "is a web page", "Export the list as CSV"),
    "xml": (Code.NOT_TEXT, "XML document", "Export the list as CSV"),
    "zst": (Code.ZIP_ARCHIVE, "Zstandard", "compressed with gzip"),
    "7z": (Code.ZIP_ARCHIVE, "7-Zip", "compressed with gzip"),
    "rar": (Code.ZIP_ARCHIVE, "RAR", "compressed with gzip"),
    "xz": (Code.ZIP_ARCHIVE, "xz", "compressed with gzip"),
    "tar": (Code.ZIP_ARCHIVE, "is a tar archive", "Unpack it"),
    "pgp": (Code.NOT_TEXT, "encrypted with PGP", "Decrypt it"),
    "sal": (Code.NOT_TEXT, "encrypted with OpenSSL", "Decrypt it"),
    "age": (Code.NOT_TEXT, "encrypted with age", "Decrypt it"),
    "arm": (Code.NOT_TEXT, "encrypted with age", "Decrypt it"),
    "bin": (Code.NOT_TEXT, "is a binary file and may be encrypted", "Decrypt or unpack it"),
    "mac": (Code.NOT_TEXT, "macOS metadata file", "without the leading ._"),
    "twi": (Code.BROKEN_GZIP, "is compressed twice", "only once"),
}


@pytest.mark.parametrize("size", [1, 3, 1 << 18])
@pytest.mark.parametrize("kind", KINDS)
def test_a_rejection_names_the_unsupported_file_type_and_says_what_to_do(kind: str, size: int) -> None:
    code, what, to_do = EXPECTED[kind[:3]]
    refused = refusal(pieces(KINDS[kind], size))
    assert refused.code is code
    assert what in refused.reason
    assert to_do in refused.reason


def test_an_unsupported_file_type_is_detected_without_reading_the_rest() -> None:
    read: list[int] = []

    def endless() -> Iterator[bytes]:
        yield KINDS["parquet"]
        while True:
            read.append(1)
            yield bytes(1 << 14)

    assert refusal(endless()).code is Code.PARQUET
    assert len(read) <= HEAD_BYTES >> 14


@pytest.mark.parametrize("pack", [bytes, gzip.compress, bz2.compress])
def test_compression_is_detected_from_the_content(pack: Callable[[bytes], bytes]) -> None:
    tally = counted([pack(CSV.encode())])
    assert (tally.total, tally.accepted) == (1, 1)


def test_only_the_beginning_of_a_file_decides_its_type() -> None:
    tally = counted([ROWS, b"PAR1\n"])
    assert (tally.accepted, tally.rejected) == (10, 1)


@pytest.mark.parametrize("garbage", [b"\x01a\x01b", b"\x1a", b"\x00\x01\x02\x03\x04\x05\x06\x07\x08"])
def test_a_few_control_characters_only_make_their_rows_faulty(garbage: bytes) -> None:
    assert counted([ROWS, garbage, b"\n"]).accepted == 10
    assert counted([b"".join(row + b"\x01de\n" for row in ROWS.split(b"\n"))]).accepted == 0


EMPTY = [b"", b"\n\r\n \n", b"\xef\xbb\xbf", b"\xef\xbb\xbfhashed email\r\n", b"PHONE", b'""\n', b"email\n\x1a"]


@pytest.mark.parametrize("file", EMPTY)
def test_a_file_without_rows_is_skipped_unless_it_is_a_replace(file: bytes) -> None:
    for content in (file, gzip.compress(file), bz2.compress(file)):
        for action, outcome in (
            (Action.APPEND, Skipped),
            (Action.REMOVE, Skipped),
            (Action.REPLACE, Rejected),
        ):
            refused = refusal([content], action=action)
            assert (type(refused), refused.code) == (outcome, Code.EMPTY_FILE)


QUERIES = [
    b" email_sha256 \n--------------\n(0 rows)\n\n",
    b"email_sha256\r\n------------\r\n\r\n(0 rows affected)\r\n",
    b" email_sha256 | name \n--------------+------\n(0 rows)\n",
]


@pytest.mark.parametrize("kind", [IdentifierType.EMAIL_SHA256, IdentifierType.MULTIPLE_TYPES])
@pytest.mark.parametrize("query", QUERIES)
def test_a_query_result_without_rows_is_an_empty_file(query: bytes, kind: IdentifierType) -> None:
    assert refusal([query], identifier_type=kind).code is Code.EMPTY_FILE


@pytest.mark.parametrize("header", [b"hashed email", b" EMAIL ", b'"email"'])
def test_the_header_of_each_page_or_concatenated_file_is_not_a_row(header: bytes) -> None:
    page = header + b"\n------------\n" + ROWS
    tally = counted([page, b"\n", page * 3, b"(40 rows)\n"])
    assert (tally.total, tally.accepted) == (40, 40)
    assert counted([header + b"\n" + ROWS + b"another\n"]).rejected == 1
    refused = refusal([header + b"\n", (header + b"\n") * 30])  # identical rows are not all headers
    assert (refused.code, refused.reason[:15]) == (Code.NO_VALID_ROW, "None of the 30 ")


EMPTY_VALUE_HASH = hashlib.sha256(b"").hexdigest().encode()


@pytest.mark.parametrize("action", Action)
@pytest.mark.parametrize(
    ("file", "what"),
    [
        (b"email\n" + b"\\N\n" * 1200, "only NULL markers (1,200). "),
        ((EMPTY_VALUE_HASH + b"\n") * 3, "only hashes of an empty or missing value (3). "),
        (EMPTY_VALUE_HASH + b"\nNULL\n\n", "only NULL markers (1) and hashes of an empty or missing value (1). "),
    ],
)
def test_a_file_of_only_empty_values_is_rejected(file: bytes, what: str, action: Action) -> None:
    refused = refusal([file], action=action)
    assert (refused.status, refused.code) == ("rejected", Code.NO_VALID_ROW)
    assert what in refused.reason
    assert "join" in refused.reason


def test_hashes_of_empty_values_do_not_count_toward_the_share_of_faulty_rows() -> None:
    tally = counted([ROWS, (EMPTY_VALUE_HASH + b"\n") * 90, b"x@example.com\n"])
    assert tally.rejected_by_reason == {"hash_of_nothing": 90, "not_hashed": 1}
    assert (tally.total, tally.accepted, tally.rejected, tally.faulty) == (101, 10, 91, 1)
    check_file(tally, Action.REPLACE, 0.1, IdentifierType.EMAIL_SHA256)
    with pytest.raises(Rejected, match=r"^1 of the 11 rows with a value"):
        check_file(tally, Action.REPLACE, 0.05, IdentifierType.EMAIL_SHA256)


@pytest.mark.parametrize("row", [GOOD[:40], b'"' + GOOD, b"0x" + GOOD[:-1], b"'"])
def test_a_row_cut_off_at_the_end_rejects_the_entire_file_only_in_a_replace(row: bytes) -> None:
    tally = counted([ROWS[:130], row])
    assert (tally.accepted, tally.rejected_by_reason, tally.cut_off) == (2, {"cut_off": 1}, True)
    check_file(tally, Action.APPEND, 0, IdentifierType.EMAIL_SHA256)
    check_file(tally, Action.REMOVE, 0, IdentifierType.EMAIL_SHA256)
    with pytest.raises(Rejected, match=r"The last row \(line 3\) is cut off") as refused:
        check_file(tally, Action.REPLACE, 0.5, IdentifierType.EMAIL_SHA256)
    assert refused.value.code is Code.CUT_OFF
    with pytest.raises(Rejected):
        check_list_file(tally, IdentifierType.EMAIL_SHA256)


@pytest.mark.parametrize("row", [GOOD, GOOD[:40] + b"\n", b"x@example.com", GOOD + b"0", b""])
def test_other_last_rows_are_not_cut_off(row: bytes) -> None:
    assert not counted([ROWS, row]).cut_off


def test_the_share_of_faulty_rows_is_computed_over_the_entire_list() -> None:
    kind = IdentifierType.EMAIL_SHA256
    files = [counted([ROWS * 10]), counted([GOOD + b"\nx@example.com\n"]), counted([b"NULL\n"]), counted([b""])]
    for tally in files:
        check_list_file(tally, kind)
    merged = merge(files)
    assert (merged.total, merged.accepted, merged.rejected, merged.null_markers) == (102, 101, 1, 1)
    check_file(merged, Action.REPLACE, 0.01, kind, "list")
    with pytest.raises(Rejected, match=r"1 of the 102 rows with a value in the list cannot be used"):
        check_file(merged, Action.REPLACE, 0.005, kind, "list")
    with pytest.raises(Rejected) as refused:
        check_list_file(counted([b"x@example.com\n"]), kind)
    assert refused.value.code is Code.NO_VALID_ROW
    for tallies, code in (([files[3]] * 2, Code.EMPTY_FILE), ([files[2], files[3]], Code.NO_VALID_ROW)):
        with pytest.raises(Rejected) as refused:
            check_file(merge(tallies), Action.REPLACE, 0.1, kind, "list")
        assert refused.value.code is code


@pytest.mark.parametrize(
    ("row", "what", "to_do"),
    [
        (b"jane@example.com", "are not hashed (first in line 2).", "Hash the identifiers with SHA-256 before"),
        (b"+49 30 1234567", "are not hashed", "Hash the identifiers"),
        (b"6D92078A-8246-4BA4-AE5B-76104861E7DC", "are not hashed", "Hash the identifiers"),
        (GOOD[:32], "have too few or too many digits", "MD5, but TikTok accepts email addresses and phone numbers"),
        (GOOD[:40], "have too few or too many digits", "Hashes of 40 digits are SHA-1, which TikTok does not"),
        (GOOD[:33], "have too few or too many digits", "Check that the file is in the folder of the right identifier"),
        (GOOD[:63] + b"g", "are not hashes", "Upload hashes as hexadecimal digits (0-9, a-f), one per line."),
        (b"Jane," + b"1" * 9, "have more than one column", "Upload only the column of identifiers."),
        (b"x" * 5000, "are longer than any identifier", "Upload one identifier per line."),
    ],
)  # fmt: skip
def test_the_rejection_without_a_valid_row_names_the_most_frequent_fault(row: bytes, what: str, to_do: str) -> None:
    refused = refusal([b"email\n" + (row + b"\n") * 1200])
    assert refused.code is Code.NO_VALID_ROW
    assert refused.reason.startswith("None of the 1,200 rows in the file can be used. The most common problem is that ")
    assert what in refused.reason
    assert to_do in refused.reason
    assert row.decode() not in refused.reason


@pytest.mark.parametrize(
    ("header", "row", "advice"),
    [
        (b"", b"7," + GOOD, "Upload only column 2, which has the identifiers."),
        (b",email_sha256", b"7," + GOOD, 'Upload only column 2 ("email_sha256"), which has the identifiers.'),
        (b"Jane Doe;Hashed Email;City", b'x;"' + GOOD + b'";Z', 'Upload only column 2 ("Hashed Email"), which'),
        (b"", b"7\x01" + GOOD, "Upload only column 2, which has the identifiers."),
        (b"Jane Doe;Berlin", GOOD + b";", "Upload only column 1, which"),
        (b"email,phone", GOOD + b"," + GOOD, "with a header row to a multiple_types folder."),
        (b"email,phone", GOOD[:40] + b",2026-01-31", "Upload only the column of identifiers."),
        (b"id,Name,Email", b"17,Jane Doe,jane@example.com", "Hash one column with SHA-256, for example with the"),
        (
            b"id;Name;Phone",
            b"17;Jane Doe;+49 30 1234567",
            "and the identifiers are not hashed (first in line 2). Hash one",
        ),
        (
            b"email,audience_action,batch_size",
            b'"' + GOOD + b'","true","50"',
            "Upload the people to add to the append folder and the people to remove to the remove folder",
        ),
    ],
)
def test_the_advice_names_the_column_if_exactly_one_holds_identifiers(header: bytes, row: bytes, advice: str) -> None:
    refused = refusal([header + b"\n" if header else b"", (row + b"\n") * 30])
    assert refused.code is Code.NO_VALID_ROW
    assert advice in refused.reason
    assert "Jane" not in refused.reason


def test_long_rows_can_have_columns_and_trailing_spaces_do_not_make_a_row_too_long() -> None:
    header = b"id,email_sha256," + b",".join(b"property %d" % n for n in range(200))
    refused = refusal([header + b"\n", (b"7," + GOOD + b",some text" * 200 + b"\n") * 30])
    assert refused.reason.startswith(
        "None of the 30 rows in the file can be used. The most common problem is that rows "
    )
    assert 'Upload only column 2 ("email_sha256"), which' in refused.reason
    assert counted([b"EMAIL".ljust(1000) + b"\n", (GOOD.ljust(1000) + b"\r\n") * 900]).accepted == 900


def test_a_column_that_mixes_additions_and_removals_is_named() -> None:
    named = refusal([b"email,audience_action,batch_size\n", (GOOD + b",true,50\n") * 9]).reason
    assert 'column 2 ("audience_action") says whether a person is added or removed' in named
    unnamed = refusal([(GOOD + b"\tadd\n" + GOOD + b"\tDELETE\n") * 9]).reason
    assert "and column 2 says whether a person is added or removed" in unnamed


def test_a_column_of_additions_and_removals_can_be_sorted() -> None:
    for header in (b"", b"email_sha256,x,name\n"):
        rows = [b"%s,%s,%d\n" % (GOOD, b"added" if n < 9000 else b"removed", n) for n in range(9300)]
        reason = refusal([header, *rows]).reason
        assert "and column 2 says whether a person is added or removed" in reason
        assert "which has the identifiers" not in reason


def test_change_codes_are_recognized_as_additions_and_removals() -> None:
    rows = [b"%s,%s\n" % ([b"I", b"U", b"d"][n % 3], GOOD) for n in range(900)]
    assert "and column 1 says whether a person is added or removed" in refusal(rows).reason
    inserts = [b"I,%s\n" % GOOD] * 900
    assert "Upload only column 2, which" in refusal(inserts).reason
    assert "column 1 says" in refusal([b"D,%s\n" % GOOD] * 9).reason
    assert "column 1 says" in refusal([*inserts, b"D,%s\n" % GOOD]).reason
    assert "Upload only column 2, which" in refusal([*inserts, b"D,%s\nF,%s\n" % (GOOD, GOOD)]).reason


def test_a_trailing_delimiter_is_repaired_unless_the_header_names_more_columns() -> None:
    assert counted([b"email,\n", (GOOD + b",\n") * 9]).accepted == 9
    assert counted([(b'"' + GOOD + b'";\n') * 9]).accepted == 9
    assert counted([b"phone,email\n", (GOOD + b",\n") * 9]).accepted == 0


def test_the_advice_for_sha256_in_an_md5_folder_names_the_right_folder() -> None:
    reason = refusal([ROWS], identifier_type=IdentifierType.IDFA_MD5).reason
    assert reason.endswith("Hashes of 64 digits are SHA-256. Upload them to a folder that ends in _sha256.")


def test_the_advice_for_md5_in_a_sha256_folder_names_both_possible_causes() -> None:
    reason = refusal([ROWS.replace(GOOD, GOOD[:32])], identifier_type=IdentifierType.GAID_SHA256).reason
    assert reason.endswith(
        "are MD5. Upload them to a folder that ends in _md5. If they are device ids without hyphens, hash them first."
    )


SOURCE = random.Random(7)  # noqa: S311 - made-up ids
DEVICE_IDS = [uuid.UUID(int=SOURCE.getrandbits(128), version=4).hex for _ in range(20_000)]
MD5_ROWS = [hashlib.md5(each.encode(), usedforsecurity=False).hexdigest() for each in DEVICE_IDS]
TRACKING_OPT_OUT = "0" * 32


@pytest.mark.parametrize(
    "rows",
    [
        DEVICE_IDS,
        [each.upper() for each in DEVICE_IDS],
        [*DEVICE_IDS[:1000], TRACKING_OPT_OUT],
        [TRACKING_OPT_OUT] * 9000 + DEVICE_IDS[:1000],
        ["idfa", "", "NULL", *DEVICE_IDS[:8]],
        ["NULL"] * 60_000 + DEVICE_IDS[:8],  # all device ids are in the second block
        [MD5_ROWS[0], *DEVICE_IDS[:1000]],
        [*MD5_ROWS[:400], *DEVICE_IDS[:600]],
        [*MD5_ROWS[:5] * 400, *DEVICE_IDS[:600]],  # repeated rows count once
        [*MD5_ROWS, *DEVICE_IDS[:10_000]],
    ],
    ids=lambda rows: f"{len(rows)} {rows[0]}",
)  # fmt: skip
def test_device_ids_without_hyphens_are_rejected_whatever_rows_are_among_them(rows: list[str]) -> None:
    refused = refusal(["\n".join([*rows, ""]).encode()], identifier_type=IdentifierType.IDFA_MD5)
    assert refused.code is Code.NOT_HASHED


def test_hashes_that_look_like_device_ids_by_chance_are_accepted() -> None:
    alike = next(each for each in MD5_ROWS if each[12] == "4" and each[16] in "89ab")
    for rows in (MD5_ROWS, DEVICE_IDS[:7], [alike] * 1000, [*MD5_ROWS[:600], *DEVICE_IDS[:400]]):
        assert counted(["\n".join(rows).encode()], IdentifierType.IDFA_MD5).accepted == len(rows)


@pytest.mark.parametrize(("kind", "digits"), [(IdentifierType.IDFA_MD5, 32), (IdentifierType.IDFA_SHA256, 64)])
def test_an_all_zero_device_id_is_rejected_as_an_empty_value(kind: IdentifierType, digits: int) -> None:
    tally = counted([b"ab" * (digits // 2) + b"\n" + b"0" * digits + b"\n"], kind)
    assert (tally.accepted, tally.rejected_by_reason) == (1, {"hash_of_nothing": 1})


def test_a_file_with_too_many_rejected_rows_is_rejected() -> None:
    refused = refusal([ROWS, b"jane@example.com\n" + b"abc\n" * 2])
    assert refused.code is Code.TOO_MANY_REJECTED
    assert refused.reason == (
        "3 of the 13 rows with a value in the file cannot be used, which exceeds the limit of 10%. "
        "The audience is unchanged. "
        "The most common problem is that hashes have too few or too many digits (first in line 12). "
        "Check that the file is in the folder of the right identifier type."
    )


@pytest.mark.parametrize(
    ("rejected", "ratio", "refused"),
    [
        (290, 0.29, False),
        (291, 0.29, True),
        (100, 0.1, False),
        (101, 0.1, True),
        (0, 0, False),
        (1, 0, True),
        (999, 1, False),
        (1000, 1, True),
    ],
)
def test_the_share_of_rejected_rows_can_be_exactly_the_limit(rejected: int, ratio: float, refused: bool) -> None:
    faults = (Rejection(1, RejectionReason.NOT_HEX),) * min(rejected, 100)
    tally = Tally(1000, 1000 - rejected, rejected, faults, {"not_hex": rejected})
    if refused:
        with pytest.raises(Rejected):
            check_file(tally, Action.APPEND, ratio, IdentifierType.EMAIL_SHA256)
    else:
        check_file(tally, Action.APPEND, ratio, IdentifierType.EMAIL_SHA256)


@pytest.mark.parametrize("faulty", [28, 29, 30])
def test_faulty_cells_in_a_column_have_the_same_limit_as_faulty_rows(faulty: int) -> None:
    rows = Tally(100, 100 - faulty, faulty, rejected_by_reason={"not_hex": faulty})
    cells = Tally(100, 100, columns=(ColumnCounts("email_sha256", 100, faulty),))
    for tally, kind in ((rows, IdentifierType.EMAIL_SHA256), (cells, IdentifierType.MULTIPLE_TYPES)):
        if faulty > 29:
            with pytest.raises(Rejected):
                check_file(tally, Action.APPEND, 0.29, kind)
        else:
            check_file(tally, Action.APPEND, 0.29, kind)


def test_a_limit_below_one_percent_is_not_rounded() -> None:
    refused = refusal([ROWS, b"abc\n"], 0.005)
    assert "exceeds the limit of 0.5%" in refused.reason
