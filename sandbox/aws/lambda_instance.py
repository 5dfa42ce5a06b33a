"""An instance of a Lambda function: a process that runs the package with AWS's runtime client.

Besides the standard library, the process can import only the package and the libraries of Lambda's Python runtime. A
library that is missing from both is therefore missing here, too.
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

from sandbox.aws.lambda_runtime import BYTECODE, InstanceEvent, RuntimeApi, runtime_libraries

_COLD_START_SECONDS = 60.0  # Lambda allows 10, but this machine may be busy


@dataclass(frozen=True)
class FunctionSpec:
    """A function as declared in the program.

    Attributes:
        package: the directory of the package.
        handler: the handler as `package.module.function`.
        runtime: the runtime, such as `python3.13`.
        timeout: the timeout in seconds.
        memory: the limit of the address space in MB, which only Linux enforces; None means no limit.
        environment: the environment variables.
        logging: the logging configuration: `logFormat`, `applicationLogLevel` and `logGroup`.
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
        spec: the function.
        log: called with every line that the process prints, from a thread of this instance.
    """

    def __init__(self, spec: FunctionSpec, log: Callable[[str], None]) -> None:
        self._arn = spec.arn
        self._log = log
        self._events: queue.SimpleQueue[InstanceEvent] = queue.SimpleQueue()
        self._api = RuntimeApi(self._events)
        # -S: without the site-packages of this machine
        command = [sys.executable, "-S", "-m", "awslambdaric", spec.handler]
        if spec.memory and sys.platform == "linux":  # other systems do not support this limit
            command = ["/bin/sh", "-c", 'ulimit -v "$0" && exec "$@"', str(spec.memory * 1024), *command]
        self._process = subprocess.Popen(  # noqa: S603 - our own package
            command,
            cwd=spec.package,
            env={
                **_lambda_environment(spec),
                **spec.environment,
                "PYTHONPATH": f"{spec.package}:{runtime_libraries()}",
                "PYTHONPYCACHEPREFIX": str(BYTECODE),  # so that the package's directory does not change
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
        """The process id."""
        return self._process.pid

    @property
    def alive(self) -> bool:
        """True while the process is running."""
        return self._process.poll() is None

    def invoke(self, event: bytes, request_id: str, seconds: float, lineage: int) -> InstanceEvent:
        """Send the instance an event and wait for the result. After "exit", the instance cannot be used again.

        Args:
            event: the event as JSON.
            request_id: Lambda's id of the invocation.
            seconds: the timeout, which starts when the instance receives the event. After that, the process is killed.
            lineage: the number of this invocation in its chain, for the trace header.

        Returns:
            "result" or "error" with the function's JSON, or "exit" with an error in Lambda's JSON format.
        """
        self._api.offer(event, request_id, self._arn, seconds, lineage)
        outcome = self._next(_COLD_START_SECONDS)
        limit = _COLD_START_SECONDS
        if outcome and outcome.kind == "started":
            outcome, limit = self._next(seconds), seconds
        if outcome is None:
            self.kill()
            return _failure(
                "Sandbox.Timedout", f"RequestId: {request_id} Error: Task timed out after {limit:.2f} seconds"
            )
        if outcome.kind == "exit" and not outcome.content.startswith(b"{"):
            cause = outcome.content.decode()
            return _failure("Runtime.ExitError", f"RequestId: {request_id} Error: Runtime exited with error: {cause}")
        return outcome

    def kill(self) -> None:
        """Kill the process immediately."""
        with suppress(ProcessLookupError, PermissionError):  # it may have ended; macOS then raises PermissionError
            os.killpg(self.pid, signal.SIGKILL)  # including child processes, which would keep the output open
        self._process.wait()

    def close(self) -> None:
        """Kill the process, and return after `log` has been called with every line that it printed."""
        self.kill()
        self._api.close()
        self._reader.join()

    def _next(self, seconds: float) -> InstanceEvent | None:
        with suppress(queue.Empty):
            return self._events.get(timeout=seconds)
        return None

    def _read(self) -> None:
        if self._process.stdout:
            with self._process.stdout as lines:
                for line in lines:
                    self._log(line.rstrip("\n"))
        status = self._process.wait()
        self._events.put(
            InstanceEvent("exit", (f"signal: {-status}" if status < 0 else f"exit status {status}").encode())
        )


def _lambda_environment(spec: FunctionSpec) -> dict[str, str]:
    """Return the environment variables that Lambda sets, with placeholder credentials."""
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


def _failure(kind: str, message: str) -> InstanceEvent:
    return InstanceEvent("exit", json.dumps({"errorType": kind, "errorMessage": message}).encode())
