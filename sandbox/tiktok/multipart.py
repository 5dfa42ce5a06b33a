"""Reads a multipart upload from the wire: chunk by chunk, hashed as it comes, its rows left for later."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from email.message import Message
from typing import Protocol

from sandbox.tiktok.rules import Refusal

_CHUNK = 256 * 1024
_LONGEST_FIELD = 64 * 1024


class Reader(Protocol):
    """The part of a buffered binary stream that is used here."""

    def read(self, size: int, /) -> bytes:
        """Up to `size` bytes, fewer only at the end."""


class Body:
    """The body of a request: a stream that ends where Content-Length says.

    Raises:
        ConnectionError: the client stopped sending.
    """

    def __init__(self, stream: Reader, length: int) -> None:
        self._stream = stream
        self.left = length

    def read(self) -> bytes:
        """The next chunk; empty at the end."""
        data = self._stream.read(min(self.left, _CHUNK))
        if not data and self.left:
            raise ConnectionAbortedError("the client stopped sending")
        self.left -= len(data)
        return data

    def drain(self) -> None:
        """Read what is left, so that the connection can be used again."""
        while self.read():
            pass


@dataclass
class FilePart:
    """The file of an upload; `chunks` is emptied once it is too large."""

    name: str
    chunks: list[bytes]
    size: int
    md5: str


def read_multipart(body: Body, content_type: str, max_file_bytes: int) -> tuple[dict[str, str], FilePart | None]:
    """Read an upload: its text fields and its file.

    Raises:
        Refusal: 40002, the body is not multipart/form-data.
        ConnectionError: the client stopped sending.
    """
    header = Message()
    header["Content-Type"] = content_type
    boundary = header.get_param("boundary")
    if header.get_content_type() != "multipart/form-data" or not isinstance(boundary, str):
        raise Refusal(40002, "Content-Type must be multipart/form-data.")
    fields: dict[str, str] = {}
    file: FilePart | None = None
    parts = _Parts(body, boundary.encode("latin-1"))
    while (part := parts.next_header()) is not None:
        name, file_name = part
        if file_name is None:
            value, _, _ = parts.content(_LONGEST_FIELD)
            fields[name] = b"".join(value).decode("utf-8", "replace")
        elif name == "file":
            chunks, size, md5 = parts.content(max_file_bytes)
            file = FilePart(file_name, chunks, size, md5)
        else:
            raise Refusal(40002, f"{name}: Unknown field.")
    return fields, file


class _Parts:
    """A cursor over the parts of a multipart body."""

    def __init__(self, body: Body, boundary: bytes) -> None:
        self._body = body
        self._delimiter = b"\r\n--" + boundary
        # The first boundary has no line end before it.
        self._buffer = b"\r\n"
        self.content(0)

    def next_header(self) -> tuple[str, str | None] | None:
        """Name and file name of the next part; None after the last."""
        if self._line() == b"--":
            return None
        disposition = Message()
        while line := self._line():
            key, _, value = line.partition(b":")
            if key.strip().lower() == b"content-disposition":
                disposition["Content-Disposition"] = value.strip().decode("utf-8", "replace")
        name = disposition.get_param("name", header="Content-Disposition")
        if not isinstance(name, str):
            raise Refusal(40002, "A part of the form has no name.")
        file_name = disposition.get_param("filename", header="Content-Disposition")
        if isinstance(file_name, tuple):
            raise Refusal(40002, "file: Its name must not be encoded.")
        return name, file_name

    def content(self, keep: int) -> tuple[list[bytes], int, str]:
        """Chunks, size and MD5 of the part's content; past `keep` bytes only the size is right."""
        chunks: list[bytes] = []
        md5 = hashlib.md5(usedforsecurity=False)
        size = 0
        overlap = len(self._delimiter) - 1
        while True:
            # A file of hashes has no carriage return: looking for that first is nearly free, and saves two copies.
            first = self._buffer.find(b"\r")
            found = self._buffer.find(self._delimiter, first) if first >= 0 else -1
            end = found if found >= 0 else -overlap if first >= 0 else None
            ready = self._buffer[:end]
            size += len(ready)
            if size > keep:
                chunks.clear()
            elif ready:
                md5.update(ready)
                chunks.append(ready)
            if found >= 0:
                self._buffer = self._buffer[found + len(self._delimiter) :]
                return chunks, size, md5.hexdigest()
            more = self._body.read()
            if not more:
                raise Refusal(40002, "The form does not end with its boundary.")
            self._buffer = self._buffer[len(ready) :] + more

    def _line(self) -> bytes:
        while b"\r\n" not in self._buffer:
            more = self._body.read() if len(self._buffer) < _LONGEST_FIELD else b""
            if not more:
                line, self._buffer = self._buffer, b""
                return line  # the closing "--" may come without a line end
            self._buffer += more
        line, _, self._buffer = self._buffer.partition(b"\r\n")
        return line
