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

from typing import ClassVar

from handler.report_codes import Code, Status


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


class Missing(ConnectorError):  # noqa: N818 - says what it is
    """There is no such object."""


class Damaged(ConnectorError):  # noqa: N818 - says what it is
    """An object that a person wrote or changed, so that it cannot be read."""


class UploadAgain(Failed):
    """A `file_path` is unknown or expired, or a part arrived damaged (40900, 40905, 40910)."""


class OutcomeUnknown(Waiting):
    """TikTok may or may not have done what was asked."""

    def __init__(self) -> None:
        super().__init__(
            Code.OUTCOME_UNKNOWN,
            "TikTok did not say whether it took the file; it is asked again before anything is sent twice.",
        )


class UnknownAudience(Waiting):
    """TikTok knows no audience of that id."""

    def __init__(self) -> None:
        super().__init__(
            Code.AUDIENCE_GONE,
            "The audience was deleted in Ads Manager a moment ago; the file makes a new one by itself later.",
        )


class Unreadable(Waiting):
    """TikTok's answer is of a form that nobody has described."""

    def __init__(self) -> None:
        super().__init__(
            Code.TIKTOK_UNAVAILABLE,
            "TikTok's answer about its audiences cannot be read; the file goes through by itself once it can.",
        )


class FileRefused(Failed):
    """TikTok refuses one of the files of a call."""


class TooFewLeft(Failed):
    """Fewer than 1,000 people would remain."""
