"""The embedded AWS: moto's server on a loopback port, with S3's conditional writes made atomic as they are in AWS.

As a process: `python -m sandbox.aws.server` prints one JSON line, `{"url": ...}`, and serves until it is stopped.
"""

from __future__ import annotations

import argparse
import json
import threading
from collections.abc import Callable, Iterable
from typing import Any

from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app
from werkzeug.serving import BaseWSGIServer, WSGIRequestHandler, make_server

from sandbox.http_server import HOST, QuietHandler
from sandbox.processes import stop_with_parent

Application = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]


class _Handler(QuietHandler, WSGIRequestHandler):
    """Runs the application for each request."""

    wbufsize = 0  # werkzeug does not flush "100 Continue", which boto3 waits for before each upload


def atomic_conditional_writes(application: Application) -> Application:
    """Let only one conditional write in at a time: moto checks first and writes later, S3 does both at once."""
    lock = threading.Lock()

    def serve(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        if environ["REQUEST_METHOD"] == "PUT" and ("HTTP_IF_MATCH" in environ or "HTTP_IF_NONE_MATCH" in environ):
            with lock:
                return application(environ, start_response)
        return application(environ, start_response)

    return serve


def aws_server(port: int = 0, application: Application | None = None) -> BaseWSGIServer:
    """A server that is bound to a loopback port and not serving yet; of moto, or of what a test wraps around it."""
    application = atomic_conditional_writes(application or DomainDispatcherApplication(create_backend_app))
    return make_server(HOST, port, application, threaded=True, request_handler=_Handler)


def main() -> None:
    """Serve until stopped."""
    parser = argparse.ArgumentParser(description="moto's server with atomic conditional writes")
    parser.add_argument("--port", type=int, default=0)
    server = aws_server(parser.parse_args().port)
    stop_with_parent()
    print(json.dumps({"url": f"http://127.0.0.1:{server.port}"}), flush=True)
    server.serve_forever()


if __name__ == "__main__":
    main()
