"""Frames of rows: the line end, quotes, prefix and trailing delimiters around the digits of an identifier."""

from __future__ import annotations

import re
from functools import lru_cache

from handler.cleaning.row_repair import HEX, bare

FRAMED = {
    digits: re.compile(
        rb"([ \t\"']{0,2}(?:0[xX]|\\\\?[xX])?)[0-9a-fA-F]{%d}([ \t\"',;|]{0,3}\r?\n)" % digits,
    )
    for digits in (64, 32)
}


@lru_cache(maxsize=1024)
def frame_of(before: bytes, after: bytes, digits: int, one_column: bool) -> tuple[bytes, list[tuple[int, bytes]]] | None:
    """Return a frame without hexadecimal digits and the places of its bytes; None if it cannot be repaired."""
    row = before + b"0" * digits + after
    if bare(row.rstrip(b"\r\n"), one_column=one_column) != b"0" * digits:
        return None
    frame = [*enumerate(before), *enumerate(after[:-1], len(before) + digits)]
    return (before + after).translate(None, HEX), [(place, bytes([byte])) for place, byte in frame]
