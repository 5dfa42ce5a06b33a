"""The log group of a function in CloudWatch Logs: every line that the function prints, and the last ones in memory."""

from __future__ import annotations

import queue
import threading
import time
from collections import deque
from contextlib import suppress
from typing import Any
from uuid import uuid4

from botocore.exceptions import BotoCoreError, ClientError

_FLUSH_SECONDS = 0.5
_KEPT_LINES = 5000


class LogGroup:
    """Writes lines to a new log stream of a log group until it is closed.

    Args:
        logs: a client.
        name: of the log group, which exists.

    Attributes:
        lines: the last lines.
    """

    def __init__(self, logs: Any, name: str) -> None:
        self._logs = logs
        self._stream = {"logGroupName": name, "logStreamName": f"sandbox/[$LATEST]{uuid4().hex}"}
        self.lines: deque[str] = deque(maxlen=_KEPT_LINES)
        self._queue: queue.SimpleQueue[tuple[int, str]] = queue.SimpleQueue()
        self._closing = threading.Event()
        logs.create_log_stream(**self._stream)
        self._thread = threading.Thread(target=self._run, name="log", daemon=True)
        self._thread.start()

    def write(self, line: str) -> None:
        """Add a line; from any thread."""
        self.lines.append(line)
        self._queue.put((int(time.time() * 1000), line))

    def close(self) -> None:
        """Write what is left."""
        self._closing.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._closing.wait(_FLUSH_SECONDS):
            self._flush()
        self._flush()

    def _flush(self) -> None:
        events = []
        while not self._queue.empty():
            moment, line = self._queue.get()
            if line:  # CloudWatch refuses empty messages
                events.append({"timestamp": moment, "message": line})
        if events:
            with suppress(BotoCoreError, ClientError):  # the embedded AWS has ended
                self._logs.put_log_events(**self._stream, logEvents=events)
