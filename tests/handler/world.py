"""Everything around the handler, real but small: an embedded AWS in this process and the emulated TikTok over HTTP.

`World.deliver` does what Lambda does with a batch. Nothing of the handler is replaced except its clock and its pauses.
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
from tests.servers import Gate, InProcessAws, set_last_modified, stored, stored_keys

if TYPE_CHECKING:
    from tests.servers import Clients

ADVERTISER_ID = "7000000000000000001"
START = datetime(2026, 1, 31, 12, tzinfo=UTC)


def people(first: int, count: int) -> list[str]:
    """Identifiers `first` to `first + count`: the SHA-256 of made-up names."""
    return [hashlib.sha256(f"person {number}".encode()).hexdigest() for number in range(first, first + count)]


def lines(identifiers: Iterable[str]) -> bytes:
    """A file of these identifiers."""
    return "".join(f"{identifier}\n" for identifier in identifiers).encode()


@cache
def clients(aws_url: str) -> Clients:
    """Clients of an embedded AWS behind a socket, made once: that takes longer than most tests."""
    session = boto3.session.Session(aws_access_key_id="test", aws_secret_access_key="test", region_name="us-east-1")
    return (
        session.client("s3", endpoint_url=aws_url),
        session.client("sqs", endpoint_url=aws_url),
        session.client("secretsmanager", endpoint_url=aws_url),
    )


class Context:
    """Lambda's context of one invocation."""

    def __init__(self, seconds: float = 900) -> None:
        self.aws_request_id = str(uuid4())
        self._end = datetime.now(UTC) + timedelta(seconds=seconds)

    def get_remaining_time_in_millis(self) -> int:
        return int((self._end - datetime.now(UTC)).total_seconds() * 1000)


