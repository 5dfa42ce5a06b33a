"""The client of TikTok's API for Business v1.3: the calls for customer-file audiences.

What TikTok answers becomes data or an error of `handler.errors`. A call is repeated here only where a repeat is safe;
`handler.tiktok_codes` says what a code means.
"""

from __future__ import annotations

import json
import random
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, TypeVar
from uuid import uuid4

import requests

from handler.clock import Deadline, parse_tiktok_time
from handler.credentials import CredentialsStore
from handler.errors import Code, ConnectorError, CredentialsRefused, Failed, NotEditable, Throttled, Waiting
from handler.identifiers import IdentifierType
from handler.parts import Part
from handler.tiktok_codes import OK, Meaning, classify, scrub

TRIES = 3
CONNECT_SECONDS = 5.0
READ_SECONDS = 60.0
# The basic tier allows 10 requests a second: a second later there is room again unless the minute is used up.
THROTTLE_PAUSE_SECONDS = (0.5, 1.2)
BUSY_PAUSE_SECONDS = (0.1, 0.5)
PAGE_SIZE = 100
AUDIENCE_LIMIT_REASON = (
    "The advertiser has TikTok's 400 audiences: delete one in Ads Manager, and the file goes through by itself."
)
CUSTOMER_FILE = "customer file"  # of "Customer File Audience", in any case


Read = TypeVar("Read")


class UploadAgain(ConnectorError):  # noqa: N818 - TikTok's demand
    """A `file_path` is unknown or expired, or a part arrived damaged (40900, 40905, 40910)."""


