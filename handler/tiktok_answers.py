"""What TikTok answers, as data or as an error of ours."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import requests

from handler.clock import parse_tiktok_time
from handler.errors import Code, CredentialsRefused, Failed, NotEditable, Waiting
from handler.tiktok_codes import OK, Meaning, classify, scrub

CUSTOMER_FILE = "customer file"  # of "Customer File Audience", in any case
AUDIENCE_LIMIT_REASON = (
    "The advertiser has TikTok's 400 audiences: delete one in Ads Manager, and the file goes through by itself."
)


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


class FileRefused(Failed):
    """TikTok refuses one of the files of a call."""


class TooFewLeft(Failed):
    """Fewer than 1,000 people would remain."""


@dataclass(frozen=True)
class Answer:
    """What TikTok answered; `reached` is False when the request never left."""

    meaning: Meaning
    code: int = OK
    message: str = ""
    request_id: str = ""
    data: Mapping[str, Any] = field(default_factory=dict)
    reached: bool = True


@dataclass(frozen=True)
class Audience:
    """An audience as `list` and `get` describe it.

    Attributes:
        kind: "Customer File Audience", "Lookalike Audience", ...
        calculate_type: the identifier type in TikTok's words; None if the answer lacks it.
        matched: people TikTok knows (`cover_num`).
        message: `error_msg` and `msg`, scrubbed.
        failed: whether `error_msg` says anything.
        history: (action, time, message) of each change; empty in a listing.
    """

    id: str
    name: str
    kind: str
    calculate_type: str | None
    is_creator: bool
    is_valid: bool
    matched: int
    created_at: datetime | None
    expires_at: datetime | None
    message: str
    failed: bool
    history: tuple[tuple[str, datetime, str], ...] = ()


def parse_answer(response: requests.Response) -> Answer:
    """Read the envelope.

    Raises:
        ValueError: it is not TikTok's envelope.
    """
    envelope = response.json()
    if not isinstance(envelope, dict) or not isinstance(envelope.get("code"), int):
        raise ValueError("not TikTok's envelope")  # noqa: TRY004 - one kind of malformed answer, as response.json()'s
    code, message = envelope["code"], str(envelope.get("message") or "")
    data = envelope.get("data")
    return Answer(
        classify(code, message, response.status_code),
        code,
        scrub(message),
        str(envelope.get("request_id") or ""),
        data if isinstance(data, dict) else {},
    )


def parse_audience(item: Mapping[str, Any], history: Sequence[Mapping[str, Any]] | None = None) -> Audience:
    """Read an item of `list` or the details of `get`: the kind is `audience_type` in one and `type` in the other."""
    error = str(item.get("error_msg") or "")
    entries = (
        (str(entry.get("action") or ""), parse_tiktok_time(entry.get("opt_time")), str(entry.get("msg") or ""))
        for entry in history or []
    )
    return Audience(
        id=str(item["audience_id"]),
        name=str(item.get("name") or ""),
        kind=str(item.get("audience_type") or item.get("type") or ""),
        calculate_type=item.get("calculate_type") or None,
        is_creator=bool(item.get("is_creator")),
        is_valid=bool(item.get("is_valid")),
        matched=int(item.get("cover_num") or 0),
        created_at=parse_tiktok_time(item.get("create_time")),
        expires_at=parse_tiktok_time(item.get("expired_time")),
        message=scrub(" ".join(filter(None, [error, str(item.get("msg") or "")]))),
        failed=bool(error),
        history=tuple((action, at, scrub(message)) for action, at, message in entries if at),
    )


def credentials_refused(answer: Answer) -> CredentialsRefused:
    """What a refused token or permission means for a file."""
    what = f"(code {answer.code}: {answer.message}; request {answer.request_id})"
    if answer.meaning is Meaning.TOKEN_REFUSED:
        return CredentialsRefused(
            Code.TOKEN_REFUSED,
            f"TikTok refused the access token {what}. Put a valid one in the secret; the file then goes through.",
        )
    return CredentialsRefused(
        Code.PERMISSION_REFUSED,
        f"TikTok refused a permission {what}. Grant the app audience management for this advertiser; "
        "the file then goes through.",
    )


def refusal(answer: Answer) -> Exception:
    """The error for an answer that is neither fine nor worth a quick retry."""
    what = f"(code {answer.code}: {answer.message}; request {answer.request_id})"
    match answer.meaning:
        case Meaning.UPLOAD_AGAIN:
            return UploadAgain(
                Code.FILE_REFUSED, f"TikTok lost the uploaded file again and again {what}. Upload it once more."
            )
        case Meaning.FILE_REFUSED:
            return FileRefused(Code.FILE_REFUSED, f"TikTok refused the file {what}.")
        case Meaning.NOT_EDITABLE:
            return NotEditable(
                Code.AUDIENCE_PROCESSING,
                "TikTok is still processing this audience, up to 48 hours; the file goes through by itself later.",
            )
        case Meaning.UNKNOWN_AUDIENCE:
            return UnknownAudience()
        case Meaning.TOO_FEW_LEFT:
            return TooFewLeft(
                Code.TOO_FEW_LEFT,
                f"TikTok refused the change: fewer than 1,000 people would remain {what}. "
                "Nothing was changed; keep at least 1,000 people in the audience.",
            )
        case Meaning.REPLACED_TODAY:
            return Waiting(
                Code.REPLACED_TODAY,
                f"TikTok replaces an audience once a day {what}; the file goes through by itself tomorrow.",
            )
        case Meaning.AUDIENCE_LIMIT:
            return Waiting(Code.AUDIENCE_LIMIT_REACHED, AUDIENCE_LIMIT_REASON)
        case _:
            return Failed(Code.REQUEST_REFUSED, f"TikTok says the request is wrong {what}. Tell whoever runs this.")
