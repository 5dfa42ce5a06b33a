"""The embedded AWS inside the test's own process."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from sandbox.aws.server import Application, aws_server


@contextmanager
def embedded_aws(application: Application | None = None) -> Iterator[str]:
    """Serve moto, or what a test wraps around it; gives the URL."""
    server = aws_server(application=application)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.port}"
    server.shutdown()
    thread.join()
    server.server_close()
