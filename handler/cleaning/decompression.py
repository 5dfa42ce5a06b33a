"""Streaming decompression of gzip and bzip2.

Files of any number of members or streams are read in bounded memory, with a guard against decompression bombs.
"""

from __future__ import annotations

import bz2
import zlib
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from handler import reasons
from handler.cleaning.file_types import Compression

INPUT_BYTES = 1 << 16
OUTPUT_BYTES = 1 << 18
# Hexadecimal digits shrink to about half. One row over and over shrinks to a thousandth with gzip, and to far less with
# bzip2. So a high ratio is accepted until the output exceeds 1 GiB.
MAX_RATIO = 100
MAX_FREE_BYTES = 1 << 30
_PADDING = b"\0\r\n\x1a"  # after a member: zeros of tapes, line ends of text-mode transfers, Ctrl-Z of DOS
_GZIP_HEADER = 31  # zlib's wbits for a gzip header and the largest window


def _feed_gzip(member: zlib._Decompress, data: bytes) -> Iterator[bytes]:
    """Decompress in steps of up to 256 KiB."""
    # A full step may leave more inside although the input is used up. It comes with the next input, at the latest with
    # the checksum at the member's end.
    while data and not member.eof:
        yield member.decompress(data, OUTPUT_BYTES)
        data = member.unconsumed_tail


def _feed_bzip2(stream: bz2.BZ2Decompressor, data: bytes) -> Iterator[bytes]:
    """Decompress in steps of up to 256 KiB."""
    yield stream.decompress(data, OUTPUT_BYTES)
    while not (stream.eof or stream.needs_input):
        yield stream.decompress(b"", OUTPUT_BYTES)


# What makes the decompressor of one gzip member or bzip2 stream, and what feeds it.
_FORMATS: dict[Compression, tuple[Callable[[], Any], Callable[[Any, bytes], Iterator[bytes]]]] = {
    "gzip": (lambda: zlib.decompressobj(_GZIP_HEADER), _feed_gzip),
    "bzip2": (bz2.BZ2Decompressor, _feed_bzip2),
}


def decompress(chunks: Iterable[bytes], compression: Compression) -> Iterator[bytes]:
    """Decompress a file; yield pieces of 256 to 512 KiB, because each piece costs as much time as a large one.

    Raises:
        Rejected: the file is damaged or cut off, or grows more than identifiers can.
    """
    gathered: list[bytes] = []
    size = 0
    for piece in _pieces(chunks, compression):
        gathered.append(piece)
        size += len(piece)
        if size >= OUTPUT_BYTES:
            yield b"".join(gathered)
            gathered, size = [], 0
    if gathered:
        yield b"".join(gathered)


def _pieces(chunks: Iterable[bytes], compression: Compression) -> Iterator[bytes]:
    new_member, feed = _FORMATS[compression]
    taken = given = 0
    member, padding = None, b""
    for chunk in _small(chunks):
        taken += len(chunk)
        data = chunk
        while data:
            if member is None:
                data = data.lstrip(padding)
                member = new_member() if data else None
                continue
            try:
                for piece in feed(member, data):
                    given += len(piece)
                    if given > MAX_FREE_BYTES and given > MAX_RATIO * taken:
                        raise reasons.decompression_bomb(MAX_RATIO)
                    if piece:
                        yield piece
            except (zlib.error, OSError):  # OSError is bz2's
                raise reasons.damaged_compression(compression) from None
            data = b""
            if member.eof:
                data, member, padding = member.unused_data, None, _PADDING
    if member:
        raise reasons.cut_off_compression(compression)


def _small(chunks: Iterable[bytes]) -> Iterator[bytes]:
    """Cut chunks into small pieces, because the input left over after each member is copied."""
    for chunk in chunks:
        for at in range(0, len(chunk), INPUT_BYTES):
            yield chunk[at : at + INPUT_BYTES]
