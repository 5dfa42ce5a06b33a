"""Servers of the sandbox as processes of their own: each prints where it listens, then serves until it is stopped."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Self

ROOT = Path(__file__).resolve().parents[1]
_PATIENCE_SECONDS = 5.0


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
                self._errors.seek(0)
                raise RuntimeError(f"{self._module} did not start: {self._errors.read().strip()[-2000:]}")
            self._url = str(json.loads(line)["url"])
        return self._url

    @property
    def pid(self) -> int:
        """Its process id."""
        return self._process.pid

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
