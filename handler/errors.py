"""The exceptions of the function, as one tree.

ConnectorError
├── SettingsError            the environment is invalid; the cold start fails
├── MessageError             the function cannot handle the message; only that message fails
├── Conflict                 another function wrote first; the message, unless it is a sweep, is delivered again
├── Missing                  an object of the connector does not exist
├── Damaged                  an object of the connector does not have the expected content
└── Outcome                  the status of an upload that did not go through; carries a `Code` and a sentence
    ├── Waiting              the upload keeps its place; a sweep resumes it
    │   ├── NotEditable          the audience accepts no change now
    │   ├── Throttled            no further call to TikTok in this invocation
    │   ├── CredentialsRefused   no further call to TikTok in this invocation; a person has to act
    │   ├── OutcomeUnknown       TikTok may or may not have made the change
    │   ├── UnknownAudience      TikTok has no audience with this id
    │   └── OutOfTime            the upload continues in the next invocation
    ├── Skipped              there is nothing to do
    ├── Rejected             the file or its key is faulty; a corrected upload can help
    └── Failed               TikTok refused or could not process the upload, or S3 cannot return it; a person has to act
        └── UploadAgain          a part is unknown, expired or damaged at TikTok
"""

from __future__ import annotations

from typing import ClassVar

from handler.report_codes import Code, Status


class ConnectorError(Exception):
    """The base class of the function's exceptions."""


class SettingsError(ConnectorError):
    """An environment variable is missing or malformed; the message names it."""


class MessageError(ConnectorError):
    """An SQS message cannot be handled, for example because it is not from this connector's bucket."""


class Conflict(ConnectorError):  # noqa: N818 - S3's term for a failed conditional write
    """A conditional write failed because another function wrote first. Nothing was changed."""


class Missing(ConnectorError):  # noqa: N818 - names the state of the object
    """An object of the connector does not exist."""


class Damaged(ConnectorError):  # noqa: N818 - names the state of the object
    """An object of the connector does not have the expected content, for example because a person edited it."""


class Outcome(ConnectorError):  # noqa: N818 - the subclasses are named after what happened to the upload
    """The reason why an upload was not sent or not applied.

    Attributes:
        status: the report's `status`; every subclass inherits it.
        code: the report's `code`.
        reason: what happened, where, and what to do; never contains an identifier.
        alarm: true to raise an alarm although the status does not raise one.
    """

    status: ClassVar[Status]

    def __init__(self, code: Code, reason: str, *, alarm: bool = False) -> None:
        super().__init__(reason)
        self.code = code
        self.reason = reason
        self.alarm = alarm


class Waiting(Outcome):
    """The upload keeps its place and is sent later."""

    status = "waiting"


class NotEditable(Waiting):
    """The audience accepts no change now."""


class Throttled(Waiting):
    """TikTok's rate limit is reached. This invocation makes no further call."""


class CredentialsRefused(Waiting):
    """TikTok refused the token or a permission, the terms are not accepted, or the secret is unusable."""


class OutcomeUnknown(Waiting):
    """TikTok may or may not have made the change."""


class UnknownAudience(Waiting):
    """TikTok has no audience with this id."""


class OutOfTime(Waiting):
    """The invocation ends before the upload is finished. Uploaded parts are kept."""


class Skipped(Outcome):
    """There is nothing to do."""

    status = "skipped"


class Rejected(Outcome):
    """The file or its key is faulty."""

    status = "rejected"


class Failed(Outcome):
    """TikTok refused the upload permanently or could not process it, or the object cannot be read."""

    status = "failed"


class UploadAgain(Failed):
    """A `file_path` is unknown or expired, or a part was damaged when TikTok received it."""
