"""Gzip on the way: members one after the other, damage of every kind, and bombs, in bounded memory."""

from __future__ import annotations

import gzip
import hashlib
import tracemalloc
from collections.abc import Iterator

import pytest

from handler.cleaning.decompression import FREE_BYTES, STEP_BYTES, gunzip
from handler.errors import Rejected
from handler.report_codes import Code

TEXT = b"".join(hashlib.sha256(b"%d" % number).hexdigest().encode() + b"\n" for number in range(3000))
CHUNKS = [1, 7, 1000, 1 << 18]


def pieces(data: bytes, size: int) -> Iterator[bytes]:
    return (data[at : at + size] for at in range(0, len(data), size))


def refusal(data: bytes, size: int = 1 << 18) -> Rejected:
    with pytest.raises(Rejected) as refused:
        for _ in gunzip(pieces(data, size)):
            pass
    return refused.value


@pytest.mark.parametrize("size", CHUNKS)
@pytest.mark.parametrize("level", [0, 1, 9])
def test_what_was_compressed_comes_out(size: int, level: int) -> None:
    assert b"".join(gunzip(pieces(gzip.compress(TEXT, level), size))) == TEXT


@pytest.mark.parametrize("size", CHUNKS)
def test_members_come_out_one_after_the_other(size: int) -> None:
    members = gzip.compress(TEXT[:1001]) + gzip.compress(b"") + gzip.compress(TEXT[1001:])
    assert b"".join(gunzip(pieces(members, size))) == TEXT


@pytest.mark.parametrize("size", CHUNKS)
def test_zeros_after_a_member_are_padding(size: int) -> None:
    padded = gzip.compress(TEXT[:10]) + bytes(600) + gzip.compress(TEXT[10:]) + bytes(600)
    assert b"".join(gunzip(pieces(padded, size))) == TEXT


@pytest.mark.parametrize("size", CHUNKS)
@pytest.mark.parametrize("end", [1, 5, 9, 10, 11, 5000, -9, -8, -1])
def test_a_file_that_is_cut_off_is_refused(end: int, size: int) -> None:
    refused = refusal(gzip.compress(TEXT)[:end], size)
    assert refused.code is Code.BROKEN_GZIP
    assert refused.reason.startswith("The compressed file is cut off")


@pytest.mark.parametrize("size", CHUNKS)
@pytest.mark.parametrize("after", [b"x", b"garbage after it", TEXT, bytes(9) + b"x"])
def test_garbage_after_the_end_is_refused(after: bytes, size: int) -> None:
    refused = refusal(gzip.compress(TEXT) + after, size)
    assert refused.code is Code.BROKEN_GZIP
    assert "is not gzip, or is damaged" in refused.reason or "is cut off" in refused.reason


@pytest.mark.parametrize("content", [TEXT, bytes(500), b"\x1f\x8c" + bytes(50), b"{}"])
def test_what_is_no_gzip_is_refused(content: bytes) -> None:
    refused = refusal(content)
    assert refused.code is Code.BROKEN_GZIP
    assert refused.reason == (
        "The file's name ends in .gz, but it is not compressed: let its name end in .csv, and upload it again."
    )


def test_a_zip_that_is_called_gz_is_named() -> None:
    refused = refusal(b"PK\x03\x04" + bytes(50))
    assert refused.code is Code.ZIP_ARCHIVE
    assert "unzip it" in refused.reason


@pytest.mark.parametrize("rows", [1, 40])
def test_small_members_come_out_together(rows: int) -> None:
    """Each piece becomes a block of its own, and a part of blocks of one row would not fit into memory."""
    file = b"".join(gzip.compress(TEXT[at : at + 65 * rows], 1) for at in range(0, len(TEXT), 65 * rows))
    sizes = [len(piece) for piece in gunzip([file] * 3)]
    assert sum(sizes) == 3 * len(TEXT)
    assert min(sizes[:-1]) >= STEP_BYTES
    assert max(sizes) < 2 * STEP_BYTES


@pytest.mark.parametrize("at", [3, 200, 50_000, -5, -1])
def test_a_changed_byte_is_noticed(at: int) -> None:
    damaged = bytearray(gzip.compress(TEXT))
    damaged[at] ^= 0xFF
    assert refusal(bytes(damaged)).code is Code.BROKEN_GZIP


@pytest.mark.parametrize("chunks", [[], [b""], [b"", b""]])
def test_nothing_comes_out_of_nothing(chunks: list[bytes]) -> None:
    assert b"".join(gunzip(chunks)) == b""


@pytest.mark.parametrize("content", [b"", bytes(1)])
def test_an_empty_member_is_no_fault(content: bytes) -> None:
    assert b"".join(gunzip([gzip.compress(b"") + content])) == b""


def test_a_bomb_is_refused_once_it_has_cost_a_gigabyte() -> None:
    bomb = gzip.compress(bytes(32 << 20)) * 40
    given: list[int] = []
    with pytest.raises(Rejected) as refused:
        given.extend(len(piece) for piece in gunzip(pieces(bomb, 1 << 18)))
    assert refused.value.code is Code.GZIP_BOMB
    assert "100-fold" in refused.value.reason
    assert FREE_BYTES - STEP_BYTES <= sum(given) <= FREE_BYTES


def test_a_bomb_takes_no_memory() -> None:
    bomb = gzip.compress(bytes(32 << 20))
    tracemalloc.start()
    try:
        largest = max(len(piece) for piece in gunzip([bomb]))
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert largest == STEP_BYTES
    assert peak < 2 << 20


def test_thousands_of_tiny_members_come_out() -> None:
    members = gzip.compress(b"ab\n", 1) * 20_000
    assert b"".join(gunzip([members])) == b"ab\n" * 20_000
