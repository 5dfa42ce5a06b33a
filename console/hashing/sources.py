"""Streaming reader for customer files: plain, gzip or bzip2; UTF-8, Windows-1252 or UTF-16."""

from __future__ import annotations

import bz2
import codecs
import sys
import zlib
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import BinaryIO

from console.errors import ConsoleError, Exit

CHUNK_BYTES = 1 << 20
MIN_UTF16_BYTES = 4  # minimum for detecting UTF-16 without a byte order mark
HEAD_BYTES = 1 << 20  # enough to detect encoding, delimiter and columns
_UTF16_BOMS = {codecs.BOM_UTF16_LE: "utf-16-le", codecs.BOM_UTF16_BE: "utf-16-be"}
# The first bytes (text in lower case) of formats that cannot be read, the name of the format, and what to do.
_UNSUPPORTED_FORMATS = [
    (b"PK\x03\x04", "an Excel workbook or a zip archive", "Save the sheet as CSV, or unzip the archive"),
    (b"\xd0\xcf\x11\xe0", "an Excel workbook", "Save the sheet as CSV"),
    (b"PAR1", "a Parquet file", "Export it as CSV"),
    (b"%PDF", "a PDF document", "Export the list as CSV"),
    (b"SQLite format 3", "a database", "Export the table as CSV"),
    *((beginning, "JSON", "Export the list as CSV") for beginning in (b'{"', b"[{")),
    *(
        (beginning, "a web page or XML", "Open it and save it as CSV")
        for beginning in (b"<html", b"<table", b"<?xml", b"<!doc")
    ),
    (b"begin:vcard", "a file of contact cards", "Export the contacts as CSV"),
]


@dataclass(frozen=True)
class Text:
    """The decompressed text of a file.

    Attributes:
        head: the first bytes, up to 1 MiB.
        chunks: the entire text, including the head.
        encoding: the encoding of `head` and `chunks`: `utf-8` or `cp1252`.
        original: the file's own encoding, for messages.
        complete: True if the head is the entire text.
    """

    head: bytes
    chunks: Iterator[bytes]
    encoding: str
    original: str
    complete: bool


@contextmanager
def open_chunks(path: str, on_read: Callable[[int], None] = lambda _: None) -> Iterator[Iterator[bytes]]:
    """Open a file, or standard input for `-`, and yield an iterator over chunks of 1 MiB.

    Args:
        path: the path of the file.
        on_read: called with the number of bytes of each chunk, for a progress bar.

    Raises:
        ConsoleError: the file cannot be opened.
    """
    if path == "-":
        yield _chunks(sys.stdin.buffer, on_read)
        return
    try:
        file = Path(path).open("rb")  # noqa: SIM115 - closed below; only open() belongs in the try block
    except OSError as error:
        raise ConsoleError(
            f"The file {path} cannot be opened ({error.strerror}). Check its name and try again."
        ) from None
    with file:
        yield _chunks(file, on_read)


def _chunks(file: BinaryIO, on_read: Callable[[int], None]) -> Iterator[bytes]:
    while chunk := file.read(CHUNK_BYTES):
        on_read(len(chunk))
        yield chunk


def read_text(chunks: Iterable[bytes]) -> Text:
    """Decompress a file and detect its encoding.

    Raises:
        ConsoleError: the file is not a text file, or it is damaged. Damage after the first 1 MiB raises the error
            later, when `chunks` of the result is read.
    """
    head, stream = _peek(_decompressed(iter(chunks)))
    text = head[:64].removeprefix(codecs.BOM_UTF8).lstrip().lower()
    for beginning, what, advice in _UNSUPPORTED_FORMATS:
        if head.startswith(beginning) or text.startswith(beginning):
            raise ConsoleError(
                f"The file is {what}, which this command cannot read. {advice}, and use the new file.",
                Exit.NOT_ACCEPTED,
            )
    if encoding := _utf16(head):
        head, stream = _peek(_transcoded(stream, encoding))
        return Text(head, stream, "utf-8", "UTF-16", len(head) < HEAD_BYTES)
    if b"\0" in head:
        raise ConsoleError(
            "The file is not a text file, because it contains null bytes. Export the list as CSV, and use that file.",
            Exit.NOT_ACCEPTED,
        )
    head, stream = _peek(_without_bom(stream))
    encoding, original = ("utf-8", "UTF-8") if _is_utf8(head) else ("cp1252", "Windows-1252")
    return Text(head, stream, encoding, original, len(head) < HEAD_BYTES)


