"""The environment of the handler in tests: an embedded AWS in this process and an emulated TikTok over HTTP.

`World.deliver` delivers a batch as Lambda does. `World` only replaces the handler's clock and shortens its pauses
between retries.
"""

from __future__ import annotations

import hashlib
import io
import json
import logging
import time
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import boto3
import requests

from handler import app
from handler.settings import read_settings
from sandbox.tiktok.emulator import TikTokEmulator
from tests.privacy import TOKEN
from tests.servers import InProcessAws, RequestHooks, set_last_modified, stored, stored_keys

if TYPE_CHECKING:
    from tests.servers import Clients

ADVERTISER_ID = "7000000000000000001"
START = datetime(2026, 1, 31, 12, tzinfo=UTC)


def people(first: int, count: int) -> list[str]:
    """Return `count` identifiers, starting with number `first`: SHA-256 hashes of made-up names."""
    return [hashlib.sha256(f"person {number}".encode()).hexdigest() for number in range(first, first + count)]


def lines(identifiers: Iterable[str]) -> bytes:
    """Return the content of a file with one identifier per line."""
    return "".join(f"{identifier}\n" for identifier in identifiers).encode()


@cache
def clients(aws_url: str) -> Clients:
    """Return clients of an embedded AWS behind a socket. They are cached because creating them is slow."""
    session = boto3.session.Session(aws_access_key_id="test", aws_secret_access_key="test", region_name="us-east-1")
    return (
        session.client("s3", endpoint_url=aws_url),
        session.client("sqs", endpoint_url=aws_url),
        session.client("secretsmanager", endpoint_url=aws_url),
    )


class Context:
    """The Lambda context of one invocation."""

    def __init__(self, seconds: float = 900) -> None:
        self.aws_request_id = str(uuid4())
        self._end = datetime.now(UTC) + timedelta(seconds=seconds)

    def get_remaining_time_in_millis(self) -> int:
        return int((self._end - datetime.now(UTC)).total_seconds() * 1000)


