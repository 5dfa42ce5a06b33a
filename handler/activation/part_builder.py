"""Parts that combine several files, because TikTok accepts 500 parts per call and recommends fewer than 50."""

from __future__ import annotations

import hashlib

from handler.cleaning.counts import Progress
from handler.cleaning.parts import Part
from handler.cleaning.row_sets import row_blocks


class PartBuilder:
    """Combines the rows of several files into one part.

    Args:
        max_bytes: the maximum size of a part in bytes.
    """

    def __init__(self, max_bytes: int) -> None:
        self._max_bytes = max_bytes
        self._header = b""
        self._chunks: list[bytes] = []
        self.rows = 0
        self.bytes = 0

    def fits(self, part: Part) -> bool:
        """Return true if the rows of a part can be added: they fit, and they have the same header."""
        return not self.rows or (self._header == part.header and self.bytes + part.bytes <= self._max_bytes)

    def add(self, part: Part) -> None:
        """Add the rows of a part. Its chunks are kept in memory until `build` is called."""
        if not self.rows and part.header:
            self._chunks.append(part.header)
            self.bytes = len(part.header)
        self._header = part.header
        self._chunks += row_blocks([part])
        self.rows += part.rows
        self.bytes += part.bytes - len(part.header)

    def build(self) -> Part:
        """Return the rows as one part and start an empty one."""
        md5 = hashlib.md5(usedforsecurity=False)
        for chunk in self._chunks:
            md5.update(chunk)
        part = Part(
            header=self._header,
            chunks=self._chunks,
            rows=self.rows,
            bytes=self.bytes,
            md5=md5.hexdigest(),
            progress=Progress(),
            last=True,
        )
        self._header, self._chunks, self.rows, self.bytes = b"", [], 0, 0
        return part