class OutcomeUnknown(Waiting):
    """TikTok may or may not have done what was asked."""

    def __init__(self) -> None:
        super().__init__(
            Code.OUTCOME_UNKNOWN,
            "TikTok did not say whether it took the file; it is asked again before anything is sent twice.",
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
class Request:
    """A call: `arguments` takes the advertiser's id and gives what `requests` sends."""

    method: str
    call: str
    arguments: Callable[[str], dict[str, Any]]
    repeatable: bool = True


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


@dataclass
class CallCounts:
    """What this invocation asked of TikTok."""

    calls: int = 0
    throttled: int = 0
    credentials_refused: int = 0


@dataclass
class TikTokClient:
    """One advertiser's connection to TikTok, for one invocation.

    After a minute or day limit or refused credentials every further call raises the same at once: `closed`.
    """

    session: requests.Session
    base_url: str
    credentials: CredentialsStore
    deadline: Deadline
    counts: CallCounts = field(default_factory=CallCounts)
    closed: Waiting | None = None

    def upload(self, part: Part, identifier_type: IdentifierType) -> tuple[str, str]:
        """Upload one part; return its `file_path` and the request id.

        Raises:
            UploadAgain: the part arrived damaged three times.
            Failed, Waiting: as for every call.
        """
        request = Request("POST", "file/upload", lambda advertiser_id: _multipart(part, identifier_type, advertiser_id))
        for _ in range(TRIES - 1):
            try:
                answer = self._call(request)
                break
            except UploadAgain:
                continue
        else:
            answer = self._call(request)
        return str(answer.data["file_path"]), answer.request_id

    def create(self, name: str, identifier_type: IdentifierType, file_paths: Sequence[str]) -> tuple[str, str]:
        """Create an audience from uploaded parts; return its id and the request id.

        Raises:
            OutcomeUnknown: it may exist.
            UploadAgain: a `file_path` is unknown or expired.
            Failed, Waiting: as for every call.
        """
        body = {
            "custom_audience_name": name,
            "calculate_type": identifier_type.calculate_type,
            "file_paths": list(file_paths),
        }
        answer = self._call(_post("create", body))
        return str(answer.data["custom_audience_id"]), answer.request_id

    def update(self, audience_id: str, action: str, file_paths: Sequence[str]) -> str:
        """Append to, remove from or replace an audience; return the request id.

        `action` is always sent: left out it means REPLACE.

        Raises:
            OutcomeUnknown: it may be done.
            NotEditable: the audience takes no change now.
            UploadAgain, Failed, Waiting: as for `create`.
        """
        body = {"custom_audience_id": audience_id, "action": action.upper(), "file_paths": list(file_paths)}
        return self._call(_post("update", body)).request_id

    def list_audiences(self) -> list[Audience]:
        """All audiences of the advertiser, of every kind.

        The listing is unsorted and shifts under concurrent changes: it counts only when its distinct ids add up to
        `total_number`.

        Raises:
            Waiting: the listing stayed incomplete; and as for every call.
        """
        for _ in range(TRIES):
            found: dict[str, Audience] = {}
            page, pages, total = 1, 1, 0
            while page <= pages:
                data = self._call(_get("list", {"page": page, "page_size": PAGE_SIZE})).data
                found |= {audience.id: audience for audience in map(_audience, data.get("list") or [])}
                pages, total = int(data["page_info"]["total_page"]), int(data["page_info"]["total_number"])
                page += 1
            if len(found) == total:
                return list(found.values())
        raise Waiting(Code.TIKTOK_UNAVAILABLE, "TikTok's list of audiences kept changing while it was read.")

    def get_audiences(self, audience_ids: Sequence[str]) -> dict[str, Audience]:
        """Details of up to 100 audiences by id, history included; ids that do not exist are absent."""
        data = self._call(_get("get", {"custom_audience_ids": json.dumps(list(audience_ids))})).data
        found = (_audience(each["audience_details"], each.get("audience_history")) for each in data.get("list") or [])
        return {audience.id: audience for audience in found}

    def _call(self, request: Request) -> Answer:
        """Make a call, with a few quick tries.

        Raises:
            Throttled, CredentialsRefused: no further call goes out in this invocation.
            Waiting: TikTok is busy or out of reach.
            OutcomeUnknown: the same, for a call that must not be repeated blindly.
            Failed, NotEditable, UploadAgain: TikTok refuses.
        """
        for tries_left in reversed(range(TRIES)):
            answer = self._send(request)
            meaning = answer.meaning
            if meaning is Meaning.FINE:
                return answer
            if meaning in {Meaning.TOKEN_REFUSED, Meaning.PERMISSION_REFUSED}:
                if tries_left and self._open(self.credentials.read_again):
                    continue
                raise self._close(_credentials_refused(answer))
            if meaning not in {Meaning.BUSY, Meaning.THROTTLED}:
                raise _refusal(answer)
            if meaning is Meaning.BUSY and answer.reached and not request.repeatable:
                raise OutcomeUnknown
            self.counts.throttled += meaning is Meaning.THROTTLED
            if self.deadline.near():
                break
            if tries_left:
                pause = THROTTLE_PAUSE_SECONDS if meaning is Meaning.THROTTLED else BUSY_PAUSE_SECONDS
                time.sleep(random.uniform(*pause))  # noqa: S311 - jitter, not a secret
        if meaning is Meaning.THROTTLED:
            raise self._close(
                Throttled(
                    Code.TIKTOK_THROTTLED,
                    "TikTok's limit of requests is reached; the file goes through by itself later.",
                )
            )
        raise Waiting(Code.TIKTOK_UNAVAILABLE, "TikTok is busy or out of reach; the file goes through by itself later.")

    def _send(self, request: Request) -> Answer:
        if self.closed:
            raise self.closed
        credentials = self._open(self.credentials.get)
        self.counts.calls += 1
        arguments = request.arguments(credentials.advertiser_id)
        headers = {**arguments.pop("headers", {}), "Access-Token": credentials.access_token}
        # A call may not outlive the function; below a second no answer can be waited for.
        patience = max(1.0, min(READ_SECONDS, self.deadline.remaining() - 1))
        try:
            response = self.session.request(
                request.method,
                f"{self.base_url}/open_api/v1.3/dmp/custom_audience/{request.call}/",
                headers=headers,
                timeout=(CONNECT_SECONDS, patience),
                allow_redirects=False,
                **arguments,
            )
            return _answer(response)
        except requests.ConnectTimeout:
            return Answer(Meaning.BUSY, reached=False)
        except (requests.RequestException, ValueError):
            return Answer(Meaning.BUSY)

    def _open(self, read: Callable[[], Read]) -> Read:
        try:
            return read()
        except CredentialsRefused as refused:
            raise self._close(refused) from None

    def _close(self, reason: Waiting) -> Waiting:
        self.counts.credentials_refused += isinstance(reason, CredentialsRefused)
        self.closed = reason
        return reason


def _get(call: str, query: Mapping[str, Any]) -> Request:
    return Request("GET", call, lambda advertiser_id: {"params": {"advertiser_id": advertiser_id, **query}})


def _post(call: str, body: Mapping[str, Any]) -> Request:
    return Request(
        "POST", call, lambda advertiser_id: {"json": {"advertiser_id": advertiser_id, **body}}, repeatable=False
    )


class _Body:
    """A multipart body that is sent chunk by chunk: `requests` would join all of it in memory, twice."""

    def __init__(self, chunks: Sequence[bytes]) -> None:
        self._chunks = chunks
        self._length = sum(map(len, chunks))

    def __len__(self) -> int:
        return self._length

    def __iter__(self) -> Iterator[bytes]:
        return iter(self._chunks)


def _multipart(part: Part, identifier_type: IdentifierType, advertiser_id: str) -> dict[str, Any]:
    boundary = uuid4().hex
    fields = {
        "advertiser_id": advertiser_id,
        "file_signature": part.md5,
        "calculate_type": identifier_type.calculate_type,
    }
    opening = "".join(
        f'--{boundary}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'
        for name, value in fields.items()
    )
    # The name says nothing of the user's file; TikTok looks at its ending only.
    opening += (
        f'--{boundary}\r\nContent-Disposition: form-data; name="file"; filename="{part.md5}.csv"\r\n'
        "Content-Type: text/csv\r\n\r\n"
    )
    return {
        "data": _Body([opening.encode(), *part.chunks, f"\r\n--{boundary}--\r\n".encode()]),
        "headers": {"Content-Type": f"multipart/form-data; boundary={boundary}"},
    }


def _answer(response: requests.Response) -> Answer:
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


def _audience(item: Mapping[str, Any], history: Sequence[Mapping[str, Any]] | None = None) -> Audience:
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


def _credentials_refused(answer: Answer) -> CredentialsRefused:
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


def _refusal(answer: Answer) -> Exception:
    what = f"(code {answer.code}: {answer.message}; request {answer.request_id})"
    match answer.meaning:
        case Meaning.UPLOAD_AGAIN:
            return UploadAgain(what)
        case Meaning.FILE_REFUSED:
            return FileRefused(Code.FILE_REFUSED, f"TikTok refused the file {what}.")
        case Meaning.NOT_EDITABLE:
            return NotEditable(
                Code.AUDIENCE_PROCESSING,
                "TikTok is still processing this audience, up to 48 hours; the file goes through by itself later.",
            )
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
