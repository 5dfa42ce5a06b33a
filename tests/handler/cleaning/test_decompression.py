"""Streaming decompression: concatenated members, damaged files and decompression bombs, in bounded memory."""

from __future__ import annotations

import bz2
import gzip
import hashlib
import tracemalloc
from collections.abc import Callable, Iterator

import pytest

from handler.cleaning.decompression import MAX_UNCHECKED_BYTES, OUTPUT_BYTES, decompress
from handler.cleaning.file_types import Compression
from handler.errors import Rejected
from handler.report_codes import Code

TEXT = b"".join(hashlib.sha256(b"person %d" % number).hexdigest().encode() + b"\n" for number in range(3000))
CHUNKS = [1, 7, 1000, 1 << 18]
COMPRESS: dict[Compression, Callable[[bytes], bytes]] = {"gzip": gzip.compress, "bzip2": bz2.compress}
each_compression = pytest.mark.parametrize("compression", COMPRESS)
each_size = pytest.mark.parametrize("size", CHUNKS)


def pieces(data: bytes, size: int) -> Iterator[bytes]:
    return (data[at : at + size] for at in range(0, len(data), size))


def decompressed(data: bytes, compression: Compression, size: int = 1 << 18) -> bytes:
    return b"".join(decompress(pieces(data, size), compression))


def refusal(data: bytes, compression: Compression, size: int = 1 << 18) -> Rejected:
    with pytest.raises(Rejected) as refused:
        decompressed(data, compression, size)
    return refused.value


@each_size
@pytest.mark.parametrize("level", [0, 1, 9])
def test_gzip_is_decompressed_to_the_original_text(size: int, level: int) -> None:
    assert decompressed(gzip.compress(TEXT, level), "gzip", size) == TEXT


@each_size
@pytest.mark.parametrize("level", [1, 9])
def test_bzip2_is_decompressed_to_the_original_text(size: int, level: int) -> None:
    assert decompressed(bz2.compress(TEXT, level), "bzip2", size) == TEXT


@each_size
@each_compression
def test_all_members_are_decompressed_in_order(compression: Compression, size: int) -> None:
    compress = COMPRESS[compression]
    assert decompressed(compress(TEXT[:1001]) + compress(b"") + compress(TEXT[1001:]), compression, size) == TEXT


@each_size
@each_compression
def test_zeros_after_a_member_are_padding(compression: Compression, size: int) -> None:
    compress = COMPRESS[compression]
    assert decompressed(compress(TEXT[:10]) + bytes(600) + compress(TEXT[10:]) + bytes(600), compression, size) == TEXT


@pytest.mark.processes
@each_size
@pytest.mark.parametrize("end", [b"\n", b"\r\n", b"\x1a", b"\r\n\x1a"])
@each_compression
def test_a_line_end_after_a_member_is_ignored(compression: Compression, end: bytes, size: int) -> None:
    compress = COMPRESS[compression]
    assert decompressed(compress(TEXT[:10]) + end + compress(TEXT[10:]) + end, compression, size) == TEXT


@pytest.mark.processes
@each_size
@pytest.mark.parametrize("end", [4, 5, 9, 10, 11, 5000, -9, -8, -1])
@each_compression
def test_a_truncated_file_is_rejected(compression: Compression, end: int, size: int) -> None:
    refused = refusal(COMPRESS[compression](TEXT)[:end], compression, size)
    assert refused.code is Code.BROKEN_GZIP
    assert refused.reason.startswith(f"The {compression} file is incomplete")


@pytest.mark.processes
@each_size
@pytest.mark.parametrize("after", [b"x", b"garbage after it", TEXT, bytes(9) + b"x"])
@each_compression
def test_garbage_after_the_end_is_rejected(compression: Compression, after: bytes, size: int) -> None:
    refused = refusal(COMPRESS[compression](TEXT) + after, compression, size)
    assert refused.code is Code.BROKEN_GZIP
    assert "is damaged" in refused.reason or "is incomplete" in refused.reason


@pytest.mark.parametrize("rows", [1, 40])
def test_small_members_are_returned_in_large_pieces(rows: int) -> None:
    """Each piece has a fixed cost, so a file of tiny members would otherwise take too long to read."""
    file = b"".join(gzip.compress(TEXT[at : at + 65 * rows], 1) for at in range(0, len(TEXT), 65 * rows))
    sizes = [len(piece) for piece in decompress([file] * 3, "gzip")]
    assert sum(sizes) == 3 * len(TEXT)
    assert min(sizes[:-1]) >= OUTPUT_BYTES
    assert max(sizes) < 2 * OUTPUT_BYTES


@pytest.mark.parametrize("at", [3, 200, 50_000, -5, -1])
@each_compression
def test_a_changed_byte_is_detected(compression: Compression, at: int) -> None:
    damaged = bytearray(COMPRESS[compression](TEXT))
    damaged[at] ^= 0xFF
    assert refusal(bytes(damaged), compression).code is Code.BROKEN_GZIP


@pytest.mark.parametrize("chunks", [[], [b""], [b"", b""]])
@each_compression
def test_empty_input_gives_empty_output(compression: Compression, chunks: list[bytes]) -> None:
    assert b"".join(decompress(chunks, compression)) == b""


@pytest.mark.parametrize("content", [b"", bytes(1)])
@each_compression
def test_an_empty_member_is_valid(compression: Compression, content: bytes) -> None:
    assert decompressed(COMPRESS[compression](b"") + content, compression) == b""


@pytest.mark.processes
@each_compression
def test_a_decompression_bomb_is_rejected_after_one_gigabyte_of_output(compression: Compression) -> None:
    bomb = COMPRESS[compression](bytes(32 << 20)) * 40
    given: list[int] = []
    with pytest.raises(Rejected) as refused:
        given.extend(len(piece) for piece in decompress(pieces(bomb, 1 << 18), compression))
    assert refused.value.code is Code.GZIP_BOMB
    assert "100 times its size" in refused.value.reason
    assert MAX_UNCHECKED_BYTES - OUTPUT_BYTES <= sum(given) <= MAX_UNCHECKED_BYTES


@each_compression
def test_a_decompression_bomb_is_read_in_bounded_memory(compression: Compression) -> None:
    bomb = COMPRESS[compression](bytes(32 << 20))
    tracemalloc.start()
    try:
        largest = max(len(piece) for piece in decompress([bomb], compression))
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert largest < 2 * OUTPUT_BYTES
    assert peak < 6 << 20


@each_compression
def test_thousands_of_tiny_members_are_decompressed(compression: Compression) -> None:
    assert decompressed(COMPRESS[compression](b"ab\n") * 10_000, compression) == b"ab\n" * 10_000