class World:
    """One advertiser's connector, without Pulumi and Lambda.

    The function, TikTok and S3 share one clock. It starts at `START`. `pass_time` advances it, and each upload advances
    it to at least one second after the previous upload. With an AWS behind a socket, where functions may run in other
    processes, the clock is the real time plus the time that `pass_time` has added.

    Args:
        aws: the AWS in this process, or the URL of an AWS behind a socket.
        tiktok: the TikTok emulator.

    Attributes:
        function: the warm function.
        hooks: called around every request to the AWS in this process. They do not see requests over a socket.
        events: by object key, the message for the key's newest upload.
        log: the log output of the function.
        printed: more output to search for personal data; tests add to it.
    """

    def __init__(self, aws: InProcessAws | str, tiktok: TikTokEmulator) -> None:
        self.tiktok = tiktok
        name = f"acme-{uuid4().hex[:12]}"
        self.aws_url = aws if isinstance(aws, str) else ""
        self._frozen: datetime | None = None
        self._ahead = timedelta()
        self._uploaded_at = datetime.min.replace(tzinfo=UTC)
        if isinstance(aws, str):
            self.hooks = RequestHooks()
            self.s3, self.sqs, self.secrets = clients(aws)
        else:
            self.hooks = aws.hooks(name)
            self.hooks.now = self.now
            self.s3, self.sqs, self.secrets = aws.clients
            self._frozen = START
            tiktok.advance((START - datetime.now(UTC)).total_seconds())
        self.bucket = name
        self.s3.create_bucket(Bucket=name)
        self.s3.put_bucket_versioning(Bucket=name, VersioningConfiguration={"Status": "Enabled"})
        self.queue_url = self.sqs.create_queue(QueueName=name, Attributes={"VisibilityTimeout": "5400"})["QueueUrl"]
        credentials = json.dumps({"ACCESS_TOKEN": TOKEN, "ADVERTISER_ID": ADVERTISER_ID})
        self.secret_arn = self.secrets.create_secret(Name=name, SecretString=credentials)["ARN"]
        self.events: dict[str, str] = {}
        self.log = io.StringIO()
        self.printed: list[str] = []
        self.cold_start()

    @property
    def environment(self) -> dict[str, str]:
        """The environment variables of the function."""
        return {
            "BUCKET_NAME": self.bucket,
            "CREDENTIALS_SECRET_ARN": self.secret_arn,
            "QUEUE_URL": self.queue_url,
            "ADVERTISER": "acme",
            "TIKTOK_API_URL": self.tiktok.url,
            "CREATE_GRACE_SECONDS": "900",
            "SETTLE_SECONDS": "0",
            "AWS_ENDPOINT_URL": self.aws_url,
            "AWS_ACCESS_KEY_ID": "test",
            "AWS_SECRET_ACCESS_KEY": "test",
            "AWS_DEFAULT_REGION": "us-east-1",
        }

    def cold_start(self, **changes: str) -> None:
        """Replace the function with a new one, with these changes to its environment variables."""
        function = app.connect(
            read_settings({**self.environment, **changes}), s3=self.s3, sqs=self.sqs, secrets=self.secrets
        )
        self.function = function._replace(pause=lambda seconds: time.sleep(seconds / 50), now=self.now)
        handler = logging.getLogger("tiktok-activation").handlers[0]
        assert isinstance(handler, logging.StreamHandler)
        handler.setStream(self.log)

    def now(self) -> datetime:
        """Return the current time of the function, TikTok and S3."""
        return (self._frozen or datetime.now(UTC)) + self._ahead

    def pass_time(self, hours: float) -> None:
        """Advance the clock of the function, TikTok and S3."""
        self.tiktok.advance(hours * 3600)
        self._ahead += timedelta(hours=hours)

    def set_secret(self, text: str) -> None:
        """Store a value in the secret, as a person does."""
        self.secrets.put_secret_value(SecretId=self.secret_arn, SecretString=text)

    def restore_secret(self) -> None:
        """Store the valid credentials in the secret."""
        self.set_secret(json.dumps({"ACCESS_TOKEN": TOKEN, "ADVERTISER_ID": ADVERTISER_ID}))

    def upload(
        self, key: str, body: bytes, at: datetime | None = None, reason: str = "PutObject", **headers: Any
    ) -> str:
        """Upload a file, at least one second after the previous upload.

        Args:
            key: the object key.
            body: the content.
            at: the upload time; by default, the time of the clock after it has advanced.
            reason: the `reason` in the event.
            headers: more arguments for PutObject.

        Returns:
            The body of the SQS message with the event.
        """
        self.s3.put_object(Bucket=self.bucket, Key=key, Body=body, **headers)
        return self._message(key, reason, at)

    def copy(self, key: str, to: str | None = None, **changes: Any) -> str:
        """Copy the newest version of a file onto itself or to another key, and return the message with the event.

        `changes` are arguments for CopyObject, such as `StorageClass`.
        """
        if to is None and not changes:
            changes = {"MetadataDirective": "REPLACE"}
        source = {"Bucket": self.bucket, "Key": key}
        self.s3.copy_object(Bucket=self.bucket, Key=to or key, **{"CopySource": source, **changes})
        return self._message(to or key, "CopyObject")

    def multipart(self, key: str, body: bytes, at: datetime | None = None) -> str:
        """Upload a file as a multipart upload with one part, and return the message with the event."""
        upload: Any = {"Bucket": self.bucket, "Key": key}
        upload["UploadId"] = self.s3.create_multipart_upload(**upload)["UploadId"]
        part = self.s3.upload_part(**upload, PartNumber=1, Body=body)
        parts: Any = {"Parts": [{"PartNumber": 1, "ETag": part["ETag"]}]}
        self.s3.complete_multipart_upload(**upload, MultipartUpload=parts)
        return self._message(key, "CompleteMultipartUpload", at)

    def delete(self, key: str, version_id: str | None = None) -> str | None:
        """Delete a version permanently; without `version_id`, write a delete marker and return its version id.

        There is no message, because the connector's rule does not match deletion events.
        """
        if version_id:
            self.s3.delete_object(Bucket=self.bucket, Key=key, VersionId=version_id)
            return None
        marker = self.s3.delete_object(Bucket=self.bucket, Key=key)["VersionId"]
        set_last_modified(self.bucket, key, marker, self._next_second())
        return marker

    @staticmethod
    def version_id(message: str) -> str:
        """Return the version id in a message."""
        version_id: str = json.loads(message)["detail"]["object"]["version-id"]
        return version_id

    def _next_second(self) -> datetime:
        """Advance the clock to at least one second after the last upload, and return the time."""
        self._uploaded_at = upload_time = max(self.now(), self._uploaded_at + timedelta(seconds=1))
        if self._frozen:
            self.pass_time((upload_time - self.now()).total_seconds() / 3600)
        return upload_time

    def _message(self, key: str, reason: str, at: datetime | None = None) -> str:
        """Set the upload time of a file's newest version, and return the message that EventBridge sends for it."""
        head = self.s3.head_object(Bucket=self.bucket, Key=key)
        version_id = head.get("VersionId", "null")
        upload_time = at or self._next_second()
        if not set_last_modified(self.bucket, key, version_id, upload_time):
            upload_time = head["LastModified"]  # an AWS in another process has its own clock
        s3_object = {
            "key": key,
            "size": head["ContentLength"],
            "etag": head["ETag"].strip('"'),
            "version-id": version_id,
            "sequencer": "0055AED6DCD90281E5",
        }
        message = json.dumps(
            {
                "version": "0",
                "id": str(uuid4()),
                "detail-type": "Object Created",
                "source": "aws.s3",
                "account": "123456789012",
                "time": upload_time.strftime("%Y-%m-%dT%H:%M:%SZ"),
                "region": "us-east-1",
                "resources": [f"arn:aws:s3:::{self.bucket}"],
                "detail": {
                    "version": "0",
                    "bucket": {"name": self.bucket},
                    "object": s3_object,
                    "request-id": "N4N7GDK58NMKJ12R",
                    "requester": "123456789012",
                    "source-ip-address": "203.0.113.7",
                    "reason": reason,
                },
            }
        )
        self.events[key] = message
        return message

    def deliver(self, *bodies: str, receives: int = 1, seconds: float = 900) -> list[str]:
        """Deliver one batch of messages, and return the bodies of those that failed or were returned.

        Args:
            bodies: the bodies of the messages.
            receives: how often SQS has delivered each message, including this time.
            seconds: the run time of the function.
        """
        records = {
            str(uuid4()): {
                "receiptHandle": uuid4().hex,
                "body": body,
                "attributes": {"ApproximateReceiveCount": str(receives)},
                "eventSource": "aws:sqs",
            }
            for body in bodies
        }
        event = {"Records": [{"messageId": key, **record} for key, record in records.items()]}
        response = app.handle(self.function, event, Context(seconds))
        return [str(records[failure["itemIdentifier"]]["body"]) for failure in response["batchItemFailures"]]

    def activate(self, key: str, body: bytes, **delivery: Any) -> dict[str, Any]:
        """Upload a file, deliver its message, and return its report."""
        assert self.deliver(self.upload(key, body), **delivery) == []
        return self.report(key)

    def deliver_all(self, *bodies: str) -> None:
        """Deliver messages in batches of ten; none of them may fail."""
        for first in range(0, len(bodies), 10):
            assert self.deliver(*bodies[first : first + 10]) == []

    def sweep(self, hours: float = 0) -> None:
        """Advance the clock, then sweep."""
        self.pass_time(hours)
        assert self.deliver('{"sweep": true}') == []

    def run(self, hours: float, every: float = 5 / 60) -> None:
        """Advance the clock by `hours`, and sweep at an interval of `every` hours, by default five minutes."""
        for _ in range(round(hours / every)):
            self.sweep(every)

    def report(self, key: str, message: str | None = None) -> dict[str, Any]:
        """Return the report on the newest upload of a key, or on the upload in `message`."""
        detail = json.loads(message or self.events[key])["detail"]["object"]
        stored_report = self.s3.get_object(Bucket=self.bucket, Key=f"reports/{key}/{detail['version-id']}.json")
        report: dict[str, Any] = json.loads(stored_report["Body"].read())
        return report

    def outcome(self, key: str) -> tuple[str, str]:
        """Return the status and code of the newest upload of a key."""
        report = self.report(key)
        return report["status"], report["code"]

    def keys(self, prefix: str = "") -> list[str]:
        """Return all keys in the bucket that start with `prefix`."""
        pages = self.s3.get_paginator("list_objects_v2").paginate(Bucket=self.bucket, Prefix=prefix)
        return [entry["Key"] for page in pages for entry in page.get("Contents", [])]

    def pending(self) -> list[str]:
        """Return the object keys of the uploads that have a pending pointer."""
        return [self.json(key)["key"] for key in self.keys("pending/")]

    def json(self, key: str) -> dict[str, Any]:
        """Return the content of a JSON object in the bucket."""
        content: dict[str, Any] = json.loads(self.s3.get_object(Bucket=self.bucket, Key=key)["Body"].read())
        return content

    def written(self) -> Iterator[str]:
        """Yield everything that the function wrote: its log, reports, states, pointers and messages."""
        yield self.log.getvalue()
        if self.aws_url:
            keys = [key for key in self.keys() if not key.startswith("tiktok/")]
            yield from (self.s3.get_object(Bucket=self.bucket, Key=key)["Body"].read().decode() for key in keys)
        else:
            keys = [key for key in stored_keys(self.bucket) if not key.startswith("tiktok/")]
            yield from ((stored(self.bucket, key) or b"").decode() for key in keys)
        yield from self.messages()

    def messages(self) -> list[str]:
        """Receive up to ten messages from the queue, and return their bodies."""
        response = self.sqs.receive_message(QueueUrl=self.queue_url, MaxNumberOfMessages=10)
        return [message["Body"] for message in response.get("Messages", [])]

    def audiences(self) -> list[dict[str, Any]]:
        """Return the advertiser's audiences at TikTok, except those named `seeded ...`."""
        return [each for each in self.tiktok.audiences(ADVERTISER_ID) if not each["name"].startswith("seeded")]

    def members(self) -> set[str]:
        """Return the identifiers in the only audience at TikTok."""
        (audience,) = self.audiences()
        return self.tiktok.members(audience["id"])

    def delete_audience(self, audience_id: str) -> None:
        """Delete an audience at TikTok, as a person does in Ads Manager."""
        response = requests.post(
            f"{self.tiktok.url}/open_api/v1.3/dmp/custom_audience/delete/",
            json={"advertiser_id": ADVERTISER_ID, "custom_audience_ids": [audience_id]},
            headers={"Access-Token": TOKEN},
            timeout=10,
        )
        assert response.json()["code"] == 0

    def calls(self, *names: str) -> list[str]:
        """Return the names of the calls that TikTok received; if names are given, only of these calls."""
        return [each["call"] for each in self.tiktok.calls() if not names or each["call"] in names]
