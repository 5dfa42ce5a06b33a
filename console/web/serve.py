"""The page's server: on 127.0.0.1, without a log, with a new token each time."""

from __future__ import annotations

import secrets
import socket
from collections.abc import Callable, Mapping

import uvicorn

from console.errors import ConsoleError
from console.stack import Connector
from console.web.app import create_app


def serve(connectors: Mapping[str, Connector], port: int, tell: Callable[[str], None]) -> None:
    """Serve the page until it is interrupted.

    Args:
        connectors: by advertiser.
        port: 0 for any free one.
        tell: told the address, which holds the token, when the page can be opened.

    Raises:
        ConsoleError: the port is taken.
    """
    token = secrets.token_urlsafe(32)
    with socket.socket() as listening:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listening.bind(("127.0.0.1", port))
        except OSError:
            raise ConsoleError(f"The port {port} is taken. Choose another with --port.") from None
        listening.listen()
        port = listening.getsockname()[1]
        app = create_app(connectors, token, port)
        config = uvicorn.Config(app, log_config=None, access_log=False, lifespan="off", server_header=False)
        tell(f"http://127.0.0.1:{port}/?token={token}")
        uvicorn.Server(config).run(sockets=[listening])
