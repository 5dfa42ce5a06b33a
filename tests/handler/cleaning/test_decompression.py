"""Streaming decompression: members one after the other, damage of every kind, and bombs, in bounded memory."""

from __future__ import annotations

import bz2
import gzip
import hashlib
import tracemalloc
from collections.abc import Callable, Iterator

import pytest

from handler.cleaning.decompression import MAX_FREE_BYTES, OUTPUT_BYTES, decompress
from handler.cleaning.file_types import Compression
from handler.errors import Rejected
from handler.report_codes import Code

TEXT = b"".join(hashlib.sha256(b"person %d" % number).hexdigest().encode() + b"\n" for number in range(3000))
CHUNKS = [1, 7, 1000, 1 << 18]
PACK: dict[Compression, Callable[[bytes], bytes]] = {"gzip": gzip.compress, "bzip2": bz2.compress}
each_packing = pytest.mark.parametrize("packing", PACK)
each_size = pytest.mark.parametrize("size", CHUNKS)


def pieces(data: bytes, size: int) -> Iterator[bytes]:
    return (data[at : at + size] for at in range(0, len(data), size))


def unpacked(data: bytes, packing: Compression, size: int = 1 << 18) -> bytes:
    return b"".join(decompress(pieces(data, size), packing))


def refusal(data: bytes, packing: Compression, size: int = 1 << 18) -> Rejected:
    with pytest.raises(Rejected) as refused:
        unpacked(data, packing, size)
    return refused.value


@each_size
@pytest.mark.parametrize("level", [0, 1, 9])
def test_gzip_comes_out_as_it_went_in(size: int, level: int) -> None:
    assert unpacked(gzip.compress(TEXT, level), "gzip", size) == TEXT


@each_size
@pytest.mark.parametrize("level", [1, 9])
def test_bzip2_comes_out_as_it_went_in(size: int, level: int) -> None:
    assert unpacked(bz2.compress(TEXT, level), "bzip2", size) == TEXT


@each_size
@each_packing
def test_members_come_out_one_after_the_other(packing: Compression, size: int) -> None:
    pack = PACK[packing]
    assert unpacked(pack(TEXT[:1001]) + pack(b"") + pack(TEXT[1001:]), packing, size) == TEXT


@each_size
@each_packing
def test_zeros_after_a_member_are_padding(packing: Compression, size: int) -> None:
    pack = PACK[packing]
    assert unpacked(pack(TEXT[:10]) + bytes(600) + pack(TEXT[10:]) + bytes(600), packing, size) == TEXT


@each_size
@pytest.mark.parametrize("end", [b"\n", b"\r\n", b"\x1a", b"\r\n\x1a"])
@each_packing
def test_a_line_end_after_a_member_means_nothing(packing: Compression, end: bytes, size: int) -> None:
    pack = PACK[packing]
    assert unpacked(pack(TEXT[:10]) + end + pack(TEXT[10:]) + end, packing, size) == TEXT


@pytest.mark.processes
@each_size
@pytest.mark.parametrize("end", [4, 5, 9, 10, 11, 5000, -9, -8, -1])
@each_packing
def test_a_file_that_is_cut_off_is_refused(packing: Compression, end: int, size: int) -> None:
    refused = refusal(PACK[packing](TEXT)[:end], packing, size)
    assert refused.code is Code.BROKEN_GZIP
    assert refused.reason.startswith(f"The {packing} file is cut off")


@pytest.mark.processes
@each_size
@pytest.mark.parametrize("after", [b"x", b"garbage after it", TEXT, bytes(9) + b"x"])
@each_packing
def test_garbage_after_the_end_is_refused(packing: Compression, after: bytes, size: int) -> None:
    refused = refusal(PACK[packing](TEXT) + after, packing, size)
    assert refused.code is Code.BROKEN_GZIP
    assert "is damaged" in refused.reason or "is cut off" in refused.reason


@pytest.mark.parametrize("rows", [1, 40])
def test_small_members_come_out_together(rows: int) -> None:
    """Each piece becomes a block of its own, and a part of blocks of one row would not fit into memory."""
    file = b"".join(gzip.compress(TEXT[at : at + 65 * rows], 1) for at in range(0, len(TEXT), 65 * rows))
    sizes = [len(piece) for piece in decompress([file] * 3, "gzip")]
    assert sum(sizes) == 3 * len(TEXT)
    assert min(sizes[:-1]) >= OUTPUT_BYTES
    assert max(sizes) < 2 * OUTPUT_BYTES


@pytest.mark.parametrize("at", [3, 200, 50_000, -5, -1])
@each_packing
def test_a_changed_byte_is_noticed(packing: Compression, at: int) -> None:
    damaged = bytearray(PACK[packing](TEXT))
    damaged[at] ^= 0xFF
    assert refusal(bytes(damaged), packing).code is Code.BROKEN_GZIP


@pytest.mark.parametrize("chunks", [[], [b""], [b"", b""]])
@each_packing
def test_nothing_comes_out_of_nothing(packing: Compression, chunks: list[bytes]) -> None:
    assert b"".join(decompress(chunks, packing)) == b""


@pytest.mark.parametrize("content", [b"", bytes(1)])
@each_packing
def test_an_empty_member_is_no_fault(packing: Compression, content: bytes) -> None:
    assert unpacked(PACK[packing](b"") + content, packing) == b""


@pytest.mark.processes
@each_packing
def test_a_bomb_is_refused_once_it_has_cost_a_gigabyte(packing: Compression) -> None:
    bomb = PACK[packing](bytes(32 << 20)) * 40
    given: list[int] = []
    with pytest.raises(Rejected) as refused:
        given.extend(len(piece) for piece in decompress(pieces(bomb, 1 << 18), packing))
    assert refused.value.code is Code.GZIP_BOMB
    assert "100-fold" in refused.value.reason
    assert MAX_FREE_BYTES - OUTPUT_BYTES <= sum(given) <= MAX_FREE_BYTES


@each_packing
def test_a_bomb_takes_no_memory(packing: Compression) -> None:
    bomb = PACK[packing](bytes(32 << 20))
    tracemalloc.start()
    try:
        largest = max(len(piece) for piece in decompress([bomb], packing))
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert largest < 2 * OUTPUT_BYTES
    assert peak < 6 << 20


@each_packing
def test_thousands_of_tiny_members_come_out(packing: Compression) -> None:
    assert unpacked(PACK[packing](b"ab\n") * 10_000, packing) == b"ab\n" * 10_000
