"""Sets of rows: the rows that they leave out of a block, for all kinds of rows, and the memory that they take."""

from __future__ import annotations

import hashlib
import tracemalloc
from collections.abc import Iterator

import pytest

from handler.cleaning.parts import parts
from handler.cleaning.row_sets import RowSet, collect, row_blocks
from handler.model import IdentifierType

EMAIL = IdentifierType.EMAIL_SHA256


def rows(digits: int, *numbers: int) -> bytes:
    """Return rows for numbered people: hashes with 64 or 32 digits, or two columns if `digits` is 0."""
    hashes = [hashlib.sha256(b"person %d" % number).hexdigest() for number in numbers]
    return "".join(f"{each[:digits]}\n" if digits else f"{each},\n" for each in hashes).encode()


@pytest.mark.parametrize("digits", [64, 32, 0])
def test_a_set_leaves_out_its_rows_or_keeps_only_them(digits: int) -> None:
    found = collect([rows(digits, 1, 2), rows(digits, 2, 3)], digits)
    assert found is not None
    assert len(found) == 3
    assert found.leave_out(rows(digits, 0, 1, 4, 3, 5, 1)) == rows(digits, 0, 4, 5)
    assert found.only(rows(digits, 0, 1, 4, 3, 5, 1)) == rows(digits, 1, 3, 1)
    assert found.leave_out(rows(digits, 7, 8)) == rows(digits, 7, 8)
    assert found.leave_out(b"") == b""


def test_reading_stops_without_a_set_if_there_are_too_many_rows() -> None:
    def blocks() -> Iterator[bytes]:
        yield rows(64, 1, 2, 2)
        yield rows(64, 3)
        raise AssertionError("more rows were read")

    assert collect(blocks(), 64, max_rows=2) is None


def test_overtaken_rows_count_as_accepted_but_are_not_sent() -> None:
    file = rows(64, *range(100))
    newer = collect([rows(64, *range(0, 100, 3))], 64)
    assert newer is not None
    whole = [*parts(lambda _: [file], EMAIL, 2000)]
    sent = [(part.rows, b"".join(part.chunks), part.md5, part.progress) for part in parts(
        lambda _: [file], EMAIL, 2000, keep=newer.leave_out)]  # fmt: skip
    assert b"".join(content for _, content, _, _ in sent) == rows(64, *(n for n in range(100) if n % 3))
    assert all(md5 == hashlib.md5(content).hexdigest() for _, content, md5, _ in sent)  # noqa: S324 - for TikTok
    tally = sent[-1][3].tally
    assert (tally.total, tally.accepted, tally.overtaken) == (100, 100, 34)
    assert [progress.next_byte for _, _, _, progress in sent] == [part.progress.next_byte for part in whole]
    assert tally.md5 == whole[-1].progress.tally.md5, "the same accepted rows"


def test_an_upload_without_remaining_rows_has_no_bytes() -> None:
    (part,) = parts(lambda _: [rows(64, 1, 2)], EMAIL, 2000, keep=lambda _: b"")
    assert (part.rows, part.bytes, part.chunks, part.progress.tally.overtaken) == (0, 0, [], 2)


def test_overtaken_rows_of_earlier_parts_are_still_counted_when_reading_continues() -> None:
    file = rows(64, *range(100))
    newer = RowSet(64)
    newer.add(rows(64, 1, 99))
    first, *_ = parts(lambda _: [file], EMAIL, 2000, keep=newer.leave_out)
    *_, last = parts(lambda at: [file[at:]], EMAIL, 2000, keep=newer.leave_out, start=first.progress)
    *_, whole = parts(lambda _: [file], EMAIL, 2000, keep=newer.leave_out)
    assert last.progress == whole.progress
    assert last.progress.tally.overtaken == 2


def test_row_blocks_of_parts_contain_all_their_rows() -> None:
    file = rows(64, *range(100))
    assert b"".join(row_blocks(parts(lambda _: [b"email\n" + file], EMAIL, 2000))) == file


def test_a_hundred_thousand_rows_take_little_memory() -> None:
    blocks = [rows(64, *range(first, first + 1000)) for first in range(0, 100_000, 1000)]
    tracemalloc.start()
    try:
        found = collect(blocks, 64)
        size, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert found is not None
    assert len(found) == 100_000
    assert size < 13_000_000
