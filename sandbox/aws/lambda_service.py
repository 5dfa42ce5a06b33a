"""Lambda functions: their instances start cold, stay warm, and are killed at a timeout."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

from sandbox.aws.lambda_instance import FunctionSpec, Instance
from sandbox.aws.lambda_runtime import remove_old_bytecode


@dataclass(frozen=True)
class InvocationResult:
    """The result of an invocation.

    Attributes:
        result: the function's return value; None if it failed.
        error: Lambda's error with `errorType` and `errorMessage`; None if the function succeeded.
        cold: whether the invocation had a cold start.
        seconds: the time from the request to the result.
    """

    result: Any
    error: Mapping[str, Any] | None
    cold: bool
    seconds: float


class LambdaFunction:
    """A function and its instances.

    Args:
        spec: the declared function, possibly with a changed environment.
        log: called with every line that an instance prints.
    """

    def __init__(self, spec: FunctionSpec, log: Callable[[str], None] = lambda _: None) -> None:
        self.spec = spec
        self._log = log
        self._lock = threading.Lock()
        self._idle: list[Instance] = []
        self._busy: list[Instance] = []
        remove_old_bytecode()

    def pids(self) -> list[int]:
        """Return the process ids of the instances, busy ones first."""
        with self._lock:
            return [instance.pid for instance in (*self._busy, *self._idle)]

    def warm(self) -> None:
        """Start an instance before the first event."""
        with self._lock:
            self._idle.append(Instance(self.spec, self._log))

    def invoke(self, event: Any, lineage: int = 1) -> InvocationResult:
        """Invoke the function with an idle instance or a new one, and wait for the result.

        Args:
            event: a JSON value.
            lineage: the number of this invocation in a chain in which each invocation causes the next.
        """
        started = time.monotonic()
        instance, cold = self._acquire()
        outcome = instance.invoke(json.dumps(event).encode(), str(uuid4()), self.spec.timeout, lineage)
        self._release(instance, usable=outcome.kind != "exit")
        content = json.loads(outcome.content) if outcome.content else None
        result, error = (content, None) if outcome.kind == "result" else (None, content)
        return InvocationResult(result, error, cold, time.monotonic() - started)

    def restart(self) -> None:
        """Stop the idle instances, so that the next event has a cold start."""
        with self._lock:
            idle, self._idle = self._idle, []
        for instance in idle:
            instance.close()

    def kill(self) -> None:
        """Kill every instance, including busy ones, whose invocations then fail."""
        with self._lock:
            for instance in (*self._busy, *self._idle):
                instance.kill()

    def close(self) -> None:
        """Kill every instance. A busy one is closed when its invocation ends."""
        self.kill()
        self.restart()

    def _acquire(self) -> tuple[Instance, bool]:
        dead = []
        with self._lock:
            while self._idle and not self._idle[-1].alive:
                dead.append(self._idle.pop())
            cold = not self._idle
            instance = Instance(self.spec, self._log) if cold else self._idle.pop()
            self._busy.append(instance)
        for each in dead:
            each.close()
        return instance, cold

    def _release(self, instance: Instance, *, usable: bool) -> None:
        with self._lock:
            self._busy.remove(instance)
            if usable:
                self._idle.append(instance)
        if not usable:
            instance.close()
