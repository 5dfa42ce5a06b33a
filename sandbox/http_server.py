"""The HTTP base of the sandbox's servers: a free loopback port, no access log, and nothing left behind when stopped."""

from __future__ import annotations

import socket
import sys
from collections.abc import Mapping
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Lock, Thread
from typing import Any

from werkzeug.exceptions import ClientDisconnected

HOST = "127.0.0.1"


class QuietHandler(BaseHTTPRequestHandler):
    """A request handler that logs nothing: requests hold tokens, hashes and names of people's files."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = -1  # head and content in one packet: two would wait for the client's delayed acknowledgement, 40 ms

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        """Write nothing."""

    def log_message(self, *_: object) -> None:
        """Write nothing."""

    def reply(self, status: int, content: bytes, headers: Mapping[str, str] | None = None) -> None:
        """Send a whole JSON response."""
        self.send_response(status)
        for name, value in {"Content-Type": "application/json", **(headers or {})}.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(content)))
        if self.close_connection:
            self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(content)
        self.wfile.flush()


class LoopbackServer(ThreadingHTTPServer):
    """A server on a free loopback port with one thread per connection, from `start` to `stop`."""

    daemon_threads = False  # so that closing waits for them
    request_queue_size = 128

    def __init__(self, handler: type[QuietHandler]) -> None:
        super().__init__((HOST, 0), handler)
        self._connections: set[socket.socket] = set()
        self._lock = Lock()
        self._thread = Thread(target=self.serve_forever, kwargs={"poll_interval": 0.01}, name="server", daemon=True)

    @property
    def address(self) -> str:
        """Host and port."""
        return f"{HOST}:{self.server_address[1]}"

    def start(self) -> None:
        """Serve in the background."""
        self._thread.start()

    def stop(self) -> None:
        """Close every connection and wait for every thread."""
        self.shutdown()
        self._thread.join()
        with self._lock:
            for connection in self._connections:
                with suppress(OSError):  # the client closed it first
                    connection.shutdown(socket.SHUT_RDWR)
        self.server_close()

    def process_request(self, request: Any, client_address: Any) -> None:
        """Remember the connection before its thread starts."""
        with self._lock:
            self._connections.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        """Forget the connection."""
        with self._lock:
            self._connections.discard(request)
        super().shutdown_request(request)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Ignore a client that closed its connection; print any other error."""
        if not isinstance(sys.exception(), ConnectionError | ClientDisconnected):
            super().handle_error(request, client_address)
