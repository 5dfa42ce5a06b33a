"""EventBridge Scheduler: sends the input of a schedule to its queue at a fixed rate."""

from __future__ import annotations

import re
import threading
from contextlib import suppress
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

_RATE = re.compile(r"rate\((\d+) (minute|hour|day)s?\)")
_SECONDS = {"minute": 60.0, "hour": 3600.0, "day": 86400.0}


def rate_seconds(expression: str) -> float:
    """Return the seconds between two invocations of `rate(...)`, the only kind of schedule in this project.

    Raises:
        ValueError: another kind of expression.

    Example:
        >>> rate_seconds("rate(5 minutes)")
        300.0
    """
    found = _RATE.fullmatch(expression)
    if not found:
        raise ValueError(f"{expression!r} is not a rate such as 'rate(10 minutes)'")
    return int(found[1]) * _SECONDS[found[2]]


class Schedule:
    """A schedule that runs until it is closed.

    Args:
        sqs: a client.
        queue_arn: the target.
        body: its input.
        seconds: between two messages.
    """

    def __init__(self, sqs: Any, queue_arn: str, body: str, seconds: float) -> None:
        self._sqs = sqs
        self._url = sqs.get_queue_url(QueueName=queue_arn.rsplit(":", 1)[1])["QueueUrl"]
        self._body = body
        self._seconds = seconds
        self._closing = threading.Event()
        self._held = False
        self._thread = threading.Thread(target=self._run, name="schedule", daemon=True)
        self._thread.start()

    def hold(self, *, held: bool) -> None:
        """Pause it, or let it go on."""
        self._held = held

    def close(self) -> None:
        """Stop sending."""
        self._closing.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._closing.wait(self._seconds):
            if not self._held:
                with suppress(BotoCoreError, ClientError):  # as with Scheduler, the next one may succeed
                    self._sqs.send_message(QueueUrl=self._url, MessageBody=self._body)
