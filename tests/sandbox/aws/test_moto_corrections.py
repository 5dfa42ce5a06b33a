"""S3 and EventBridge in the embedded AWS behave as in AWS: ETags with SSE-KMS, the contents of events, and rules."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import boto3
import pytest
from moto.backends import get_backend

from sandbox.processes import ROOT
from tests.servers import embedded_aws

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

KEY = "tiktok/vip/email_sha256/march+april 100%.csv"
PART = b"x" * 5 * 1024 * 1024


class Bucket:
    """A bucket with SSE-KMS and a rule that sends its events to a queue."""

    def __init__(self, url: str) -> None:
        session = boto3.session.Session(aws_access_key_id="test", aws_secret_access_key="test", region_name="us-east-1")
        self.s3: S3Client = session.client("s3", endpoint_url=url)
        self._sqs = session.client("sqs", endpoint_url=url)
        self.name = f"bucket-{uuid4().hex}"
        self.s3.create_bucket(Bucket=self.name)
        self.s3.put_bucket_versioning(Bucket=self.name, VersioningConfiguration={"Status": "Enabled"})
        self.s3.put_bucket_encryption(
            Bucket=self.name,
            ServerSideEncryptionConfiguration={
                "Rules": [{"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "aws:kms"}}]
            },
        )
        self.s3.put_bucket_notification_configuration(
            Bucket=self.name, NotificationConfiguration={"EventBridgeConfiguration": {}}
        )
        self._queue = self._sqs.create_queue(QueueName=self.name)["QueueUrl"]
        events = session.client("events", endpoint_url=url)
        pattern = {
            "source": ["aws.s3"],
            "detail-type": ["Object Created"],
            "detail": {
                "bucket": {"name": [self.name]},
                "object": {"key": [{"prefix": {"equals-ignore-case": "tiktok/"}}]},
            },
        }
        events.put_rule(Name=self.name, EventPattern=json.dumps(pattern))
        arn = f"arn:aws:sqs:us-east-1:123456789012:{self.name}"
        events.put_targets(Rule=self.name, Targets=[{"Id": "queue", "Arn": arn}])

    def events(self) -> list[dict[str, Any]]:
        """Receive the events in the queue."""
        response = self._sqs.receive_message(QueueUrl=self._queue, MaxNumberOfMessages=10)
        return [json.loads(message["Body"]) for message in response.get("Messages", [])]

    def upload_in_parts(self, key: str) -> str:
        made = self.s3.create_multipart_upload(Bucket=self.name, Key=key)
        upload = {"Bucket": self.name, "Key": key, "UploadId": made["UploadId"]}
        parts = [
            {"PartNumber": number, "ETag": self.s3.upload_part(**upload, PartNumber=number, Body=PART)["ETag"]}  # type: ignore[arg-type]
            for number in (1, 2)
        ]
        return self.s3.complete_multipart_upload(**upload, MultipartUpload={"Parts": parts})["ETag"]  # type: ignore[arg-type, typeddict-item]


@pytest.fixture(scope="module")
def bucket() -> Iterator[Bucket]:
    with embedded_aws() as url:
        yield Bucket(url)


def test_an_event_has_the_format_of_aws(bucket: Bucket) -> None:
    response = bucket.s3.put_object(Bucket=bucket.name, Key=KEY, Body=b"hello")
    (event,) = bucket.events()
    sample = json.loads((ROOT / "tests" / "events" / "s3_object_created.json").read_text())

    def shape(value: Any) -> Any:
        return {key: shape(each) for key, each in value.items()} if isinstance(value, dict) else type(value)

    assert shape(event) == shape(sample)
    expected = {"key": KEY, "size": 5, "etag": response["ETag"].strip('"'), "version-id": response["VersionId"]}
    assert event["detail"]["object"].items() >= expected.items()


def test_an_event_names_the_operation(bucket: Bucket) -> None:
    bucket.s3.put_object(Bucket=bucket.name, Key=KEY, Body=b"hello")
    bucket.s3.copy_object(Bucket=bucket.name, Key=f"{KEY}.copy", CopySource={"Bucket": bucket.name, "Key": KEY})
    etag = bucket.upload_in_parts(KEY)
    assert etag.endswith('-2"')
    reasons = [event["detail"]["reason"] for event in bucket.events()]
    assert reasons == ["PutObject", "CopyObject", "CompleteMultipartUpload"]


def test_equal_bytes_get_different_etags_with_kms(bucket: Bucket) -> None:
    puts = [bucket.s3.put_object(Bucket=bucket.name, Key=KEY, Body=b"hello")["ETag"] for _ in range(3)]
    parts = [bucket.upload_in_parts(KEY) for _ in range(2)]
    assert len({*puts, *parts}) == 5
    head = bucket.s3.head_object(Bucket=bucket.name, Key=KEY)
    assert head["ETag"] == parts[-1]
    bucket.events()


def test_a_rule_can_ignore_the_case_of_a_prefix(bucket: Bucket) -> None:
    keys = ["tiktok/a.csv", "TikTok/b.csv", "other/c.csv", "reports/tiktok/d.json"]
    for key in keys:
        bucket.s3.put_object(Bucket=bucket.name, Key=key, Body=b"hello")
    bucket.s3.delete_object(Bucket=bucket.name, Key=keys[0])
    assert [event["detail"]["object"]["key"] for event in bucket.events()] == keys[:2]


def test_a_listing_of_versions_does_not_copy_or_change_objects(bucket: Bucket) -> None:
    key = "other/versions.csv"
    first, second = (
        bucket.s3.put_object(Bucket=bucket.name, Key=key, Body=body)["VersionId"] for body in (b"first", b"second")
    )
    marker = bucket.s3.delete_object(Bucket=bucket.name, Key=key)["VersionId"]
    stored = get_backend("s3")["123456789012"]["aws"].buckets[bucket.name].keys.getlist(key)
    assert copy.deepcopy(stored[0]).value == b""
    for _ in range(2):
        listing = bucket.s3.list_object_versions(Bucket=bucket.name, Prefix=key)
        assert [(each["VersionId"], each["IsLatest"]) for each in listing["DeleteMarkers"]] == [(marker, True)]
        assert {each["VersionId"]: each["Size"] for each in listing["Versions"]} == {first: 5, second: 6}
    response = bucket.s3.get_object(Bucket=bucket.name, Key=key, VersionId=first)
    assert response["Body"].read() == b"first"
