"""The log group of a function in CloudWatch Logs: every line that the function prints, and the last ones in memory."""

from __future__ import annotations

import time
from collections import deque
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from uuid import uuid4

_KEPT_LINES = 5000


class LogGroup:
    """Writes lines to a new stream of an existing log group until it is closed; `lines` are the last ones."""

    def __init__(self, logs: Any, name: str) -> None:
        self._logs = logs
        self._stream = {"logGroupName": name, "logStreamName": f"sandbox/[$LATEST]{uuid4().hex}"}
        self.lines: deque[str] = deque(maxlen=_KEPT_LINES)
        self._unwritten: deque[dict[str, Any]] = deque()
        logs.create_log_stream(**self._stream)
        self._writer = ThreadPoolExecutor(1, "log")

    def write(self, line: str) -> None:
        """Add a line; from any thread."""
        self.lines.append(line)
        if line:  # CloudWatch refuses empty messages
            self._unwritten.append({"timestamp": int(time.time() * 1000), "message": line})
            self._writer.submit(self._flush)  # its error does not matter: the embedded AWS has ended

    def close(self) -> None:
        """Write what is left."""
        self._writer.shutdown()

    def _flush(self) -> None:
        """Write all lines so far: those that came during the last call go together."""
        if events := [self._unwritten.popleft() for _ in range(len(self._unwritten))]:
            self._logs.put_log_events(**self._stream, logEvents=events)
