"""Frames of rows: the spaces, quotes, prefix, trailing delimiters and line end around the digits of an identifier."""

from __future__ import annotations

import re
from functools import lru_cache

from handler.cleaning.row_repair import HEX, stripped

ROW_PATTERNS = {
    digits: re.compile(
        rb"([ \t\"']{0,2}(?:0[xX]|\\\\?[xX])?)[0-9a-fA-F]{%d}([ \t\"',;|]{0,3}\r?\n)" % digits,
    )
    for digits in (64, 32)
}


@lru_cache(maxsize=1024)
def frame_of(
    before: bytes, after: bytes, digits: int, one_column: bool
) -> tuple[bytes, list[tuple[int, bytes]]] | None:
    """Return the bytes of a frame that are not hexadecimal digits, and the positions of all its bytes.

    Args:
        before: the bytes before the identifier.
        after: the bytes after it, up to and including the line feed.
        digits: the number of hexadecimal digits of the identifier.
        one_column: False if delimiters separate columns.

    Returns:
        The bytes of the frame that are not hexadecimal digits, such as the `x` of `0x`; and the position and value of
        every byte of the frame except the line feed. None if `stripped` does not remove the frame, because such a row
        cannot be repaired.
    """
    row = before + b"0" * digits + after
    if stripped(row.rstrip(b"\r\n"), one_column=one_column) != b"0" * digits:
        return None
    frame = [*enumerate(before), *enumerate(after[:-1], len(before) + digits)]
    return (before + after).translate(None, HEX), [(place, bytes([byte])) for place, byte in frame]
