"""What refuses a whole file: the code, and a sentence that says what it is and what to do."""

from __future__ import annotations

import gzip
import hashlib
import io
import random
import uuid
import zipfile
from collections.abc import Iterable, Iterator

import pytest

from handler.cleaning.counts import Progress, Rejection, RejectionReason, Tally
from handler.cleaning.decompression import gunzip
from handler.cleaning.file_rules import HEAD_BYTES, check_tally
from handler.cleaning.rows import clean
from handler.errors import Rejected
from handler.model import IdentifierType
from handler.report_codes import Code

GOOD = b"ab" * 32
ROWS = (GOOD + b"\n") * 10
CSV = "email_sha256\r\n" + GOOD.decode() + "\r\n"


def archive(*names: str) -> bytes:
    """A zip of some files."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as entries:
        for name in names:
            entries.writestr(zipfile.ZipInfo(name), CSV * 30)
    return packed.getvalue()


def pieces(data: bytes, size: int) -> Iterator[bytes]:
    return (data[at : at + size] for at in range(0, len(data), size))


def refusal(
    chunks: Iterable[bytes], ratio: float = 0.1, identifier_type: IdentifierType = IdentifierType.EMAIL_SHA256
) -> Rejected:
    """Why a file is refused when it is read to its end."""
    tally = Tally()
    with pytest.raises(Rejected) as refused:  # noqa: PT012 - as the intake does it
        for block in clean(chunks, identifier_type, start=Progress()):
            tally = block.progress.tally
        check_tally(tally, ratio, identifier_type)
    reason = refused.value.reason
    assert reason.isprintable()
    assert reason.endswith(".")
    assert len(reason) < 300
    return refused.value


KINDS = {
    "utf-16 of Excel": ("\ufeff" + CSV).encode("utf-16-le"),
    "utf-16, big first": ("\ufeff" + CSV).encode("utf-16-be"),
    "utf-16 without a mark": CSV.encode("utf-16-le"),
    "utf-16, big first, without a mark": CSV.encode("utf-16-be"),
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
    "gzip under another name": gzip.compress(CSV.encode()),
}
EXPECTED = {
    "utf": (Code.UTF16, "UTF-16", "save it as CSV UTF-8"),
    "xls": (Code.EXCEL_WORKBOOK, "is an Excel workbook", "save the sheet as CSV"),
    "par": (Code.PARQUET, "is Parquet", "export it as CSV"),
    "zip": (Code.ZIP_ARCHIVE, "is a zip archive", "unzip it and upload the CSV"),
    "emp": (Code.ZIP_ARCHIVE, "is a zip archive", "unzip it and upload the CSV"),
    "pdf": (Code.NOT_TEXT, "is a PDF document", "export the list as CSV"),
    "png": (Code.NOT_TEXT, "is a picture", "upload a text file"),
    "gzi": (Code.BROKEN_GZIP, "is compressed with gzip", "let its name end in .gz"),
}


@pytest.mark.parametrize("size", [1, 3, 1 << 18])
@pytest.mark.parametrize("kind", KINDS)
def test_a_file_of_another_kind_is_named_with_what_to_do(kind: str, size: int) -> None:
    code, what, to_do = EXPECTED[kind[:3]]
    refused = refusal(pieces(KINDS[kind], size))
    assert refused.code is code
    assert what in refused.reason
    assert to_do in refused.reason


def test_another_kind_is_told_before_the_rest_is_read() -> None:
    read: list[int] = []

    def endless() -> Iterator[bytes]:
        yield KINDS["parquet"]
        while True:
            read.append(1)
            yield bytes(1 << 14)

    assert refusal(endless()).code is Code.PARQUET
    assert len(read) <= HEAD_BYTES >> 14


def test_only_the_beginning_of_a_file_tells_its_kind() -> None:
    file = ROWS + b"PAR1\n"
    start = Progress(len(ROWS), 11, Tally(10, 10))
    blocks = [*clean([b"PAR1\n"], IdentifierType.EMAIL_SHA256, start=start)]
    assert blocks[-1].progress.tally == [*clean([file], IdentifierType.EMAIL_SHA256)][-1].progress.tally


@pytest.mark.parametrize(
    "file", [b"", b"\n\r\n \n", b"\xef\xbb\xbf", b"\xef\xbb\xbfhashed email\r\n", b"PHONE", b'""\n']
)
def test_a_file_without_rows_is_empty(file: bytes) -> None:
    for chunks in ([file], gunzip([gzip.compress(file)]), gunzip([])):
        refused = refusal(chunks)
        assert refused.code is Code.EMPTY_FILE
        assert refused.reason == "The file is empty, but for a header at most: upload one with an identifier a line."


@pytest.mark.parametrize(
    ("row", "what", "to_do"),
    [
        (b"jane@example.com", "are not hashed, first in line 2.", "Hash the identifiers with SHA-256 before"),
        (b"+49 30 1234567", "are not hashed", "Hash the identifiers"),
        (b"6D92078A-8246-4BA4-AE5B-76104861E7DC", "are not hashed", "Hash the identifiers"),
        (GOOD[:32], "have too few or too many digits", "MD5: TikTok takes e-mail addresses and phone numbers as SHA"),
        (GOOD[:40], "have too few or too many digits", "Hashes of 40 digits are SHA-1, which TikTok does not"),
        (GOOD[:33], "have too few or too many digits", "Check that the folder names the identifier type"),
        (GOOD[:63] + b"g", "are no hashes", "Upload hashes as hexadecimal digits (0-9, a-f), one a line."),
        (GOOD + b",Jane", "have more than one column", "Upload the column of identifiers alone."),
        (b"x" * 5000, "are longer than any identifier", "Upload one identifier a line."),
    ],
)  # fmt: skip
def test_a_file_without_a_valid_row_says_what_its_rows_are(row: bytes, what: str, to_do: str) -> None:
    refused = refusal([b"email\n" + (row + b"\n") * 1200])
    assert refused.code is Code.NO_VALID_ROW
    assert refused.reason.startswith("None of the rows in the file (1,200) can be used. Most of the first ones ")
    assert what in refused.reason
    assert to_do in refused.reason
    assert row.decode() not in refused.reason


def test_sha256_in_a_folder_for_md5_is_told_where_it_belongs() -> None:
    (block,) = clean([ROWS], IdentifierType.IDFA_MD5)
    with pytest.raises(Rejected, match=r"Hashes of 64 digits are SHA-256: use a folder that ends in _sha256\.$"):
        check_tally(block.progress.tally, 0.1, IdentifierType.IDFA_MD5)


def test_md5_in_a_folder_for_sha256_is_told_what_it_may_be() -> None:
    reason = refusal([ROWS.replace(GOOD, GOOD[:32])], identifier_type=IdentifierType.GAID_SHA256).reason
    assert reason.endswith(
        "MD5: use a folder that ends in _md5, or hash the ids first if they only lost their hyphens."
    )


def test_device_ids_without_hyphens_are_no_hashes() -> None:
    source = random.Random(7)  # noqa: S311 - made-up ids
    ids = [uuid.UUID(int=source.getrandbits(128), version=4).hex for _ in range(20_000)]
    hashes = [hashlib.md5(each.encode(), usedforsecurity=False).hexdigest() for each in ids]
    for upper in (False, True):
        file = "\n".join(["idfa", *(each.upper() if upper else each for each in ids)]).encode()
        refused = refusal([file], identifier_type=IdentifierType.IDFA_MD5)
        assert refused.code is Code.NOT_HASHED
    for rows in (hashes, ids[:7]):  # a few may be chance
        *_, block = clean(["\n".join(rows).encode()], IdentifierType.IDFA_MD5)
        assert block.progress.tally.accepted == len(rows)


def test_too_many_rejected_rows_refuse_a_file() -> None:
    refused = refusal([ROWS, b"jane@example.com\n" + b"abc\n" * 2])
    assert refused.code is Code.TOO_MANY_REJECTED
    assert refused.reason == (
        "3 of the 13 rows in the file cannot be used. More than 10 % is too many, so the audience is left as it is. "
        "Most of the first ones have too few or too many digits, first in line 12. "
        "Check that the folder names the identifier type of the file."
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
def test_the_share_of_rejected_rows_may_be_exactly_the_limit(rejected: int, ratio: float, refused: bool) -> None:
    faults = (Rejection(1, RejectionReason.NOT_HEX),) * min(rejected, 100)
    tally = Tally(1000, 1000 - rejected, rejected, faults)
    if refused:
        with pytest.raises(Rejected):
            check_tally(tally, ratio, IdentifierType.EMAIL_SHA256)
    else:
        check_tally(tally, ratio, IdentifierType.EMAIL_SHA256)


def test_a_share_below_a_percent_is_said_as_it_is() -> None:
    refused = refusal([ROWS, b"abc\n"], 0.005)
    assert "More than 0.5 % is too many" in refused.reason
