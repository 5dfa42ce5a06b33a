"""Servers of the sandbox as processes of their own: each prints where it listens, then serves until it is stopped."""

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
_PATIENCE_SECONDS = 5.0
_LOOK_SECONDS = 0.5


def stop_with_parent() -> None:
    """End this process, in order, once the process that started it is no more, however that ended."""
    parent = os.getppid()

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(_LOOK_SECONDS)
        os.kill(os.getpid(), signal.SIGTERM)

    threading.Thread(target=watch, name="parent", daemon=True).start()


class ServerProcess:
    """A module of this project that serves HTTP on a free loopback port.

    It starts at once and is waited for only when `url` is asked for, so that several can start side by side.

    Args:
        module: run as `python -m <module>`; it prints {"url": ...} as soon as it serves.
    """

    def __init__(self, module: str) -> None:
        self._module = module
        self._url: str | None = None
        self._errors = tempfile.TemporaryFile("w+")  # noqa: SIM115 - closed in `stop`
        # A session of its own: Ctrl-C in a terminal reaches the sandbox only, which then stops things in order.
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
        """Where it listens, without a trailing slash.

        Raises:
            RuntimeError: it ended before it served.
        """
        if self._url is None:
            line = self._process.stdout.readline() if self._process.stdout else ""
            if not line:
                raise RuntimeError(f"{self._module} did not start: {self._said()}")
            self._url = str(json.loads(line)["url"])
        return self._url

    @property
    def pid(self) -> int:
        """Its process id."""
        return self._process.pid

    def check(self) -> None:
        """See that it is alive.

        Raises:
            RuntimeError: it is not.
        """
        if self._process.poll() is not None:
            raise RuntimeError(f"{self._module} ended while it was needed: {self._said()}")

    def _said(self) -> str:
        self._errors.seek(0)
        return self._errors.read().strip()[-2000:] or "it said nothing"

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def stop(self) -> None:
        """End it, by force if it does not listen."""
        self._process.terminate()
        try:
            self._process.wait(_PATIENCE_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        if self._process.stdout:
            self._process.stdout.close()
        self._errors.close()
