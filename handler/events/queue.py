"""The connector's queue: records in, visibility and follow-up messages out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from aws_lambda_powertools import Logger
from botocore.exceptions import BotoCoreError, ClientError

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient

FIRST_HIDE_SECONDS = 60
LONGEST_HIDE_SECONDS = 3600
ENTRIES_AT_ONCE = 10  # SQS's limit for a batch call


@dataclass(frozen=True)
class Record:
    """One SQS record of the event."""

    message_id: str
    receipt_handle: str
    body: str
    receives: int

    @classmethod
    def parse(cls, record: Mapping[str, Any]) -> Record:
        """Read a record as Lambda delivers it."""
        return cls(
            record["messageId"],
            record["receiptHandle"],
            record["body"],
            int(record.get("attributes", {}).get("ApproximateReceiveCount", 1)),
        )


def hide_seconds(receives: int) -> int:
    """How long a message that failed stays hidden: 60 s, doubled with every receive, an hour at most."""
    return int(min(LONGEST_HIDE_SECONDS, FIRST_HIDE_SECONDS * 2 ** min(receives - 1, 10)))


class Queue:
    """The queue that feeds the function."""

    def __init__(self, client: SQSClient, url: str) -> None:
        self._client = client
        self._url = url

    def send(self, body: str) -> None:
        """Put a message on the queue."""
        self._client.send_message(QueueUrl=self._url, MessageBody=body)

    def hide(self, records: Sequence[Record], logger: Logger, *, at_once: bool = False) -> None:
        """Set when messages that are not deleted come back: `at_once`, or later with every receive.

        That this fails loses nothing: the message then comes back after the queue's visibility time-out.
        """
        for start in range(0, len(records), ENTRIES_AT_ONCE):
            entries = records[start : start + ENTRIES_AT_ONCE]
            try:
                answer = self._client.change_message_visibility_batch(
                    QueueUrl=self._url,
                    Entries=[
                        {
                            "Id": str(index),
                            "ReceiptHandle": record.receipt_handle,
                            "VisibilityTimeout": 0 if at_once else hide_seconds(record.receives),
                        }
                        for index, record in enumerate(entries)
                    ],
                )
            except (BotoCoreError, ClientError):
                logger.exception("visibility not set", extra={"messages": len(entries)})
                continue
            for refused in answer.get("Failed", []):
                logger.warning("visibility not set", extra={"code": refused["Code"]})