class World:
    """One advertiser's connector without Pulumi and Lambda around it.

    There is one clock, for the function, for TikTok and for what is uploaded. It stands at START and advances by a
    second for each upload, and by `pass_time`. With an AWS behind a socket, where functions run in other processes, it
    is real time.

    Args:
        aws: the AWS of this process, or the URL of one behind a socket.
        tiktok: the emulator.

    Attributes:
        gate: hooks around every request to AWS; only those of the AWS of this process pass it.
        events: object key -> message of its newest upload.
        log: what the function logged.
        printed: lines for the search for personal data, added by tests.
    """

    def __init__(self, aws: InProcessAws | str, tiktok: TikTokEmulator) -> None:
        self.tiktok = tiktok
        name = f"acme-{uuid4().hex[:12]}"
        self.aws_url = aws if isinstance(aws, str) else ""
        self._frozen: datetime | None = None
        self._ahead = timedelta()
        self._uploaded_at = datetime.min.replace(tzinfo=UTC)
        if isinstance(aws, str):
            self.gate = Gate()
            self.s3, self.sqs, self.secrets = clients(aws)
        else:
            self.gate = aws.gate(name)
            self.gate.now = self.now
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
        """The function's environment."""
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
        """A new function, with changes to its environment."""
        function = app.connect(
            read_settings({**self.environment, **changes}), s3=self.s3, sqs=self.sqs, secrets=self.secrets
        )
        self.function = function._replace(pause=lambda seconds: time.sleep(seconds / 50), now=self.now)
        handler = logging.getLogger("tiktok-activation").handlers[0]
        assert isinstance(handler, logging.StreamHandler)
        handler.setStream(self.log)

    def now(self) -> datetime:
        """Return the time of the function, of TikTok and of AWS."""
        return (self._frozen or datetime.now(UTC)) + self._ahead

    def pass_time(self, hours: float) -> None:
        """Let time pass, for TikTok and for the function."""
        self.tiktok.advance(hours * 3600)
        self._ahead += timedelta(hours=hours)

    def set_secret(self, text: str) -> None:
        """Put what a person would into the secret."""
        self.secrets.put_secret_value(SecretId=self.secret_arn, SecretString=text)

    def restore_secret(self) -> None:
        """Put the valid credentials into the secret."""
        self.set_secret(json.dumps({"ACCESS_TOKEN": TOKEN, "ADVERTISER_ID": ADVERTISER_ID}))

    def upload(
        self, key: str, body: bytes, at: datetime | None = None, reason: str = "PutObject", **headers: Any
    ) -> str:
        """Upload a file; files are uploaded a second apart.

        Args:
            key: object key.
            body: content.
            at: upload time; by default the world's clock goes on by a second.
            reason: of the event.
            headers: arguments of PutObject.

        Returns:
            The body of the message that tells of it.
        """
        self.s3.put_object(Bucket=self.bucket, Key=key, Body=body, **headers)
        return self._message(key, reason, at)

    def copy(self, key: str, to: str | None = None, **changes: Any) -> str:
        """Copy the newest version of a file, onto itself or to another key, and return the message that tells of it.

        `changes` are arguments of CopyObject, for instance `StorageClass`.
        """
        if to is None and not changes:
            changes = {"MetadataDirective": "REPLACE"}
        source = {"Bucket": self.bucket, "Key": key}
        self.s3.copy_object(Bucket=self.bucket, Key=to or key, **{"CopySource": source, **changes})
        return self._message(to or key, "CopyObject")

    def multipart(self, key: str, body: bytes, at: datetime | None = None) -> str:
        """Upload a file as one part of a multipart upload and return the message that tells of it."""
        place: Any = {"Bucket": self.bucket, "Key": key}
        place["UploadId"] = self.s3.create_multipart_upload(**place)["UploadId"]
        part = self.s3.upload_part(**place, PartNumber=1, Body=body)
        parts: Any = {"Parts": [{"PartNumber": 1, "ETag": part["ETag"]}]}
        self.s3.complete_multipart_upload(**place, MultipartUpload=parts)
        return self._message(key, "CompleteMultipartUpload", at)

    def delete(self, key: str, version_id: str | None = None) -> str | None:
        """Delete one version of a file for good; without a version, write a delete marker and return its version id.

        The connector's rule matches no event of a deletion, so there is no message.
        """
        if version_id:
            self.s3.delete_object(Bucket=self.bucket, Key=key, VersionId=version_id)
            return None
        marker = self.s3.delete_object(Bucket=self.bucket, Key=key)["VersionId"]
        set_last_modified(self.bucket, key, marker, self._next_second())
        return marker

    @staticmethod
    def version_id(message: str) -> str:
        """Return the version that a message tells of."""
        version_id: str = json.loads(message)["detail"]["object"]["version-id"]
        return version_id

    def _next_second(self) -> datetime:
        """Return the world's time, a second or more after the last upload."""
        self._uploaded_at = moment = max(self.now(), self._uploaded_at + timedelta(seconds=1))
        if self._frozen:
            self.pass_time((moment - self.now()).total_seconds() / 3600)
        return moment

    def _message(self, key: str, reason: str, at: datetime | None = None) -> str:
        """Give the newest version of a file its upload time, and make the message as EventBridge does."""
        there = self.s3.head_object(Bucket=self.bucket, Key=key)
        version_id = there.get("VersionId", "null")
        moment = at or self._next_second()
        if not set_last_modified(self.bucket, key, version_id, moment):
            moment = there["LastModified"]  # an AWS in another process has its own clock
        s3_object = {
            "key": key,
            "size": there["ContentLength"],
            "etag": there["ETag"].strip('"'),
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
                "time": moment.strftime("%Y-%m-%dT%H:%M:%SZ"),
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
        """Deliver one batch; return the bodies that are to be delivered again."""
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
        answer = app.handle(self.function, event, Context(seconds))
        return [str(records[failure["itemIdentifier"]]["body"]) for failure in answer["batchItemFailures"]]

    def activate(self, key: str, body: bytes, **delivery: Any) -> dict[str, Any]:
        """Upload a file, deliver its message and return its report."""
        assert self.deliver(self.upload(key, body), **delivery) == []
        return self.report(key)

    def deliver_all(self, *bodies: str) -> None:
        """Deliver messages in batches of ten, none of which may come back."""
        for first in range(0, len(bodies), 10):
            assert self.deliver(*bodies[first : first + 10]) == []

    def sweep(self, hours: float = 0) -> None:
        """Let time pass, then sweep."""
        self.pass_time(hours)
        assert self.deliver('{"sweep": true}') == []

    def run(self, hours: float, every: float = 5 / 60) -> None:
        """Let time pass with a sweep after each `every` hours, as the schedule does."""
        for _ in range(round(hours / every)):
            self.sweep(every)

    def report(self, key: str, message: str | None = None) -> dict[str, Any]:
        """The report of the newest upload of a key, or of the upload that `message` tells of."""
        detail = json.loads(message or self.events[key])["detail"]["object"]
        answer = self.s3.get_object(Bucket=self.bucket, Key=f"reports/{key}/{detail['version-id']}.json")
        report: dict[str, Any] = json.loads(answer["Body"].read())
        return report

    def outcome(self, key: str) -> tuple[str, str]:
        """Return the status and the code of the newest upload of a key."""
        report = self.report(key)
        return report["status"], report["code"]

    def keys(self, prefix: str = "") -> list[str]:
        """Return all keys in the bucket."""
        pages = self.s3.get_paginator("list_objects_v2").paginate(Bucket=self.bucket, Prefix=prefix)
        return [entry["Key"] for page in pages for entry in page.get("Contents", [])]

    def pending(self) -> list[str]:
        """The keys of the files that pointers lead to."""
        return [self.json(key)["key"] for key in self.keys("pending/")]

    def json(self, key: str) -> dict[str, Any]:
        """A JSON object of the bucket."""
        content: dict[str, Any] = json.loads(self.s3.get_object(Bucket=self.bucket, Key=key)["Body"].read())
        return content

    def written(self) -> Iterator[str]:
        """All that the function wrote: its log, reports, states, pointers and messages."""
        yield self.log.getvalue()
        if self.aws_url:
            keys = [key for key in self.keys() if not key.startswith("tiktok/")]
            yield from (self.s3.get_object(Bucket=self.bucket, Key=key)["Body"].read().decode() for key in keys)
        else:
            keys = [key for key in stored_keys(self.bucket) if not key.startswith("tiktok/")]
            yield from ((stored(self.bucket, key) or b"").decode() for key in keys)
        yield from self.messages()

    def messages(self) -> list[str]:
        """Take what is on the queue."""
        answer = self.sqs.receive_message(QueueUrl=self.queue_url, MaxNumberOfMessages=10)
        return [message["Body"] for message in answer.get("Messages", [])]

    def audiences(self) -> list[dict[str, Any]]:
        """TikTok's customer-file audiences of the advertiser that were not seeded."""
        return [each for each in self.tiktok.audiences(ADVERTISER_ID) if not each["name"].startswith("seeded")]

    def members(self) -> set[str]:
        """The people in the one audience there is."""
        (audience,) = self.audiences()
        return self.tiktok.members(audience["id"])

    def delete_audience(self, audience_id: str) -> None:
        """Delete an audience, which a person does in Ads Manager."""
        answer = requests.post(
            f"{self.tiktok.url}/open_api/v1.3/dmp/custom_audience/delete/",
            json={"advertiser_id": ADVERTISER_ID, "custom_audience_ids": [audience_id]},
            headers={"Access-Token": TOKEN},
            timeout=10,
        )
        assert answer.json()["code"] == 0

    def calls(self, *names: str) -> list[str]:
        """The calls TikTok has seen, of these names if any are given."""
        return [each["call"] for each in self.tiktok.calls() if not names or each["call"] in names]
