"""Clean rows become parts to upload: as large as TikTok takes, cut between rows, with the MD5 it asks for."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from handler.cleaning.counts import Progress
from handler.cleaning.rows import Block

MAX_PARTS = 500  # file_paths of one create or update


@dataclass(frozen=True)
class Part:
    """A part of a file.

    Attributes:
        chunks: its bytes, not joined: a part is held once, and only until the next one is asked for.
        rows: how many identifiers.
        bytes: its size.
        md5: TikTok's `file_signature`, hexadecimal.
        progress: where reading goes on after it.
        last: whether the file ends with it; only the last part of a file can be empty.
    """

    chunks: list[bytes]
    rows: int
    bytes: int
    md5: str
    progress: Progress
    last: bool


def cut(blocks: Iterable[Block], max_part_bytes: int, start: Progress | None = None) -> Iterator[Part]:
    """Cut clean rows into parts of at most `max_part_bytes`, each ending with a block.

    One part at a time is held: its chunks are gone when the next one is asked for.
    """
    chunks: list[bytes] = []
    rows = size = 0
    md5 = hashlib.md5(usedforsecurity=False)
    progress = start or Progress()
    for block in blocks:
        if size + len(block.rows) > max_part_bytes:
            yield Part(chunks, rows, size, md5.hexdigest(), progress, last=False)
            chunks.clear()  # whoever asks for the next part still holds this one
            chunks, rows, size, md5 = [], 0, 0, hashlib.md5(usedforsecurity=False)
        if block.count:
            chunks.append(block.rows)
            md5.update(block.rows)
        rows += block.count
        size += len(block.rows)
        progress = block.progress
    yield Part(chunks, rows, size, md5.hexdigest(), progress, last=True)
