"""The embedded AWS: moto's server with corrections, on a loopback port.

To run it as a process: `python -m sandbox.aws.server` prints `{"url": ...}` and serves until it is stopped.
"""

from __future__ import annotations

import json

from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app
from werkzeug.serving import BaseWSGIServer, WSGIRequestHandler, make_server

from sandbox.aws.moto_corrections import Application, corrected
from sandbox.http_server import HOST, QuietHandler
from sandbox.processes import stop_with_parent


class _MotoHandler(QuietHandler, WSGIRequestHandler):
    """A request handler that runs the application for each request."""

    wbufsize = 0  # unbuffered: boto3 waits for "100 Continue" before each upload, and werkzeug does not flush it


def aws_server(application: Application | None = None) -> BaseWSGIServer:
    """Return a server for moto, or for a test's application around it, on a free loopback port. It is not started."""
    application = corrected(application or DomainDispatcherApplication(create_backend_app))
    return make_server(HOST, 0, application, threaded=True, request_handler=_MotoHandler)


def main() -> None:
    """Serve until the process is stopped."""
    server = aws_server()
    stop_with_parent()
    print(json.dumps({"url": f"http://127.0.0.1:{server.port}"}), flush=True)
    server.serve_forever()


if __name__ == "__main__":
    main()
