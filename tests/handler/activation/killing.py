"""Real SIGKILLs: a trap at the embedded AWS, and functions in processes that are forked and can be killed."""

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


class Trap:
    """Kills a process once its n-th write to the embedded AWS is done, which is before the next one, too.

    Between two writes nothing changes that the next delivery could find.
    """

    def __init__(self) -> None:
        self.application: Any = DomainDispatcherApplication(create_backend_app)
        self.pid: int | None = None
        self.left = 0

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        answer: Iterable[bytes] = self.application(environ, start_response)
        if self.pid and environ["REQUEST_METHOD"] not in {"GET", "HEAD"}:
            self.left -= 1
            if not self.left:
                os.kill(self.pid, signal.SIGKILL)
        return answer


class Zygote:
    """Starts functions; see `tests.handler.activation.zygote`."""

    def __init__(self) -> None:
        self._printed = tempfile.TemporaryFile("w+")  # noqa: SIM115 - closed in `close`
        self._process = subprocess.Popen(
            [sys.executable, "-W", "ignore", "-m", "tests.handler.activation.zygote"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._printed,
            text=True,
            cwd=Path(__file__).parents[3],
        )

    def _tell(self, line: str) -> int:
        assert self._process.stdin
        assert self._process.stdout
        self._process.stdin.write(line + "\n")
        self._process.stdin.flush()
        return int(self._process.stdout.readline())

    def run(self, world: World, body: str, arm: Callable[[int], None]) -> bool:
        """Invoke a function once it is armed; whether it was killed."""
        job = {"environment": world.environment, "body": body, "seconds": 900}
        arm(self._tell(json.dumps(job)))
        status = self._tell("go")
        assert status in {0, -signal.SIGKILL}
        return status != 0

    def close(self) -> None:
        assert self._process.stdin
        assert self._process.stdout
        self._process.stdin.close()
        self._process.wait(10)
        self._process.stdout.close()
        self._printed.close()

    def printed(self) -> str:
        """Return all that its functions printed."""
        self._printed.seek(0)
        return self._printed.read()
