"""What TikTok answers, as data or as an error of ours."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

import requests

from handler import reasons
from handler.clock import parse_tiktok_time
from handler.errors import (
    CredentialsRefused,
    Failed,
    FileRefused,
    NotEditable,
    TooFewLeft,
    UploadAgain,
    Waiting,
)
from handler.report_codes import Code
from handler.tiktok.codes import OK, Meaning, classify, scrub

CUSTOMER_FILE = "customer file"  # of "Customer File Audience", in any case
TOO_MANY_REQUESTS = 429
FIRST_YEAR = 2016  # no audience is older than TikTok
AUDIENCE_LIMIT_REASON = (
    "The advertiser has TikTok's 400 audiences: delete one in Ads Manager, and the file goes through by itself."
)
_WORDS = {"message", "msg", "error_msg", "request_id"}  # the fields in which TikTok says something
_NO_ERROR = re.compile(r"[\W_0]*|ok|success\w*|none|null|n/?a|(?:0|no) errors?\.?", re.IGNORECASE)
_NUMBER = re.compile(r"\s*([0-9]{1,3}(?:,[0-9]{3})+|[0-9]{1,18})(?:\.[0-9]*)?\+?\s*")


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
    """An audience as `list` and `get` describe it. Any field but the id may be lacking: then it is empty or None.

    Attributes:
        kind: "Customer File Audience", "Lookalike Audience", ...
        calculate_type: the identifier type in TikTok's words.
        matched: people TikTok knows (`cover_num`); 0 if that is not known.
        message: `error_msg` and `msg`, scrubbed.
        failed: whether `error_msg` names an error.
        history: (action, time, message) of each change; empty in a listing.
    """

    id: str
    name: str
    kind: str
    calculate_type: str | None
    is_creator: bool | None
    is_valid: bool | None
    matched: int
    created_at: datetime | None
    expires_at: datetime | None
    message: str
    failed: bool
    history: tuple[tuple[str, datetime, str], ...] = ()

    def is_described(self) -> bool:
        """Whether everything is known that tells whose audience it is and what it takes."""
        return bool(self.name and self.kind and self.calculate_type and self.is_creator is not None)

    def filled_in(self, other: Audience) -> Audience:
        """The same, with what `get` or `list` tells where this, the other's answer, lacks it."""
        fields = ("name", "kind", "calculate_type", "is_creator", "is_valid", "created_at", "expires_at")
        lacking = [name for name in fields if getattr(self, name) in {"", None}]
        told = {name: getattr(other, name) for name in lacking}
        return replace(self, matched=self.matched or other.matched, **told)


def parse_answer(response: requests.Response, call: str, token: str) -> Answer:
    """Read the envelope; where TikTok's words quote the access token, that is taken out before anything sees them.

    Raises:
        ValueError, RecursionError: it is not TikTok's envelope.
    """
    if response.status_code == TOO_MANY_REQUESTS:  # whoever answers so, TikTok or what stands before it
        return Answer(Meaning.THROTTLED)
    hidden = re.compile(re.escape(token), re.IGNORECASE)

    def hide(pairs: dict[str, Any]) -> dict[str, Any]:
        return pairs | {key: hidden.sub("[removed]", _text(pairs[key])) for key in _WORDS & pairs.keys()}

    envelope = response.json(object_hook=hide)
    if not isinstance(envelope, dict) or not isinstance(envelope.get("code"), int):
        raise ValueError("not TikTok's envelope")  # noqa: TRY004 - one kind of malformed answer, as response.json()'s
    code, message, data = envelope["code"], envelope.get("message", ""), envelope.get("data")
    return Answer(
        classify(code, message, call, response.status_code),
        code,
        scrub(message),
        envelope.get("request_id", "")[:64],
        data if isinstance(data, dict) else {},
    )


def parse_page(data: Mapping[str, Any]) -> tuple[list[Audience], int, int]:
    """Read a page of `list`: its audiences, the number of pages, and the number of audiences on all of them.

    Raises:
        UnexpectedResponse: so that what is not understood never counts as "there is none".
    """
    items, info = data.get("list"), data.get("page_info")
    if items == [] and info is None:  # an account without audiences may have nothing to count, either
        return [], 1, 0
    if not isinstance(info, dict):
        raise reasons.unexpected_response()
    pages, total = _number(info.get("total_page")), _number(info.get("total_number"))
    if items is None and total == 0:
        items = []
    if pages is None or total is None or not isinstance(items, list):
        raise reasons.unexpected_response()
    return [parse_audience(item) for item in items], pages, total


