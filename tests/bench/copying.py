"""A plain copy from S3 to TikTok: the part of an activation that cannot be avoided.

The copy uploads the same parts, but inspects no row and knows the MD5 of each part in advance.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol
from uuid import uuid4

import requests

from handler.cleaning.parts import parts
from handler.model import IdentifierType
from handler.settings import DEFAULT_PART_BYTES
from handler.state.objects import CHUNK_BYTES
from tests.bench.deployment import BUCKET, BenchUpload, Deployment
from tests.handler.world import ADVERTISER_ID
from tests.privacy import TOKEN


class Reader(Protocol):
    """The only method of an S3 response body that is used here."""

    def read(self, size: int, /) -> bytes:
        """Return up to `size` bytes, or no bytes at the end."""


@dataclass(frozen=True)
class KnownPart:
    """A part of a clean file: its size in bytes and its MD5."""

    size: int
    md5: str


def known_parts(path: Path) -> list[KnownPart]:
    """Return the parts into which the function splits a clean file."""
    with path.open("rb") as file:
        chunks = iter(lambda: file.read(CHUNK_BYTES), b"")
        found = parts(lambda _: chunks, IdentifierType.EMAIL_SHA256, DEFAULT_PART_BYTES)
        return [KnownPart(part.bytes, part.md5) for part in found]


def copy(
    deployed: Deployment, session: requests.Session, upload: BenchUpload, parts: list[KnownPart], *, hold: bool
) -> None:
    """Read a file from S3 and upload it to TikTok.

    Args:
        hold: read a complete part before uploading it, as the function does: it knows the MD5 only at the end of a
            part. Otherwise, upload each chunk as it arrives, so that reading and uploading overlap.

    Raises:
        RuntimeError: TikTok refused a part, or the file in S3 is shorter than its parts.
    """
    body = deployed.s3.get_object(Bucket=BUCKET, Key=upload.key, VersionId=upload.version_id)["Body"]
    with body:
        for part in parts:
            chunks = _chunks(body, part.size)
            form = _Form(list(chunks) if hold else chunks, part)
            response = session.post(
                f"{deployed.tiktok_url}/open_api/v1.3/dmp/custom_audience/file/upload/",
                data=form,
                headers={"Access-Token": TOKEN, "Content-Type": f"multipart/form-data; boundary={form.boundary}"},
                timeout=60,
            )
            if code := response.json()["code"]:
                raise RuntimeError(f"TikTok refused a part with code {code}.")


def _chunks(body: Reader, size: int) -> Iterator[bytes]:
    while size:
        chunk = body.read(min(CHUNK_BYTES, size))
        if not chunk:
            raise RuntimeError("The file in S3 is shorter than its parts.")
        yield chunk
        size -= len(chunk)


class _Form:
    """A multipart form with a file that arrives in chunks."""

    def __init__(self, chunks: Iterable[bytes], part: KnownPart) -> None:
        self.boundary = uuid4().hex
        self._chunks = chunks
        self._part = part
        fields = {"advertiser_id": ADVERTISER_ID, "file_signature": part.md5, "calculate_type": "EMAIL_SHA256"}
        opening = [
            f'--{self.boundary}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'
            for name, value in fields.items()
        ]
        file = f'--{self.boundary}\r\nContent-Disposition: form-data; name="file"; filename="{part.md5}.csv"\r\n\r\n'
        self._opening = "".join([*opening, file]).encode()
        self._end = f"\r\n--{self.boundary}--\r\n".encode()

    def __len__(self) -> int:
        return len(self._opening) + self._part.size + len(self._end)

    def __iter__(self) -> Iterator[bytes]:
        yield self._opening
        yield from self._chunks
        yield self._end
