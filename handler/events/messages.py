"""What an SQS message asks for, and the grammar of object keys.

`tiktok/<audience>/<identifier type>/<file>`, or with one more folder that names the action:
`tiktok/<audience>/<identifier type>/<append|remove|replace>/<file>`.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from handler.errors import MessageError
from handler.events.keys import MAX_KEY_BYTES, UPLOADS
from handler.model import Upload


@dataclass(frozen=True)
class Sweep:
    """The schedule's message: end what TikTok has processed, take up what is pending."""


def parse_message(body: str, bucket: str) -> Upload | Sweep | None:
    """Read one message: a file, a sweep, or None for a folder marker.

    Raises:
        MessageError: it is neither an S3 "Object Created" event of this bucket nor a sweep.
    """
    try:
        message = json.loads(body)
    except ValueError:
        raise MessageError("The message is not JSON.") from None
    if message == {"sweep": True}:
        return Sweep()
    if not isinstance(message, dict) or message.get("detail-type") != "Object Created":
        raise MessageError("The message is neither an S3 Object Created event nor a sweep.")
    try:
        detail = message["detail"]
        s3_object = detail["object"]
        file = Upload(
            key=s3_object["key"],
            version_id=s3_object.get("version-id") or "null",
            etag=s3_object.get("etag"),
            size=s3_object.get("size"),
            uploaded_at=datetime.fromisoformat(message["time"]).astimezone(UTC),
        )
        key_bytes = len(file.key.encode())
        event_bucket = detail["bucket"]["name"]
    except (KeyError, TypeError, ValueError, AttributeError):
        raise MessageError("The S3 event lacks a bucket, a key or a time, or one of them is malformed.") from None
    if event_bucket != bucket:
        raise MessageError("The S3 event is of another bucket.")
    if not file.key.startswith(UPLOADS):
        raise MessageError(f"The S3 event is of a key outside {UPLOADS}.")
    if key_bytes > MAX_KEY_BYTES:
        raise MessageError(f"The key has {key_bytes} bytes; over {MAX_KEY_BYTES} there is no room for a report.")
    return None if file.key.endswith("/") else file


def object_created_event(bucket: str, file: Upload) -> str:
    """The message that makes the function go on with a file, in the shape EventBridge gives it."""
    s3_object: Mapping[str, Any] = {
        "key": file.key,
        "version-id": file.version_id,
        "etag": file.etag,
        "size": file.size,
    }
    return json.dumps(
        {
            "version": "0",
            "detail-type": "Object Created",
            "source": "aws.s3",
            "time": file.uploaded_at.strftime("%Y-%m-%dT%H:%M:%SZ"),
            "detail": {"bucket": {"name": bucket}, "object": s3_object},
        }
    )
