"""Messages from SQS: parses S3 events, sweeps and continue messages, and builds continue messages."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

from handler.errors import MessageError
from handler.events.keys import MAX_KEY_BYTES, UPLOADS
from handler.model import AudienceKey, IdentifierType, Upload


def parse_message(body: str, bucket: str) -> Upload | AudienceKey | None:
    """Return the upload to register, the audience of a continue message, or None for a sweep.

    The function sends itself a continue message when an upload did not fit into one invocation. The returned upload has
    the time of the event; its actual upload time, the object's LastModified, is read later.

    Raises:
        MessageError: the message is not a valid S3 "Object Created" event of this bucket, a sweep or a valid continue
            message; or the key of the event is not under `tiktok/` or is too long.
    """
    try:
        message = json.loads(body)
    except ValueError:
        raise MessageError("The message is not valid JSON.") from None
    if message == {"sweep": True}:
        return None
    if isinstance(message, dict) and message.keys() == {"continue"}:
        return _parse_continue(message["continue"])
    if not isinstance(message, dict) or message.get("detail-type") != "Object Created":
        raise MessageError("The message is neither an S3 Object Created event nor a message from the connector.")
    return _parse_event(message, bucket)


def continue_message(audience: AudienceKey) -> str:
    """Return the message that makes the function continue with an audience."""
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
        raise MessageError("The bucket, key or time of the S3 event is missing or malformed.") from None
    if event_bucket != bucket:
        raise MessageError("The S3 event is from another bucket.")
    if not upload.key.lower().startswith(UPLOADS):
        raise MessageError(f"The S3 event is for a key outside {UPLOADS}.")
    if key_bytes > MAX_KEY_BYTES:
        raise MessageError(
            f"The key has {key_bytes} bytes, but the connector accepts at most {MAX_KEY_BYTES}. Use a shorter key."
        )
    return upload
