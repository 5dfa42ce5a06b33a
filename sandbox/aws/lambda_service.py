"""Lambda functions: instances that start cold, stay warm, and are killed on timeout."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import uuid4

from sandbox.aws.lambda_instance import Instance
from sandbox.aws.lambda_runtime import remove_old_bytecode


@dataclass(frozen=True)
class FunctionSpec:
    """A function as declared.

    Attributes:
        package: its directory.
        handler: `package.module.function`.
        runtime: such as `python3.13`.
        timeout: seconds.
        memory: MB.
        environment: its variables.
        logging: `log_format`, `application_log_level` and `log_group`, if declared.
    """

    name: str
    arn: str
    package: Path
    handler: str
    runtime: str = "python3.13"
    timeout: float = 3.0
    memory: int = 128
    environment: Mapping[str, str] = field(default_factory=dict)
    logging: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class InvocationResult:
    """The end of an invocation.

    Attributes:
        result: what the function returned; None if it failed.
        error: Lambda's error, with `errorType` and `errorMessage`; None if it succeeded.
        cold: true if an instance was started for it.
        seconds: from the request to the result.
    """

    request_id: str
    result: Any
    error: Mapping[str, Any] | None
    cold: bool
    seconds: float


class LambdaFunction:
    """A function and its instances.

    Args:
        spec: as declared.
        environment: variables that add to the declared ones or replace them.
        time_limit: timeout in seconds that replaces the declared one.
        memory_limit_mib: address space of an instance in MiB; None is no limit.
        log: is called with every line that an instance prints.
    """

    def __init__(
        self,
        spec: FunctionSpec,
        *,
        environment: Mapping[str, str] | None = None,
        time_limit: float | None = None,
        memory_limit_mib: int | None = None,
        log: Callable[[str], None] = lambda _: None,
    ) -> None:
        self.spec = spec
        self.time_limit = time_limit or spec.timeout
        self._environment = {**_lambda_environment(spec), **spec.environment, **(environment or {})}
        self._memory_limit_mib = memory_limit_mib
        self._log = log
        self._lock = threading.Lock()
        self._idle: list[Instance] = []
        self._busy: list[Instance] = []
        remove_old_bytecode()

    def pids(self) -> list[int]:
        """Return the process ids of its instances, busy ones first."""
        with self._lock:
            return [instance.pid for instance in (*self._busy, *self._idle)]

    def warm(self) -> None:
        """Start an instance before the first event."""
        with self._lock:
            self._idle.append(self._start())

    def invoke(self, event: Any, lineage: int = 1) -> InvocationResult:
        """Invoke the function with an idle instance or a new one, and wait for its answer.

        Args:
            event: a JSON value.
            lineage: number of this invocation in a chain of invocations that each cause the next.
        """
        request_id, begun = str(uuid4()), time.monotonic()
        instance, cold = self._take()
        outcome = instance.invoke(json.dumps(event).encode(), request_id, self.time_limit, lineage)
        self._give_back(instance, usable=outcome.kind != "exit")
        content = json.loads(outcome.content) if outcome.content else None
        failed = outcome.kind != "result"
        return InvocationResult(
            request_id, None if failed else content, content if failed else None, cold, time.monotonic() - begun
        )

    def restart(self) -> None:
        """End the idle instances: the next event has a cold start."""
        with self._lock:
            idle, self._idle = self._idle, []
        for instance in idle:
            instance.close()

    def kill(self) -> None:
        """End every instance at once, busy ones too; their invocations fail."""
        with self._lock:
            for instance in (*self._busy, *self._idle):
                instance.kill()

    def close(self) -> None:
        """End every instance for good."""
        self.kill()
        self.restart()

    def _start(self) -> Instance:
        return Instance(
            handler=self.spec.handler,
            package=self.spec.package,
            environment=self._environment,
            arn=self.spec.arn,
            memory_limit_mib=self._memory_limit_mib,
            log=self._log,
        )

    def _take(self) -> tuple[Instance, bool]:
        dead = []
        with self._lock:
            while self._idle and not self._idle[-1].alive:
                dead.append(self._idle.pop())
            cold = not self._idle
            instance = self._start() if cold else self._idle.pop()
            self._busy.append(instance)
        for each in dead:
            each.close()
        return instance, cold

    def _give_back(self, instance: Instance, *, usable: bool) -> None:
        with self._lock:
            self._busy.remove(instance)
            if usable:
                self._idle.append(instance)
        if not usable:
            instance.close()


def _lambda_environment(spec: FunctionSpec) -> dict[str, str]:
    """Return the variables that Lambda itself sets, with made-up credentials."""
    return {
        "PATH": "/usr/local/bin:/usr/bin:/bin",
        "LANG": "en_US.UTF-8",
        "TZ": ":UTC",
        "AWS_REGION": spec.arn.split(":")[3],
        "AWS_DEFAULT_REGION": spec.arn.split(":")[3],
        "AWS_ACCESS_KEY_ID": "sandbox",
        "AWS_SECRET_ACCESS_KEY": "sandbox",
        "AWS_SESSION_TOKEN": "sandbox",
        "AWS_EXECUTION_ENV": f"AWS_Lambda_{spec.runtime}",
        "AWS_LAMBDA_FUNCTION_NAME": spec.name,
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(spec.memory),
        "AWS_LAMBDA_FUNCTION_VERSION": "$LATEST",
        "AWS_LAMBDA_INITIALIZATION_TYPE": "on-demand",
        "AWS_LAMBDA_LOG_GROUP_NAME": spec.logging.get("log_group", f"/aws/lambda/{spec.name}"),
        "AWS_LAMBDA_LOG_STREAM_NAME": f"sandbox/[$LATEST]{uuid4().hex}",
        "AWS_LAMBDA_LOG_FORMAT": spec.logging.get("log_format", "Text"),
        **(
            {"AWS_LAMBDA_LOG_LEVEL": spec.logging["application_log_level"]}
            if "application_log_level" in spec.logging
            else {}
        ),
        "LAMBDA_TASK_ROOT": str(spec.package),
        "_HANDLER": spec.handler,
    }
