"""Identifier types, and the cleaning of identifiers: a byte stream becomes clean rows and counts.

A clean row is lower-case hexadecimal digits and a line feed. What can be repaired is (Windows and old Mac line ends,
upper case, blanks and quotes around, a byte order mark, a header line); what would leak a person or is no identifier
is left out and reported by line number and reason, never by its content.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from enum import StrEnum

from handler.whole_file import check_kind

# A chunk of 256 KiB and the line that an earlier one left unfinished are one block.
BLOCK_BYTES = 5 << 16
LONGEST_LINE = 512  # bytes; an identifier with blanks and quotes needs 70
MOST_REJECTIONS = 100  # reported with line and reason; the rest is only counted


class IdentifierType(StrEnum):
    """What the rows of a file are: TikTok's `calculate_type`, in lower case."""

    EMAIL_SHA256 = "email_sha256"
    PHONE_SHA256 = "phone_sha256"
    IDFA_SHA256 = "idfa_sha256"
    GAID_SHA256 = "gaid_sha256"
    FIRST_SHA256 = "first_sha256"
    IDFA_MD5 = "idfa_md5"
    GAID_MD5 = "gaid_md5"
    FIRST_MD5 = "first_md5"

    @property
    def calculate_type(self) -> str:
        """TikTok's word for it."""
        return self.value.upper()

    @property
    def length(self) -> int:
        """Hexadecimal digits of an identifier."""
        return 64 if self.value.endswith("sha256") else 32


class RejectionReason(StrEnum):
    """Why a row is left out."""

    NOT_HASHED = "not_hashed"
    WRONG_LENGTH = "wrong_length"
    NOT_HEX = "not_hex"
    MORE_THAN_ONE_COLUMN = "more_than_one_column"
    TOO_LONG = "too_long"


@dataclass(frozen=True)
class Rejection:
    """A row that is left out: where and why; `digits` is the length of one of the wrong length."""

    line: int
    reason: RejectionReason
    digits: int | None = None


@dataclass(frozen=True)
class Tally:
    """Rows so far; a header and blank lines are not rows. `rejections` are the first 100."""

    total: int = 0
    accepted: int = 0
    rejected: int = 0
    rejections: tuple[Rejection, ...] = ()


@dataclass(frozen=True)
class Progress:
    """Where reading goes on: the next byte of the (decompressed) file, its line number, and the rows before it."""

    next_byte: int = 0
    next_line: int = 1
    tally: Tally = field(default_factory=Tally)


@dataclass(frozen=True)
class Block:
    """Clean rows of some neighbouring lines, and where reading goes on after them."""

    rows: bytes
    count: int
    progress: Progress


