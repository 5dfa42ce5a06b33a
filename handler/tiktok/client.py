"""The client of TikTok's API for Business v1.3: the calls for customer-file audiences.

A response becomes data (`responses.py`) or an error of `handler.errors` (`codes.py`). The client retries a call only
if a repeat is safe.
"""

from __future__ import annotations

import json
import random
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import TypeVar

import requests
from aws_lambda_powertools import Logger

from handler import reasons
from handler.cleaning.parts import Part
from handler.clock import Deadline
from handler.errors import CredentialsRefused, Throttled, UploadAgain, Waiting
from handler.model import IdentifierType
from handler.tiktok.call_requests import CallRequest, get_request, post_request
from handler.tiktok.codes import Meaning, refusal
from handler.tiktok.credentials import Credentials, CredentialsStore
from handler.tiktok.multipart import multipart
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

MAX_TRIES = 3  # of a call, including the first
# Ranges of the random back-off, in seconds. The basic tier allows 10 requests per second and 600 per minute.
THROTTLED_BACKOFF = (0.5, 1.2)
BUSY_BACKOFF = (0.1, 0.5)
PAGE_SIZE = 100  # TikTok's maximum

Read = TypeVar("Read")


@dataclass
class TikTokClient:
    """One advertiser's connection to TikTok, for one invocation.

    Circuit breaker: after throttling, refused or unusable credentials, or terms that are not accepted, every further
    call of this invocation raises the same error.

    Attributes:
        session: the HTTP connections.
        base_url: the URL of TikTok's API without a path.
        credentials: the connector's secret.
        deadline: the end of the invocation; limits the timeout of each call.
        logger: logs a warning if TikTok carried out a call only in part.
        pause: waits the given number of seconds between two tries.
        connect_seconds: the connect timeout.
        read_seconds: the read timeout; shortened near the end of the invocation.
        min_read_seconds: the shortest read timeout.
        calls: the number of requests to TikTok, including retries.
        throttled: the number of requests that TikTok throttled.
        credentials_refused: 1 if a `CredentialsRefused` opened the circuit breaker; 0 otherwise.
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
    calls: int = 0
    throttled: int = 0
    credentials_refused: int = 0
    broken_by: Waiting | None = None

    def upload(self, part: Part, identifier_type: IdentifierType) -> tuple[str, str]:
        """Upload one part and return its `file_path` and the request id.

        Raises:
            Failed: TikTok refuses the part, or received it damaged three times.
            Waiting: TikTok is unavailable, throttles, refuses the credentials, or returns an unusable response; or the
                connector's secret is unusable.
        """
        request = CallRequest(
            "POST", "file/upload", lambda advertiser_id: multipart(part, identifier_type, advertiser_id)
        )
        for _ in range(MAX_TRIES - 1):
            with suppress(UploadAgain):
                return self._uploaded(request)
        return self._uploaded(request)

    def _uploaded(self, request: CallRequest) -> tuple[str, str]:
        response = self._call(request)
        if not (path := parse_id(response.data.get("file_path"))):
            raise reasons.unusable_response()
        return path, response.request_id

    def create(self, name: str, identifier_type: IdentifierType, file_paths: Sequence[str]) -> tuple[str, str]:
        """Create an audience from uploaded parts and return its id and the request id.

        Raises:
            OutcomeUnknown: TikTok may have created the audience.
            UploadAgain: a `file_path` is unknown or expired.
            Failed: TikTok refuses the request.
            Waiting: as for `upload`, or the advertiser has as many audiences as TikTok allows.
        """
        body = {
            "custom_audience_name": name,
            "calculate_type": identifier_type.calculate_type,
            "file_paths": list(file_paths),
        }
        response = self._call(post_request("create", body))
        if not (audience_id := parse_id(response.data.get("custom_audience_id"))):
            raise reasons.outcome_unknown()
        return audience_id, response.request_id

    def update(self, audience_id: str, action: str, file_paths: Sequence[str]) -> str:
        """Append to, remove from or replace an audience and return the request id.

        The request always contains `action`, because TikTok replaces the audience if it is missing.

        Raises:
            OutcomeUnknown: TikTok may have made the change.
            NotEditable: the audience accepts no change now.
            UnknownAudience: TikTok has no audience with this id.
            UploadAgain, Failed: as for `create`.
            Waiting: as for `upload`.
        """
        body = {"custom_audience_id": audience_id, "action": action.upper(), "file_paths": list(file_paths)}
        return self._call(post_request("update", body)).request_id

    def list_audiences(self) -> list[Audience]:
        """Return all audiences of the advertiser, of every kind. An audience without an id has an empty `id`.

        The listing is unsorted and shifts under concurrent changes. It is accepted only if the number of distinct
        items equals `total_number`.

        Raises:
            Waiting: the listing stayed incomplete or cannot be read; or as for `upload`.
        """
        for _ in range(MAX_TRIES):
            items: list[Audience] = []
            ids: set[str] = set()
            page, pages, total = 1, 1, 0
            while page <= pages:
                query = {"page": page, "page_size": PAGE_SIZE}
                audiences, pages, total = parse_page(self._call(get_request("list", query)).data)
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
        """Return the details and history of up to 100 audiences by id. Ids that do not exist are absent.

        Raises:
            UnknownAudience: TikTok refuses the call because an id does not exist.
            Waiting: as for `upload`.
        """
        query = {"custom_audience_ids": json.dumps(list(audience_ids))}
        return parse_details(self._call(get_request("get", query)).data)

    def delete_audiences(self, audience_ids: Sequence[str]) -> str:
        """Delete up to 100 audiences and return the request id.

        Raises:
            UnknownAudience: one of them no longer exists.
            OutcomeUnknown, Failed, Waiting: as for `create`.
        """
        return self._call(post_request("delete", {"custom_audience_ids": list(audience_ids)})).request_id

    def applied_ad_groups(self, audience_id: str) -> list[AdGroup]:
        """Return the ad groups that an audience of the advertiser was applied to, without duplicates.

        Raises:
            Waiting: a call to TikTok failed, or TikTok does not show the log to this advertiser.
        """
        found: dict[AdGroup, None] = {}
        page, pages = 1, 1
        while page <= pages:
            query = {"custom_audience_ids": json.dumps([audience_id]), "page": page, "page_size": PAGE_SIZE}
            groups, pages = parse_ad_groups(self._call(get_request("apply/log", query)).data)
            before = len(found)
            found |= dict.fromkeys(groups)
            if len(found) == before:  # a page without a new ad group ends the log, whatever the number of pages
                break
            page += 1
        return list(found)

    def _call(self, request: CallRequest) -> TikTokResponse:
        """Make a call, with a few quick retries.

        Raises:
            Throttled, CredentialsRefused: this invocation makes no further call.
            Waiting: TikTok is busy or cannot be reached, or the advertiser has as many audiences as TikTok allows.
            OutcomeUnknown: TikTok may have carried out a call that is not safe to repeat, because it was busy or its
                response was lost.
            Failed, NotEditable, UnknownAudience, UploadAgain: TikTok refuses the call.
        """
        for tries_left in reversed(range(MAX_TRIES)):
            credentials = self._secret(self.credentials.get)
            response = self._send(request, credentials)
            if response.meaning is Meaning.SUCCESS:
                return response
            error = refusal(response.meaning, response.details, credentials.advertiser_id)
            if isinstance(error, CredentialsRefused):
                if tries_left and self._secret(self.credentials.reload):
                    continue
                raise self._break(error)
            if response.meaning not in {Meaning.BUSY, Meaning.THROTTLED}:
                raise error
            if response.meaning is Meaning.BUSY and response.reached and not request.repeatable:
                raise reasons.outcome_unknown()
            self.throttled += response.meaning is Meaning.THROTTLED
            if self.deadline.near():
                break
            if tries_left:
                backoff = THROTTLED_BACKOFF if response.meaning is Meaning.THROTTLED else BUSY_BACKOFF
                self.pause(random.uniform(*backoff))  # noqa: S311 - jitter, not a secret
        raise self._break(error) if isinstance(error, Throttled) else error

    def _send(self, request: CallRequest, credentials: Credentials) -> TikTokResponse:
        self.calls += 1
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
            parsed = parse_response(response, request.call, credentials.access_token)
        except requests.ConnectTimeout:
            return TikTokResponse(Meaning.BUSY, reached=False)
        except (requests.RequestException, ValueError, RecursionError):
            return TikTokResponse(Meaning.BUSY)
        if parsed.meaning is Meaning.SUCCESS and parsed.code:
            details = {"call": request.call, "said": parsed.message, "tiktok_request_id": parsed.request_id}
            self.logger.warning("TikTok carried out a call in part", extra=details)
        return parsed

    def _secret(self, read: Callable[[], Read]) -> Read:
        """Call `read` unless the circuit breaker is open, and open the circuit breaker if the secret is unusable."""
        if self.broken_by:
            raise self.broken_by
        try:
            return read()
        except CredentialsRefused as refused:
            raise self._break(refused) from None

    def _break(self, error: Waiting) -> Waiting:
        """Open the circuit breaker with this error and return it."""
        self.credentials_refused += isinstance(error, CredentialsRefused)
        self.broken_by = error
        return error
