"""The client of TikTok's API for Business v1.3: the calls for customer-file audiences.

A response becomes data (`responses.py`) or an error of `handler.errors` (`refusals.py`). A call is retried here only
where a repeat is safe.
"""

from __future__ import annotations

import json
import random
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, NamedTuple, TypeVar

import requests
from aws_lambda_powertools import Logger

from handler import reasons
from handler.cleaning.parts import Part
from handler.clock import Deadline
from handler.errors import CredentialsRefused, Throttled, UploadAgain, Waiting
from handler.model import IdentifierType
from handler.tiktok.codes import Meaning
from handler.tiktok.credentials import Credentials, CredentialsStore
from handler.tiktok.multipart import multipart
from handler.tiktok.refusals import refusal
from handler.tiktok.responses import (
    AdGroup,
    Audience,
    TikTokResponse,
    parse_ad_groups,
    parse_details,
    parse_id,
    parse_page,
    parse_response,
)

MAX_TRIES = 3  # of a call, the first included
# Back-off in seconds, a random time in between. The basic tier allows 10 requests per second and 600 per minute.
THROTTLED_BACKOFF = (0.5, 1.2)
BUSY_BACKOFF = (0.1, 0.5)
PAGE_SIZE = 100  # TikTok's maximum

Read = TypeVar("Read")


class CallRequest(NamedTuple):
    """A call.

    Attributes:
        method: the HTTP method.
        call: the last components of the path.
        arguments: takes the advertiser id and returns the arguments of `requests`.
        repeatable: true if a repeat does no harm when the first try was carried out after all.
    """

    method: str
    call: str
    arguments: Callable[[str], dict[str, Any]]
    repeatable: bool = True


@dataclass
class CallCounts:
    """The number of calls of this invocation, and of those that were throttled or refused for the credentials."""

    calls: int = 0
    throttled: int = 0
    credentials_refused: int = 0


