"""Cleaning of files with one identifier per line: turns a byte stream into clean rows and counts.

A clean row consists of lower-case hexadecimal digits and a line feed. Rows are repaired where possible. Rows that
cannot be repaired, and hashes of empty values, are left out and reported by line number and reason, never by content.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections import Counter
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from handler.cleaning.column_hints import ColumnHintCollector
from handler.cleaning.counts import MAX_REJECTIONS, Progress, Rejection, RejectionReason, Tally
from handler.cleaning.empty_values import empty_value_hashes, is_null_marker
from handler.cleaning.file_rules import check_hashed
from handler.cleaning.lines import BLOCK_BYTES, cut_at_line_ends
from handler.cleaning.row_pattern import ROW_PATTERNS, frame_of
from handler.cleaning.row_repair import (
    HEX,
    LOWER_HEX,
    MAX_LINE,
    SPACES,
    Header,
    fault_of,
    is_cut_off,
    is_header,
    is_identifier,
    is_row_count,
    may_precede_header,
    stripped,
)
from handler.model import IdentifierType


class Block(NamedTuple):
    """The clean rows of consecutive lines, the number of these rows, and the progress after the lines."""

    rows: bytes
    accepted: int
    progress: Progress


# A block can begin with the rest of a line from the previous block.
MAX_BLOCK_GROWTH = MAX_LINE + 5
_MAX_RUN_ROWS = 128
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
    """Clean a file block by block. Only one chunk, one block and its rows are in memory.

    Args:
        chunks: the file from `start.next_byte` on, in pieces of any size.
        identifier_type: the identifier type of the file.
        start: the position where an earlier invocation stopped; by default the beginning of the file.
        block_bytes: the block size, at most `BLOCK_BYTES`. A block can be larger by `MAX_BLOCK_GROWTH`.
        header: the file's header row; None if it has none.

    Raises:
        Rejected: the rows are device ids that are not hashed.
    """
    progress = start or Progress()
    digits = identifier_type.digits
    width = digits + 1
    empty_hashes = empty_value_hashes(digits)
    hints = ColumnHintCollector(digits, header if header and header.delimiter else None)
    header_possible = progress.next_byte == 0
    for consumed, block in cut_at_line_ends(chunks, block_bytes, MAX_LINE, progress.next_byte):
        tally, next_byte = progress.tally, progress.next_byte + consumed
        count = len(block) // width
        # Most blocks are clean. The first two checks take a quarter of the time that computing the block's MD5 takes:
        # every line feed is in its place, and only line feeds remain after lower-case hexadecimal digits are removed.
        if (
            block[digits::width] == _LINE_FEEDS[:count] == block.translate(None, LOWER_HEX)
            and len(block) == count * width
            and not empty_hashes.find(block)
        ):
            progress = Progress(next_byte, progress.next_line + count, tally.with_accepted(count))
            rows = block
            header_possible = False
        else:
            cleaner = _LineCleaner(digits, progress, header_possible, hints, header)
            rows, count = cleaner.clean(block)
            header_possible = cleaner.header_possible
            progress = Progress(next_byte, cleaner.line, cleaner.updated(tally))
        check_hashed(rows, digits)
        yield Block(rows, count, progress)


class _LineCleaner:
    """Cleans the lines of a block that is not entirely clean.

    Attributes:
        line: the number of the next line.
        header_possible: True if the next line can be the header row.
    """

    def __init__(
        self, digits: int, progress: Progress, header_possible: bool, hints: ColumnHintCollector, header: Header | None
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
        self._starts: list[tuple[int, int]] = []  # first row index and line number of rows on consecutive lines
        self._accepted = 0
        self._only_line_ends = True  # the frames of all runs consist of line ends
        self._null_markers = 0
        self._cut_off = False
        self._faults: Counter[str] = Counter()
        self._rejections: list[Rejection] = []

    def clean(self, text: bytes) -> tuple[bytes, int]:
        """Return the clean rows and their number.

        Valid rows are accepted in runs, and only the lines between runs are examined one by one. With one faulty row in
        a hundred, this takes less than a tenth of the time of examining every line.
        """
        if b"\n" not in text:
            text = text.replace(b"\r", b"\n")
        at = 0
        while at < len(text):
            rows, width = self._find_run(text, at)
            if rows:
                end = at + rows * width
                self._accept(text[at:end], rows)
                self.line += rows
                at = end
            if empty := _EMPTY_LINES.match(text, at):
                ends = empty.group()
                self.line += ends.count(b"\n") + ends.count(b"\r") - ends.count(b"\r\n")
                at = empty.end()
            elif rows < _MAX_RUN_ROWS:
                end = text.find(b"\n", at) + 1 or len(text)
                for line in text[at:end].splitlines(keepends=True):
                    self._clean_line(line)
                    self.line += 1
                at = end
        return self._without_empty_values(self._join_runs())

    def updated(self, before: Tally) -> Tally:
        """Return the file's counts with the rows of this block added."""
        rejected = self._faults.total()
        if not (rejected or self._null_markers):
            return before.with_accepted(self._accepted)
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
            column_hints=self._hints.hints() or before.column_hints,
        )

    def _accept(self, rows: bytes, count: int) -> None:
        if not self._starts or self._accepted - self._starts[-1][0] != self.line - self._starts[-1][1]:
            self._starts.append((self._accepted, self.line))
        self._runs.append(rows)
        self._accepted += count
        self.header_possible = False

    def _find_run(self, text: bytes, at: int) -> tuple[int, int]:
        """Return the number of valid rows from `at` on that have the same frame, at most 128, and their width in bytes.

        A frame is everything around the digits: spaces, quotes, prefix, trailing delimiters and line end.
        """
        first = ROW_PATTERNS[self._digits].match(text, at)
        if not first:
            return 0, 0
        before, after = first.groups()
        frame = frame_of(before, after, self._digits, self._one_column)
        if frame is None:
            return 0, 0
        frame_bytes, places = frame
        self._only_line_ends = self._only_line_ends and len(before + after.rstrip(b"\r\n")) == 0
        width = first.end() - at
        line_feeds = text[at + width - 1 : at + _MAX_RUN_ROWS * width : width]
        rows = len(line_feeds) - len(line_feeds.lstrip(b"\n"))
        while rows:
            run = text[at : at + rows * width]
            # Rows are valid if only their frames remain after all hexadecimal digits are removed, and every byte of the
            # frames is in its place. Line feeds need no check, because `rows` was counted from them.
            rest = run.translate(None, HEX)
            if rest == frame_bytes * rows and all(run[place::width] == byte * rows for place, byte in places):
                break
            # Try again with the rows before the first different frame. If all frames are equal, two short lines may
            # look like one row. In that case, try again with half of the rows.
            equal = (len(rest) - len(rest.lstrip(frame_bytes))) // len(frame_bytes)
            rows = equal if equal < rows else rows // 2
        return rows, width

    def _clean_line(self, line: bytes) -> None:
        """Repair a line, reject it, or skip it if it is not a row."""
        content = line.rstrip(b"\r\n")
        last = len(line) == len(content)
        if len(content) > MAX_LINE:
            content = content.rstrip(SPACES)  # SQL*Plus pads lines with spaces
        # A line of letters and digits has nothing to strip except a prefix. Many faulty rows are such lines.
        alphanumeric = content.isalnum() and content[1:2] not in b"xX"
        text = content if alphanumeric else stripped(content, one_column=self._one_column)
        if len(content) > MAX_LINE:
            if self.header_possible and not self._one_column:
                self.header_possible = False
                return
        elif not text:
            return
        elif is_identifier(text, self._digits):
            self._accept(text + b"\n", 1)
            return
        elif self._is_skipped(text):
            return
        elif last and self._row_seen and is_cut_off(content, self._digits):
            self._cut_off = True
            self._reject(self.line, RejectionReason.CUT_OFF)
            return
        self.header_possible = False
        reason = fault_of(content, text)
        if reason is RejectionReason.MORE_THAN_ONE_COLUMN:
            self._hints.add(content[:MAX_LINE])
        self._reject(self.line, reason, len(text) if reason is RejectionReason.WRONG_LENGTH else None)

    @property
    def _row_seen(self) -> bool:
        """True after the first complete row of the file."""
        return self._before.accepted + self._before.empty_value_rows + self._accepted > 0

    def _is_skipped(self, text: bytes) -> bool:
        """Return True for NULL markers, header rows, and lines that query tools print around rows. Count NULL markers.

        Concatenated files repeat the header row. A repetition is skipped only after a complete row, because without one
        the supposed header row may be the first of many identical faulty rows.
        """
        if is_null_marker(text):
            self._null_markers += 1
            return True
        if self.header_possible and is_header(text):
            self.header_possible = may_precede_header(text)
            return True
        header = self._header
        repeated = header and (text == header.underline or (text == header.text and self._row_seen))
        return bool(repeated) or is_row_count(text)

    def _reject(self, line: int, reason: RejectionReason, digits: int | None = None) -> None:
        self._faults[reason.value] += 1
        if len(self._rejections) < self._room:
            self._rejections.append(Rejection(line, reason, digits=digits))

    def _join_runs(self) -> bytes:
        rows = b"".join(self._runs)
        if self._only_line_ends:  # the most common case, and faster than `translate`
            return rows.replace(b"\r", b"").lower()
        if b"x" in rows or b"X" in rows:  # only in prefixes
            rows = rows.replace(b"0x", b"").replace(b"0X", b"")
        return rows.translate(_TO_LOWER, _NOT_CLEAN)

    def _without_empty_values(self, rows: bytes) -> tuple[bytes, int]:
        """Return the rows without hashes of empty values, and their number. Add the rejections in line order."""
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
