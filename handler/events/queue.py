"""The connector's queue: parse records, send messages, and set when unfinished messages are delivered again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from aws_lambda_powertools import Logger
from botocore.exceptions import BotoCoreError, ClientError

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient

MIN_BACKOFF_SECONDS = 60
MAX_BACKOFF_SECONDS = 3600
MAX_BATCH_ENTRIES = 10  # SQS's limit per batch call


class QueueRecord(NamedTuple):
    """One SQS record in the function's event.

    Attributes:
        receipt_handle: SQS's handle for this delivery of the message.
        receives: the number of times that SQS has delivered the message, including this time.
    """

    message_id: str
    receipt_handle: str
    body: str
    receives: int

    @classmethod
    def parse(cls, record: Mapping[str, Any]) -> QueueRecord:
        """Parse a record as Lambda delivers it."""
        return cls(
            record["messageId"],
            record["receiptHandle"],
            record["body"],
            int(record.get("attributes", {}).get("ApproximateReceiveCount", 1)),
        )


def backoff_seconds(receives: int) -> int:
    """Return the seconds until a failed message is delivered again: 60, doubled after each delivery, at most 3600."""
    return int(min(MAX_BACKOFF_SECONDS, MIN_BACKOFF_SECONDS * 2 ** min(receives - 1, 10)))


class Queue:
    """The queue that feeds the function."""

    def __init__(self, client: SQSClient, url: str) -> None:
        self._client = client
        self._url = url

    def send(self, body: str) -> None:
        """Send a message to the queue."""
        self._client.send_message(QueueUrl=self._url, MessageBody=body)

    def set_visibility(self, records: Sequence[QueueRecord], logger: Logger, *, immediately: bool = False) -> None:
        """Set when messages are delivered again: immediately, or with exponential back-off.

        A failure is only logged. The messages are then delivered again after the queue's visibility timeout.
        """
        for start in range(0, len(records), MAX_BATCH_ENTRIES):
            entries = records[start : start + MAX_BATCH_ENTRIES]
            try:
                response = self._client.change_message_visibility_batch(
                    QueueUrl=self._url,
                    Entries=[
                        {
                            "Id": str(index),
                            "ReceiptHandle": record.receipt_handle,
                            "VisibilityTimeout": 0 if immediately else backoff_seconds(record.receives),
                        }
                        for index, record in enumerate(entries)
                    ],
                )
            except (BotoCoreError, ClientError):
                logger.exception("visibility not set", extra={"messages": len(entries)})
                continue
            for refused in response.get("Failed", []):
                logger.warning("visibility not set", extra={"code": refused["Code"]})
