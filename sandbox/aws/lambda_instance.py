"""An instance of a Lambda function: its package under AWS's own runtime client, in a process of its own.

The process finds its package and the libraries of Lambda's Python runtime, nothing else. So a library that is missing
in the package is missing here, too.
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
    """A process that handles one event at a time.

    Args:
        handler: as declared: `package.module.function`.
        package: the function's directory.
        environment: of the process, besides what Python and the runtime API need.
        arn: the function's ARN.
        memory_limit_mib: address space in MiB; None is no limit.
        log: is called with every line that the process prints, from a thread of this instance.
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
        """True while the process runs."""
        return self._process.poll() is None

    def invoke(self, event: bytes, request_id: str, seconds: float, lineage: int) -> Event:
        """Hand the instance an event and wait for the result; after "exit" the instance cannot be used again.

        Args:
            event: JSON.
            request_id: Lambda's id of the invocation.
            seconds: the timeout, from when the instance takes the event; then the process is killed.
            lineage: number of this invocation in its chain, for the trace header.

        Returns:
            "result" or "error" with the function's JSON, or "exit" with a JSON error as Lambda writes it.
        """
        self._api.offer(event, request_id, self._arn, seconds, lineage)
        outcome = self._next(_COLD_START_SECONDS)
        limit = _COLD_START_SECONDS
        if outcome and outcome.kind == "taken":
            outcome, limit = self._next(seconds), seconds
        if outcome is None:
            self.kill()
            return _failure(
                "Sandbox.Timedout", f"RequestId: {request_id} Error: Task timed out after {limit:.2f} seconds"
            )
        if outcome.kind == "exit" and not outcome.content.startswith(b"{"):
            how = outcome.content.decode()
            return _failure("Runtime.ExitError", f"RequestId: {request_id} Error: Runtime exited with error: {how}")
        return outcome

    def kill(self) -> None:
        """End the process at once."""
        with suppress(ProcessLookupError, PermissionError):  # it has ended; macOS says the latter
            os.killpg(self.pid, signal.SIGKILL)  # its children too: they would keep the output open
        self._process.wait()

    def close(self) -> None:
        """End the process; every line that it printed has been given to `log` afterwards."""
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
