"""What makes a whole file unfit, as sentences for a marketer: it is of another kind, or too much of it is wrong."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from handler.errors import Code, Rejected

if TYPE_CHECKING:
    from handler.identifiers import Rejection, Tally

_WORKBOOK = "The file is an Excel workbook: save the sheet as CSV and upload that."
_KINDS: list[tuple[bytes, Code, str]] = [
    (b"\xff\xfe", Code.UTF16, "The file is encoded as UTF-16: save it as CSV in UTF-8 and upload it again."),
    (b"\xfe\xff", Code.UTF16, "The file is encoded as UTF-16: save it as CSV in UTF-8 and upload it again."),
    (b"PAR1", Code.PARQUET, "The file is Parquet: export it as CSV, one identifier a line, and upload it again."),
    (b"\xd0\xcf\x11\xe0", Code.EXCEL_WORKBOOK, "The file is an Excel workbook: save the sheet as CSV and upload that."),
    (
        b"\x1f\x8b",
        Code.BROKEN_GZIP,
        "The file is compressed with gzip: let its name end in .gz and upload it again.",
    ),
]
_ZIP = (b"PK\x03\x04", b"PK\x05\x06")
_WHAT_TO_DO = {
    "not_hashed": "Hash the identifiers with SHA-256 before you upload them.",
    "wrong_length": "Check that the folder names the identifier type of the file.",
    "not_hex": "Upload hashes as hexadecimal digits, one a line.",
    "more_than_one_column": "Upload one column only, without other data.",
    "too_long": "Upload one identifier a line.",
}
_OTHER_LENGTHS = {
    32: " Hashes of 32 digits are MD5, which TikTok takes for idfa_md5, gaid_md5 and first_md5.",
    64: " Hashes of 64 digits are SHA-256: use a folder that ends in _sha256.",
    40: " Hashes of 40 digits are SHA-1, which TikTok does not take.",
}


def check_kind(head: bytes) -> None:
    """Refuse what is no text file of identifiers by the way it begins.

    Raises:
        Rejected: a workbook, Parquet, an archive, UTF-16.
    """
    for beginning, code, reason in _KINDS:
        if head.startswith(beginning):
            raise Rejected(code, reason)
    if head.startswith(_ZIP):
        if b"[Content_Types].xml" in head or b"xl/" in head:
            raise Rejected(Code.EXCEL_WORKBOOK, "The file is an Excel workbook: save the sheet as CSV and upload that.")
        raise Rejected(Code.ZIP_ARCHIVE, "The file is a zip archive: unzip it, or use .gz, and upload it again.")
    # UTF-16 without its mark: every other byte of plain text is zero.
    if b"\0" in head[:8]:
        raise Rejected(Code.UTF16, "The file is encoded as UTF-16, or is no text: save it as CSV in UTF-8.")


def check_tally(tally: Tally, max_rejected_ratio: float) -> None:
    """Refuse a file of which too much is wrong.

    Raises:
        Rejected: it has no rows, no valid row, or a larger share of faulty ones than allowed.
    """
    if not tally.total:
        raise Rejected(Code.EMPTY_FILE, "The file is empty: upload one with an identifier a line.")
    if tally.rejected <= max_rejected_ratio * tally.total and tally.accepted:
        return
    why = _why(tally.rejections)
    if not tally.accepted:
        raise Rejected(Code.NO_VALID_ROW, f"None of the file's {tally.total:,} rows is an identifier of its type.{why}")
    raise Rejected(
        Code.TOO_MANY_REJECTED,
        f"{tally.rejected:,} of the file's {tally.total:,} rows are faulty, more than the {max_rejected_ratio:.0%} "
        f"that are left out without refusing the file.{why}",
    )


def _why(rejections: tuple[Rejection, ...]) -> str:
    if not rejections:
        return " Check the file and upload it again."
    (reason, _), *_ = Counter(each.reason.value for each in rejections).most_common(1)
    first = next(each for each in rejections if each.reason.value == reason)
    lengths = _OTHER_LENGTHS.get(first.digits or 0, "")
    return f" Most often: {reason.replace('_', ' ')}, first in line {first.line}. {_WHAT_TO_DO[reason]}{lengths}"
