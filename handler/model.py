"""The domain: identifier types, actions, audiences and uploads."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import NamedTuple


class IdentifierType(StrEnum):
    """The kind of identifier in the rows of a file: TikTok's `calculate_type`, in lower case."""

    EMAIL_SHA256 = "email_sha256"
    PHONE_SHA256 = "phone_sha256"
    IDFA_SHA256 = "idfa_sha256"
    GAID_SHA256 = "gaid_sha256"
    FIRST_SHA256 = "first_sha256"
    IDFA_MD5 = "idfa_md5"
    GAID_MD5 = "gaid_md5"
    FIRST_MD5 = "first_md5"
    MULTIPLE_TYPES = "multiple_types"

    @property
    def calculate_type(self) -> str:
        """TikTok's name for the type."""
        return self.value.upper()

    @property
    def digits(self) -> int:
        """The number of hexadecimal digits of an identifier, 64 or 32; 0 for rows with columns."""
        if self is IdentifierType.MULTIPLE_TYPES:
            return 0
        return 64 if self.value.endswith("sha256") else 32


class Action(StrEnum):
    """The change that an upload makes to its audience."""

    APPEND = "append"
    REMOVE = "remove"
    REPLACE = "replace"


class AudienceKey(NamedTuple):
    """The identity of an audience in the connector: an identifier type and a name."""

    identifier_type: IdentifierType
    name: str

    @property
    def path(self) -> str:
        """The audience's path under `pending/` and `audiences/`."""
        return f"{self.identifier_type}/{self.name}"


class Target(NamedTuple):
    """The audience and action that an object key names.

    Attributes:
        run: the folder path between action and file name, without Hive partitions at its end; None if there is none.
        file_name: the last component of the key.
    """

    audience: AudienceKey
    action: Action
    run: str | None = None
    file_name: str = ""


class Upload(NamedTuple):
    """One version of one uploaded object.

    Attributes:
        version_id: the id of the version; `null` if the bucket's versioning is suspended.
        etag: the ETag without quotes; None if unknown.
        size: the size in bytes; None if unknown.
        uploaded_at: the version's LastModified in UTC, in whole seconds; until registration, the time of the S3 event.
        event_reason: S3's reason for the event, such as `PutObject` or `CopyObject`; None if unknown.
    """

    key: str
    version_id: str
    etag: str | None
    size: int | None
    uploaded_at: datetime
    event_reason: str | None = None
