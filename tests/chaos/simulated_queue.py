"""An SQS queue on the simulated clock, with visibility timeouts, receive counts and a dead-letter queue."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from botocore.exceptions import ClientError

VISIBILITY = timedelta(seconds=5400)  # the component's setting: six times the function's timeout
MAX_RECEIVES = 12
BATCH = 10


@dataclass
class QueuedMessage:
    """A message. Its number is also its receipt handle."""

    number: int
    body: str
    visible_at: datetime
    receives: int = 0

    def record(self) -> dict[str, Any]:
        """Return the message as the SQS record that Lambda passes to the function."""
        return {
            "messageId": f"00000000-0000-4000-8000-{self.number:012}",
            "receiptHandle": str(self.number),
            "body": self.body,
            "attributes": {"ApproximateReceiveCount": str(self.receives)},
            "eventSource": "aws:sqs",
        }


@dataclass
class SimulatedQueue:
    """One queue with its dead-letter queue.

    Attributes:
        now: the simulated clock.
        fails: returns true if the current request fails.
        messages: the messages in the queue, by number.
        dead_letters: bodies in the dead-letter queue.
        sent: bodies that the function has sent.
    """

    now: Callable[[], datetime]
    fails: Callable[[], bool]
    messages: dict[int, QueuedMessage] = field(default_factory=dict)
    dead_letters: list[str] = field(default_factory=list)
    sent: list[str] = field(default_factory=list)
    _numbers: int = 0

    def put(self, body: str) -> None:
        """Add a message that can be received immediately."""
        self._numbers += 1
        self.messages[self._numbers] = QueuedMessage(self._numbers, body, self.now())

    def receive(self, at_most: int) -> list[QueuedMessage]:
        """Receive visible messages; move a message that was already received 12 times to the dead-letter queue."""
        received: list[QueuedMessage] = []
        for message in [each for each in self.messages.values() if each.visible_at <= self.now()]:
            if len(received) == at_most:
                break
            if message.receives == MAX_RECEIVES:
                self.dead_letters.append(self.messages.pop(message.number).body)
                continue
            message.receives += 1
            message.visible_at = self.now() + VISIBILITY
            received.append(message)
        return received

    def delete(self, message: QueuedMessage) -> None:
        """Delete a message that was handled."""
        self.messages.pop(message.number, None)

    def next_visible(self) -> datetime | None:
        """Return the time at which the next message can be received, or None if the queue is empty."""
        return min((each.visible_at for each in self.messages.values()), default=None)

    # The two methods of the boto3 client that the function uses.

    def send_message(self, *, QueueUrl: str, MessageBody: str) -> dict[str, Any]:  # noqa: ARG002, N803 - boto3's names
        """Add a message that the function sends."""
        self._may_fail("SendMessage")
        self.put(MessageBody)
        self.sent.append(MessageBody)
        return {}

    def change_message_visibility_batch(self, *, QueueUrl: str, Entries: list[dict[str, Any]]) -> dict[str, Any]:  # noqa: ARG002, N803 - boto3's names
        """Set the time at which messages can be received again."""
        self._may_fail("ChangeMessageVisibilityBatch")
        for entry in Entries:
            if message := self.messages.get(int(entry["ReceiptHandle"])):
                message.visible_at = self.now() + timedelta(seconds=entry["VisibilityTimeout"])
        return {"Successful": [], "Failed": []}

    def _may_fail(self, operation: str) -> None:
        if self.fails():
            raise ClientError({"Error": {"Code": "InternalError", "Message": "SQS is unavailable."}}, operation)
