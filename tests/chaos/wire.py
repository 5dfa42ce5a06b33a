"""The HTTP transport to TikTok: it injects faults and records every call and every accepted change."""

from __future__ import annotations

import json
import re
import socket
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from random import Random
from typing import Any
from urllib.parse import parse_qs, urlsplit

import requests
from requests.adapters import HTTPAdapter

from sandbox.tiktok.emulator import TikTokEmulator
from tests.chaos.scheduler import Scheduler, SimulatedInvocation

THROTTLED = 40100
QUICK, SLOW = (0.05, 1.5), (5.0, 55.0)  # ranges of response times in seconds
CHANGE_FAULT_FACTOR = 6  # changes have more faults, because a lost response is the case that an intent handles
MINUTE_LIMIT, DAY_LIMIT = "minute limit", "day limit"
_ADVERTISER = re.compile(rb'name="advertiser_id"\r\n\r\n(\d+)')


@dataclass
class WireCall:
    """One try of one call.

    Attributes:
        limit: the limit that was exhausted at the time; None if there was none.
        code: the code in TikTok's response, even if the function did not receive it; None if there was none.
    """

    at: datetime
    invocation: str
    advertiser_id: str
    name: str
    limit: str | None
    code: int | None = None


@dataclass
class AcceptedChange:
    """A create or update that TikTok accepted.

    Attributes:
        action: the action in the request; None if there was none, which TikTok treats as REPLACE.
        rows: the rows of its files, in TikTok's format.
        invocation: the invocation that made the call.
        answered: true if the function received the response.
    """

    at: datetime
    advertiser_id: str
    call: str
    audience_id: str
    action: str | None
    rows: frozenset[str]
    invocation: SimulatedInvocation
    answered: bool = False


@dataclass
class Wire:
    """The wire between the functions and the emulated TikTok.

    Attributes:
        fault_rate: the probability of a fault in a call.
        limits: name of a limit -> time until which it is exhausted.
        faults: kind of fault -> number.
        slow_until: the time until which every response is slow.
        calls: every call so far.
        changes: every accepted change so far.
        files: path of an uploaded file -> its rows.
    """

    tiktok: TikTokEmulator
    scheduler: Scheduler
    random: Random
    now: Callable[[], datetime]
    pass_seconds: Callable[[float], None]
    faults: Counter[str]
    record_step: Callable[[str], None]
    fault_rate: float = 0.0
    limits: dict[str, datetime] = field(default_factory=dict)
    slow_until: datetime | None = None
    calls: list[WireCall] = field(default_factory=list)
    changes: list[AcceptedChange] = field(default_factory=list)
    files: dict[str, frozenset[str]] = field(default_factory=dict)

    def session(self) -> requests.Session:
        """Return a session whose requests use this transport."""
        session = requests.Session()
        session.trust_env = False
        session.mount("http://", _Adapter(self))
        return session

    def limit(self) -> str | None:
        """Return the limit that is currently exhausted, or None."""
        return next((name for name, until in self.limits.items() if self.now() < until), None)

    def choose(self, name: str, call: WireCall) -> str:
        """Choose and prepare the fault for this call, and return its name; an empty string means no fault."""
        if limit := self.limit():
            call.limit = limit
            self.tiktok.fault(name, "code", code=THROTTLED, message="Too many requests. Please retry in some time.")
            return limit
        is_change = name in {"create", "update"}
        if self.random.random() >= self.fault_rate * (CHANGE_FAULT_FACTOR if is_change else 1):
            return ""
        kinds = [
            "second limit", "HTTP 5xx", "busy", "slow", "timeout", "not connected", "cut before", "cut during",
            "cut after", "killed before", "killed after", MINUTE_LIMIT,
        ]  # fmt: skip
        kind = self.random.choice(kinds + ["file lost", "cut after", "timeout"] * is_change)
        match kind:
            case "minute limit":  # the limit is exhausted for the next five minutes
                self.limits[MINUTE_LIMIT] = self.now() + timedelta(minutes=5)
                return self.choose(name, call)
            case "second limit":
                self.tiktok.fault(name, "code", code=THROTTLED, message="Too many requests. Please retry in some time.")
            case "HTTP 5xx":
                self.tiktok.fault(name, "http", status=self.random.choice([500, 502, 503, 504]))
            case "busy":
                self.tiktok.fault(name, "code", code=self.random.choice([40200, 50000, 51000, 60001]))
            case "file lost":
                self.tiktok.fault(name, "code", code=40905, message="The file does not exist.")
        return kind


