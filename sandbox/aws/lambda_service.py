"""Lambda functions: instances that start cold, stay warm, and are killed on timeout."""

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
    """The end of an invocation.

    Attributes:
        result: what the function returned; None if it failed.
        error: Lambda's error, with `errorType` and `errorMessage`; None if it succeeded.
        cold: true if an instance was started for it.
        seconds: from the request to the result.
    """

    result: Any
    error: Mapping[str, Any] | None
    cold: bool
    seconds: float


class LambdaFunction:
    """A function and its instances.

    Args:
        spec: as declared, or with another environment.
        log: is called with every line that an instance prints.
    """

    def __init__(self, spec: FunctionSpec, log: Callable[[str], None] = lambda _: None) -> None:
        self.spec = spec
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
            self._idle.append(Instance(self.spec, self._log))

    def invoke(self, event: Any, lineage: int = 1) -> InvocationResult:
        """Invoke the function with an idle instance or a new one, and wait for its answer.

        Args:
            event: a JSON value.
            lineage: number of this invocation in a chain of invocations that each cause the next.
        """
        begun = time.monotonic()
        instance, cold = self._take()
        outcome = instance.invoke(json.dumps(event).encode(), str(uuid4()), self.spec.timeout, lineage)
        self._give_back(instance, usable=outcome.kind != "exit")
        content = json.loads(outcome.content) if outcome.content else None
        result, error = (content, None) if outcome.kind == "result" else (None, content)
        return InvocationResult(result, error, cold, time.monotonic() - begun)

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

    def _take(self) -> tuple[Instance, bool]:
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

    def _give_back(self, instance: Instance, *, usable: bool) -> None:
        with self._lock:
            self._busy.remove(instance)
            if usable:
                self._idle.append(instance)
        if not usable:
            instance.close()
