"""The log group of a function, which has every line that the function prints. The last lines are also in memory."""

from __future__ import annotations

import time
from collections import deque
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from uuid import uuid4

_KEPT_LINES = 5000


class LogGroup:
    """A writer to a new stream of an existing log group. Its attribute `lines` has the last lines."""

    def __init__(self, logs: Any, name: str) -> None:
        self._logs = logs
        self._stream = {"logGroupName": name, "logStreamName": f"sandbox/[$LATEST]{uuid4().hex}"}
        self.lines: deque[str] = deque(maxlen=_KEPT_LINES)
        self._unwritten: deque[dict[str, Any]] = deque()
        logs.create_log_stream(**self._stream)
        self._writer = ThreadPoolExecutor(1, "log")

    def write(self, line: str) -> None:
        """Write a line. This can be called from any thread."""
        self.lines.append(line)
        if line:  # CloudWatch refuses empty messages
            self._unwritten.append({"timestamp": int(time.time() * 1000), "message": line})
            self._writer.submit(self._flush)  # fails only if the embedded AWS has stopped, which does not matter

    def close(self) -> None:
        """Write the remaining lines and stop the writer."""
        self._writer.shutdown()

    def _flush(self) -> None:
        """Write all lines that have been added since the last call, in one request."""
        if events := [self._unwritten.popleft() for _ in range(len(self._unwritten))]:
            self._logs.put_log_events(**self._stream, logEvents=events)
