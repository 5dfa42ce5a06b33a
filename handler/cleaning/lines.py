"""Splitting of a byte stream into blocks of complete lines, in bounded memory.

Block boundaries depend only on the file and the block size: a block ends with the last line end before a multiple of
the block size. So a file always gives the same blocks, whatever the size of the chunks and wherever reading starts.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from handler.cleaning.row_repair import SPACES

BLOCK_BYTES = 1 << 18  # the size of the chunks read from S3, so that they need not be copied
_MARGIN = 3  # bytes of a line kept beyond the maximum, in addition to one byte that represents the rest
_LINE_END = re.compile(rb"\r\n|\r|\n")


def cut_at_line_ends(
    chunks: Iterable[bytes], block_bytes: int, max_line: int, first_byte: int = 0
) -> Iterator[tuple[int, bytes]]:
    """Cut a stream at line ends. Yield the number of bytes read and the lines in them.

    A line that crosses a multiple of the block size may be truncated to `max_line` and a few more bytes. The last byte
    kept is a space only if all removed bytes are spaces, so that a line that is too long differs from a line with
    trailing spaces. Only the last block can lack a line end. A block has at most `block_bytes + max_line + 5` bytes.

    Args:
        chunks: the stream, in pieces of any size.
        block_bytes: the block size.
        max_line: a number of bytes; lines of at most this length are never truncated.
        first_byte: the position of the stream's first byte in the file; a line begins there.
    """
    keep = max_line + _MARGIN
    beginning, size = b"", 0  # the first bytes of the line that has not ended yet, and its size
    held = b""  # a carriage return that may be followed by a line feed
    for window in _windows(chunks, block_bytes, first_byte):
        data = held + window if held else window
        held = b"\r" if data.endswith(b"\r") else b""
        if held:
            data = data[:-1]
        end = data.rfind(b"\n") + 1
        end = data.rfind(b"\r", end) + 1 or end
        if not end:
            beginning = _truncated(beginning + data, keep)
            size += len(data)
            continue
        first = 0
        if size > len(beginning) and (line_end := _LINE_END.search(data)):
            first = line_end.start()
            beginning = _truncated(beginning + data[:first], keep)
        yield size + end, b"".join((beginning, memoryview(data)[first:end]))
        beginning, size = _truncated(data[end:], keep), len(data) - end
    if size or held:
        yield size + len(held), beginning + held


def _truncated(line: bytes, keep: int) -> bytes:
    """Return the first bytes of a line and, unless the rest is only spaces, one byte that represents the rest."""
    return line[:keep] + line[keep:].lstrip(SPACES)[:1]


def _windows(chunks: Iterable[bytes], size: int, first_byte: int) -> Iterator[bytes]:
    """Cut a stream at the file positions that are multiples of `size`."""
    gathered: list[bytes] = []
    room = size - first_byte % size
    for chunk in chunks:
        at = 0
        while len(chunk) - at >= room:
            gathered.append(chunk[at : at + room])
            gathered = [b"".join(gathered)]
            yield gathered.pop()
            at += room
            room = size
        if at < len(chunk):
            gathered.append(chunk[at:])
            room -= len(chunk) - at
    if gathered:
        yield b"".join(gathered)
