"""Parsers of TikTok's responses: the envelope, the pages of `list` and `apply/log`, and the details of `get`."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from http import HTTPStatus
from typing import Any, NamedTuple

import requests

from handler import reasons
from handler.clock import parse_tiktok_time
from handler.tiktok.codes import OK, READ_CALLS, Meaning, is_listed, meaning_of_code
from handler.tiktok.redact import redact, redact_token
from handler.tiktok.wording import meaning_of_message, names_an_error

CUSTOMER_FILE = "customer file"  # part of "Customer File Audience", in lower case
FIRST_YEAR = 2016  # TikTok was launched in this year; an earlier time is a placeholder for no time
MAX_REQUEST_ID = 64  # characters

_MESSAGE_FIELDS = {"message", "msg", "error_msg", "request_id"}  # fields that can quote the request
_NUMBER = re.compile(r"\s*([0-9]{1,3}(?:,[0-9]{3})+|[0-9]{1,18})(?:\.[0-9]*)?\+?\s*")
_AD_GROUP = ("adgroup_id", "adgroup_name", "usage_mode")
_REQUEST_FAULTS = {Meaning.UPLOAD_AGAIN, Meaning.FILE_REFUSED, Meaning.REQUEST_REFUSED}


@dataclass(frozen=True)
class TikTokResponse:
    """TikTok's response to a call, or a placeholder for a missing or unreadable response.

    Attributes:
        meaning: the meaning of `code` and `message`.
        code: TikTok's `code`; 0 in a placeholder.
        message: TikTok's `message`, redacted.
        request_id: TikTok's id of the call.
        data: TikTok's `data`.
        reached: false if no connection was established in time, so TikTok did not receive the request.
    """

    meaning: Meaning
    code: int = OK
    message: str = ""
    request_id: str = ""
    data: Mapping[str, Any] = field(default_factory=dict)
    reached: bool = True

    @property
    def details(self) -> str:
        """The code, message and request id in parentheses after a space; empty if the code is 0."""
        if not self.code:
            return ""
        return f" (code {self.code}: {self.message.rstrip('.')}; request {self.request_id})"


class Audience(NamedTuple):
    """An audience as `list` and `get` describe it. A field that TikTok omits is empty or None.

    Attributes:
        id: TikTok's id.
        name: the name at TikTok, NFC-normalized, including any spaces around it.
        kind: for example "Customer File Audience" or "Lookalike Audience".
        calculate_type: TikTok's name for the identifier type.
        is_creator: true if the advertiser owns the audience, false if another advertiser shares it.
        is_valid: true if the audience accepts changes.
        matched: the number of users that TikTok matched (`cover_num`); 0 if unknown.
        created_at: the time of the create, UTC.
        expires_at: the time after which the audience can only be deleted, UTC.
        message: `error_msg` and `msg`, redacted.
        failed: true if `error_msg` holds an error.
        history: action, time and message of each change; empty in a listing.
        is_expiring: true if TikTok says that the audience expires soon.
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
    is_expiring: bool = False

    @property
    def is_customer_file(self) -> bool:
        """True if the audience consists of uploaded files; false for lookalike and other audiences."""
        return CUSTOMER_FILE in self.kind.lower().replace("_", " ")

    def completed_from(self, other: Audience) -> Audience:
        """Return this audience with its missing fields taken from the response of another call."""
        fields = ("name", "kind", "calculate_type", "is_creator", "is_valid", "created_at", "expires_at")
        missing = {name: getattr(other, name) for name in fields if getattr(self, name) in {"", None}}
        return self._replace(matched=self.matched or other.matched, **missing)


class AdGroup(NamedTuple):
    """An ad group that an audience was applied to.

    Attributes:
        id: TikTok's id.
        name: its name in Ads Manager.
        usage: "Include" or "Exclude".
    """

    id: str
    name: str
    usage: str


def classify(code: int, message: str, call: str, http_status: int = 200) -> Meaning:
    """Return the meaning of a response.

    Args:
        code: TikTok's `code`.
        message: TikTok's `message`. It refines the meaning of codes for an invalid request or a missing permission.
        call: the last components of the URL path, such as `list` or `file/upload`.
        http_status: the HTTP status. A server error takes precedence over the code.
    """
    if http_status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        return Meaning.BUSY
    meaning = meaning_of_code(code)
    if meaning is Meaning.REQUEST_REFUSED:
        meaning = meaning_of_message(call, message) or meaning
    elif meaning is Meaning.PERMISSION_REFUSED and meaning_of_message(call, message) is Meaning.TERMS_NOT_ACCEPTED:
        meaning = Meaning.TERMS_NOT_ACCEPTED
    if call not in READ_CALLS or meaning not in _REQUEST_FAULTS:
        return meaning
    # These calls contain no file, so no file is at fault. A listing names only the advertiser, so an invalid request
    # means a wrong advertiser id.
    wrong_id = call == "list" and meaning is Meaning.REQUEST_REFUSED and is_listed(code)
    return Meaning.PERMISSION_REFUSED if wrong_id else Meaning.BUSY


