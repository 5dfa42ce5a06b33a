"""The embedded AWS: moto's server with corrections, on a loopback port.

As a process: `python -m sandbox.aws.server` prints one JSON line, `{"url": ...}`, and serves until it is stopped.
"""

from __future__ import annotations

import json

from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app
from werkzeug.serving import BaseWSGIServer, WSGIRequestHandler, make_server

from sandbox.aws.moto_corrections import Application, corrected
from sandbox.http_server import HOST, QuietHandler
from sandbox.processes import stop_with_parent


class _MotoHandler(QuietHandler, WSGIRequestHandler):
    """Runs the application for each request."""

    wbufsize = 0  # werkzeug does not flush "100 Continue", which boto3 waits for before each upload


def aws_server(application: Application | None = None) -> BaseWSGIServer:
    """Return a server of moto, or of a test's application around it, on a free loopback port; it does not serve yet."""
    application = corrected(application or DomainDispatcherApplication(create_backend_app))
    return make_server(HOST, 0, application, threaded=True, request_handler=_MotoHandler)


def main() -> None:
    """Serve until stopped."""
    server = aws_server()
    stop_with_parent()
    print(json.dumps({"url": f"http://127.0.0.1:{server.port}"}), flush=True)
    server.serve_forever()


if __name__ == "__main__":
    main()
