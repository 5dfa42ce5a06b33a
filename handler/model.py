"""The domain: identifier types, actions, audiences and uploads."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class IdentifierType(StrEnum):
    """What the rows of a file are: TikTok's `calculate_type`, in lower case."""

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
        """TikTok's word for it."""
        return self.value.upper()

    @property
    def digits(self) -> int:
        """Hexadecimal digits of an identifier, 64 or 32; 0 for rows with columns."""
        if self is IdentifierType.MULTIPLE_TYPES:
            return 0
        return 64 if self.value.endswith("sha256") else 32


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
class Upload:
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
