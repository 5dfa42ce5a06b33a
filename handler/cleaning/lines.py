"""A byte stream, cut into blocks of whole lines, in bounded memory.

A block ends with the last line that ends before the next multiple of the block size, counted in bytes of the file. So
the same file always gives the same blocks, whatever the sizes of the chunks and wherever reading began.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from handler.cleaning.row_repair import SPACES

BLOCK_BYTES = 1 << 18  # as much as a chunk of S3's, so that chunks need no copying
_MARGIN = 3  # bytes of a line kept beyond its maximum, besides the one that stands for the others
_LINE_END = re.compile(rb"\r\n|\r|\n")


def cut_at_line_ends(
    chunks: Iterable[bytes], block_bytes: int, max_line: int, first_byte: int = 0
) -> Iterator[tuple[int, bytes]]:
    """Cut a stream at line ends; yield the number of bytes read and the lines in them.

    Only the first `max_line` bytes and a few more are kept of a longer line, however long it goes on. The last of them
    is no space unless all others are spaces, so that a line that is too long can be told from one that ends with them.
    Only the last block can lack a line end. A block has at most `block_bytes + max_line + 4` bytes.

    Args:
        chunks: the stream, in pieces of any size.
        block_bytes: the block size.
        max_line: bytes of the longest line that is kept whole.
        first_byte: position of the stream's first byte in the file; a line begins there.
    """
    keep = max_line + _MARGIN
    beginning, size = b"", 0  # of the line that has not ended yet
    held = b""  # a carriage return whose line feed may follow
    for window in _windows(chunks, block_bytes, first_byte):
        data = held + window if held else window
        held = b"\r" if data.endswith(b"\r") else b""
        if held:
            data = data[:-1]
        end = data.rfind(b"\n") + 1
        end = data.rfind(b"\r", end) + 1 or end
        if not end:
            beginning = _kept(beginning + data, keep)
            size += len(data)
            continue
        first = 0
        if size > len(beginning) and (line_end := _LINE_END.search(data)):
            first = line_end.start()
            beginning = _kept(beginning + data[:first], keep)
        yield size + end, b"".join((beginning, memoryview(data)[first:end]))
        beginning, size = _kept(data[end:], keep), len(data) - end
    if size or held:
        yield size + len(held), beginning + held


def _kept(line: bytes, keep: int) -> bytes:
    """Return the first bytes of a line, and one that stands for the others if they are not only spaces."""
    return line[:keep] + line[keep:].lstrip(SPACES)[:1]


def _windows(chunks: Iterable[bytes], size: int, first_byte: int) -> Iterator[bytes]:
    """Cut a stream at multiples of `size`, counted in bytes of the file."""
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
