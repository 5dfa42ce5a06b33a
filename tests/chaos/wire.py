"""The wire to TikTok: faults on the way, and a record of every change that TikTok accepted, as the wire showed it."""

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
QUICK, SLOW = (0.05, 1.5), (5.0, 55.0)  # seconds that an answer takes
CHANGES_ROUGHER = 6  # their lost answers are what an intent is for
MINUTE_LIMIT, DAY_LIMIT = "minute limit", "day limit"
_ADVERTISER = re.compile(rb'name="advertiser_id"\r\n\r\n(\d+)')


@dataclass
class WireCall:
    """One try of one call, as it went over the wire.

    Attributes:
        limit: the limit that was used up when it went out; None if there was none.
        code: TikTok's; None if no answer came back.
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
        action: as it was sent; None if it was left out, which TikTok takes for REPLACE.
        rows: the rows of its files, as TikTok knows them.
        invocation: the invocation that asked for it.
        answered: true if the answer reached the function.
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
        rough: probability that a call meets a fault.
        limits: name of a limit -> time until which it is used up.
        faults: kind -> number.
        slow_until: until then every answer is slow.
    """

    tiktok: TikTokEmulator
    scheduler: Scheduler
    random: Random
    now: Callable[[], datetime]
    pass_seconds: Callable[[float], None]
    faults: Counter[str]
    note: Callable[[str], None]
    rough: float = 0.0
    limits: dict[str, datetime] = field(default_factory=dict)
    slow_until: datetime | None = None
    calls: list[WireCall] = field(default_factory=list)
    changes: list[AcceptedChange] = field(default_factory=list)
    files: dict[str, frozenset[str]] = field(default_factory=dict)

    def session(self) -> requests.Session:
        """Return a session whose requests go over this wire."""
        session = requests.Session()
        session.trust_env = False
        session.mount("http://", _Adapter(self))
        return session

    def limit(self) -> str | None:
        """Return the limit that is used up now."""
        return next((name for name, until in self.limits.items() if self.now() < until), None)

    def choose(self, name: str, call: WireCall) -> str:
        """Return the fault that this call meets, "" for none."""
        if limit := self.limit():
            call.limit = limit
            self.tiktok.fault(name, "code", code=THROTTLED, message="Too many requests. Please retry in some time.")
            return limit
        is_change = name in {"create", "update"}
        if self.random.random() >= self.rough * (CHANGES_ROUGHER if is_change else 1):
            return ""
        kinds = [
            "second limit", "HTTP 5xx", "busy", "slow", "timeout", "not connected", "cut before", "cut during",
            "cut after", "killed before", "killed after", MINUTE_LIMIT,
        ]  # fmt: skip
        kind = self.random.choice(kinds + ["file lost", "cut after", "timeout"] * is_change)
        match kind:
            case "minute limit":  # the calls of the last minute have used it up
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
    """Sends over the wire."""

    def __init__(self, wire: Wire) -> None:
        super().__init__()
        self._wire = wire

    def send(  # noqa: C901 - one step after the other
        self, request: requests.PreparedRequest, *arguments: Any, **more: Any
    ) -> requests.Response:
        """Send a request, unless the weather has other plans."""
        wire = self._wire
        me = wire.scheduler.current
        assert me, "only invocations talk to TikTok"
        me.place()
        name = urlsplit(request.url or "").path.rstrip("/").rpartition("/")[2]
        if request.body is not None and not isinstance(request.body, bytes | str):
            request.body = b"".join(request.body)
        call = WireCall(wire.now(), me.aws_request_id, _advertiser_id(request), name, None)
        wire.calls.append(call)
        fault = wire.choose(name, call)
        wire.note(f"{call.advertiser_id} {name} {fault}")
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
                me.dead = True
        if me.dead:
            me.place()
        is_slow = fault == "slow" or (wire.slow_until and wire.now() < wire.slow_until)
        wire.pass_seconds(wire.random.uniform(*(SLOW if is_slow else QUICK)))
        response = super().send(request, *arguments, **more)
        change = self._note(request, response, call, me)
        if fault == "timeout":
            wire.pass_seconds(60)
            raise requests.ReadTimeout
        if fault == "cut after":
            raise requests.ConnectionError
        if fault == "killed after":
            me.dead = True
        me.place()
        if change:
            change.answered = True
        return response

    def _note(
        self, request: requests.PreparedRequest, response: requests.Response, call: WireCall, me: SimulatedInvocation
    ) -> AcceptedChange | None:
        """Note what TikTok answered and accepted."""
        wire = self._wire
        try:
            answer = response.json()
            call.code = answer.get("code")
        except ValueError:
            return None
        if call.code != 0:
            return None
        body = request.body.encode() if isinstance(request.body, str) else bytes(request.body or b"")
        if call.name == "upload":
            wire.files[answer["data"]["file_path"]] = rows_of(body)
        if call.name not in {"create", "update"}:
            return None
        asked = json.loads(body)
        paths = asked.get("file_paths", [])
        audience_id = asked.get("custom_audience_id") or answer["data"]["custom_audience_id"]
        rows = frozenset().union(*(wire.files[path] for path in paths))
        change = AcceptedChange(wire.now(), call.advertiser_id, call.name, audience_id, asked.get("action"), rows, me)
        wire.changes.append(change)
        return change


def rows_of(body: bytes) -> frozenset[str]:
    """Return the rows of an uploaded file, in the form in which the emulator tells an audience's members."""
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
    # A server takes a head that ends too early for a whole one without the rest of its headers.
    sent = (head + body)[: len(head) + len(body) // 2] if body else head[:2]
    with socket.create_connection((url.hostname or "", url.port or 80)) as connection:
        connection.sendall(sent)


def _text(value: str | bytes) -> str:
    return value if isinstance(value, str) else value.decode()
