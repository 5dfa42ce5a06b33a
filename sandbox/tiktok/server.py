"""The HTTP server of the emulated TikTok. It converts each request to a call, and each reply to a response."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus
from io import BytesIO
from typing import IO, Any, cast
from urllib.parse import parse_qsl, urlsplit

from werkzeug.datastructures import FileStorage
from werkzeug.exceptions import RequestEntityTooLarge
from werkzeug.formparser import MultiPartParser
from werkzeug.http import parse_options_header
from werkzeug.wsgi import LimitedStream

from sandbox.http_server import LoopbackServer, QuietHandler
from sandbox.tiktok.fields import from_query
from sandbox.tiktok.refusals import UNKNOWN_ROUTE, WRONG_REQUEST, Refusal

_CALLS = {
    ("POST", "file/upload/"): "upload",
    ("POST", "create/"): "create",
    ("POST", "update/"): "update",
    ("GET", "list/"): "list",
    ("GET", "get/"): "get",
    ("POST", "delete/"): "delete",
    ("GET", "apply/log/"): "apply_log",
}
_CHUNK_BYTES = 256 * 1024
_BASE = "/open_api/v1.3/dmp/custom_audience/"
_CONTROL = "/_emulator/"
# The controls for other processes. Each is a method of the emulator; its arguments are the query and the JSON body.
_CONTROLS = {
    ("POST", "accounts"): "set_account",
    ("POST", "settings"): "configure",
    ("POST", "clock"): "advance",
    ("POST", "unmatched"): "set_unmatched",
    ("GET", "audiences"): "audiences",
    ("POST", "audiences"): "seed",
    ("POST", "rename"): "rename",
    ("POST", "delete"): "delete",
    ("POST", "apply"): "apply",
    ("GET", "members"): "members",
    ("GET", "calls"): "calls",
    ("DELETE", "calls"): "clear_calls",
    ("POST", "faults"): "fault",
    ("DELETE", "faults"): "clear_faults",
    ("DELETE", "files"): "forget_files",
}
Reply = tuple[int, Any]  # HTTP status and JSON content


@dataclass(frozen=True)
class Call:
    """A parsed API request: the name of the call, the access token, and the arguments in `given`."""

    name: str
    access_token: str
    given: Mapping[str, Any]
    problem: Refusal | None = None  # the refusal of a request that could not be parsed


class Server(LoopbackServer):
    """TikTok's API and the emulator's controls on a loopback port.

    Args:
        emulator: has the controls, and `respond`, which returns None to close the connection without a response.
    """

    def __init__(self, emulator: Any) -> None:
        super().__init__(_TikTokHandler)
        self.emulator = emulator


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
        name = _CALLS.get((self.command, url.path.removeprefix(_BASE)))
        reply: Reply | None
        if url.path.startswith(_CONTROL):
            reply = self._control(url.path.removeprefix(_CONTROL), query, body)
        elif name and url.path.startswith(_BASE):
            reply = self.server.emulator.respond(self._call(name, query, body))
        else:
            body.exhaust()
            code, message = UNKNOWN_ROUTE
            reply = HTTPStatus.NOT_FOUND, {"code": code, "message": message, "request_id": "", "data": {}}
        if reply is None:
            self.close_connection = True
        else:
            status, content = reply
            self.reply(status, json.dumps(content).encode())

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
        content = body.read()
        name = _CONTROLS.get((self.command, path))
        if name is None:
            return HTTPStatus.NOT_FOUND, {"error": f"There is no control {self.command} {path}."}
        try:
            result = getattr(self.server.emulator, name)(**query, **json.loads(content or b"{}"))
        except (KeyError, TypeError, ValueError) as error:
            return HTTPStatus.BAD_REQUEST, {"error": str(error)}
        return HTTPStatus.OK, {} if result is None else sorted(result) if isinstance(result, set) else result


def read_form(body: LimitedStream, content_type: str) -> dict[str, str | FileStorage]:
    """Return the text fields and the files of an upload.

    Raises:
        Refusal: the content type or the body is not multipart/form-data.
    """
    kind, options = parse_options_header(content_type)
    if kind != "multipart/form-data" or "boundary" not in options:
        raise Refusal(WRONG_REQUEST, "Content-Type must be multipart/form-data.")
    parser = MultiPartParser(lambda *_, **__: BytesIO(), buffer_size=_CHUNK_BYTES)
    try:
        fields, files = parser.parse(cast("IO[bytes]", body), options["boundary"].encode("latin-1"), body.limit)
    except (ValueError, RequestEntityTooLarge):
        raise Refusal(WRONG_REQUEST, "The body is not valid multipart/form-data.") from None
    return {**fields.to_dict(), **files.to_dict()}


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