def parse_details(data: Mapping[str, Any]) -> dict[str, Audience]:
    """Read the answer of `get`, by id.

    Raises:
        UnexpectedResponse: so that what is not understood never counts as "it is gone".
    """
    # Of ids that it does not know TikTok may say nothing at all.
    items = [] if data.get("list", ...) is None else data.get("list")
    if not isinstance(items, list) or not all(isinstance(item, dict) for item in items):
        raise reasons.unexpected_response()
    found = (parse_audience(item.get("audience_details"), item.get("audience_history")) for item in items)
    return {audience.id: audience for audience in found}


def parse_audience(item: object, history: object = None) -> Audience:
    """Read an item of `list` or the details of `get`: the kind is `audience_type` in one and `type` in the other.

    Raises:
        UnexpectedResponse: it has no id.
    """
    if not isinstance(item, dict) or not (audience_id := parse_id(item.get("audience_id"))):
        raise reasons.unexpected_response()
    error, created_at = _text(item.get("error_msg")), _moment(item.get("create_time"))
    name, expires_at = item.get("name"), _moment(item.get("expired_time"))
    entries = (
        (_text(entry.get("action")), _moment(entry.get("opt_time")), _text(entry.get("msg")))
        for entry in (history if isinstance(history, list) else ())
        if isinstance(entry, dict)
    )
    return Audience(
        id=audience_id,
        name=name if isinstance(name, str) else "",  # as it stands: " vip" is another than "vip"
        kind=_text(item.get("audience_type")) or _text(item.get("type")),
        calculate_type=_text(item.get("calculate_type")).upper() or None,
        is_creator=_flag(item.get("is_creator")),
        is_valid=_flag(item.get("is_valid")),
        matched=_number(item.get("cover_num")) or 0,
        created_at=created_at,
        # Nothing expires before it was made: such a time stands for none.
        expires_at=None if expires_at and created_at and expires_at <= created_at else expires_at,
        message=scrub(" ".join(filter(None, [error, _text(item.get("msg"))]))),
        failed=not _NO_ERROR.fullmatch(error),
        history=tuple((action, at, scrub(message)) for action, at, message in entries if at),
    )


def parse_id(value: object) -> str | None:
    """An id or a `file_path`, or None where there is none; JSON's null and a zero are none."""
    text = str(value) if isinstance(value, int) and not isinstance(value, bool) else _text(value)
    return None if text.lower() in {"", "0", "null", "none"} else text


def _text(value: object) -> str:
    return value.strip() if isinstance(value, str) else ""


def _number(value: object) -> int | None:
    """A number, also as "1,000+" or "1000.0"."""
    found = _NUMBER.fullmatch(str(value))
    return int(found[1].replace(",", "")) if found else None


def _flag(value: object) -> bool | None:
    return {"true": True, "1": True, "false": False, "0": False}.get(str(value).lower())


def _moment(value: object) -> datetime | None:
    """A time; None if it is one before TikTok had audiences, which stands for none."""
    moment = parse_tiktok_time(value)
    return moment if moment and moment.year >= FIRST_YEAR else None


def credentials_refused(answer: Answer) -> CredentialsRefused:
    """What a refused token or permission means for a file."""
    what = _what(answer)
    if answer.meaning is Meaning.TOKEN_REFUSED:
        return CredentialsRefused(
            Code.TOKEN_REFUSED,
            f"TikTok refused the access token {what}. Put a valid one in the secret; the file then goes through.",
        )
    return CredentialsRefused(
        Code.PERMISSION_REFUSED,
        f"TikTok refuses to work for this advertiser {what}. Check ADVERTISER_ID in the secret and grant the app "
        "audience management for it; the file then goes through.",
    )


def _what(answer: Answer) -> str:
    return f"(code {answer.code}: {answer.message.rstrip('.')}; request {answer.request_id})"


def refusal(answer: Answer) -> Exception:
    """The error for an answer that is neither fine nor worth a quick retry."""
    what = _what(answer)
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
            return reasons.unknown_audience()
        case Meaning.TOO_FEW_LEFT:
            return TooFewLeft(
                Code.TOO_FEW_LEFT,
                f"TikTok refused the change: fewer than 1,000 people would remain {what}. "
                "Nothing was changed; keep at least 1,000 people in the audience.",
            )
        case Meaning.REPLACED_TODAY:
            return NotEditable(
                Code.REPLACED_TODAY,
                f"TikTok replaces an audience once a day {what}; the file goes through by itself tomorrow.",
            )
        case Meaning.AUDIENCE_LIMIT:
            return Waiting(Code.AUDIENCE_LIMIT_REACHED, AUDIENCE_LIMIT_REASON)
        case _:
            return Failed(Code.REQUEST_REFUSED, f"TikTok says the request is wrong {what}. Tell whoever runs this.")
