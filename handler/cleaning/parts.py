"""The parts of a stored file that are uploaded: one pass decompresses, cleans, counts and cuts it between rows."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Generator, Iterable, Iterator
from itertools import chain
from typing import NamedTuple

from handler import reasons
from handler.cleaning.columns import clean_columns
from handler.cleaning.counts import Progress
from handler.cleaning.decompression import decompress
from handler.cleaning.file_types import HEAD_BYTES, check_file_type, detect_compression
from handler.cleaning.headers import read_layout
from handler.cleaning.lines import BLOCK_BYTES
from handler.cleaning.row_repair import find_header
from handler.cleaning.rows import MAX_BLOCK_GROWTH, Block, clean
from handler.model import IdentifierType

MAX_RECORD_BYTES = 1 << 16  # maximum size of a row of a file with columns
MAX_PARTS = 500  # TikTok's limit on `file_paths` in one create or update call


class Part(NamedTuple):
    """A part of a file.

    Attributes:
        header: TikTok's header row, also the first of `chunks` if the part has rows; empty for a file without columns.
        chunks: the content in pieces. The list is cleared when the next part is requested, to save memory.
        rows: the number of rows, without the header row.
        bytes: the size, with the header row. A part without rows has no bytes and is not uploaded.
        md5: the hexadecimal MD5 of the content, which TikTok calls `file_signature`.
        progress: the position where reading continues after this part.
        last: True for the last part of the file.
    """

    header: bytes
    chunks: list[bytes]
    rows: int
    bytes: int
    md5: str
    progress: Progress
    last: bool


def parts(
    read: Callable[[int], Iterable[bytes]],
    identifier_type: IdentifierType,
    max_part_bytes: int,
    *,
    start: Progress | None = None,
    keep: Callable[[bytes], bytes] | None = None,
    check_time: Callable[[], None] = lambda: None,
) -> Iterator[Part]:
    """Read a stored file and cut its clean rows into parts.

    The content decides whether the file is plain text, gzip or bzip2, whatever its name. A part ends before its
    accepted rows would exceed `max_part_bytes`. Parts always end at the same rows, with or without `keep`, and wherever
    reading starts.

    Args:
        read: returns the stored bytes from a position on, in chunks.
        identifier_type: the identifier type of the file.
        max_part_bytes: the maximum size of a part.
        start: the position where an earlier invocation stopped; by default the beginning of the file.
        keep: takes a block of accepted rows and returns the rows to send; by default all rows are sent.
        check_time: called for each chunk, both before and after decompression; it may raise.

    Raises:
        Rejected: the file has an unsupported format or unusable columns, is damaged, expands too much when it is
            decompressed, or has identifiers that are not hashed.
    """
    start = start or Progress()
    stored = iter(read(0))
    head, chunks = _peek(_with_time_check(stored, check_time))
    compression = detect_compression(head)
    if compression:
        head, chunks = _peek(_with_time_check(decompress(chunks, compression), check_time))
    check_file_type(head)
    if identifier_type is IdentifierType.MULTIPLE_TYPES:
        yield from _parts_with_columns(chunks, head, max_part_bytes, start, keep)
        return
    if start.next_byte and compression:
        chunks = _skip(chunks, start.next_byte)
    elif start.next_byte:
        if isinstance(stored, Generator):
            stored.close()
        chunks = _with_time_check(read(start.next_byte), check_time)
    blocks = clean(
        chunks,
        identifier_type,
        start=start,
        block_bytes=block_size(max_part_bytes),
        header=find_header(head),
    )
    yield from cut(blocks, max_part_bytes, start, keep)


def _parts_with_columns(
    chunks: Iterable[bytes],
    head: bytes,
    max_part_bytes: int,
    start: Progress,
    keep: Callable[[bytes], bytes] | None,
) -> Iterator[Part]:
    """Cut a file with columns into parts. Each part begins with TikTok's header row.

    To continue at `start`, the file is read and counted again from its beginning, because a report does not store the
    counts of each column.

    Raises:
        Rejected: `head` has only blank lines, but rows may follow; or as for `read_layout` and `clean_columns`.
    """
    layout = read_layout(head)
    if layout is None:
        if len(head) == HEAD_BYTES and any(map(bytes.strip, chunks)):  # rows may follow the blank lines
            raise reasons.header_not_found()
        yield from cut((), max_part_bytes)
        return
    max_record = min(MAX_RECORD_BYTES, max_part_bytes // 3)
    block_bytes = max(1, min(BLOCK_BYTES, max_part_bytes - max_record - len(layout.header) - MAX_BLOCK_GROWTH))
    blocks = clean_columns(chunks, layout, block_bytes, max_record)
    for part in cut(blocks, max_part_bytes, keep=keep, header=layout.header):
        if part.last or part.progress.next_byte > start.next_byte:
            yield part


def block_size(max_part_bytes: int) -> int:
    """Return the largest block size with which a block fits into a part, even if its last row gains a line feed."""
    return min(BLOCK_BYTES, max_part_bytes - MAX_BLOCK_GROWTH - 1)


def cut(
    blocks: Iterable[Block],
    max_part_bytes: int,
    start: Progress | None = None,
    keep: Callable[[bytes], bytes] | None = None,
    header: bytes = b"",
) -> Iterator[Part]:
    """Cut clean rows into parts at block boundaries.

    Only one part is in memory at a time: requesting the next part clears the chunks of the previous one.
    """
    progress = start or Progress()
    builder = _PartBuilder(header, progress.tally.md5, progress.tally.overtaken, filtered=keep is not None)
    for block in blocks:
        if builder.accepted_bytes + len(block.rows) > max_part_bytes:
            yield builder.build(progress, last=False)
            builder.chunks.clear()  # the caller still has a reference to this part
            builder = _PartBuilder(header, builder.chained_md5(), builder.overtaken, filtered=keep is not None)
        if block.accepted:
            builder.add(block.rows, block.accepted, keep)
        progress = block.progress
    yield builder.build(progress, last=True)


class _PartBuilder:
    """A part that is not complete yet."""

    def __init__(self, header: bytes, md5_before: str, overtaken: int, *, filtered: bool) -> None:
        self.header = header
        self.chunks: list[bytes] = []
        self.accepted_bytes = self.bytes = len(header)
        self.overtaken = overtaken
        self._rows = self._accepted = 0
        self._md5_before = md5_before
        self._accepted_md5 = hashlib.md5(header, usedforsecurity=False)
        self._md5 = hashlib.md5(header, usedforsecurity=False) if filtered else self._accepted_md5

    def add(self, rows: bytes, count: int, keep: Callable[[bytes], bytes] | None) -> None:
        """Add accepted rows."""
        self._accepted_md5.update(rows)
        self.accepted_bytes += len(rows)
        self._accepted += count
        if keep:
            rows = keep(rows)
            sent = rows.count(b"\n")
            self.overtaken += count - sent
            self._md5.update(rows)
            count = sent
        if count:
            if self.header and not self.chunks:
                self.chunks.append(self.header)
            self.chunks.append(rows)
        self._rows += count
        self.bytes += len(rows)

    def chained_md5(self) -> str:
        """Return the chained MD5 of the accepted rows up to and including this part."""
        if not self._accepted:
            return self._md5_before
        chain_md5 = (self._md5_before + self._accepted_md5.hexdigest()).encode()
        return hashlib.md5(chain_md5, usedforsecurity=False).hexdigest()

    def build(self, progress: Progress, *, last: bool) -> Part:
        """Return the complete part, which ends at `progress`."""
        tally = progress.tally._replace(md5=self.chained_md5(), overtaken=self.overtaken)
        size = self.bytes if self._rows else 0
        return Part(
            self.header, self.chunks, self._rows, size, self._md5.hexdigest(), progress._replace(tally=tally), last
        )


def _peek(chunks: Iterable[bytes]) -> tuple[bytes, Iterator[bytes]]:
    """Return the first `HEAD_BYTES` of a stream, and the entire stream including them."""
    chunks = iter(chunks)
    head: list[bytes] = []
    size = 0
    for chunk in chunks:
        head.append(chunk)
        size += len(chunk)
        if size >= HEAD_BYTES:
            break
    return b"".join(head)[:HEAD_BYTES], chain(head, chunks)


def _with_time_check(chunks: Iterable[bytes], check_time: Callable[[], None]) -> Iterator[bytes]:
    for chunk in chunks:
        check_time()
        yield chunk


def _skip(chunks: Iterable[bytes], count: int) -> Iterator[bytes]:
    for chunk in chunks:
        if count >= len(chunk):
            count -= len(chunk)
        else:
            yield chunk[count:]
            count = 0
