"""Lambda's event source mapping for SQS: batches from a queue to a function, and off the queue what it has done."""

from __future__ import annotations

import hashlib
import json
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any
from uuid import NAMESPACE_OID, uuid5

from sandbox.aws.lambda_service import Function, Invocation

_POLL_SECONDS = 0.1
_AT_ONCE = 10  # SQS's limit for one call


@dataclass(frozen=True)
class Mapping:
    """An event source mapping as declared.

    Attributes:
        queue_arn: where the messages come from.
        batch_size: messages of one invocation at most.
        window: seconds that a batch is waited for, from its first message on.
        concurrency: invocations at a time at most.
        partial: whether the function says which messages failed.
    """

    queue_arn: str
    batch_size: int
    window: float
    concurrency: int
    partial: bool


class EventSourceMapping:
    """Feeds a function from the moment it is made until it is closed.

    Args:
        sqs: a client.
        mapping: as declared.
        function: what is invoked.
        ended: is told of every invocation, from one of several threads.
    """

    def __init__(
        self, sqs: Any, mapping: Mapping, function: Function, ended: Callable[[Invocation], None] = lambda _: None
    ) -> None:
        self._sqs = sqs
        self._mapping = mapping
        self._function = function
        self._ended = ended
        self._url = sqs.get_queue_url(QueueName=mapping.queue_arn.rsplit(":", 1)[1])["QueueUrl"]
        self._closing = threading.Event()
        self._free = threading.Semaphore(mapping.concurrency)
        self._workers = ThreadPoolExecutor(mapping.concurrency, thread_name_prefix="invocation")
        self._poller = threading.Thread(target=self._poll, name="poller", daemon=True)
        self._poller.start()

    def stop(self) -> None:
        """Take no more messages."""
        self._closing.set()

    def close(self) -> None:
        """Take no more messages, and wait for the invocations at work."""
        self.stop()
        self._poller.join()
        self._workers.shutdown()

    def _poll(self) -> None:
        while not self._closing.is_set():
            if not self._free.acquire(timeout=_POLL_SECONDS):
                continue
            messages: list[dict[str, Any]] = []
            try:
                messages = self._batch()
            except Exception as error:  # AWS's mapping goes on, too
                self._tell(error)
            if messages:
                self._workers.submit(self._deliver, messages)
            else:
                self._free.release()
                self._closing.wait(_POLL_SECONDS)

    def _batch(self) -> list[dict[str, Any]]:
        messages = self._receive(self._mapping.batch_size)
        complete_at = time.monotonic() + self._mapping.window
        while messages and len(messages) < self._mapping.batch_size and time.monotonic() < complete_at:
            self._closing.wait(_POLL_SECONDS)
            messages += self._receive(self._mapping.batch_size - len(messages))
        return messages

    def _receive(self, most: int) -> list[dict[str, Any]]:
        answer = self._sqs.receive_message(
            QueueUrl=self._url, MaxNumberOfMessages=min(most, _AT_ONCE), MessageSystemAttributeNames=["All"]
        )
        return list(answer.get("Messages", []))

    def _deliver(self, messages: Sequence[dict[str, Any]]) -> None:
        try:
            invocation = self._function.invoke({"Records": [self._record(message) for message in messages]})
            failed = failures(invocation, [message["MessageId"] for message in messages], partial=self._mapping.partial)
            done = [message for message in messages if message["MessageId"] not in failed]
            for start in range(0, len(done), _AT_ONCE):
                self._sqs.delete_message_batch(
                    QueueUrl=self._url,
                    Entries=[
                        {"Id": str(index), "ReceiptHandle": message["ReceiptHandle"]}
                        for index, message in enumerate(done[start : start + _AT_ONCE])
                    ],
                )
            self._ended(invocation)
        except Exception as error:  # nobody reads a worker's result
            self._tell(error)
        finally:
            self._free.release()

    def _tell(self, error: Exception) -> None:
        if not self._closing.is_set():
            said = {"errorType": type(error).__name__, "errorMessage": f"The event source mapping failed: {error}"}
            self._ended(Invocation("", None, said, cold=False, seconds=0))

    def _record(self, message: dict[str, Any]) -> dict[str, Any]:
        body = as_aws_writes(message["Body"], message["MessageId"])
        return {
            "messageId": message["MessageId"],
            "receiptHandle": message["ReceiptHandle"],
            "body": body,
            "attributes": message["Attributes"],
            "messageAttributes": {},  # nobody sends any
            "md5OfBody": hashlib.md5(body.encode(), usedforsecurity=False).hexdigest(),
            "eventSource": "aws:sqs",
            "eventSourceARN": self._mapping.queue_arn,
            "awsRegion": self._mapping.queue_arn.split(":")[3],
        }


def failures(invocation: Invocation, message_ids: Sequence[str], *, partial: bool) -> set[str]:
    """Which messages stay on the queue after an invocation.

    https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-errorhandling.html
    """
    everything = set(message_ids)
    if invocation.error is not None:
        return everything
    if not partial or invocation.result is None:
        return set()
    if not isinstance(invocation.result, dict):
        return everything
    entries = invocation.result.get("batchItemFailures")
    if entries is None:
        return set()
    try:
        failed = {entry["itemIdentifier"] for entry in entries} if isinstance(entries, list) else everything
    except (KeyError, TypeError):
        return everything
    return failed if failed <= everything else everything


def as_aws_writes(body: str, message_id: str) -> str:
    """The body of a message, in which moto's events of S3 become like AWS's; the same at every delivery."""
    try:
        event = json.loads(body)
        found = event["detail"]["object"]
        is_from_s3 = event["source"] == "aws.s3"
    except (ValueError, KeyError, TypeError):
        return body
    if not is_from_s3:
        return body
    if "eTag" in found:
        found["etag"] = found.pop("eTag").strip('"')
    made_up = uuid5(NAMESPACE_OID, message_id)
    found["sequencer"] = f"{made_up.int >> 64:018X}"
    in_parts = "-" in found.get("etag", "")
    event["detail"]["reason"] = "CompleteMultipartUpload" if in_parts else "PutObject"
    event["detail"]["request-id"] = made_up.hex[:16].upper()
    return json.dumps({**event, "id": str(made_up)})