_HEX = b"0123456789abcdef"
_LOWER = bytes.maketrans(b"ABCDEF", b"abcdef")
# Every byte to "h" if a clean row may hold it, else to "x": a fault is then found with one fast search.
_MARKS = bytes(ord("h") if byte in _HEX + b"\n" else ord("x") for byte in range(256))
_LINE_FEEDS = b"\n" * (BLOCK_BYTES // 33 + 1)
_BYTE_ORDER_MARK = b"\xef\xbb\xbf"
_BLANKS = b" \t\x0b\x0c"
_LINE_END = re.compile(rb"\r\n|\r|\n")

_SEPARATOR = re.compile(rb"[,;\t|]")
_DIGITS = re.compile(rb"[0-9a-f]+")
_PHONE = re.compile(rb"\+?[0-9][0-9 ()./-]{5,24}")
_DEVICE_ID = re.compile(rb"[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}", re.IGNORECASE)
# A name, in words that files' headers use; none of them is made of hexadecimal digits, and an address has an @.
_HEADER = re.compile(
    rb"(?=[a-z0-9 _.-]*(?:mail|phone|mobile|idfa|gaid|aaid|maid|adid|hash|sha|md5|ident|device|advertis|first|user"
    rb"|customer|\bid\b|_id\b|\bid_))[a-z][a-z0-9 _.-]{0,63}",
    re.IGNORECASE,
)


def clean(
    chunks: Iterable[bytes],
    identifier_type: IdentifierType,
    *,
    start: Progress | None = None,
    block_bytes: int = BLOCK_BYTES,
) -> Iterator[Block]:
    """Clean a file, block by block. Memory: one chunk and one block.

    Args:
        chunks: the file from `start.next_byte` on, in pieces of any size.
        identifier_type: what its rows are to be.
        start: where an earlier run stopped; the beginning if left out.
        block_bytes: largest block, in bytes of the file; more than `LONGEST_LINE` and at most `BLOCK_BYTES`.

    Raises:
        Rejected: the file is of a kind that holds no rows, such as a workbook.
    """
    progress = start or Progress()
    length = identifier_type.length
    header_possible = progress.next_byte == 0
    for consumed, block in _blocks(chunks, block_bytes):
        if progress.next_byte == 0:
            check_kind(block)
        tally, next_byte = progress.tally, progress.next_byte + consumed
        count = len(block) // (length + 1)
        # A clean block, the usual case, needs no more than two looks at it (1,470 MB/s together, MD5 does 620): every
        # line feed is where it has to be, and nothing but line feeds is left without the hexadecimal digits.
        if block[length :: length + 1] == _LINE_FEEDS[:count] == block.translate(None, _HEX) and len(block) == count * (
            length + 1
        ):
            tally = Tally(tally.total + count, tally.accepted + count, tally.rejected, tally.rejections)
            progress = Progress(next_byte, progress.next_line + count, tally)
            rows = block
            header_possible = False
        else:
            text = block.removeprefix(_BYTE_ORDER_MARK) if progress.next_byte == 0 else block
            lines = text.translate(_LOWER).splitlines()
            first = next((index for index, line in enumerate(lines) if line.strip(_BLANKS)), None)
            header = first if header_possible else None
            header_possible = header_possible and first is None
            mended, ignored, rejections = _mend(lines, length, header, progress.next_line)
            tally = Tally(
                tally.total + len(lines) - ignored,
                tally.accepted + len(mended),
                tally.rejected + len(rejections),
                (*tally.rejections, *rejections[: max(0, MOST_REJECTIONS - len(tally.rejections))]),
            )
            progress = Progress(next_byte, progress.next_line + len(lines), tally)
            rows = b"\n".join([*mended, b""])
            count = len(mended)
        yield Block(rows, count, progress)


def _mend(
    lines: list[bytes], length: int, header: int | None, first_line: int
) -> tuple[list[bytes], int, list[Rejection]]:
    """The clean rows of some lines, how many lines are no rows, and what is rejected.

    Lines of the right length are looked at together; only what is left is looked at line by line.
    """
    odd = [index for index, line in enumerate(lines) if len(line) != length]
    exact = [line for line in lines if len(line) == length] if odd else lines
    marks = b"\n".join(exact).translate(_MARKS)
    fault = marks.find(b"x")
    if fault >= 0:
        places = [index for index, line in enumerate(lines) if len(line) == length] if odd else range(len(lines))
        while fault >= 0:
            row = fault // (length + 1)
            odd.append(places[row])
            fault = marks.find(b"x", (row + 1) * (length + 1))
        odd.sort()
    elif not odd:
        return lines, 0, []
    ignored = 0
    rejections: list[Rejection] = []
    for index in odd:
        line = b"" if index == header and _HEADER.fullmatch(_bare(lines[index])) else lines[index]
        found = _judge(line, length)
        if isinstance(found, RejectionReason):
            digits = len(_bare(line)) if found is RejectionReason.WRONG_LENGTH else None
            rejections.append(Rejection(first_line + index, found, digits))
            lines[index] = b""
        else:
            ignored += not found
            lines[index] = found
    return [line for line in lines if line], ignored, rejections


def _bare(line: bytes) -> bytes:
    bare = line.strip(_BLANKS)
    if len(bare) > 1 and bare.startswith(b'"') and bare.endswith(b'"'):
        bare = bare[1:-1].strip(_BLANKS)
    return bare


def _judge(line: bytes, length: int) -> bytes | RejectionReason:
    """The row in a line that is not simply clean: repaired, empty if the line is blank, or why it is rejected."""
    if len(line) > LONGEST_LINE:
        return RejectionReason.TOO_LONG
    bare = _bare(line)
    if not bare:
        return b""
    if _DIGITS.fullmatch(bare):
        if len(bare) == length:
            return bare
        return RejectionReason.NOT_HASHED if _PHONE.fullmatch(bare) else RejectionReason.WRONG_LENGTH
    if _SEPARATOR.search(bare):
        return RejectionReason.MORE_THAN_ONE_COLUMN
    if b"@" in bare or _PHONE.fullmatch(bare) or _DEVICE_ID.fullmatch(bare):
        return RejectionReason.NOT_HASHED
    return RejectionReason.NOT_HEX


def _blocks(chunks: Iterable[bytes], block_bytes: int) -> Iterator[tuple[int, bytes]]:
    """Cut a stream at line ends: how many bytes of it, and the lines in them.

    Of a line that is longer than any row only the beginning is kept, however long the line goes on.
    """
    rest, beginning, skipped = b"", b"", 0
    for chunk in chunks:
        data = rest + chunk if rest else chunk
        at = 0
        while at < len(data):
            if not skipped:
                if end := _last_line_end(data, at, min(len(data), at + block_bytes)):
                    yield end - at, data[at:end]
                    at = end
                    continue
                if len(data) - at <= LONGEST_LINE + 1:
                    break
                beginning = data[at : at + LONGEST_LINE + len(_BYTE_ORDER_MARK) + 1]
            line_end = _LINE_END.search(data, at)
            if line_end is None or (line_end.group() == b"\r" and line_end.end() == len(data)):
                known = line_end.start() if line_end else len(data)
                skipped += known - at
                at = known
                break
            yield skipped + line_end.end() - at, beginning
            skipped, at = 0, line_end.end()
        rest = data[at:]
    if skipped:
        yield skipped + len(rest), beginning
    elif rest:
        yield len(rest), rest


def _last_line_end(data: bytes, start: int, end: int) -> int:
    """Where the last whole line ends, or 0. A carriage return counts only if what follows it is known."""
    return data.rfind(b"\n", start, end) + 1 or data.rfind(b"\r", start, end - 1) + 1
