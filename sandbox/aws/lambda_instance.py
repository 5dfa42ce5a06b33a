"""One instance of a function: its package under AWS's own runtime client, in a process of its own.

The process sees what it would see in Lambda: its package, and besides that only what the Python runtime holds. A
library that was forgotten in the package is missing here, too.
"""

from __future__ import annotations

import json
import os
import queue
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path

from sandbox.aws.lambda_runtime import BYTECODE, Event, RuntimeApi, runtime_libraries

_COLD_START_SECONDS = 60.0  # Lambda gives 10, on a machine that does nothing else meanwhile


class Instance:
    """A process that takes one event at a time.

    Args:
        handler: as declared: `package.module.function`.
        package: the function's directory.
        environment: all of the process's environment but what Python and the runtime API need.
        arn: the function's ARN.
        memory_limit_mib: address space in MiB; None is no limit.
        log: is given every line that the process prints, from a thread of this instance.
    """

    def __init__(
        self,
        *,
        handler: str,
        package: Path,
        environment: Mapping[str, str],
        arn: str,
        memory_limit_mib: int | None,
        log: Callable[[str], None],
    ) -> None:
        self._arn = arn
        self._log = log
        self._events: queue.SimpleQueue[Event] = queue.SimpleQueue()
        self._api = RuntimeApi(self._events)
        command = [sys.executable, "-S", "-m", "awslambdaric", handler]  # -S: none of the site-packages installed here
        if memory_limit_mib and sys.platform == "linux":  # elsewhere there is no such limit to set
            command = ["/bin/sh", "-c", 'ulimit -v "$0" && exec "$@"', str(memory_limit_mib * 1024), *command]
        self._process = subprocess.Popen(  # noqa: S603 - our own package
            command,
            cwd=package,
            env={
                **environment,
                "PYTHONPATH": f"{package}:{runtime_libraries()}",
                "PYTHONPYCACHEPREFIX": str(BYTECODE),  # the package stays as it was built
                "AWS_LAMBDA_RUNTIME_API": self._api.address,
            },
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            start_new_session=True,
        )
        self._reader = threading.Thread(target=self._read, name=f"instance {self.pid}", daemon=True)
        self._reader.start()

    @property
    def pid(self) -> int:
        """Its process id."""
        return self._process.pid

    @property
    def alive(self) -> bool:
        """Whether it can take another event."""
        return self._process.poll() is None

    def invoke(self, event: bytes, request_id: str, seconds: float) -> Event:
        """Give the instance an event and wait for its end; after "exit" the instance is of no more use.

        Args:
            event: JSON.
            request_id: Lambda's id of the invocation.
            seconds: the time limit; it counts from when the instance takes the event, then the process is killed.

        Returns:
            "result" or "error" with the JSON that the function gave, or "exit" with a JSON error as Lambda's.
        """
        self._api.offer(event, request_id, self._arn, seconds)
        happened = self._next(_COLD_START_SECONDS)
        limit = _COLD_START_SECONDS
        if happened and happened.kind == "taken":
            happened, limit = self._next(seconds), seconds
        if happened is None:
            self.kill()
            return _failure(
                "Sandbox.Timedout", f"RequestId: {request_id} Error: Task timed out after {limit:.2f} seconds"
            )
        if happened.kind == "exit" and not happened.content.startswith(b"{"):
            how = happened.content.decode()
            return _failure("Runtime.ExitError", f"RequestId: {request_id} Error: Runtime exited with error: {how}")
        return happened

    def kill(self) -> None:
        """End the process at once."""
        with suppress(ProcessLookupError, PermissionError):  # it has ended; macOS says the latter
            os.killpg(self.pid, signal.SIGKILL)  # what it has started as well: it would keep the output open
        self._process.wait()

    def close(self) -> None:
        """End the process and what belongs to it; all that it printed has then been given to `log`."""
        self.kill()
        self._api.close()
        self._reader.join()

    def _next(self, seconds: float) -> Event | None:
        with suppress(queue.Empty):
            return self._events.get(timeout=seconds)
        return None

    def _read(self) -> None:
        if self._process.stdout:
            with self._process.stdout as lines:
                for line in lines:
                    self._log(line.rstrip("\n"))
        status = self._process.wait()
        self._events.put(Event("exit", (f"signal: {-status}" if status < 0 else f"exit status {status}").encode()))


def _failure(kind: str, message: str) -> Event:
    return Event("exit", json.dumps({"errorType": kind, "errorMessage": message}).encode())
