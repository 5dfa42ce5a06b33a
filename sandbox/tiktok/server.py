"""The HTTP side of the emulated TikTok: requests become calls, replies become responses or closed connections."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import IO, Any, cast
from urllib.parse import parse_qsl, urlsplit

from werkzeug.wsgi import LimitedStream

from sandbox.http_server import LoopbackServer, QuietHandler
from sandbox.tiktok.fields import from_query
from sandbox.tiktok.form import read_form
from sandbox.tiktok.refusals import NO_SUCH_ROUTE, WRONG_REQUEST, Refusal

_CALLS = {
    "file/upload/": ("POST", "upload"),
    "create/": ("POST", "create"),
    "update/": ("POST", "update"),
    "list/": ("GET", "list"),
    "get/": ("GET", "get"),
    "delete/": ("POST", "delete"),
    "apply/log/": ("GET", "apply_log"),
}
_BASE = "/open_api/v1.3/dmp/custom_audience/"
_CONTROL = "/_emulator/"


@dataclass(frozen=True)
class Call:
    """A request for one of the calls; `problem` says why it could not be read completely."""

    name: str
    access_token: str
    given: Mapping[str, Any]
    problem: Refusal | None = None


@dataclass(frozen=True)
class Reply:
    """An HTTP status and JSON content."""

    content: object
    status: int = 200


class Server(LoopbackServer):
    """TikTok's API and the emulator's controls on a loopback port.

    Args:
        port: 0 takes a free one.
        answer: answers one of the calls; None closes the connection without an answer.
        control: answers method, path below /_emulator/, and the fields of query and body.
    """

    def __init__(
        self,
        port: int,
        answer: Callable[[Call], Reply | None],
        control: Callable[[str, str, Mapping[str, Any]], Reply],
    ) -> None:
        super().__init__(_TikTokHandler, port)
        self.answer = answer
        self.control = control


class _TikTokHandler(QuietHandler):
    server: Server

    def _serve(self) -> None:
        url = urlsplit(self.path)
        query = dict(parse_qsl(url.query, keep_blank_values=True))
        length = self.headers.get("Content-Length") or "0"
        if self.headers.get("Transfer-Encoding") or not length.isdecimal():
            self.close_connection = True
            self.reply(HTTPStatus.LENGTH_REQUIRED, b"{}")
            return
        body = LimitedStream(cast("IO[bytes]", self.rfile), int(length))
        method, name = _CALLS.get(url.path.removeprefix(_BASE), ("", ""))
        reply: Reply | None
        if url.path.startswith(_CONTROL):
            reply = self._control(url.path.removeprefix(_CONTROL), query, body)
        elif url.path.startswith(_BASE) and method == self.command:
            reply = self.server.answer(self._call(name, query, body))
        else:
            body.exhaust()
            code, message = NO_SUCH_ROUTE
            reply = Reply({"code": code, "message": message, "request_id": "", "data": {}}, HTTPStatus.NOT_FOUND)
        if reply is None:
            self.close_connection = True
        else:
            self.reply(reply.status, json.dumps(reply.content).encode())

    do_GET = do_POST = do_DELETE = _serve  # noqa: N815 - the names that http.server calls

    def _call(self, name: str, query: Mapping[str, str], body: LimitedStream) -> Call:
        given: Mapping[str, Any] = {}
        problem = None
        content_type = self.headers.get("Content-Type") or ""
        try:
            if name == "upload":
                given = read_form(body, content_type)
            elif self.command == "GET":
                given = from_query(name, query)
            else:
                given = _json_object(body.read(), content_type)
        except Refusal as refusal:
            problem = refusal
        body.exhaust()
        return Call(name, self.headers.get("Access-Token") or "", given, problem)

    def _control(self, path: str, query: Mapping[str, str], body: LimitedStream) -> Reply:
        try:
            return self.server.control(self.command, path, {**query, **json.loads(body.read() or b"{}")})
        except (KeyError, TypeError, ValueError) as error:
            return Reply({"error": str(error)}, HTTPStatus.BAD_REQUEST)


def _json_object(text: bytes, content_type: str) -> dict[str, Any]:
    if content_type.partition(";")[0].strip().lower() != "application/json":
        raise Refusal(WRONG_REQUEST, "Content-Type must be application/json.")
    try:
        given = json.loads(text)
    except (ValueError, RecursionError):
        raise Refusal(WRONG_REQUEST, "The body is not valid JSON.") from None
    if not isinstance(given, dict):
        raise Refusal(WRONG_REQUEST, "The body is not a JSON object.")
    return given
