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
from dataclasses import dataclass, field
from pathlib import Path
from uuid import uuid4

from sandbox.aws.lambda_runtime import BYTECODE, Event, RuntimeApi, runtime_libraries

_COLD_START_SECONDS = 60.0  # Lambda gives 10, on a machine that does nothing else meanwhile


@dataclass(frozen=True)
class FunctionSpec:
    """A function as declared.

    Attributes:
        package: its directory.
        handler: `package.module.function`.
        runtime: such as `python3.13`.
        timeout: seconds.
        memory: MB, a limit of the address space; None is no limit.
        environment: its variables.
        logging: `logFormat`, `applicationLogLevel` and `logGroup`, if declared.
    """

    name: str
    arn: str
    package: Path
    handler: str
    runtime: str = "python3.13"
    timeout: float = 3.0
    memory: int | None = None
    environment: Mapping[str, str] = field(default_factory=dict)
    logging: Mapping[str, str] = field(default_factory=dict)


class Instance:
    """A process that handles one event at a time.

    Args:
        spec: of its function.
        log: is called with every line that the process prints, from a thread of this instance.
    """

    def __init__(self, spec: FunctionSpec, log: Callable[[str], None]) -> None:
        self._arn = spec.arn
        self._log = log
        self._events: queue.SimpleQueue[Event] = queue.SimpleQueue()
        self._api = RuntimeApi(self._events)
        command = [
            sys.executable,
            "-S",
            "-m",
            "awslambdaric",
            spec.handler,
        ]  # -S: none of the site-packages installed here
        if spec.memory and sys.platform == "linux":  # elsewhere there is no such limit to set
            command = ["/bin/sh", "-c", 'ulimit -v "$0" && exec "$@"', str(spec.memory * 1024), *command]
        self._process = subprocess.Popen(  # noqa: S603 - our own package
            command,
            cwd=spec.package,
            env={
                **_lambda_environment(spec),
                **spec.environment,
                "PYTHONPATH": f"{spec.package}:{runtime_libraries()}",
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


def _lambda_environment(spec: FunctionSpec) -> dict[str, str]:
    """Return the variables that Lambda itself sets, with made-up credentials."""
    region = spec.arn.split(":")[3]
    return {
        "PATH": "/usr/local/bin:/usr/bin:/bin",
        "LANG": "en_US.UTF-8",
        "TZ": ":UTC",
        "AWS_REGION": region,
        "AWS_DEFAULT_REGION": region,
        "AWS_ACCESS_KEY_ID": "sandbox",
        "AWS_SECRET_ACCESS_KEY": "sandbox",
        "AWS_SESSION_TOKEN": "sandbox",
        "AWS_EXECUTION_ENV": f"AWS_Lambda_{spec.runtime}",
        "AWS_LAMBDA_FUNCTION_NAME": spec.name,
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(spec.memory or 128),
        "AWS_LAMBDA_FUNCTION_VERSION": "$LATEST",
        "AWS_LAMBDA_INITIALIZATION_TYPE": "on-demand",
        "AWS_LAMBDA_LOG_GROUP_NAME": spec.logging.get("logGroup", f"/aws/lambda/{spec.name}"),
        "AWS_LAMBDA_LOG_STREAM_NAME": f"sandbox/[$LATEST]{uuid4().hex}",
        "AWS_LAMBDA_LOG_FORMAT": spec.logging.get("logFormat", "Text"),
        "AWS_LAMBDA_LOG_LEVEL": spec.logging.get("applicationLogLevel", ""),
    }


def _failure(kind: str, message: str) -> Event:
    return Event("exit", json.dumps({"errorType": kind, "errorMessage": message}).encode())
