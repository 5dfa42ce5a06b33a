"""The messages that SQS delivers: S3 events, the schedule's sweep, and the function's own message to continue."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

from handler.errors import MessageError
from handler.events.keys import MAX_KEY_BYTES, UPLOADS
from handler.model import AudienceKey, IdentifierType, Upload


def parse_message(body: str, bucket: str) -> Upload | AudienceKey | None:
    """Return the upload to register, the audience to go on with, or None for a sweep.

    The function sends itself an audience of which an upload did not fit into one invocation. The upload time of an S3
    event is the event's time; the object's LastModified, which counts, is read later.

    Raises:
        MessageError: it is not an S3 "Object Created" event of this bucket, a sweep or a continue message.
    """
    try:
        message = json.loads(body)
    except ValueError:
        raise MessageError("The message is not JSON.") from None
    if message == {"sweep": True}:
        return None
    if isinstance(message, dict) and message.keys() == {"continue"}:
        return _parse_continue(message["continue"])
    if not isinstance(message, dict) or message.get("detail-type") != "Object Created":
        raise MessageError("The message is neither an S3 Object Created event nor a message of the connector.")
    return _parse_event(message, bucket)


def continue_message(audience: AudienceKey) -> str:
    """Return the message that makes the function go on with an audience."""
    return json.dumps({"continue": {"audience": audience.name, "identifier_type": audience.identifier_type.value}})


def _parse_continue(content: Any) -> AudienceKey:
    try:
        return AudienceKey(IdentifierType(content["identifier_type"]), str(content["audience"]))
    except (KeyError, TypeError, ValueError):
        raise MessageError("The continue message does not name an audience.") from None


def _parse_event(message: dict[str, Any], bucket: str) -> Upload:
    try:
        detail = message["detail"]
        s3_object = detail["object"]
        upload = Upload(
            key=s3_object["key"],
            version_id=s3_object.get("version-id") or "null",
            etag=s3_object.get("etag"),
            size=s3_object.get("size"),
            uploaded_at=datetime.fromisoformat(message["time"]).astimezone(UTC),
            event_reason=detail.get("reason"),
        )
        key_bytes = len(upload.key.encode())
        event_bucket = detail["bucket"]["name"]
    except (KeyError, TypeError, ValueError, AttributeError):
        raise MessageError("The S3 event lacks a bucket, a key or a time, or one of them is malformed.") from None
    if event_bucket != bucket:
        raise MessageError("The S3 event is from another bucket.")
    if not upload.key.lower().startswith(UPLOADS):
        raise MessageError(f"The S3 event is for a key outside {UPLOADS}.")
    if key_bytes > MAX_KEY_BYTES:
        raise MessageError(f"The key has {key_bytes} bytes; over {MAX_KEY_BYTES} there is no room for a report.")
    return upload
