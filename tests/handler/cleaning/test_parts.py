"""Parts: cut between rows, within the maximum size, with the MD5 of their bytes, and in memory one at a time."""

from __future__ import annotations

import hashlib
import tracemalloc
from collections.abc import Iterator

import pytest

from handler.cleaning.counts import Progress, Tally
from handler.cleaning.parts import Part, cut
from handler.cleaning.rows import Block, clean
from handler.model import IdentifierType
from tests.handler.cleaning.reference import Reading

ROW = b"0123456789abcdef" * 2 + b"\n"


def blocks(*rows: int) -> Iterator[Block]:
    """Yield blocks with the given numbers of rows."""
    done = 0
    for count in rows:
        done += count
        yield Block(ROW * count, count, Progress(33 * done, done + 1, Tally(done, done)))


def content(part: Part) -> bytes:
    return b"".join(part.chunks)


def test_a_part_ends_with_the_last_block_that_fits() -> None:
    parts = [(part.rows, content(part), part.last) for part in cut(blocks(2, 3, 4, 1, 6), 33 * 6)]
    assert parts == [(5, ROW * 5, False), (5, ROW * 5, False), (6, ROW * 6, True)]


@pytest.mark.parametrize(
    ("max_bytes", "rows"), [(33 * 5, [5, 1]), (33 * 5 - 1, [3, 3]), (33 * 6, [6]), (33 * 3, [3, 3])]
)
def test_a_part_can_have_exactly_the_maximum_size(max_bytes: int, rows: list[int]) -> None:
    assert [part.rows for part in cut(blocks(3, 2, 1), max_bytes)] == rows


def test_a_part_has_its_md5_and_the_position_where_reading_continues() -> None:
    for part in cut(blocks(2, 3, 4), 33 * 5):
        assert part.md5 == hashlib.md5(content(part)).hexdigest()  # noqa: S324 - required by TikTok
        assert part.bytes == len(content(part))
        assert part.progress.next_byte == 33 * part.progress.tally.accepted


def test_blocks_without_rows_only_advance_the_position() -> None:
    (part,) = cut(blocks(2, 0, 0), 33 * 5)
    assert part.chunks == [ROW * 2]
    empty = [Block(b"", 0, Progress(1000, 9, Tally(8, 0, 8)))]
    (part,) = cut(empty, 33 * 5)
    assert (part.rows, part.chunks, part.last, part.progress.next_byte) == (0, [], True, 1000)


def test_an_empty_file_is_one_empty_part() -> None:
    start = Progress(66, 3, Tally(2, 2))
    empty_md5 = hashlib.md5(b"").hexdigest()  # noqa: S324 - required by TikTok
    assert [*cut([], 1000, start)] == [Part(b"", [], 0, 0, empty_md5, start, last=True)]


def test_every_row_of_a_file_is_in_one_part() -> None:
    file = b"".join(b"%064x\r\n" % number for number in range(1, 20_001)) + b"jane@example.com\r\n" * 50
    reading = Reading(file, IdentifierType.EMAIL_SHA256)
    cleaned = clean([file[:500_000], file[500_000:]], IdentifierType.EMAIL_SHA256, block_bytes=99_000)
    reading.check_parts(cut(cleaned, 300_000), 300_000, 200_000)


@pytest.mark.processes
def test_only_one_part_is_in_memory_even_if_the_caller_keeps_all() -> None:
    tracemalloc.start()
    try:
        kept = [*cut(clean(_chunks(128), IdentifierType.EMAIL_SHA256), 1 << 20)]
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert sum(part.bytes for part in kept) == 65 << 17
    assert [bool(part.chunks) for part in kept] == [False] * (len(kept) - 1) + [True]
    assert peak < 2 << 20


def _chunks(count: int) -> Iterator[bytes]:
    for first in range(count):
        yield b"".join(b"%064x\n" % (number + 1) for number in range(first << 10, (first + 1) << 10))
