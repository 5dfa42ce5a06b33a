"""What makes a whole file unfit, as sentences for a marketer: it is of another kind, or too much of it is wrong."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from handler.errors import Code, Rejected

if TYPE_CHECKING:
    from handler.identifiers import Rejection, Tally

HEAD_BYTES = 1 << 16  # a workbook names its parts in them, however it was made
_UTF16 = "The file is Unicode text (UTF-16): save it as CSV UTF-8 and upload it again."
_WORKBOOK = "The file is an Excel workbook: save the sheet as CSV and upload that."
_KINDS = [
    (b"\xff\xfe", Code.UTF16, _UTF16),
    (b"\xfe\xff", Code.UTF16, _UTF16),
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
    "not_hashed": (
        "are not hashed",
        "Hash the identifiers before you upload them, with SHA-256 or MD5 as the folder's name says.",
    ),
    "wrong_length": (
        "have too few or too many digits",
        "Check that the folder names the identifier type of the file.",
    ),
    "not_hex": ("are no hashes", "Upload hashes as hexadecimal digits (0-9, a-f), one a line."),
    "more_than_one_column": ("have more than one column", "Upload the column of identifiers alone."),
    "too_long": ("are longer than any identifier", "Upload one identifier a line."),
}
_OTHER_LENGTHS = {
    32: " Hashes of 32 digits are MD5, which TikTok takes for idfa_md5, gaid_md5 and first_md5.",
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


def check_tally(tally: Tally, max_rejected_ratio: float) -> None:
    """Refuse a file of which too much is wrong.

    Raises:
        Rejected: it has no rows, no valid row, or a larger share of faulty ones than allowed.
    """
    if not tally.total:
        raise Rejected(
            Code.EMPTY_FILE, "The file is empty, but for a header at most: upload one with an identifier a line."
        )
    if tally.rejected <= max_rejected_ratio * tally.total and tally.accepted:
        return
    why = _why(tally.rejections)
    if not tally.accepted:
        raise Rejected(Code.NO_VALID_ROW, f"None of the rows in the file ({tally.total:,}) can be used.{why}")
    raise Rejected(
        Code.TOO_MANY_REJECTED,
        f"{tally.rejected:,} of the {tally.total:,} rows in the file cannot be used. More than "
        f"{100 * max_rejected_ratio:g} % is too many, so the audience is left as it is.{why}",
    )


def _why(rejections: tuple[Rejection, ...]) -> str:
    if not rejections:
        return " Check the file and upload it again."
    (reason, _), *_ = Counter(each.reason.value for each in rejections).most_common(1)
    first = next(each for each in rejections if each.reason.value == reason)
    fault, what_to_do = _FAULTS[reason]
    return (
        f" Most often they {fault}, first in line {first.line}. {what_to_do}{_OTHER_LENGTHS.get(first.digits or 0, '')}"
    )
