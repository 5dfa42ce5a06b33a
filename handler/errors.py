"""Everything that can go wrong, as one tree.

ConnectorError
├── SettingsError            the environment is incomplete: the cold start fails
├── MessageError             not a message of ours: only that message fails
├── Conflict                 somebody else wrote first: the message fails and is delivered again
└── Outcome                  how a file stands when it did not go through; carries a `Code` and a sentence
    ├── Waiting              the file keeps its place; the sweep takes it up
    │   ├── NotEditable          TikTok has not processed the audience's last change, or never will take another
    │   ├── Throttled            no more calls in this invocation
    │   ├── CredentialsRefused   no more calls in this invocation; a person has to act
    │   └── OutOfTime            continue at once in the next invocation
    ├── Rejected             the file or its key is at fault: a new upload can help
    └── Failed               TikTok refused for good: a person has to look
"""

from __future__ import annotations

from enum import StrEnum
from typing import ClassVar, Literal

Status = Literal["waiting", "submitted", "available", "rejected", "failed"]


class Code(StrEnum):
    """Why a file has its status: the closed list of `code` in a report."""

    # waiting
    RECEIVED = "received"
    CONTINUING = "continuing"
    AUDIENCE_PROCESSING = "audience_processing"
    BEHIND_OLDER_FILE = "behind_older_file"
    OUTCOME_UNKNOWN = "outcome_unknown"
    TIKTOK_THROTTLED = "tiktok_throttled"
    TIKTOK_UNAVAILABLE = "tiktok_unavailable"
    TOKEN_REFUSED = "token_refused"  # noqa: S105 - a reason, not a secret
    PERMISSION_REFUSED = "permission_refused"
    SECRET_UNUSABLE = "secret_unusable"  # noqa: S105 - a reason, not a secret
    AUDIENCE_EXPIRED = "audience_expired"
    AUDIENCE_GONE = "audience_gone"
    AUDIENCE_LIMIT_REACHED = "audience_limit_reached"
    REPLACED_TODAY = "replaced_today"
    # waiting (a later file) or failed (the file that made the audience)
    AUDIENCE_TOO_SMALL = "audience_too_small"
    # submitted, available
    SUBMITTED = "submitted"
    AVAILABLE = "available"
    # rejected: the key
    WRONG_LAYOUT = "wrong_layout"
    UNKNOWN_IDENTIFIER_TYPE = "unknown_identifier_type"
    UNKNOWN_ACTION = "unknown_action"
    WRONG_FILE_EXTENSION = "wrong_file_extension"
    WRONG_AUDIENCE_NAME = "wrong_audience_name"
    # rejected: the content
    EMPTY_FILE = "empty_file"
    NO_VALID_ROW = "no_valid_row"
    TOO_MANY_REJECTED = "too_many_rejected"
    UTF16 = "utf16"
    EXCEL_WORKBOOK = "excel_workbook"
    PARQUET = "parquet"
    ZIP_ARCHIVE = "zip_archive"
    BROKEN_GZIP = "broken_gzip"
    GZIP_BOMB = "gzip_bomb"
    TOO_MANY_PARTS = "too_many_parts"
    NO_PROGRESS = "no_progress"
    # rejected: the order of things
    SUPERSEDED = "superseded"
    NOTHING_TO_REMOVE_FROM = "nothing_to_remove_from"
    # failed
    OBJECT_MISSING = "object_missing"
    REQUEST_REFUSED = "request_refused"
    FILE_REFUSED = "file_refused"
    TOO_FEW_LEFT = "too_few_left"
    PROCESSING_FAILED = "processing_failed"


class ConnectorError(Exception):
    """Base of everything this project raises."""


class SettingsError(ConnectorError):
    """An environment variable is missing or malformed; the message names it."""


class MessageError(ConnectorError):
    """An SQS message that is neither an S3 event of this bucket nor a sweep."""


class Conflict(ConnectorError):  # noqa: N818 - S3's own word for a conditional write that lost
    """A conditional write lost to another function; nothing was changed by this one."""


class Outcome(ConnectorError):  # noqa: N818 - its leaves are named for what becomes of the file
    """Why a file did not go through.

    Attributes:
        status: the report's `status`, the same for a whole branch of the tree.
        code: the report's `code`.
        reason: one sentence for a person, with what to do if anything. Never holds an identifier.
    """

    status: ClassVar[Status]

    def __init__(self, code: Code, reason: str) -> None:
        super().__init__(reason)
        self.code = code
        self.reason = reason


class Waiting(Outcome):
    """The file keeps its place and goes through later."""

    status = "waiting"


class NotEditable(Waiting):
    """The audience takes no change now."""


class Throttled(Waiting):
    """TikTok's minute or day limit is reached: no further call in this invocation."""


class CredentialsRefused(Waiting):
    """TikTok refused the token or a permission, or the secret cannot be used."""


class OutOfTime(Waiting):
    """The invocation ends before the file does; what is uploaded is kept."""


class Rejected(Outcome):
    """The file or its key is at fault."""

    status = "rejected"


class Failed(Outcome):
    """TikTok refused for good, or the object is gone."""

    status = "failed"
