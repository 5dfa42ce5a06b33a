"""Every exception that this project raises, as one tree.

ConnectorError
├── SettingsError            the environment is incomplete; the cold start fails
├── MessageError             not a message for this function; only that message fails
├── Conflict                 another function wrote first; the message fails and is delivered again
├── Missing                  an object of the connector does not exist
├── Damaged                  an object of the connector cannot be read as JSON
└── Outcome                  the status of an upload that did not go through; carries a `Code` and a sentence
    ├── Waiting              the upload keeps its place; a sweep takes it up
    │   ├── NotEditable          the audience accepts no change now
    │   ├── Throttled            no further call to TikTok in this invocation
    │   ├── CredentialsRefused   no further call to TikTok in this invocation; a person has to act
    │   ├── OutcomeUnknown       TikTok may or may not have done what was asked
    │   ├── UnknownAudience      TikTok has no audience of that id
    │   └── OutOfTime            the upload continues in the next invocation
    ├── Skipped              a normal end: there is nothing to do
    ├── Rejected             the file or its key is faulty; a new upload can help
    └── Failed               TikTok refused for good, or the object cannot be read; a person has to look
        └── UploadAgain          a part is unknown, expired or damaged at TikTok
"""

from __future__ import annotations

from typing import ClassVar

from handler.report_codes import Code, Status


class ConnectorError(Exception):
    """Base class of every exception of this project."""


class SettingsError(ConnectorError):
    """An environment variable is missing or malformed; the message names it."""


class MessageError(ConnectorError):
    """An SQS message that is neither an S3 event of this bucket nor a message of the function itself."""


class Conflict(ConnectorError):  # noqa: N818 - S3's own word for a conditional write that lost
    """A conditional write lost to another function; this one changed nothing."""


class Missing(ConnectorError):  # noqa: N818 - names the state of the object
    """An object does not exist."""


class Damaged(ConnectorError):  # noqa: N818 - names the state of the object
    """An object that somebody wrote or changed by hand cannot be read."""


class Outcome(ConnectorError):  # noqa: N818 - the leaves are named for what happened to the upload
    """The reason why an upload did not go through.

    Attributes:
        status: the report's `status`, the same for a whole branch of the tree.
        code: the report's `code`.
        reason: what happened, where, and what to do. Never holds an identifier.
        alarm: true if a person has to know although the code alone raises no alarm.
    """

    status: ClassVar[Status]

    def __init__(self, code: Code, reason: str, *, alarm: bool = False) -> None:
        super().__init__(reason)
        self.code = code
        self.reason = reason
        self.alarm = alarm


class Waiting(Outcome):
    """The upload keeps its place and goes through later."""

    status = "waiting"


class NotEditable(Waiting):
    """The audience accepts no change now."""


class Throttled(Waiting):
    """TikTok's minute or day limit is reached: no further call in this invocation."""


class CredentialsRefused(Waiting):
    """TikTok refused the token or a permission, or the secret cannot be used."""


class OutcomeUnknown(Waiting):
    """TikTok may or may not have done what was asked."""


class UnknownAudience(Waiting):
    """TikTok has no audience of that id."""


class OutOfTime(Waiting):
    """The invocation ends before the upload does; finished parts are kept."""


class Skipped(Outcome):
    """There is nothing to do."""

    status = "skipped"


class Rejected(Outcome):
    """The file or its key is faulty."""

    status = "rejected"


class Failed(Outcome):
    """TikTok refused for good, or the object cannot be read."""

    status = "failed"


class UploadAgain(Failed):
    """A `file_path` is unknown or expired, or a part arrived damaged (40900, 40905, 40910)."""
