"""The emulated TikTok on the wire: HTTP requests in, envelopes out, and connections that end when they are told to."""

from __future__ import annotations

import json
import socket
import sys
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Lock, Thread
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from sandbox.tiktok.multipart import Body, FilePart, read_multipart
from sandbox.tiktok.rules import NO_SUCH_CALL, Refusal, from_query

_CALLS = {
    "file/upload/": ("POST", "upload"),
    "create/": ("POST", "create"),
    "update/": ("POST", "update"),
    "list/": ("GET", "list"),
    "get/": ("GET", "get"),
    "delete/": ("POST", "delete"),
}
_BASE = "/open_api/v1.3/dmp/custom_audience/"
_CONTROL = "/_emulator/"


@dataclass(frozen=True)
class Call:
    """A request for one of the six calls, as far as it could be read; `problem` says why not further."""

    name: str
    access_token: str
    given: Mapping[str, Any]
    file: FilePart | None = None
    problem: Refusal | None = None


@dataclass(frozen=True)
class Reply:
    """What goes back: a status and something JSON."""

    content: object
    status: int = 200


class Server(ThreadingHTTPServer):
    """Serves on 127.0.0.1 until `stop`; one thread per connection, none is left behind.

    Args:
        port: 0 takes a free one.
        answer: answers one of the six calls; None closes the connection without an answer.
        control: answers method, path below /_emulator/, and what query and body give.
        max_file_bytes: how much of an uploaded file is worth keeping.
    """

    daemon_threads = False  # so that closing waits for them
    request_queue_size = 128

    def __init__(
        self,
        port: int,
        answer: Callable[[Call], Reply | None],
        control: Callable[[str, str, Mapping[str, Any]], Reply],
        max_file_bytes: Callable[[], int],
    ) -> None:
        super().__init__(("127.0.0.1", port), _Handler)
        self.answer = answer
        self.control = control
        self.max_file_bytes = max_file_bytes
        self._open: set[socket.socket] = set()
        self._lock = Lock()
        self._thread = Thread(target=self.serve_forever, kwargs={"poll_interval": 0.01}, name="tiktok")

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self.server_address[1]}"

    def start(self) -> None:
        """Serve in the background."""
        self._thread.start()

    def stop(self) -> None:
        """Close every connection and wait for every thread."""
        self.shutdown()
        self._thread.join()
        with self._lock:
            for connection in self._open:
                _hang_up(connection)
        self.server_close()

    def process_request(self, request: Any, client_address: Any) -> None:
        """Remember the connection before its thread begins."""
        with self._lock:
            self._open.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        """Forget the connection."""
        with self._lock:
            self._open.discard(request)
        super().shutdown_request(request)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that goes away is no error; anything else is told."""
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: Server

    def do_GET(self) -> None:
        self._serve()

    def do_POST(self) -> None:
        self._serve()

    def do_DELETE(self) -> None:
        self._serve()

    def log_message(self, *_: object) -> None:
        """Nothing is logged: a request holds a token and people's hashes."""

    def _serve(self) -> None:
        url = urlsplit(self.path)
        query = dict(parse_qsl(url.query, keep_blank_values=True))
        length = self.headers.get("Content-Length") or "0"
        if self.headers.get("Transfer-Encoding") or not length.isdecimal():
            self.close_connection = True
            self._write(Reply({}, HTTPStatus.LENGTH_REQUIRED))
            return
        body = Body(self.rfile, int(length))
        reply: Reply | None
        if url.path.startswith(_CONTROL):
            reply = self._control(url.path.removeprefix(_CONTROL), query, body)
        else:
            method, name = _CALLS.get(url.path.removeprefix(_BASE), ("", ""))
            if url.path.startswith(_BASE) and method == self.command:
                reply = self.server.answer(self._read(name, query, body))
            else:
                body.drain()
                code, message = NO_SUCH_CALL
                reply = Reply({"code": code, "message": message, "request_id": "", "data": {}}, HTTPStatus.NOT_FOUND)
        if reply is None:
            self.close_connection = True
        else:
            self._write(reply)

    def _read(self, name: str, query: Mapping[str, str], body: Body) -> Call:
        given: Mapping[str, Any] = {}
        file, problem = None, None
        content_type = self.headers.get("Content-Type") or ""
        try:
            if name == "upload":
                given, file = read_multipart(body, content_type, self.server.max_file_bytes())
            elif self.command == "GET":
                given = from_query(name, query)
            else:
                given = _json_object(_whole(body), content_type)
        except Refusal as refusal:
            problem = refusal
        body.drain()
        return Call(name, self.headers.get("Access-Token") or "", given, file, problem)

    def _control(self, path: str, query: Mapping[str, str], body: Body) -> Reply:
        try:
            return self.server.control(self.command, path, {**query, **json.loads(_whole(body) or b"{}")})
        except (KeyError, TypeError, ValueError) as error:
            return Reply({"error": str(error)}, HTTPStatus.BAD_REQUEST)

    def _write(self, reply: Reply) -> None:
        content = json.dumps(reply.content).encode()
        status = HTTPStatus(reply.status)
        head = (
            f"HTTP/1.1 {status.value} {status.phrase}\r\nContent-Type: application/json\r\n"
            f"Content-Length: {len(content)}\r\n{'Connection: close' if self.close_connection else 'Server: emulator'}"
            "\r\n\r\n"
        )
        # One write: two small ones would wait for the client's delayed acknowledgement, 40 ms.
        self.wfile.write(head.encode() + content)


def _whole(body: Body) -> bytes:
    return b"".join(iter(body.read, b""))


def _json_object(text: bytes, content_type: str) -> dict[str, Any]:
    if content_type.partition(";")[0].strip().lower() != "application/json":
        raise Refusal(40002, "Content-Type must be application/json.")
    try:
        given = json.loads(text)
    except (ValueError, RecursionError):
        raise Refusal(40002, "The body is not valid JSON.") from None
    if not isinstance(given, dict):
        raise Refusal(40002, "The body is not a JSON object.")
    return given


def _hang_up(connection: socket.socket) -> None:
    with suppress(OSError):  # the client was faster
        connection.shutdown(socket.SHUT_RDWR)
