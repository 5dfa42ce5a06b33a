"""The base of the sandbox's HTTP servers: a free loopback port, no access log, and a clean shutdown."""

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
    """A request handler without a log, because requests contain tokens, hashes and file names."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = -1  # buffered, so that the headers and the content are sent together

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        """Write nothing."""

    def log_message(self, *_: object) -> None:
        """Write nothing."""

    def reply(self, status: int, content: bytes, headers: Mapping[str, str] | None = None) -> None:
        """Send a complete JSON response."""
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

    daemon_threads = False  # so that `server_close` waits for the threads
    request_queue_size = 128

    def __init__(self, handler: type[QuietHandler]) -> None:
        super().__init__((HOST, 0), handler)
        self._connections: set[socket.socket] = set()
        self._lock = Lock()
        self._thread = Thread(target=self.serve_forever, kwargs={"poll_interval": 0.01}, name="server", daemon=True)

    @property
    def address(self) -> str:
        """The host and the port."""
        return f"{HOST}:{self.server_address[1]}"

    def start(self) -> None:
        """Serve in the background."""
        self._thread.start()

    def stop(self) -> None:
        """Close all connections and wait for all threads."""
        self.shutdown()
        self._thread.join()
        with self._lock:
            for connection in self._connections:
                with suppress(OSError):  # the client closed it first
                    connection.shutdown(socket.SHUT_RDWR)
        self.server_close()

    def process_request(self, request: Any, client_address: Any) -> None:
        """Add the connection to the open ones before its thread starts."""
        with self._lock:
            self._connections.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        """Remove the connection from the open ones."""
        with self._lock:
            self._connections.discard(request)
        super().shutdown_request(request)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Ignore a client that closed its connection; print any other error."""
        if not isinstance(sys.exception(), ConnectionError | ClientDisconnected):
            super().handle_error(request, client_address)
