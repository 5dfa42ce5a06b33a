"""Real SIGKILLs: functions that run in forked processes, and an embedded AWS that kills them after a write."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app

from tests.handler.world import World


class WriteKiller:
    """An embedded AWS that kills a process after the process's n-th write.

    A kill right after a write is the same as a kill right before the next one, because nothing that a later delivery
    could see changes in between.

    Attributes:
        pid: the process to kill; None to kill none.
        writes_left: the number of writes until the kill.
    """

    def __init__(self) -> None:
        self.application: Any = DomainDispatcherApplication(create_backend_app)
        self.pid: int | None = None
        self.writes_left = 0

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        response: Iterable[bytes] = self.application(environ, start_response)
        if self.pid and environ["REQUEST_METHOD"] not in {"GET", "HEAD"}:
            self.writes_left -= 1
            if not self.writes_left:
                os.kill(self.pid, signal.SIGKILL)
        return response


class ForkServer:
    """Starts the process of `tests.handler.activation.fork_server`, and communicates with it."""

    def __init__(self) -> None:
        self._output = tempfile.TemporaryFile("w+")  # noqa: SIM115 - closed in `close`
        self._process = subprocess.Popen(
            [sys.executable, "-W", "ignore", "-m", "tests.handler.activation.fork_server"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._output,
            text=True,
            cwd=Path(__file__).parents[3],
        )

    def _send(self, line: str) -> int:
        assert self._process.stdin
        assert self._process.stdout
        self._process.stdin.write(line + "\n")
        self._process.stdin.flush()
        return int(self._process.stdout.readline())

    def run(self, world: World, body: str, prepare_kill: Callable[[int], None]) -> bool:
        """Fork a process, invoke the function in it, and return true if the process was killed.

        Args:
            world: the connector whose environment the function gets.
            body: the message to deliver.
            prepare_kill: called with the process id before the function is invoked.
        """
        job = {"environment": world.environment, "body": body, "seconds": 900}
        prepare_kill(self._send(json.dumps(job)))
        status = self._send("go")
        assert status in {0, -signal.SIGKILL}
        return status != 0

    def close(self) -> None:
        assert self._process.stdin
        assert self._process.stdout
        self._process.stdin.close()
        self._process.wait(10)
        self._process.stdout.close()
        self._output.close()

    def printed(self) -> str:
        """Return the combined output of all functions."""
        self._output.seek(0)
        return self._output.read()
