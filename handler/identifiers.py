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
# Every byte to "h" if a clean row may hold it, else to "x": a fault is then found with one fast search.
_MARKS = bytes(ord("h") if byte in _HEX + b"\n" else ord("x") for byte in range(256))
_LINE_FEEDS = b"\n" * (BLOCK_BYTES // 33 + 1)
_RUN = 128
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
            text = _plain(block.removeprefix(_BYTE_ORDER_MARK) if progress.next_byte == 0 else block)
            found = _mend(text, length, progress.next_line, header_possible=header_possible)
            header_possible = found.header_possible
            room = MOST_REJECTIONS - len(tally.rejections)
            tally = Tally(
                tally.total + found.count + len(found.rejections),
                tally.accepted + found.count,
                tally.rejected + len(found.rejections),
                (*tally.rejections, *found.rejections[:room]) if found.rejections and room else tally.rejections,
            )
            progress = Progress(next_byte, progress.next_line + found.lines, tally)
            rows, count = b"".join(found.rows), found.count
        yield Block(rows, count, progress)


def _plain(block: bytes) -> bytes:
    """The same lines with line feeds and lower-case digits."""
    # Splitting and joining is faster than replacing, and knows every kind of line end.
    text = b"\n".join([*block.splitlines(), b""]) if b"\r" in block else block
    return text.lower()


@dataclass
class _Found:
    """What some lines hold."""

    header_possible: bool
    rows: list[bytes] = field(default_factory=list)
    count: int = 0
    lines: int = 0
    rejections: list[Rejection] = field(default_factory=list)


def _mend(text: bytes, length: int, first_line: int, *, header_possible: bool) -> _Found:
    """Take the clean rows from some lines as they stand, in runs, and look at the others one by one.

    A run is as far as line feeds are where clean rows have them, at most `_RUN` rows; with one faulty row in a
    hundred this costs a fifth of what looking at each line would.
    """
    width = length + 1
    found = _Found(header_possible)
    at = 0
    while at < len(text):
        feeds = text[at + length : at + _RUN * width : width]
        rows = len(feeds) - len(feeds.lstrip(b"\n"))
        run = text[at : at + rows * width]
        faulty = not rows or run.translate(None, _HEX) != _LINE_FEEDS[:rows]
        if faulty:
            rows = _clean_rows(run, width)
            run = run[: rows * width]
        if rows:
            found.rows.append(run)
            found.count += rows
            found.lines += rows
            found.header_possible = False
            at += len(run)
        if faulty and at < len(text):
            end = text.find(b"\n", at)
            line = text[at : end if end >= 0 else len(text)]
            _judge(line, length, first_line + found.lines, found)
            found.lines += 1
            at += len(line) + 1
    return found


def _clean_rows(run: bytes, width: int) -> int:
    """How many rows at the beginning of a run are surely clean.

    One has another character, or two short lines end where one row does.
    """
    fault = run.translate(_MARKS).find(b"x")
    clean_rows = fault // width if fault >= 0 else len(run) // width
    while run.count(b"\n", 0, clean_rows * width) != clean_rows:
        clean_rows //= 2
    return clean_rows


def _bare(line: bytes) -> bytes:
    bare = line.strip(_BLANKS)
    if len(bare) > 1 and bare.startswith(b'"') and bare.endswith(b'"'):
        bare = bare[1:-1].strip(_BLANKS)
    return bare


def _judge(line: bytes, length: int, number: int, found: _Found) -> None:
    """Repair a line that is not simply clean, pass over it if it is blank or the header, or reject it."""
    bare = _bare(line)
    if not bare and len(line) <= LONGEST_LINE:
        return
    is_header = found.header_possible and _HEADER.fullmatch(bare)
    found.header_possible = False
    if is_header:
        return
    if len(bare) == length and _DIGITS.fullmatch(bare) and len(line) <= LONGEST_LINE:
        found.rows.append(bare + b"\n")
        found.count += 1
        return
    reason = _reason(line, bare)
    digits = len(bare) if reason is RejectionReason.WRONG_LENGTH else None
    found.rejections.append(Rejection(number, reason, digits))


def _reason(line: bytes, bare: bytes) -> RejectionReason:
    if len(line) > LONGEST_LINE:
        return RejectionReason.TOO_LONG
    if _PHONE.fullmatch(bare) or _DEVICE_ID.fullmatch(bare):
        return RejectionReason.NOT_HASHED
    if _DIGITS.fullmatch(bare):
        return RejectionReason.WRONG_LENGTH
    if _SEPARATOR.search(bare):
        return RejectionReason.MORE_THAN_ONE_COLUMN
    return RejectionReason.NOT_HASHED if b"@" in bare else RejectionReason.NOT_HEX


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