class _Adapter(HTTPAdapter):
    """Sends requests and injects faults."""

    def __init__(self, wire: Wire) -> None:
        super().__init__()
        self._wire = wire

    def send(  # noqa: C901 - a sequence of simple steps
        self, request: requests.PreparedRequest, *arguments: Any, **more: Any
    ) -> requests.Response:
        """Send a request. A fault raises an exception, changes or delays the response, or kills the invocation."""
        wire = self._wire
        me = wire.scheduler.current
        assert me, "only invocations send requests to TikTok"
        me.switch_point()
        name = urlsplit(request.url or "").path.rstrip("/").rpartition("/")[2]
        if request.body is not None and not isinstance(request.body, bytes | str):
            request.body = b"".join(request.body)
        call = WireCall(wire.now(), me.aws_request_id, _advertiser_id(request), name, None)
        wire.calls.append(call)
        fault = wire.choose(name, call)
        wire.record_step(f"{call.advertiser_id} {name} {fault}")
        if fault:
            wire.faults[fault] += 1
        match fault:
            case "not connected":
                raise requests.ConnectTimeout
            case "cut before":
                raise requests.ConnectionError
            case "cut during":
                _send_part(request)
                raise requests.ConnectionError
            case "killed before":
                me.killed = True
        if me.killed:
            me.switch_point()
        is_slow = fault == "slow" or (wire.slow_until and wire.now() < wire.slow_until)
        wire.pass_seconds(wire.random.uniform(*(SLOW if is_slow else QUICK)))
        response = super().send(request, *arguments, **more)
        change = self._record(request, response, call, me)
        if fault == "timeout":
            wire.pass_seconds(60)
            raise requests.ReadTimeout
        if fault == "cut after":
            raise requests.ConnectionError
        if fault == "killed after":
            me.killed = True
        me.switch_point()
        if change:
            change.answered = True
        return response

    def _record(
        self, request: requests.PreparedRequest, response: requests.Response, call: WireCall, me: SimulatedInvocation
    ) -> AcceptedChange | None:
        """Record the code and the uploaded file or accepted change of a response; return the change, or None."""
        wire = self._wire
        try:
            content = response.json()
            call.code = content.get("code")
        except ValueError:
            return None
        if call.code != 0:
            return None
        body = request.body.encode() if isinstance(request.body, str) else bytes(request.body or b"")
        if call.name == "upload":
            wire.files[content["data"]["file_path"]] = rows_of(body)
        if call.name not in {"create", "update"}:
            return None
        payload = json.loads(body)
        paths = payload.get("file_paths", [])
        audience_id = payload.get("custom_audience_id") or content["data"]["custom_audience_id"]
        rows = frozenset().union(*(wire.files[path] for path in paths))
        change = AcceptedChange(wire.now(), call.advertiser_id, call.name, audience_id, payload.get("action"), rows, me)
        wire.changes.append(change)
        return change


def rows_of(body: bytes) -> frozenset[str]:
    """Return the rows of an uploaded file, in the format in which the emulator returns the members of an audience."""
    content = body.rpartition(b"Content-Type: text/csv\r\n\r\n")[2].rpartition(b"\r\n--")[0]
    lines = content.partition(b"\r\n--")[0].decode().splitlines()
    if lines and "," in lines[0]:
        headers = lines[0].lower().split(",")
        named = ([*zip(headers, line.lower().split(","), strict=True)] for line in lines[1:])
        return frozenset(",".join(sorted(f"{name}={value}" for name, value in row if value)) for row in named)
    return frozenset(line.lower() for line in lines)


def _advertiser_id(request: requests.PreparedRequest) -> str:
    if query := parse_qs(urlsplit(request.url or "").query).get("advertiser_id"):
        return query[0]
    body = request.body.encode() if isinstance(request.body, str) else bytes(request.body or b"")
    if found := _ADVERTISER.search(body[:2000]):
        return found[1].decode()
    return str(json.loads(body)["advertiser_id"])


def _send_part(request: requests.PreparedRequest) -> None:
    """Send a part of a request, then close the connection."""
    url = urlsplit(request.url or "")
    body = request.body.encode() if isinstance(request.body, str) else bytes(request.body or b"")
    head = f"{request.method} {url.path}?{url.query} HTTP/1.1\r\n".encode()
    head += "".join(f"{name}: {_text(value)}\r\n" for name, value in request.headers.items()).encode() + b"\r\n"
    # Without a body, the head is the complete request, so only two bytes of it are sent.
    sent = (head + body)[: len(head) + len(body) // 2] if body else head[:2]
    with socket.create_connection((url.hostname or "", url.port or 80)) as connection:
        connection.sendall(sent)


def _text(value: str | bytes) -> str:
    return value if isinstance(value, str) else value.decode()