def _peek(chunks: Iterator[bytes]) -> tuple[bytes, Iterator[bytes]]:
    taken: list[bytes] = []
    size = 0
    for chunk in chunks:
        taken.append(chunk)
        size += len(chunk)
        if size >= HEAD_BYTES:
            break
    return b"".join(taken)[:HEAD_BYTES], chain(_release_chunks(taken), chunks)


def _release_chunks(taken: list[bytes]) -> Iterator[bytes]:
    """Yield the chunks and remove each from the list, so that the head does not stay in memory."""
    while taken:
        yield taken.pop(0)


def _decompressed(chunks: Iterator[bytes]) -> Iterator[bytes]:
    first = next(chunks, b"")
    stream = chain([first], chunks)
    if first.startswith(b"\x1f\x8b"):
        yield from _decompress_members(stream, lambda: zlib.decompressobj(31), "gzip")
    elif first.startswith(b"BZh"):
        yield from _decompress_members(stream, bz2.BZ2Decompressor, "bzip2")
    else:
        yield from stream


def _decompress_members(
    chunks: Iterator[bytes], new: Callable[[], zlib._Decompress | bz2.BZ2Decompressor], name: str
) -> Iterator[bytes]:
    """Decompress the members of a file in order, with at most 1 MiB of output at a time."""
    member = None
    for chunk in chunks:
        data = chunk
        while data or (isinstance(member, bz2.BZ2Decompressor) and not member.needs_input and not member.eof):
            member = member or new()
            try:
                piece = member.decompress(data, CHUNK_BYTES)
            except (zlib.error, OSError):
                raise _damaged(name) from None
            if piece:
                yield piece
            if member.eof:
                data, member = member.unused_data.lstrip(b"\0"), None
            else:
                data = getattr(member, "unconsumed_tail", b"")
    if member is not None:
        raise _damaged(name)


def _damaged(name: str) -> ConsoleError:
    return ConsoleError(
        f"The file's {name} data is damaged or incomplete. Compress the original file again.", Exit.NOT_ACCEPTED
    )


def _utf16(head: bytes) -> str | None:
    for mark, encoding in _UTF16_BOMS.items():
        if head.startswith(mark):
            return encoding
    sample = head[:64]
    if len(sample) < MIN_UTF16_BYTES:
        return None
    if not sample[1::2].strip(b"\0") and b"\0" not in sample[::2]:
        return "utf-16-le"
    if not sample[::2].strip(b"\0") and b"\0" not in sample[1::2]:
        return "utf-16-be"
    return None


def _transcoded(chunks: Iterator[bytes], encoding: str) -> Iterator[bytes]:
    decoder = codecs.getincrementaldecoder(encoding)(errors="replace")
    first = True
    for chunk in chunks:
        text = decoder.decode(chunk)
        yield (text.removeprefix("\ufeff") if first else text).encode("utf-8", errors="replace")
        first = False
    yield decoder.decode(b"", final=True).encode("utf-8", errors="replace")


def _without_bom(chunks: Iterator[bytes]) -> Iterator[bytes]:
    first = next(chunks, b"")
    yield first.removeprefix(codecs.BOM_UTF8)
    yield from chunks


def _is_utf8(head: bytes) -> bool:
    try:
        codecs.getincrementaldecoder("utf-8")().decode(head)  # incremental: the last character may be incomplete
    except UnicodeDecodeError:
        return False
    return True
