"""Parts that combine several files, because TikTok accepts at most 500 parts per call and recommends fewer than 50."""

from __future__ import annotations

import hashlib
from collections.abc import Callable

from handler.cleaning.counts import Progress
from handler.cleaning.parts import Part
from handler.cleaning.row_sets import row_blocks


class PartBuilder:
    """Combines the rows of several files into parts that are as large as possible.

    Args:
        max_bytes: the maximum size of a part in bytes.
        upload: called with each complete part.
    """

    def __init__(self, max_bytes: int, upload: Callable[[Part], None]) -> None:
        self._max_bytes = max_bytes
        self._upload = upload
        self._header = b""
        self._chunks: list[bytes] = []
        self._rows = 0
        self._bytes = 0

    def add(self, part: Part) -> None:
        """Add the rows of a part.

        If they do not fit, or have another header row, the rows collected so far are uploaded first.

        The chunks of the part are kept in memory until they are uploaded.
        """
        if self._rows and (self._header != part.header or self._bytes + part.bytes > self._max_bytes):
            self.flush()
        if not self._rows and part.header:
            self._chunks.append(part.header)
            self._bytes = len(part.header)
        self._header = part.header
        self._chunks += row_blocks([part])
        self._rows += part.rows
        self._bytes += part.bytes - len(part.header)

    def flush(self) -> None:
        """Upload the collected rows, if there are any."""
        if self._rows:
            self._upload(self._build())

    def _build(self) -> Part:
        """Return the collected rows as one part and start an empty one."""
        md5 = hashlib.md5(usedforsecurity=False)
        for chunk in self._chunks:
            md5.update(chunk)
        part = Part(
            header=self._header,
            chunks=self._chunks,
            rows=self._rows,
            bytes=self._bytes,
            md5=md5.hexdigest(),
            progress=Progress(),
            last=True,
        )
        self._header, self._chunks, self._rows, self._bytes = b"", [], 0, 0
        return part
