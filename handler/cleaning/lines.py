"""A stream of bytes, cut at the ends of its lines, in bounded memory."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

LONGEST_LINE = 512  # bytes; an identifier with blanks and quotes needs 70
BYTE_ORDER_MARK = b"\xef\xbb\xbf"
_KEPT = LONGEST_LINE + len(BYTE_ORDER_MARK) + 1  # bytes of a line that show that it is too long
_LINE_END = re.compile(rb"\r\n|\r|\n")


def cut_at_line_ends(chunks: Iterable[bytes], block_bytes: int) -> Iterator[tuple[int, bytes]]:
    """Cut a stream at line ends: how many bytes of it, and the lines in them.

    Of a line that is longer than any row only the beginning is kept, however long the line goes on.

    Args:
        chunks: the stream, in pieces of any size.
        block_bytes: most bytes at a time; at least 520, so that a line that is not too long fits with all around it.
    """
    rest, beginning, skipped = b"", b"", 0
    for chunk in chunks:
        data = rest + chunk if rest else chunk
        at = 0
        while at < len(data):
            if not skipped:
                if end := _last_line_end(data, at, min(len(data), at + block_bytes)):
                    yield end - at, data[at:end]
                    at = end
                    continue
                if len(data) - at < _KEPT:
                    break
            line_end = _LINE_END.search(data, at)
            known = line_end.start() if line_end else len(data)
            if not skipped:
                beginning = data[at : min(known, at + _KEPT)]
            if line_end is None or (line_end.group() == b"\r" and line_end.end() == len(data)):
                skipped += known - at
                at = known
                break
            yield skipped + line_end.end() - at, beginning
            skipped, at = 0, line_end.end()
        rest = data[at:]
    if skipped:
        yield skipped + len(rest), beginning
    elif rest:
        yield len(rest), rest


def _last_line_end(data: bytes, start: int, end: int) -> int:
    """Where the last whole line ends, or 0. A carriage return counts only if what follows it is known."""
    return data.rfind(b"\n", start, end) + 1 or data.rfind(b"\r", start, end - 1) + 1