@dataclass
class TikTokClient:
    """One advertiser's connection to TikTok, for one invocation.

    Circuit breaker: after throttling, refused credentials or terms that are not accepted, every further call of this
    invocation raises the same error.

    Attributes:
        session: HTTP connections.
        base_url: TikTok's address without a path.
        credentials: the connector's secret.
        deadline: the end of the invocation; no call outlives it.
        logger: takes a warning if TikTok carried out a call in part.
        pause: waits between two tries, in seconds.
        connect_seconds: timeout of connecting.
        read_seconds: timeout of waiting for data; shorter near the end of the invocation.
        min_read_seconds: in less than this TikTok cannot answer.
        counts: the metrics of the calls.
        broken_by: the error that opened the circuit breaker.
    """

    session: requests.Session
    base_url: str
    credentials: CredentialsStore
    deadline: Deadline
    logger: Logger
    pause: Callable[[float], None] = time.sleep
    connect_seconds: float = 5.0
    read_seconds: float = 60.0
    min_read_seconds: float = 1.0
    counts: CallCounts = field(default_factory=CallCounts)
    broken_by: Waiting | None = None

    def upload(self, part: Part, identifier_type: IdentifierType) -> tuple[str, str]:
        """Upload one part; return its `file_path` and the request id.

        Raises:
            Failed: TikTok refuses the part, or received it damaged three times.
            Waiting: as for every call.
        """
        request = CallRequest(
            "POST", "file/upload", lambda advertiser_id: multipart(part, identifier_type, advertiser_id)
        )
        for _ in range(MAX_TRIES - 1):
            with suppress(UploadAgain):
                return self._uploaded(request)
        return self._uploaded(request)

    def _uploaded(self, request: CallRequest) -> tuple[str, str]:
        answer = self._call(request)
        if not (path := parse_id(answer.data.get("file_path"))):
            raise reasons.unusable_response()
        return path, answer.request_id

    def create(self, name: str, identifier_type: IdentifierType, file_paths: Sequence[str]) -> tuple[str, str]:
        """Create an audience from uploaded parts; return its id and the request id.

        Raises:
            OutcomeUnknown: the audience may exist.
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

        `action` is always sent, because TikTok replaces the audience if it is left out.

        Raises:
            OutcomeUnknown: the change may be done.
            NotEditable: the audience accepts no change now.
            UploadAgain, Failed, Waiting: as for `create`.
        """
        body = {"custom_audience_id": audience_id, "action": action.upper(), "file_paths": list(file_paths)}
        return self._call(_post("update", body)).request_id

    def list_audiences(self) -> list[Audience]:
        """Return all audiences of the advertiser, of every kind. An item whose id TikTok leaves out has an empty one.

        The listing is unsorted and shifts under concurrent changes, so it counts only if its distinct items add up to
        `total_number`.

        Raises:
            Waiting: the listing stayed incomplete or cannot be read; and as for every call.
        """
        for _ in range(MAX_TRIES):
            items: list[Audience] = []
            ids: set[str] = set()
            page, pages, total = 1, 1, 0
            while page <= pages:
                query = {"page": page, "page_size": PAGE_SIZE}
                audiences, pages, total = parse_page(self._call(_get("list", query)).data)
                before = len(ids)
                for audience in audiences:
                    if audience.id not in ids:
                        items.append(audience)
                    if audience.id:
                        ids.add(audience.id)
                if len(ids) == before:  # a page without a new audience ends the listing, whatever the number of pages
                    break
                page += 1
            if len(items) == total:
                return items
        raise reasons.unusable_response()

    def get_audiences(self, audience_ids: Sequence[str]) -> dict[str, Audience]:
        """Return the details of up to 100 audiences by id, history included. Ids that do not exist are absent.

        Raises:
            UnknownAudience: TikTok refuses the call for an id that does not exist.
            Waiting: as for every call.
        """
        return parse_details(self._call(_get("get", {"custom_audience_ids": json.dumps(list(audience_ids))})).data)

    def delete_audiences(self, audience_ids: Sequence[str]) -> str:
        """Delete up to 100 audiences; return the request id.

        Raises:
            UnknownAudience: TikTok no longer knows one of them.
            OutcomeUnknown, Failed, Waiting: as for `create`.
        """
        return self._call(_post("delete", {"custom_audience_ids": list(audience_ids)})).request_id

    def applied_ad_groups(self, audience_id: str) -> list[AdGroup]:
        """Return the ad groups that an own audience was applied to, each once.

        Raises:
            Waiting: a call to TikTok failed, or TikTok does not show the log to this advertiser.
        """
        found: dict[AdGroup, None] = {}
        page, pages = 1, 1
        while page <= pages:
            query = {"custom_audience_ids": json.dumps([audience_id]), "page": page, "page_size": PAGE_SIZE}
            groups, pages = parse_ad_groups(self._call(_get("apply/log", query)).data)
            before = len(found)
            found |= dict.fromkeys(groups)
            if len(found) == before:  # a page without a new ad group ends the log, whatever the number of pages
                break
            page += 1
        return list(found)

    def _call(self, request: CallRequest) -> TikTokResponse:
        """Make a call, with a few quick retries.

        Raises:
            Throttled, CredentialsRefused: no further call goes out in this invocation.
            Waiting: TikTok is busy or cannot be reached.
            OutcomeUnknown: the same, for a call that must not be repeated blindly.
            Failed, NotEditable, UploadAgain: TikTok refuses.
        """
        for tries_left in reversed(range(MAX_TRIES)):
            credentials = self._secret(self.credentials.get)
            answer = self._send(request, credentials)
            if answer.meaning is Meaning.SUCCESS:
                return answer
            error = refusal(answer, credentials.advertiser_id)
            if isinstance(error, CredentialsRefused):
                if tries_left and self._secret(self.credentials.reload):
                    continue
                raise self._break(error)
            if answer.meaning not in {Meaning.BUSY, Meaning.THROTTLED}:
                raise error
            if answer.meaning is Meaning.BUSY and answer.reached and not request.repeatable:
                raise reasons.outcome_unknown()
            self.counts.throttled += answer.meaning is Meaning.THROTTLED
            if self.deadline.near():
                break
            if tries_left:
                backoff = THROTTLED_BACKOFF if answer.meaning is Meaning.THROTTLED else BUSY_BACKOFF
                self.pause(random.uniform(*backoff))  # noqa: S311 - jitter, not a secret
        raise self._break(error) if isinstance(error, Throttled) else error

    def _send(self, request: CallRequest, credentials: Credentials) -> TikTokResponse:
        self.counts.calls += 1
        arguments = request.arguments(credentials.advertiser_id)
        headers = {**arguments.pop("headers", {}), "Access-Token": credentials.access_token}
        read_seconds = max(self.min_read_seconds, min(self.read_seconds, self.deadline.remaining() - 1))
        try:
            response = self.session.request(
                request.method,
                f"{self.base_url}/open_api/v1.3/dmp/custom_audience/{request.call}/",
                headers=headers,
                timeout=(self.connect_seconds, read_seconds),
                allow_redirects=False,
                **arguments,
            )
            answer = parse_response(response, request.call, credentials.access_token)
        except requests.ConnectTimeout:
            return TikTokResponse(Meaning.BUSY, reached=False)
        except (requests.RequestException, ValueError, RecursionError):
            return TikTokResponse(Meaning.BUSY)
        if answer.meaning is Meaning.SUCCESS and answer.code:
            details = {"call": request.call, "said": answer.message, "tiktok_request_id": answer.request_id}
            self.logger.warning("TikTok carried out a call in part", extra=details)
        return answer

    def _secret(self, read: Callable[[], Read]) -> Read:
        """Read the secret, unless the circuit breaker is open. A secret that cannot be used opens it."""
        if self.broken_by:
            raise self.broken_by
        try:
            return read()
        except CredentialsRefused as refused:
            raise self._break(refused) from None

    def _break(self, error: Waiting) -> Waiting:
        """Open the circuit breaker with this error and return it."""
        self.counts.credentials_refused += isinstance(error, CredentialsRefused)
        self.broken_by = error
        return error


def _get(call: str, query: Mapping[str, Any]) -> CallRequest:
    return CallRequest("GET", call, lambda advertiser_id: {"params": {"advertiser_id": advertiser_id, **query}})


def _post(call: str, body: Mapping[str, Any]) -> CallRequest:
    return CallRequest(
        "POST", call, lambda advertiser_id: {"json": {"advertiser_id": advertiser_id, **body}}, repeatable=False
    )
