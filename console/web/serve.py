"""The page's server. It listens on 127.0.0.1 only, writes no log, and uses a new token each time."""

from __future__ import annotations

import secrets
import socket
from collections.abc import Callable, Mapping

import uvicorn

from console.errors import ConsoleError
from console.stack import Connector
from console.web.app import create_app


def serve(connectors: Mapping[str, Connector], port: int, on_ready: Callable[[str], None]) -> None:
    """Serve the page until the process is interrupted.

    Args:
        connectors: the connectors by advertiser.
        port: the port; 0 for any free port.
        on_ready: called with the URL, which contains the token, when the page can be opened.

    Raises:
        ConsoleError: the port is in use or not allowed.
    """
    token = secrets.token_urlsafe(32)
    with socket.socket() as listening:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listening.bind(("127.0.0.1", port))
        except OSError:
            raise ConsoleError(f"Port {port} is in use or not allowed. Choose another port with --port.") from None
        listening.listen()
        port = listening.getsockname()[1]
        app = create_app(connectors, token, port)
        config = uvicorn.Config(app, log_config=None, access_log=False, lifespan="off", server_header=False)
        on_ready(f"http://127.0.0.1:{port}/?token={token}")
        uvicorn.Server(config).run(sockets=[listening])
