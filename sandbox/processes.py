"""Processes for the sandbox's servers. Each prints its URL, then serves until it is stopped."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import Self

ROOT = Path(__file__).resolve().parents[1]
_STOP_TIMEOUT_SECONDS = 5.0
_POLL_SECONDS = 0.5


def stop_with_parent() -> None:
    """Send SIGTERM to this process when its parent process has ended, even if the parent was killed."""
    parent = os.getppid()

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(_POLL_SECONDS)
        os.kill(os.getpid(), signal.SIGTERM)

    threading.Thread(target=watch, name="parent", daemon=True).start()


class ServerProcess:
    """A process that runs a module of this project as an HTTP server on a free loopback port.

    The constructor does not wait for the server; only `url` does. Several servers can therefore start in parallel.

    Args:
        module: the module to run with `python -m <module>`. It prints {"url": ...} when it is ready.
    """

    def __init__(self, module: str) -> None:
        self._module = module
        self._url: str | None = None
        self._errors = tempfile.TemporaryFile("w+")  # noqa: SIM115 - closed in `stop`
        # In a separate session, the server does not receive Ctrl-C. The sandbox receives it and stops all servers.
        self._process = subprocess.Popen(  # noqa: S603 - our own module
            [sys.executable, "-m", module],
            cwd=ROOT,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=self._errors,
            text=True,
            start_new_session=True,
        )

    @property
    def url(self) -> str:
        """The base URL, without a trailing slash.

        Raises:
            RuntimeError: the process ended before it was ready.
        """
        if self._url is None:
            line = self._process.stdout.readline() if self._process.stdout else ""
            if not line:
                raise RuntimeError(f"{self._module} did not start: {self._errors_printed()}")
            self._url = str(json.loads(line)["url"])
        return self._url

    def check(self) -> None:
        """Check that the process is running.

        Raises:
            RuntimeError: the process has ended.
        """
        if self._process.poll() is not None:
            raise RuntimeError(f"{self._module} ended unexpectedly: {self._errors_printed()}")

    def _errors_printed(self) -> str:
        self._errors.seek(0)
        return self._errors.read().strip()[-2000:] or "there was no error message"

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def stop(self) -> None:
        """Terminate the process, or kill it if that takes too long."""
        self._process.terminate()
        try:
            self._process.wait(_STOP_TIMEOUT_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        if self._process.stdout:
            self._process.stdout.close()
        self._errors.close()
