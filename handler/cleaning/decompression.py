"""Gzip, undone on the way: concatenated members too, in bounded memory, and no more than identifiers can grow."""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Iterator
from typing import Any

from handler.errors import Rejected
from handler.report_codes import Code

INPUT_BYTES = 1 << 16
STEP_BYTES = 1 << 18
# Hexadecimal digits of hashes shrink to about half; one hash over and over shrinks to a thousandth, which is as far as
# deflate goes. So a high ratio is let pass until it has cost more than 1 GiB.
MOST_RATIO = 100
FREE_BYTES = 1 << 30
_GZIP = 31  # zlib: a gzip header, with the largest window


def gunzip(chunks: Iterable[bytes]) -> Iterator[bytes]:
    """Decompress, in pieces of 256 to 512 KiB: small ones would each cost as much time as a large one.

    Raises:
        Rejected: it is no gzip, or damaged, or cut off; or grows beyond reason.
    """
    gathered: list[bytes] = []
    size = 0
    for piece in _pieces(chunks):
        gathered.append(piece)
        size += len(piece)
        if size >= STEP_BYTES:
            yield b"".join(gathered)
            gathered, size = [], 0
    if gathered:
        yield b"".join(gathered)


def _pieces(chunks: Iterable[bytes]) -> Iterator[bytes]:
    taken = given = 0
    member: Any = None
    padding = b""
    for chunk in _small(chunks):
        if not taken:
            _check_beginning(chunk)
        taken += len(chunk)
        data = chunk
        while data:
            if member is None:
                data = data.lstrip(padding)
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
            # A full piece may leave more inside with the input used up: it comes with the next, at the latest with the
            # checksum at the member's end.
            data = member.unconsumed_tail
            if member.eof:
                data, member, padding = member.unused_data, None, b"\0"
    if member:
        raise _broken("is cut off")


def _small(chunks: Iterable[bytes]) -> Iterator[bytes]:
    """In small pieces: what a member or a step leaves over is copied, which would add up with many in one chunk."""
    for chunk in chunks:
        for at in range(0, len(chunk), INPUT_BYTES):
            yield chunk[at : at + INPUT_BYTES]


def _check_growth(taken: int, given: int) -> None:
    if given > FREE_BYTES and given > MOST_RATIO * taken:
        raise Rejected(
            Code.GZIP_BOMB,
            f"The file grows more than {MOST_RATIO}-fold when decompressed, which identifiers do not: "
            "check how it was made.",
        )


def _check_beginning(beginning: bytes) -> None:
    if beginning.startswith(b"PK"):
        raise Rejected(
            Code.ZIP_ARCHIVE, "The file is a zip archive: unzip it and upload the CSV, or compress that with gzip."
        )
    if not b"\x1f\x8b".startswith(beginning[:2]):
        raise Rejected(
            Code.BROKEN_GZIP,
            "The file's name ends in .gz, but it is not compressed: let its name end in .csv, and upload it again.",
        )


def _broken(what: str) -> Rejected:
    return Rejected(Code.BROKEN_GZIP, f"The compressed file {what}: compress it with gzip again and upload it.")