def parse_response(response: requests.Response, call: str, token: str) -> TikTokResponse:
    """Parse the envelope of a response, and remove the access token from its messages.

    Args:
        response: TikTok's HTTP response.
        call: the last components of the URL path, such as `list` or `file/upload`.
        token: the access token of the call.

    Raises:
        ValueError, RecursionError: the response does not have TikTok's envelope.
    """
    if response.status_code == HTTPStatus.TOO_MANY_REQUESTS:  # from TikTok or from a gateway in front of it
        return TikTokResponse(Meaning.THROTTLED)

    def hide(pairs: dict[str, Any]) -> dict[str, Any]:
        return pairs | {key: redact_token(_text(pairs[key]), token) for key in _MESSAGE_FIELDS & pairs.keys()}

    envelope = response.json(object_hook=hide)
    if not isinstance(envelope, dict) or not isinstance(envelope.get("code"), int):
        raise ValueError("not TikTok's envelope")  # noqa: TRY004 - the same error as response.json() raises
    code, message, data = envelope["code"], envelope.get("message", ""), envelope.get("data")
    return TikTokResponse(
        classify(code, message, call, response.status_code),
        code,
        redact(message),
        envelope.get("request_id", "")[:MAX_REQUEST_ID],
        data if isinstance(data, dict) else {},
    )


def parse_page(data: Mapping[str, Any]) -> tuple[list[Audience], int, int]:
    """Parse a page of `list`: its audiences, the number of pages, and the number of audiences on all pages.

    Raises:
        Waiting: the page does not have the documented form, so it must not count as an empty listing.
    """
    items, info = data.get("list"), data.get("page_info")
    if items == [] and info is None:  # an account without audiences may have no page_info, either
        return [], 1, 0
    if not isinstance(info, dict):
        raise reasons.unusable_response()
    pages, total = _number(info.get("total_page")), _number(info.get("total_number"))
    if items is None and total == 0:
        items = []
    if pages is None or total is None or not isinstance(items, list):
        raise reasons.unusable_response()
    return [parse_audience(item) for item in items], pages, total


def parse_details(data: Mapping[str, Any]) -> dict[str, Audience]:
    """Parse the response of `get`: audiences with their history, by id.

    Raises:
        Waiting: the response does not have the documented form, so it does not mean that an audience was deleted.
    """
    # The list may be null if none of the ids exists.
    items = [] if data.get("list", ...) is None else data.get("list")
    if not isinstance(items, list) or not all(isinstance(item, dict) for item in items):
        raise reasons.unusable_response()
    found = [parse_audience(item.get("audience_details"), item.get("audience_history")) for item in items]
    if not all(audience.id for audience in found):
        raise reasons.unusable_response()
    return {audience.id: audience for audience in found}


def parse_audience(item: object, history: object = None) -> Audience:
    """Parse an item of `list` or the details of `get`. `list` has the kind in `audience_type`, `get` in `type`.

    Args:
        item: the audience as JSON.
        history: `audience_history` of `get`. Entries that cannot be parsed are left out.

    Raises:
        Waiting: the item is not an object.
    """
    if not isinstance(item, dict):
        raise reasons.unusable_response()
    error, created_at = _text(item.get("error_msg")), _time(item.get("create_time"))
    name, expires_at = item.get("name"), _time(item.get("expired_time"))
    entries = (
        (_text(entry.get("action")), _time(entry.get("opt_time")), _text(entry.get("msg")))
        for entry in (history if isinstance(history, list) else ())
        if isinstance(entry, dict)
    )
    return Audience(
        id=parse_id(item.get("audience_id")) or "",
        name=unicodedata.normalize("NFC", name) if isinstance(name, str) else "",
        kind=_text(item.get("audience_type")) or _text(item.get("type")),
        calculate_type=_text(item.get("calculate_type")).upper() or None,
        is_creator=_flag(item.get("is_creator")),
        is_valid=_flag(item.get("is_valid")),
        matched=_number(item.get("cover_num")) or 0,
        created_at=created_at,
        # An expiration time that is not after the creation time is a placeholder for no expiration.
        expires_at=None if expires_at and created_at and expires_at <= created_at else expires_at,
        message=redact(" ".join(filter(None, [error, _text(item.get("msg"))]))),
        failed=names_an_error(error),
        history=tuple((action, at, redact(message)) for action, at, message in entries if at),
        is_expiring=_flag(item.get("is_expiring")) or False,
    )


def parse_ad_groups(data: Mapping[str, Any]) -> tuple[list[AdGroup], int]:
    """Parse a page of `apply/log`: its ad groups and the number of pages.

    Raises:
        Waiting: the page does not have the documented form.
    """
    items, info = data.get("list"), data.get("page_info")
    pages = _number(info.get("total_page")) if isinstance(info, dict) else None
    if pages is None or not isinstance(items, list) or not all(isinstance(item, dict) for item in items):
        raise reasons.unusable_response()
    groups = (AdGroup(*(_text(item.get(field)) for field in _AD_GROUP)) for item in items)
    return [group for group in groups if group.id], pages


def parse_id(value: object) -> str | None:
    """Return an id or a `file_path`, or None for an empty value, such as null or zero."""
    text = str(value) if isinstance(value, int) and not isinstance(value, bool) else _text(value)
    return None if text.lower() in {"", "0", "null", "none"} else text


def _text(value: object) -> str:
    return value.strip() if isinstance(value, str) else ""


def _number(value: object) -> int | None:
    """Return an integer, which TikTok may write as "1,000+" or "1000.0"; None if the value is not a number."""
    found = _NUMBER.fullmatch(str(value))
    return int(found[1].replace(",", "")) if found else None


def _flag(value: object) -> bool | None:
    return {"true": True, "1": True, "false": False, "0": False}.get(str(value).lower())


def _time(value: object) -> datetime | None:
    """Return a time, or None if it is missing, malformed or before TikTok's first year."""
    time = parse_tiktok_time(value)
    return time if time and time.year >= FIRST_YEAR else None
