"""Reads an upload's multipart form from the connection: the file is hashed as it arrives, its rows are read later."""

from __future__ import annotations

import hashlib
from typing import IO, cast

from werkzeug.exceptions import RequestEntityTooLarge
from werkzeug.formparser import MultiPartParser
from werkzeug.http import parse_options_header
from werkzeug.wsgi import LimitedStream

from sandbox.tiktok.refusals import WRONG_REQUEST, Refusal

_CHUNK_BYTES = 256 * 1024


class ReceivedFile:
    """The file of an upload.

    Args:
        max_bytes: size up to which the content is kept.

    Attributes:
        name: its file name.
        chunks: its content; empty once it is too large.
        size: in bytes.
    """

    def __init__(self, max_bytes: int) -> None:
        self.name = ""
        self.chunks: list[bytes] = []
        self.size = 0
        self._max_bytes = max_bytes
        self._md5 = hashlib.md5(usedforsecurity=False)

    @property
    def md5(self) -> str:
        """MD5 of the content, as hexadecimal digits."""
        return self._md5.hexdigest()

    def write(self, data: bytes) -> None:
        """Take the next piece of the content."""
        self.size += len(data)
        if self.size > self._max_bytes:
            self.chunks.clear()
        elif data:
            self._md5.update(data)
            self.chunks.append(data)

    def seek(self, _: int) -> None:
        """Do nothing; werkzeug rewinds a file that has arrived."""


def read_form(
    body: LimitedStream, content_type: str, max_file_bytes: int
) -> tuple[dict[str, str], ReceivedFile | None]:
    """Read the text fields and the file of an upload.

    Args:
        body: of the request.
        content_type: the header `Content-Type`.
        max_file_bytes: size up to which the file is kept.

    Raises:
        Refusal: the body is not multipart/form-data, or has another file in it.
    """
    kind, options = parse_options_header(content_type)
    if kind != "multipart/form-data" or "boundary" not in options:
        raise Refusal(WRONG_REQUEST, "Content-Type must be multipart/form-data.")

    def receive(
        total_content_length: int | None,  # noqa: ARG001 - werkzeug gives all four by name
        content_type: str | None,  # noqa: ARG001
        filename: str | None,  # noqa: ARG001
        content_length: int | None = None,  # noqa: ARG001
    ) -> IO[bytes]:
        return cast("IO[bytes]", ReceivedFile(max_file_bytes))

    parser = MultiPartParser(receive, buffer_size=_CHUNK_BYTES)
    try:
        fields, files = parser.parse(cast("IO[bytes]", body), options["boundary"].encode("latin-1"), body.limit)
    except (ValueError, RequestEntityTooLarge):
        raise Refusal(WRONG_REQUEST, "The body is not valid multipart/form-data.") from None
    file: ReceivedFile | None = None
    for name, storage in files.items():
        if name != "file":
            raise Refusal(WRONG_REQUEST, f"{name}: Unknown field.")
        file = cast("ReceivedFile", storage.stream)
        file.name = storage.filename or ""
    return fields.to_dict(), file
