"""Lambda's event source mapping for SQS: sends batches from a queue to a function and deletes handled messages."""

from __future__ import annotations

import hashlib
import re
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

from sandbox.aws.lambda_service import InvocationResult, LambdaFunction

MAX_LINEAGE = 16  # invocations in a recursive loop; AWS says "approximately 16"
_POLL_SECONDS = 0.1
_MAX_BATCH = 10  # SQS's limit for one call
_LINEAGE = re.compile(r"Lineage=[^;]*:(\d+)")


@dataclass(frozen=True)
class MappingSpec:
    """An event source mapping as declared in the program.

    Attributes:
        queue_arn: the event source.
        batch_size: the maximum number of messages per invocation.
        window: the seconds to wait for more messages after the first.
        concurrency: the maximum number of concurrent invocations.
        partial: whether the function reports which messages failed.
        recursion_allowed: whether a `FunctionRecursionConfig` allows recursive loops.
    """

    queue_arn: str
    batch_size: int
    window: float
    concurrency: int
    partial: bool
    recursion_allowed: bool = False


class EventSourceMapping:
    """Invokes a function with a queue's messages until it is closed.

    Args:
        sqs: a boto3 client for SQS.
        mapping: the declared mapping.
        function: the function to invoke.
        on_end: called from several threads, after every invocation and, until `stop`, every error of the mapping.
    """

    def __init__(
        self,
        sqs: Any,
        mapping: MappingSpec,
        function: LambdaFunction,
        on_end: Callable[[InvocationResult], None] = lambda _: None,
    ) -> None:
        self._sqs = sqs
        self._mapping = mapping
        self._function = function
        self._on_end = on_end
        self._url = sqs.get_queue_url(QueueName=mapping.queue_arn.rsplit(":", 1)[1])["QueueUrl"]
        self._closing = threading.Event()
        self._free = threading.Semaphore(mapping.concurrency)
        self._workers = ThreadPoolExecutor(mapping.concurrency, thread_name_prefix="invocation")
        self._poller = threading.Thread(target=self._poll, name="poller", daemon=True)
        self._poller.start()

    def stop(self) -> None:
        """Stop receiving messages."""
        self._closing.set()

    def close(self) -> None:
        """Stop receiving messages, and wait for invocations in progress."""
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
            except Exception as error:  # the mapping continues after an error, as in AWS
                self._report(error)
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

    def _receive(self, limit: int) -> list[dict[str, Any]]:
        response = self._sqs.receive_message(
            QueueUrl=self._url, MaxNumberOfMessages=min(limit, _MAX_BATCH), MessageSystemAttributeNames=["All"]
        )
        return list(response.get("Messages", []))

    def _deliver(self, received: Sequence[dict[str, Any]]) -> None:
        try:
            messages = [each for each in received if self._mapping.recursion_allowed or lineage(each) < MAX_LINEAGE]
            self._delete([each for each in received if each not in messages])  # Lambda stops the recursive loop
            if messages:
                event = {"Records": [self._record(message) for message in messages]}
                invocation = self._function.invoke(event, max(map(lineage, messages)) + 1)
                failed = failures(invocation, [each["MessageId"] for each in messages], partial=self._mapping.partial)
                self._delete([message for message in messages if message["MessageId"] not in failed])
                self._on_end(invocation)
        except Exception as error:  # the executor would ignore it
            self._report(error)
        finally:
            self._free.release()

    def _delete(self, messages: Sequence[dict[str, Any]]) -> None:
        for start in range(0, len(messages), _MAX_BATCH):
            self._sqs.delete_message_batch(
                QueueUrl=self._url,
                Entries=[
                    {"Id": str(index), "ReceiptHandle": message["ReceiptHandle"]}
                    for index, message in enumerate(messages[start : start + _MAX_BATCH])
                ],
            )

    def _report(self, error: Exception) -> None:
        if not self._closing.is_set():
            details = {"errorType": type(error).__name__, "errorMessage": f"The event source mapping failed: {error}"}
            self._on_end(InvocationResult(None, details, cold=False, seconds=0))

    def _record(self, message: dict[str, Any]) -> dict[str, Any]:
        body = message["Body"]
        return {
            "messageId": message["MessageId"],
            "receiptHandle": message["ReceiptHandle"],
            "body": body,
            "attributes": message["Attributes"],
            "messageAttributes": {},  # no sender uses them
            "md5OfBody": hashlib.md5(body.encode(), usedforsecurity=False).hexdigest(),
            "eventSource": "aws:sqs",
            "eventSourceARN": self._mapping.queue_arn,
            "awsRegion": self._mapping.queue_arn.split(":")[3],
        }


def lineage(message: dict[str, Any]) -> int:
    """Return the number of invocations in the chain that led to this message, from its trace header.

    https://docs.aws.amazon.com/lambda/latest/dg/invocation-recursion.html
    """
    found = _LINEAGE.search(message["Attributes"].get("AWSTraceHeader", ""))
    return int(found[1]) if found else 0


def failures(invocation: InvocationResult, message_ids: Sequence[str], *, partial: bool) -> set[str]:
    """Return the ids of the messages that stay in the queue after an invocation.

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
