"""Gzip, undone on the way: concatenated members too, in bounded memory, and no more than identifiers can grow."""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Iterator
from typing import Any

from handler.errors import Code, Rejected

STEP_BYTES = 1 << 18
# Hexadecimal digits of hashes shrink to about half; one hash over and over shrinks to a thousandth, which is as far as
# deflate goes. So a high ratio is let pass until it has cost more than 1 GiB.
MOST_RATIO = 100
FREE_BYTES = 1 << 30
_GZIP = 31  # zlib: a gzip header, with the largest window


def gunzip(chunks: Iterable[bytes]) -> Iterator[bytes]:
    """Decompress, in pieces of at most 256 KiB.

    Raises:
        Rejected: it is no gzip, or damaged, or cut off; or grows beyond reason.
    """
    taken = given = 0
    member: Any = None
    for chunk in chunks:
        taken += len(chunk)
        data, full = chunk, False
        while data or full:
            if member is None:
                data = data.lstrip(b"\0")  # padding after a member
                member = zlib.decompressobj(_GZIP) if data else None
                continue
            try:
                piece = member.decompress(data, STEP_BYTES)
            except zlib.error:
                raise _broken("is not gzip, or is damaged") from None
            given += len(piece)
            _check_growth(taken, given)
            if piece:
                yield piece
            # A full piece may have left more inside, even with the input used up.
            data, full = member.unconsumed_tail, len(piece) == STEP_BYTES
            if member.eof:
                data, full, member = member.unused_data, False, None
    if member or not taken:
        raise _broken("is cut off" if taken else "is empty")


def _check_growth(taken: int, given: int) -> None:
    if given > FREE_BYTES and given > MOST_RATIO * taken:
        raise Rejected(
            Code.GZIP_BOMB,
            f"The file grows more than {MOST_RATIO}-fold when decompressed, which identifiers do not: "
            "check how it was made.",
        )


def _broken(what: str) -> Rejected:
    return Rejected(Code.BROKEN_GZIP, f"The compressed file {what}: compress it with gzip again and upload it.")
