"""The multipart/form-data body of `file/upload`, built without copying the part."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any
from uuid import uuid4

from handler.cleaning.parts import Part
from handler.model import IdentifierType


class Body:
    """A multipart body that is sent chunk by chunk. `requests` itself would copy the body in memory twice."""

    def __init__(self, chunks: Sequence[bytes]) -> None:
        self._chunks = chunks
        self._length = sum(map(len, chunks))

    def __len__(self) -> int:
        return self._length

    def __iter__(self) -> Iterator[bytes]:
        return iter(self._chunks)


def multipart(part: Part, identifier_type: IdentifierType, advertiser_id: str) -> dict[str, Any]:
    """Return the keyword arguments with which `requests` uploads a part.

    Args:
        part: the part to upload.
        identifier_type: the identifier type of its rows.
        advertiser_id: the advertiser that the part is for.
    """
    boundary = uuid4().hex
    fields = {
        "advertiser_id": advertiser_id,
        "file_signature": part.md5,
        "calculate_type": identifier_type.calculate_type,
    }
    opening = "".join(
        f'--{boundary}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'
        for name, value in fields.items()
    )
    # TikTok checks only the extension, so the name of the user's file is not sent.
    opening += (
        f'--{boundary}\r\nContent-Disposition: form-data; name="file"; filename="{part.md5}.csv"\r\n'
        "Content-Type: text/csv\r\n\r\n"
    )
    return {
        "data": Body([opening.encode(), *part.chunks, f"\r\n--{boundary}--\r\n".encode()]),
        "headers": {"Content-Type": f"multipart/form-data; boundary={boundary}"},
    }
