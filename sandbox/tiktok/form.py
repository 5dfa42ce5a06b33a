"""Reads an upload's multipart form."""

from __future__ import annotations

from io import BytesIO
from typing import IO, cast

from werkzeug.datastructures import FileStorage
from werkzeug.exceptions import RequestEntityTooLarge
from werkzeug.formparser import MultiPartParser
from werkzeug.http import parse_options_header
from werkzeug.wsgi import LimitedStream

from sandbox.tiktok.refusals import WRONG_REQUEST, Refusal

_CHUNK_BYTES = 256 * 1024


def read_form(body: LimitedStream, content_type: str) -> dict[str, str | FileStorage]:
    """Return the text fields and the files of an upload.

    Raises:
        Refusal: the body is not multipart/form-data.
    """
    kind, options = parse_options_header(content_type)
    if kind != "multipart/form-data" or "boundary" not in options:
        raise Refusal(WRONG_REQUEST, "Content-Type must be multipart/form-data.")
    parser = MultiPartParser(lambda *_, **__: BytesIO(), buffer_size=_CHUNK_BYTES)
    try:
        fields, files = parser.parse(cast("IO[bytes]", body), options["boundary"].encode("latin-1"), body.limit)
    except (ValueError, RequestEntityTooLarge):
        raise Refusal(WRONG_REQUEST, "The body is not valid multipart/form-data.") from None
    return {**fields.to_dict(), **files.to_dict()}
