"""The embedded AWS: moto's server with corrections, on a loopback port.

As a process: `python -m sandbox.aws.server` prints one JSON line, `{"url": ...}`, and serves until it is stopped.
"""

from __future__ import annotations

import argparse
import json

from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app
from werkzeug.serving import BaseWSGIServer, WSGIRequestHandler, make_server

from sandbox.aws.moto_corrections import Application, corrected
from sandbox.http_server import HOST, QuietHandler
from sandbox.processes import stop_with_parent


class _MotoHandler(QuietHandler, WSGIRequestHandler):
    """Runs the application for each request."""

    wbufsize = 0  # werkzeug does not flush "100 Continue", which boto3 waits for before each upload


def aws_server(port: int = 0, application: Application | None = None) -> BaseWSGIServer:
    """Return a server that is bound to a loopback port and not serving yet.

    Args:
        port: 0 takes a free one.
        application: moto, or an application that a test wraps around it.
    """
    application = corrected(application or DomainDispatcherApplication(create_backend_app))
    return make_server(HOST, port, application, threaded=True, request_handler=_MotoHandler)


def main() -> None:
    """Serve until stopped."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, default=0)
    server = aws_server(parser.parse_args().port)
    stop_with_parent()
    print(json.dumps({"url": f"http://127.0.0.1:{server.port}"}), flush=True)
    server.serve_forever()


if __name__ == "__main__":
    main()
