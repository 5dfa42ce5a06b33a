"""EventBridge Scheduler, which sends the input of a schedule to its queue at a fixed rate."""

from __future__ import annotations

import re
import threading
from contextlib import suppress
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError


def rate_seconds(expression: str) -> float:
    """Return the interval of `rate(... minutes)` in seconds. Another kind of schedule raises ValueError."""
    found = re.fullmatch(r"rate\((\d+) minutes?\)", expression)
    if not found:
        raise ValueError(f"{expression!r} is not a rate in minutes, such as 'rate(10 minutes)'.")
    return int(found[1]) * 60.0


class Schedule:
    """A schedule that sends `body` to a queue at an interval, except while it is `paused`, until it is closed."""

    def __init__(self, sqs: Any, queue_arn: str, body: str, seconds: float) -> None:
        self._sqs = sqs
        self._url = sqs.get_queue_url(QueueName=queue_arn.rsplit(":", 1)[1])["QueueUrl"]
        self._body = body
        self._seconds = seconds
        self._closing = threading.Event()
        self.paused = False
        self._thread = threading.Thread(target=self._run, name="schedule", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Stop sending."""
        self._closing.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._closing.wait(self._seconds):
            if not self.paused:
                with suppress(BotoCoreError, ClientError):  # the next message may succeed
                    self._sqs.send_message(QueueUrl=self._url, MessageBody=self._body)
