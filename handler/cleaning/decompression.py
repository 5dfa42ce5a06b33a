"""Streaming decompression of gzip and bzip2.

It reads files with any number of members or streams in bounded memory, and guards against decompression bombs.
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
# Hexadecimal digits compress to about half their size. A file that repeats one row compresses to a thousandth with
# gzip, and to much less with bzip2. So any ratio is accepted until the output exceeds 1 GiB.
MAX_RATIO = 100
MAX_UNCHECKED_BYTES = 1 << 30
_PADDING = b"\0\r\n\x1a"  # after a member: zeros (tapes), line ends (text-mode transfers), Ctrl-Z (DOS)
_GZIP_WBITS = 31  # zlib's `wbits` value for a gzip header and the largest window


def _feed_gzip(member: zlib._Decompress, data: bytes) -> Iterator[bytes]:
    """Yield decompressed data in steps of up to 256 KiB."""
    # After a full step, zlib may hold more output although it has consumed all input. It returns that output with the
    # next input, which is the checksum at the end of the member at the latest.
    while data and not member.eof:
        yield member.decompress(data, OUTPUT_BYTES)
        data = member.unconsumed_tail


def _feed_bzip2(stream: bz2.BZ2Decompressor, data: bytes) -> Iterator[bytes]:
    """Yield decompressed data in steps of up to 256 KiB."""
    yield stream.decompress(data, OUTPUT_BYTES)
    while not (stream.eof or stream.needs_input):
        yield stream.decompress(b"", OUTPUT_BYTES)


# For each format: a function that creates the decompressor of one member or stream, and one that feeds it data.
_FORMATS: dict[Compression, tuple[Callable[[], Any], Callable[[Any, bytes], Iterator[bytes]]]] = {
    "gzip": (lambda: zlib.decompressobj(_GZIP_WBITS), _feed_gzip),
    "bzip2": (bz2.BZ2Decompressor, _feed_bzip2),
}


def decompress(chunks: Iterable[bytes], compression: Compression) -> Iterator[bytes]:
    """Yield a decompressed file in pieces of 256 to 512 KiB, because each piece has a fixed cost.

    The last piece can be smaller.

    Raises:
        Rejected: the file is damaged or cut off, or its compression ratio is too high for a file of identifiers.
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
    input_bytes = output_bytes = 0
    member, padding = None, b""
    for chunk in _split_input(chunks):
        input_bytes += len(chunk)
        data = chunk
        while data:
            if member is None:
                data = data.lstrip(padding)
                member = new_member() if data else None
                continue
            try:
                for piece in feed(member, data):
                    output_bytes += len(piece)
                    if output_bytes > MAX_UNCHECKED_BYTES and output_bytes > MAX_RATIO * input_bytes:
                        raise reasons.decompression_bomb(MAX_RATIO)
                    if piece:
                        yield piece
            except (zlib.error, OSError):  # bz2 raises OSError
                raise reasons.damaged_compression(compression) from None
            data = b""
            if member.eof:
                data, member, padding = member.unused_data, None, _PADDING
    if member:
        raise reasons.cut_off_compression(compression)


def _split_input(chunks: Iterable[bytes]) -> Iterator[bytes]:
    """Split chunks into small pieces, because the decompressor copies the rest of a piece after each member."""
    for chunk in chunks:
        for at in range(0, len(chunk), INPUT_BYTES):
            yield chunk[at : at + INPUT_BYTES]
