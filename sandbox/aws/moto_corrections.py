"""Corrections to moto, so that S3, SQS and CloudWatch behave as in AWS where this project depends on it.

- Conditional writes are atomic. moto checks the condition first and writes later.
- Every SSE-KMS write gets a unique ETag, even for equal bytes.
- A listing of versions does not copy the bytes of objects. moto copies them, which takes a second for 260 MB.
- S3 events have the format of AWS, with the operation as `reason`.
- CloudWatch has a metric with the age of the oldest message in each queue.
- SQS stores the trace header of a request with the message, as in AWS with X-Ray.
"""

from __future__ import annotations

import io
import json
import threading
import time
from collections.abc import Callable, Iterable
from contextlib import nullcontext
from contextvars import ContextVar
from datetime import timedelta
from functools import cache
from typing import Any
from uuid import uuid4

from moto.cloudwatch.models import MetricDatum
from moto.core.common_models import CloudWatchMetricProvider
from moto.core.utils import utcnow
from moto.events.models import events_backends
from moto.s3 import notifications
from moto.s3.models import FakeKey
from moto.sqs.models import sqs_backends

Application = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]

_operation = ContextVar("operation", default="PutObject")


def corrected(application: Application) -> Application:
    """Return moto's application with the corrections."""
    _install()
    conditional_writes = threading.Lock()

    def serve(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        _operation.set(operation(environ))
        if "HTTP_X_AMZN_TRACE_ID" in environ and environ.get("HTTP_X_AMZ_TARGET") == "AmazonSQS.SendMessage":
            _keep_trace_header(environ)
        conditional = environ.keys() & {"HTTP_IF_MATCH", "HTTP_IF_NONE_MATCH"} and environ["REQUEST_METHOD"] == "PUT"
        with conditional_writes if conditional else nullcontext():
            return application(environ, start_response)

    return serve


def operation(environ: dict[str, Any]) -> str:
    """Return the `reason` in the S3 event of an object that this request creates."""
    if environ["REQUEST_METHOD"] == "POST":
        return "CompleteMultipartUpload" if "uploadId=" in environ.get("QUERY_STRING", "") else "POST Object"
    return "CopyObject" if "HTTP_X_AMZ_COPY_SOURCE" in environ else "PutObject"


def _keep_trace_header(environ: dict[str, Any]) -> None:
    body = json.loads(environ["wsgi.input"].read(int(environ["CONTENT_LENGTH"])))
    trace_header = {"StringValue": environ["HTTP_X_AMZN_TRACE_ID"], "DataType": "String"}
    body["MessageSystemAttributes"] = {"AWSTraceHeader": trace_header}
    content = json.dumps(body).encode()
    environ |= {"wsgi.input": io.BytesIO(content), "CONTENT_LENGTH": str(len(content))}


@cache
def _install() -> None:
    """Replace functions of moto, once per process."""
    make = FakeKey.__init__

    def make_with_own_etag(self: FakeKey, *arguments: Any, **named: Any) -> None:
        make(self, *arguments, **named)
        if self.encryption == "aws:kms":
            # As in AWS, the ETag of a multipart upload ends with the number of parts.
            parts = (self._etag or "").partition("-")[2]
            self._etag = uuid4().hex + (f"-{parts}" if parts else "")

    def copy_without_body(self: FakeKey, _: object) -> FakeKey:
        copied = object.__new__(FakeKey)
        no_body: dict[str, Any] = {"_value_buffer": io.BytesIO(), "multipart": None, "disposed": True}
        copied.__dict__.update(self.__dict__, _etag=self.etag.strip('"'), **no_body)
        return copied

    FakeKey.__init__ = make_with_own_etag  # type: ignore[method-assign]
    FakeKey.__deepcopy__ = copy_without_body  # type: ignore[attr-defined] # only the listing of versions uses it
    notifications._send_event_bridge_message = _send_event


class MessageAges(CloudWatchMetricProvider):
    """The metric ApproximateAgeOfOldestMessage of each queue. moto finds this subclass of CloudWatchMetricProvider."""

    @staticmethod
    def get_cloudwatch_metrics(account_id: str, region: str) -> list[MetricDatum]:
        """Return the age of the oldest message of each queue, in seconds."""
        now = time.time()
        minute = utcnow().replace(second=0, microsecond=0) - timedelta(minutes=1)
        return [
            MetricDatum(
                namespace="AWS/SQS",
                name="ApproximateAgeOfOldestMessage",
                value=max((now - (each.sent_timestamp or 0) / 1000 for each in queue._messages), default=0),
                dimensions=[{"Name": "QueueName", "Value": name}],
                timestamp=minute,
                unit="Seconds",
            )
            for name, queue in list(sqs_backends[account_id][region].queues.items())
        ]


def _send_event(account_id: str, bucket: Any, event_name: str, key: Any) -> None:
    """Send an S3 event to EventBridge.

    https://docs.aws.amazon.com/AmazonS3/latest/userguide/ev-events.html
    """
    if event_name == notifications.S3NotificationEvent.OBJECT_CREATED_COMPLETE_MULTIPART_UPLOAD_EVENT:
        return  # the write of the object has already sent an event
    event: Any = {
        "version": "0",
        "id": str(uuid4()),
        "detail-type": notifications._detail_type(event_name),
        "source": "aws.s3",
        "account": account_id,
        "time": time.time(),  # moto converts it to the format of AWS
        "region": bucket.region_name,
        "resources": [bucket.arn],
        "detail": {
            "version": "0",
            "bucket": {"name": bucket.name},
            "object": {
                "key": key.name,
                "size": key.size,
                "etag": key.etag.strip('"'),
                "version-id": key.version_id,
                "sequencer": f"{time.time_ns():018X}",
            },
            "request-id": uuid4().hex[:16].upper(),
            "requester": account_id,
            "source-ip-address": "127.0.0.1",
            "reason": _operation.get(),
        },
    }
    for bus in events_backends[account_id][bucket.region_name].event_buses.values():
        for rule in bus.rules.values():
            rule.send_to_targets(event, transform_input=False)
