"""The client of TikTok's API for Business v1.3: the calls for customer-file audiences.

What TikTok answers becomes data or an error of `handler.errors`. A call is repeated here only where a repeat is safe;
`handler.tiktok.codes` says what a code means.
"""

from __future__ import annotations

import json
import random
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, TypeVar
from uuid import uuid4

import requests
from aws_lambda_powertools import Logger

from handler import reasons
from handler.cleaning.parts import Part
from handler.clock import Deadline
from handler.errors import CredentialsRefused, Throttled, UploadAgain, Waiting
from handler.model import IdentifierType
from handler.report_codes import Code
from handler.tiktok.codes import Meaning
from handler.tiktok.credentials import CredentialsStore
from handler.tiktok.responses import (
    Answer,
    Audience,
    credentials_refused,
    parse_answer,
    parse_details,
    parse_id,
    parse_page,
    refusal,
)

TRIES = 3
CONNECT_SECONDS = 5.0
READ_SECONDS = 60.0
# The basic tier allows 10 requests a second: a second later there is room again unless the minute is used up.
THROTTLE_PAUSE_SECONDS = (0.5, 1.2)
BUSY_PAUSE_SECONDS = (0.1, 0.5)
PAGE_SIZE = 100


Read = TypeVar("Read")


@dataclass(frozen=True)
class Request:
    """A call: `arguments` takes the advertiser's id and gives what `requests` sends."""

    method: str
    call: str
    arguments: Callable[[str], dict[str, Any]]
    repeatable: bool = True


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
    `pause` is how it waits between two tries, in seconds.
    """

    session: requests.Session
    base_url: str
    credentials: CredentialsStore
    deadline: Deadline
    logger: Logger
    pause: Callable[[float], None] = time.sleep
    counts: CallCounts = field(default_factory=CallCounts)
    closed: Waiting | None = None

    def upload(self, part: Part, identifier_type: IdentifierType) -> tuple[str, str]:
        """Upload one part; return its `file_path` and the request id.

        Raises:
            Failed: TikTok refuses the part, or it arrived damaged three times.
            Waiting: as for every call.
        """
        request = Request("POST", "file/upload", lambda advertiser_id: _multipart(part, identifier_type, advertiser_id))
        for _ in range(TRIES - 1):
            with suppress(UploadAgain):
                return self._uploaded(request)
        return self._uploaded(request)

    def _uploaded(self, request: Request) -> tuple[str, str]:
        answer = self._call(request)
        if not (path := parse_id(answer.data.get("file_path"))):
            raise Waiting(Code.TIKTOK_UNAVAILABLE, "TikTok took the file without naming it; it is uploaded anew later.")
        return path, answer.request_id

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
        if not (audience_id := parse_id(answer.data.get("custom_audience_id"))):
            raise reasons.outcome_unknown()
        return audience_id, answer.request_id

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
            Waiting: the listing stayed incomplete or cannot be read; and as for every call.
        """
        for _ in range(TRIES):
            found: dict[str, Audience] = {}
            page, pages, total = 1, 1, 0
            while page <= pages:
                audiences, pages, total = parse_page(
                    self._call(_get("list", {"page": page, "page_size": PAGE_SIZE})).data
                )
                new = {audience.id: audience for audience in audiences if audience.id not in found}
                if not new:  # however many pages TikTok says there are
                    break
                found |= new
                page += 1
            if len(found) == total:
                return list(found.values())
        raise Waiting(Code.TIKTOK_UNAVAILABLE, "TikTok's list of audiences kept changing while it was read.")

    def get_audiences(self, audience_ids: Sequence[str]) -> dict[str, Audience]:
        """Details of up to 100 audiences by id, history included; ids that do not exist are absent."""
        return parse_details(self._call(_get("get", {"custom_audience_ids": json.dumps(list(audience_ids))})).data)

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
                raise self._close(credentials_refused(answer))
            if meaning not in {Meaning.BUSY, Meaning.THROTTLED}:
                raise refusal(answer)
            if meaning is Meaning.BUSY and answer.reached and not request.repeatable:
                raise reasons.outcome_unknown()
            self.counts.throttled += meaning is Meaning.THROTTLED
            if self.deadline.near():
                break
            if tries_left:
                between = THROTTLE_PAUSE_SECONDS if meaning is Meaning.THROTTLED else BUSY_PAUSE_SECONDS
                self.pause(random.uniform(*between))  # noqa: S311 - jitter, not a secret
        if meaning is Meaning.THROTTLED:
            raise self._close(
                Throttled(
                    Code.TIKTOK_THROTTLED,
                    "TikTok's limit of requests is reached; the file goes through by itself later.",
                )
            )
        said = f" (code {answer.code}: {answer.message}; request {answer.request_id})" if answer.code else ""
        raise Waiting(
            Code.TIKTOK_UNAVAILABLE, f"TikTok is busy or out of reach{said}; the file goes through by itself later."
        )

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
            answer = parse_answer(response, request.call, credentials.access_token)
        except requests.ConnectTimeout:
            return Answer(Meaning.BUSY, reached=False)
        except (requests.RequestException, ValueError, RecursionError):
            return Answer(Meaning.BUSY)
        if answer.meaning is Meaning.FINE and answer.code:
            said = {"call": request.call, "said": answer.message, "tiktok_request_id": answer.request_id}
            self.logger.warning("TikTok did it in part", extra=said)
        return answer

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
