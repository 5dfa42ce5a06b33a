"""What makes a whole file unfit, as sentences for a marketer: it is of another kind, or too much of it is wrong."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from handler.errors import Rejected
from handler.report_codes import Code

if TYPE_CHECKING:
    from handler.cleaning.counts import Rejection, Tally
    from handler.model import IdentifierType

MD5_DIGITS = 32
HEAD_BYTES = 1 << 16  # a workbook names its parts in them, however it was made
# How many device ids are surely none of MD5's: one MD5 in 64 looks like one.
_ENOUGH_ROWS = 8
_UTF16 = "The file is Unicode text (UTF-16): save it as CSV UTF-8 and upload it again."
_WORKBOOK = "The file is an Excel workbook: save the sheet as CSV and upload that."
_KINDS = [
    (b"\xff\xfe", Code.UTF16, _UTF16),
    (b"\xfe\xff", Code.UTF16, _UTF16),
    (b"%PDF", Code.NOT_TEXT, "The file is a PDF document: export the list as CSV, and upload that."),
    (b"\x89PNG", Code.NOT_TEXT, "The file is a picture: upload a text file with one hash a line."),
    (b"PAR1", Code.PARQUET, "The file is Parquet: export it as CSV, one identifier a line, and upload that."),
    (b"\xd0\xcf\x11\xe0", Code.EXCEL_WORKBOOK, _WORKBOOK),
    (
        b"\x1f\x8b",
        Code.BROKEN_GZIP,
        "The file's content is compressed with gzip: compress it only once, let its name end in .gz, "
        "and upload it again.",
    ),
]
_ZIP = (b"PK\x03\x04", b"PK\x05\x06")
_EXCEL_PART = re.compile(rb"\[Content_Types\]\.xml|xl/[_a-zA-Z]{4}")
# What rows are, and what to do about it.
_FAULTS = {
    "not_hashed": ("are not hashed", "Hash the identifiers with {algorithm} before you upload them."),
    "wrong_length": (
        "have too few or too many digits",
        "Check that the folder names the identifier type of the file.",
    ),
    "not_hex": ("are no hashes", "Upload hashes as hexadecimal digits (0-9, a-f), one a line."),
    "more_than_one_column": ("have more than one column", "Upload the column of identifiers alone."),
    "too_long": ("are longer than any identifier", "Upload one identifier a line."),
}
_OTHER_LENGTHS = {
    32: " Hashes of 32 digits are MD5: {md5}",
    40: " Hashes of 40 digits are SHA-1, which TikTok does not take.",
    64: " Hashes of 64 digits are SHA-256: use a folder that ends in _sha256.",
}


def checked(chunks: Iterable[bytes]) -> Iterator[bytes]:
    """The same chunks of a file, if it does not begin like one of another kind.

    Raises:
        Rejected: it does.
    """
    chunks = iter(chunks)
    head: list[bytes] = []
    size = 0
    for chunk in chunks:
        head.append(chunk)
        size += len(chunk)
        if size >= HEAD_BYTES:
            break
    check_kind(b"".join(head))
    yield from head
    yield from chunks


def check_kind(head: bytes) -> None:
    """Refuse what is no text file of identifiers by the way it begins.

    Raises:
        Rejected: a workbook, Parquet, an archive, UTF-16.
    """
    for beginning, code, reason in _KINDS:
        if head.startswith(beginning):
            raise Rejected(code, reason)
    if head.startswith(_ZIP):
        if _EXCEL_PART.search(head):
            raise Rejected(Code.EXCEL_WORKBOOK, _WORKBOOK)
        raise Rejected(
            Code.ZIP_ARCHIVE,
            "The file is a zip archive: unzip it and upload the CSV, or use gzip (.gz) instead of zip.",
        )
    # UTF-16 without its mark: every other byte of plain text is zero.
    if b"\0" in head[:8]:
        raise Rejected(
            Code.UTF16,
            "The file is Unicode text (UTF-16), or no text at all: save it as CSV UTF-8 and upload it again.",
        )


def check_hashed(rows: bytes, digits: int) -> None:
    """Refuse device ids that only lost their hyphens: each has as many digits as an MD5.

    Both platforms' ids are random UUIDs (RFC 4122, version 4), which have a 4 as their 13th digit and one of 8, 9, a
    and b as their 17th.

    Args:
        rows: clean ones, the first of the file.
        digits: of each.

    Raises:
        Rejected: they are device ids.
    """
    if digits == MD5_DIGITS and len(rows) >= _ENOUGH_ROWS * (digits + 1):
        versions, variants = rows[12 :: digits + 1], rows[16 :: digits + 1]
        if not versions.strip(b"4") and not variants.strip(b"89ab"):
            raise Rejected(
                Code.NOT_HASHED,
                "The rows are device ids that were not hashed, only written without hyphens: "
                "hash them with their hyphens, and upload the file again.",
            )


def check_tally(tally: Tally, max_rejected_ratio: float, identifier_type: IdentifierType) -> None:
    """Refuse a file of which too much is wrong.

    Raises:
        Rejected: it has no rows, no valid row, or a larger share of faulty ones than allowed.
    """
    if not tally.total:
        raise Rejected(
            Code.EMPTY_FILE, "The file is empty, but for a header at most: upload one with an identifier a line."
        )
    if tally.accepted and tally.rejected / tally.total <= max_rejected_ratio:
        return
    why = _why(tally.rejections, identifier_type)
    if not tally.accepted:
        raise Rejected(Code.NO_VALID_ROW, f"None of the rows in the file ({tally.total:,}) can be used.{why}")
    raise Rejected(
        Code.TOO_MANY_REJECTED,
        f"{tally.rejected:,} of the {tally.total:,} rows in the file cannot be used. More than "
        f"{100 * max_rejected_ratio:g} % is too many, so the audience is left as it is.{why}",
    )


def _why(rejections: tuple[Rejection, ...], identifier_type: IdentifierType) -> str:
    if not rejections:
        return " Check the file and upload it again."
    (reason, _), *_ = Counter(each.reason.value for each in rejections).most_common(1)
    first = next(each for each in rejections if each.reason.value == reason)
    fault, what_to_do = _FAULTS[reason]
    of_a_device = not identifier_type.startswith(("email", "phone"))
    advice = f"{what_to_do}{_OTHER_LENGTHS.get(first.digits or 0, '')}".format(
        algorithm="MD5" if identifier_type.length == MD5_DIGITS else "SHA-256",
        md5="use a folder that ends in _md5, or hash the ids first if they only lost their hyphens."
        if of_a_device
        else "TikTok takes e-mail addresses and phone numbers as SHA-256 only.",
    )
    return f" Most of the first ones {fault}, first in line {first.line}. {advice}"
