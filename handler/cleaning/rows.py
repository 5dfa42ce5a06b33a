"""Identifier types, and the cleaning of identifiers: a byte stream becomes clean rows and counts.

A clean row is lower-case hexadecimal digits and a line feed. What can be repaired is (Windows and old Mac line ends,
upper case, blanks and quotes around, a byte order mark, a header line); what would leak a person or is no identifier
is left out and reported by line number and reason, never by its content.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from handler.cleaning.counts import MAX_REJECTIONS, Progress, Rejection, RejectionReason, Tally
from handler.cleaning.file_rules import check_hashed, checked
from handler.cleaning.lines import BYTE_ORDER_MARK, LONGEST_LINE, cut_at_line_ends
from handler.model import IdentifierType

# A chunk of 256 KiB and the line that an earlier one left unfinished are one block.
BLOCK_BYTES = 5 << 16


@dataclass(frozen=True)
class Block:
    """Clean rows of some neighbouring lines, and where reading goes on after them."""

    rows: bytes
    count: int
    progress: Progress


# What a row can be framed by and still be taken in runs: before its digits, and after.
_FRAMES = [(b"", b"\n"), (b"", b"\r\n"), (b'"', b'"\n'), (b'"', b'"\r\n')]
_RUN = 128  # rows
_LOWER_HEX = b"0123456789abcdef"
_HEX = b"0123456789abcdefABCDEF"
_LINE_FEEDS = b"\n" * (BLOCK_BYTES // 33 + 1)
_BLANKS = b" \t\x0b\x0c"

_SEPARATOR = re.compile(rb"[,;\t|]")
_PHONE = re.compile(rb"\+?\(?[0-9][0-9 ()./-]{5,24}")
_DEVICE_ID = re.compile(rb"[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}", re.IGNORECASE)
# A name, in words that files' headers use. None of them is made of hexadecimal digits; an address, however it is
# disguised, and a number are no names.
_HEADER = re.compile(
    rb"(?!.*(?:[0-9]{5}|\(at\)| at |\.(?:com|net|org)$))"
    rb"(?=.*(?:mail(?!to)|phone|telefon|mobile|handy|correo|idfa|gaid|aaid|adid|hash|ident|device|advertis|column|value"
    rb"|(?<![a-z])(?:sha|md5|maid|hem|tel|cell|ids?|uid|first|user|userid|customer|customerid)(?![a-z])))"
    rb"[a-z_$#'\[\x80-\xff][a-z0-9 _.:()/'$#\[\]\x80-\xff-]{0,63}",
    re.IGNORECASE,
)
_BLANK_LINES = re.compile(rb"[\r\n]+")


def clean(
    chunks: Iterable[bytes],
    identifier_type: IdentifierType,
    *,
    start: Progress | None = None,
    block_bytes: int = BLOCK_BYTES,
) -> Iterator[Block]:
    """Clean a file, block by block. Memory: one chunk, one block and its rows.

    Args:
        chunks: the file from `start.next_byte` on, in pieces of any size.
        identifier_type: what its rows are to be.
        start: where an earlier run stopped; the beginning if left out.
        block_bytes: largest block, in bytes of the file: 520 to `BLOCK_BYTES`.

    Raises:
        Rejected: the file is of a kind that holds no rows, such as a workbook, or its rows are no hashes.
    """
    progress = start or Progress()
    length = identifier_type.length
    width = length + 1
    header_possible = progress.next_byte == 0
    seen = progress.tally.accepted > 0
    if progress.next_byte == 0:
        chunks = checked(chunks)
    for consumed, block in cut_at_line_ends(chunks, block_bytes):
        tally, next_byte = progress.tally, progress.next_byte + consumed
        count = len(block) // width
        # A clean block, the usual case, needs no more than two looks at it, together a quarter of its MD5's time: every
        # line feed is where it has to be, and nothing but line feeds is left without the hexadecimal digits.
        if (
            block[length::width] == _LINE_FEEDS[:count] == block.translate(None, _LOWER_HEX)
            and len(block) == count * width
        ):
            tally = Tally(tally.total + count, tally.accepted + count, tally.rejected, tally.rejections)
            progress = Progress(next_byte, progress.next_line + count, tally)
            rows = block
            header_possible = False
        else:
            found = _Found(length, progress.next_line, MAX_REJECTIONS - len(tally.rejections), header_possible)
            found.read((block.removeprefix(BYTE_ORDER_MARK) or b"\n") if progress.next_byte == 0 else block)
            header_possible = found.header_possible
            tally = Tally(
                tally.total + found.accepted + found.rejected,
                tally.accepted + found.accepted,
                tally.rejected + found.rejected,
                (*tally.rejections, *found.rejections) if found.rejections else tally.rejections,
            )
            progress = Progress(next_byte, found.line, tally)
            rows, count = found.rows(), found.accepted
        if count and not seen:
            check_hashed(rows, length)
            seen = True
        yield Block(rows, count, progress)


class _Found:
    """What the lines of a block hold that is not simply clean.

    Attributes:
        line: number of the next line.
        header_possible: whether no row has been seen in the file yet.
        accepted: clean rows.
        rejected: rows left out; `rejections` are those for which there is still room.
    """

    def __init__(self, length: int, line: int, room: int, header_possible: bool) -> None:
        self.line = line
        self.header_possible = header_possible
        self.accepted = self.rejected = 0
        self.rejections: list[Rejection] = []
        self._length = length
        self._room = room
        self._runs: list[bytes] = []

    def rows(self) -> bytes:
        """The clean rows; what frames them is all that they have besides digits."""
        return b"".join(self._runs).replace(b"\r", b"").replace(b'"', b"").lower()

    def read(self, text: bytes) -> None:
        """Take the clean rows in runs, and look one by one only at the lines between.

        With one faulty row in a hundred this costs less than a tenth of what looking at each line would: with Windows
        line ends and upper case besides, about as much as the MD5 of the file.
        """
        if b"\n" not in text:
            text = text.replace(b"\r", b"\n")
        at = 0
        while at < len(text):
            rows, width = _run(text, at, self._length)
            if rows:
                end = at + rows * width
                self._runs.append(text[at:end])
                self.accepted += rows
                self.line += rows
                self.header_possible = False
                at = end
            if blank := _BLANK_LINES.match(text, at):
                ends = blank.group()
                self.line += ends.count(b"\n") + ends.count(b"\r") - ends.count(b"\r\n")
                at = blank.end()
            elif rows < _RUN:
                end = text.find(b"\n", at) + 1 or len(text)
                for line in text[at:end].splitlines():
                    self._judge(line)
                    self.line += 1
                at = end

    def _judge(self, line: bytes) -> None:
        """Repair a line, pass over it if it is blank or the header, or reject it."""
        bare = _bare(line)
        if len(line) <= LONGEST_LINE:
            if not bare:
                return
            if len(bare) == self._length and not bare.translate(None, _HEX):
                self._runs.append(bare + b"\n")
                self.accepted += 1
                self.header_possible = False
                return
            if self.header_possible and _HEADER.fullmatch(bare):
                self.header_possible = False
                return
        self.header_possible = False
        self.rejected += 1
        if len(self.rejections) < self._room:
            reason = _reason(line, bare)
            digits = len(bare) if reason is RejectionReason.WRONG_LENGTH else None
            self.rejections.append(Rejection(self.line, reason, digits))


def _run(text: bytes, at: int, length: int) -> tuple[int, int]:
    """How many rows from `at` on are surely clean and framed as the first is, at most `_RUN`; and how wide each is."""
    for before, after in _FRAMES:
        digits_end = len(before) + length
        width = digits_end + len(after)
        if text.startswith(after, at + digits_end) and text.startswith(before, at):
            break
    else:
        return 0, 0
    frame = before + after
    if text[at : at + width].translate(None, _HEX) != frame:
        return 0, 0  # a file of nothing but faulty lines would take ten times as long without this
    feeds = text[at + width - 1 : at + _RUN * width : width]
    rows = len(feeds) - len(feeds.lstrip(b"\n"))
    while rows:
        run = text[at : at + rows * width]
        # Clean are rows that without their digits are nothing but their frames, if those stand right before and after
        # the digits; a carriage return has no other place then than between.
        rest = run.translate(None, _HEX)
        if (
            rest == frame * rows
            and run[digits_end::width] == after[:1] * rows
            and (not before or run[::width] == before * rows)
        ):
            break
        # A fault is in the row whose frame is not the next, or else somewhere: two short lines can end as one row does.
        unbroken = (len(rest) - len(rest.lstrip(frame))) // len(frame)
        rows = unbroken if unbroken < rows else rows // 2
    return rows, width


def _bare(line: bytes) -> bytes:
    bare = line.strip(_BLANKS)
    if len(bare) > 1 and bare.startswith(b'"') and bare.endswith(b'"'):
        bare = bare[1:-1].strip(_BLANKS)
    return bare


def _reason(line: bytes, bare: bytes) -> RejectionReason:
    if len(line) > LONGEST_LINE:
        return RejectionReason.TOO_LONG
    if _PHONE.fullmatch(bare) or _DEVICE_ID.fullmatch(bare):
        return RejectionReason.NOT_HASHED
    if not bare.translate(None, _HEX):
        return RejectionReason.WRONG_LENGTH
    if _SEPARATOR.search(bare):
        return RejectionReason.MORE_THAN_ONE_COLUMN
    return RejectionReason.NOT_HASHED if b"@" in bare else RejectionReason.NOT_HEX
