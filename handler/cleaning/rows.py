"""The cleaning of files with one identifier per line: a byte stream becomes clean rows and counts.

A clean row is lower-case hexadecimal digits and a line feed. A row that can be repaired is repaired. A row that would
leak a person or is not an identifier is left out and reported by line number and reason, never by its content.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections import Counter
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from handler.cleaning.column_hints import ColumnHints
from handler.cleaning.counts import MAX_REJECTIONS, Progress, Rejection, RejectionReason, Tally
from handler.cleaning.empty_values import empty_value_hashes, is_null_marker
from handler.cleaning.file_rules import check_hashed
from handler.cleaning.frames import FRAMED, frame_of
from handler.cleaning.lines import BLOCK_BYTES, cut_at_line_ends
from handler.cleaning.row_repair import (
    HEX,
    LOWER_HEX,
    MAX_LINE,
    SPACES,
    Header,
    bare,
    fault_of,
    is_before_header,
    is_header,
    is_identifier,
    is_row_count,
    is_unfinished,
)
from handler.model import IdentifierType


class Block(NamedTuple):
    """Clean rows of some neighboring lines, and the position where reading continues after them."""

    rows: bytes
    accepted: int
    progress: Progress


# A block may begin with a line that an earlier one left unfinished.
MAX_BLOCK_GROWTH = MAX_LINE + 5
_RUN = 128  # rows
_LINE_FEEDS = b"\n" * (BLOCK_BYTES // 33 + MAX_BLOCK_GROWTH)
_TO_LOWER = bytes.maketrans(b"ABCDEF", b"abcdef")
_NOT_CLEAN = bytes(byte for byte in range(256) if byte not in HEX + b"\n")
_EMPTY_LINES = re.compile(rb"[\r\n]+")


def clean(
    chunks: Iterable[bytes],
    identifier_type: IdentifierType,
    *,
    start: Progress | None = None,
    block_bytes: int = BLOCK_BYTES,
    header: Header | None = None,
) -> Iterator[Block]:
    """Clean a file, block by block. Memory: one chunk, one block and its rows.

    Args:
        chunks: the file from `start.next_byte` on, in pieces of any size.
        identifier_type: the type of its rows.
        start: the position where an earlier invocation stopped; the beginning if left out.
        block_bytes: bytes of the file in a block, at most `BLOCK_BYTES`; a block may be larger by `MAX_BLOCK_GROWTH`.
        header: the file's header; None if it has none.

    Raises:
        Rejected: the rows are device ids that were not hashed.
    """
    progress = start or Progress()
    digits = identifier_type.digits
    width = digits + 1
    nothing = empty_value_hashes(digits)
    hints = ColumnHints(digits, header if header and header.delimiter else None)
    header_possible = progress.next_byte == 0
    for consumed, block in cut_at_line_ends(chunks, block_bytes, MAX_LINE, progress.next_byte):
        tally, next_byte = progress.tally, progress.next_byte + consumed
        count = len(block) // width
        # A clean block is the usual case. Two looks at it are enough, together a quarter of the time of its MD5: every
        # line feed is in its place, and without its hexadecimal digits nothing but line feeds is left.
        if (
            block[digits::width] == _LINE_FEEDS[:count] == block.translate(None, LOWER_HEX)
            and len(block) == count * width
            and not nothing.find(block)
        ):
            progress = Progress(next_byte, progress.next_line + count, tally.with_clean(count))
            rows = block
            header_possible = False
        else:
            lines = _Lines(digits, progress, header_possible, hints, header)
            rows, count = lines.read(block)
            header_possible = lines.header_possible
            progress = Progress(next_byte, lines.line, lines.counted(tally))
        check_hashed(rows, digits)
        yield Block(rows, count, progress)


class _Lines:
    """The lines of a block that is not simply clean.

    Attributes:
        line: the number of the next line.
        header_possible: True until the first row of the file.
    """

    def __init__(
        self, digits: int, progress: Progress, header_possible: bool, hints: ColumnHints, header: Header | None
    ) -> None:
        self.line = progress.next_line
        self.header_possible = header_possible
        self._digits = digits
        self._before = progress.tally
        self._hints = hints
        self._header = header
        self._one_column = header is None or not header.delimiter
        self._room = MAX_REJECTIONS - len(progress.tally.rejections)
        self._runs: list[bytes] = []
        self._starts: list[tuple[int, int]] = []  # row index and line of each run of neighboring rows
        self._accepted = 0
        self._only_line_ends = True  # nothing else surrounds the digits
        self._null_markers = 0
        self._cut_off = False
        self._faults: Counter[str] = Counter()
        self._rejections: list[Rejection] = []

    def read(self, text: bytes) -> tuple[bytes, int]:
        """Return the clean rows and their number.

        Clean rows are taken in runs, and only the lines between are looked at one by one. With one faulty row in a
        hundred this costs less than a tenth of the time of looking at each line.
        """
        if b"\n" not in text:
            text = text.replace(b"\r", b"\n")
        at = 0
        while at < len(text):
            rows, width = self._run(text, at)
            if rows:
                end = at + rows * width
                self._take(text[at:end], rows)
                self.line += rows
                at = end
            if empty := _EMPTY_LINES.match(text, at):
                ends = empty.group()
                self.line += ends.count(b"\n") + ends.count(b"\r") - ends.count(b"\r\n")
                at = empty.end()
            elif rows < _RUN:
                end = text.find(b"\n", at) + 1 or len(text)
                for line in text[at:end].splitlines(keepends=True):
                    self._judge(line)
                    self.line += 1
                at = end
        return self._without_nothing(self._joined())

    def counted(self, before: Tally) -> Tally:
        """Return the file's tally with the rows of this block."""
        rejected = self._faults.total()
        if not (rejected or self._null_markers):
            return before.with_clean(self._accepted)
        by_reason = Counter(before.rejected_by_reason)
        by_reason.update(self._faults)
        return before._replace(
            total=before.total + self._accepted + rejected,
            accepted=before.accepted + self._accepted,
            rejected=before.rejected + rejected,
            rejections=(*before.rejections, *self._rejections),
            rejected_by_reason=dict(by_reason),
            null_markers=before.null_markers + self._null_markers,
            cut_off=self._cut_off,
            several=self._hints.found() or before.several,
        )

    def _take(self, rows: bytes, count: int) -> None:
        if not self._starts or self._accepted - self._starts[-1][0] != self.line - self._starts[-1][1]:
            self._starts.append((self._accepted, self.line))
        self._runs.append(rows)
        self._accepted += count
        self.header_possible = False

    def _run(self, text: bytes, at: int) -> tuple[int, int]:
        """Return how many rows from `at` on are surely clean within the first one's frame, up to 128; and their width.

        A frame is what surrounds the digits: a line end, quotes, a prefix, a delimiter at the end.
        """
        first = FRAMED[self._digits].match(text, at)
        if not first:
            return 0, 0
        before, after = first.groups()
        frame = frame_of(before, after, self._digits, self._one_column)
        if frame is None:
            return 0, 0
        rest_of_row, places = frame
        self._only_line_ends = self._only_line_ends and len(before + after.rstrip(b"\r\n")) == 0
        width = first.end() - at
        feeds = text[at + width - 1 : at + _RUN * width : width]
        rows = len(feeds) - len(feeds.lstrip(b"\n"))
        while rows:
            run = text[at : at + rows * width]
            # Rows are clean if nothing but their frames is left without the digits, and every byte of the frames is in
            # its place. The line feeds are: the row count comes from them.
            rest = run.translate(None, HEX)
            if rest == rest_of_row * rows and all(run[place::width] == byte * rows for place, byte in places):
                break
            # The fault is in the first row with another frame. If there is none, two short lines may look like one row.
            unbroken = (len(rest) - len(rest.lstrip(rest_of_row))) // len(rest_of_row)
            rows = unbroken if unbroken < rows else rows // 2
        return rows, width

    def _judge(self, line: bytes) -> None:
        """Repair a line, skip it if it is empty, a NULL marker, the header or around the rows, or reject it."""
        content = line.rstrip(b"\r\n")
        last = len(line) == len(content)
        if len(content) > MAX_LINE:
            content = content.rstrip(SPACES)  # SQL*Plus fills up each line with them
        # Nothing surrounds plain letters and digits, except a prefix. Faulty rows are often no more than that.
        plain = content.isalnum() and content[1:2] not in b"xX"
        text = content if plain else bare(content, one_column=self._one_column)
        if len(content) > MAX_LINE:
            if self.header_possible and not self._one_column:
                self.header_possible = False
                return
        elif not text:
            return
        elif is_identifier(text, self._digits):
            self._take(text + b"\n", 1)
            return
        elif self._is_skipped(text):
            return
        elif last and self._complete and is_unfinished(content, self._digits):
            self._cut_off = True
            self._reject(self.line, RejectionReason.CUT_OFF)
            return
        self.header_possible = False
        reason = fault_of(content, text)
        if reason is RejectionReason.MORE_THAN_ONE_COLUMN:
            self._hints.add(content[:MAX_LINE])
        self._reject(self.line, reason, len(text) if reason is RejectionReason.WRONG_LENGTH else None)

    @property
    def _complete(self) -> bool:
        """True once a whole row was seen."""
        return self._before.accepted + self._before.empty_value_rows + self._accepted > 0

    def _is_skipped(self, text: bytes) -> bool:
        """Return True for NULL markers, the header, and what stands around the rows of a query or a joined file.

        A header in any words may be no header, but the first of many faulty rows. So where a file was joined on, it is
        skipped only after a row.
        """
        if is_null_marker(text):
            self._null_markers += 1
            return True
        if self.header_possible and is_header(text):
            self.header_possible = is_before_header(text)
            return True
        header = self._header
        around = header and (text == header.ruler or (text == header.text and self._complete))
        return bool(around) or is_row_count(text)

    def _reject(self, line: int, reason: RejectionReason, digits: int | None = None) -> None:
        self._faults[reason.value] += 1
        if len(self._rejections) < self._room:
            self._rejections.append(Rejection(line, reason, digits=digits))

    def _joined(self) -> bytes:
        rows = b"".join(self._runs)
        if self._only_line_ends:  # the usual case, faster than a translation
            return rows.replace(b"\r", b"").lower()
        if b"x" in rows or b"X" in rows:  # only in a prefix
            rows = rows.replace(b"0x", b"").replace(b"0X", b"")
        return rows.translate(_TO_LOWER, _NOT_CLEAN)

    def _without_nothing(self, rows: bytes) -> tuple[bytes, int]:
        """Leave out hashes of nothing, and report them among the other faults in the order of their lines."""
        found = empty_value_hashes(self._digits).find(rows)
        if found:
            others, self._rejections = self._rejections, []
            for index in found:
                first, line = self._starts[bisect_right(self._starts, (index, self.line)) - 1]
                self._reject(line + index - first, RejectionReason.HASH_OF_NOTHING)
            self._rejections = sorted([*others, *self._rejections], key=lambda each: each.line)[: self._room]
            width = self._digits + 1
            ends = [*(index * width for index in found), len(rows)]
            starts = [0, *((index + 1) * width for index in found)]
            rows = b"".join(rows[start:end] for start, end in zip(starts, ends, strict=True))
            self._accepted -= len(found)
        return rows, self._accepted
