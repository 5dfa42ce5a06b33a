"""What an SQS message asks for, and the grammar of object keys.

`tiktok/<audience>/<identifier type>/<file>`, or with one more folder that names the action:
`tiktok/<audience>/<identifier type>/<append|remove|replace>/<file>`.
"""

from __future__ import annotations

import json
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

from handler.errors import Code, MessageError, Rejected
from handler.identifiers import IdentifierType

UPLOADS = "tiktok/"
EXTENSIONS = (".csv", ".txt", ".csv.gz", ".txt.gz")
# An S3 key holds 1,024 bytes; the report's adds "reports/", a version id and ".json" to the file's.
LONGEST_KEY_BYTES = 900
SHORT_LAYOUT, LONG_LAYOUT = 4, 5  # folders of a key, the file included
LONGEST_NAME = 128  # characters, TikTok's limit on custom_audience_name


class Action(StrEnum):
    """What a file does to its audience."""

    APPEND = "append"
    REMOVE = "remove"
    REPLACE = "replace"


@dataclass(frozen=True)
class AudienceKey:
    """What identifies an audience here: TikTok's names are not unique and one audience has one type."""

    identifier_type: IdentifierType
    name: str

    @property
    def path(self) -> str:
        """The audience's place under `pending/` and `audiences/`."""
        return f"{self.identifier_type}/{self.name}"


@dataclass(frozen=True)
class Target:
    """What an object key asks for."""

    audience: AudienceKey
    action: Action


@dataclass(frozen=True)
class AudienceFile:
    """One version of one uploaded object, as S3's event describes it.

    Attributes:
        uploaded_at: the event's time, UTC: for a multipart upload its completion, where the object's
            LastModified is its beginning.
    """

    key: str
    version_id: str
    etag: str | None
    size: int | None
    uploaded_at: datetime


@dataclass(frozen=True)
class Sweep:
    """The schedule's message: end what TikTok has processed, take up what is pending."""


def parse_message(body: str, bucket: str) -> AudienceFile | Sweep | None:
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
        file = AudienceFile(
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
    if key_bytes > LONGEST_KEY_BYTES:
        raise MessageError(f"The key has {key_bytes} bytes; over {LONGEST_KEY_BYTES} there is no room for a report.")
    return None if file.key.endswith("/") else file


def object_created_event(bucket: str, file: AudienceFile) -> str:
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


def parse_key(key: str) -> Target:
    """Read what an object key asks for.

    Raises:
        Rejected: the key does not follow the layout; the reason says where and what is allowed.
    """
    folders = key.split("/")
    if folders[0] != "tiktok" or len(folders) not in {SHORT_LAYOUT, LONG_LAYOUT}:
        raise Rejected(
            Code.WRONG_LAYOUT,
            f"The file lies {'too deep' if len(folders) > LONG_LAYOUT else 'in the wrong folder'}: upload it to "
            "tiktok/<audience>/<identifier type>/<file>.csv, or one folder deeper to append, remove or replace.",
        )
    name, type_name, file_name = folders[1].strip(), folders[2], folders[-1]
    _check_name(name)
    try:
        identifier_type = IdentifierType(type_name.lower())
    except ValueError:
        raise Rejected(
            Code.UNKNOWN_IDENTIFIER_TYPE,
            f"The folder {_quoted(type_name)} is not an identifier type: "
            f"upload the file to one of {', '.join(IdentifierType)}.",
        ) from None
    action = Action.APPEND if len(folders) == SHORT_LAYOUT else _action(folders[3])
    if not file_name.lower().endswith(EXTENSIONS):
        raise Rejected(
            Code.WRONG_FILE_EXTENSION,
            f"The file's name must end in one of {', '.join(EXTENSIONS)}: {_instead(file_name.lower())}.",
        )
    return Target(AudienceKey(identifier_type, name), action)


def _action(folder: str) -> Action:
    try:
        return Action(folder.lower())
    except ValueError:
        raise Rejected(
            Code.UNKNOWN_ACTION,
            f"The folder {_quoted(folder)} is not an action: upload the file to one of {', '.join(Action)}.",
        ) from None


def _instead(file_name: str) -> str:
    """What to do with a file of another kind; it is not its name alone that is wrong."""
    if file_name.endswith((".xlsx", ".xls", ".ods", ".numbers")):
        return "save the sheet as CSV and upload that"
    if file_name.endswith((".zip", ".7z", ".rar", ".bz2", ".zst")):
        return "unpack it and upload the CSV, or compress that with gzip"
    if file_name.endswith((".parquet", ".avro", ".orc", ".json", ".jsonl", ".pdf")):
        return "export it as CSV, one identifier a line, and upload that"
    return "rename it and upload it again"


def _check_name(name: str) -> None:
    if not name:
        raise Rejected(Code.WRONG_AUDIENCE_NAME, "The audience's folder has a blank name: name it after the audience.")
    if len(name) > LONGEST_NAME:
        raise Rejected(
            Code.WRONG_AUDIENCE_NAME,
            f"The audience's name has {len(name)} characters, and TikTok takes {LONGEST_NAME}: shorten it.",
        )
    if name in {".", ".."} or any(unicodedata.category(character) == "Cc" for character in name):
        raise Rejected(
            Code.WRONG_AUDIENCE_NAME, "The audience's name is a dot, two dots or has a control character: rename it."
        )


def _quoted(folder: str) -> str:
    """A folder's name as a sentence can hold it: a hostile one may be long or unprintable."""
    return json.dumps(folder[:40], ensure_ascii=False)
