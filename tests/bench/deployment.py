"""A deployed connector: the packaged function under the AWS runtime client, with AWS and TikTok as processes."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import requests

from components.package import handler_package
from sandbox.aws.lambda_instance import FunctionSpec
from sandbox.aws.lambda_service import InvocationResult, LambdaFunction
from sandbox.processes import ROOT, ServerProcess
from tests.handler.world import ADVERTISER_ID, clients
from tests.privacy import TOKEN

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

BUCKET = "bench-uploads"
MEMORY_MIB = 512  # as declared by the component; here it limits the address space
# TikTok's processing is part of no figure, so it only happens when `check_arrival` advances the clock.
_PROCESSING_SECONDS = 24 * 3600.0
_EVENT = ROOT / "tests" / "events" / "s3_object_created.json"
_TIMEOUT = 600.0


@dataclass(frozen=True)
class BenchUpload:
    """A file in S3, and the body of its message."""

    key: str
    version_id: str
    message: str


@dataclass(frozen=True)
class Deployment:
    """One advertiser's connector, and the embedded AWS and emulated TikTok that it uses."""

    s3: S3Client
    tiktok_url: str
    spec: FunctionSpec

    @contextmanager
    def function(self) -> Iterator[LambdaFunction]:
        """Yield the function; its first invocation starts an instance."""
        function = LambdaFunction(self.spec)
        try:
            yield function
        finally:
            function.close()

    @contextmanager
    def uploaded(self, path: Path) -> Iterator[BenchUpload]:
        """Upload a file for a new audience, and delete it afterwards."""
        key = f"tiktok/{uuid4().hex}/email_sha256/{path.name}"
        self.s3.upload_file(str(path), BUCKET, key)
        head = self.s3.head_object(Bucket=BUCKET, Key=key)
        event = json.loads(_EVENT.read_bytes())
        event["detail"]["bucket"]["name"] = BUCKET
        event["detail"]["object"] |= {
            "key": key,
            "size": head["ContentLength"],
            "etag": head["ETag"].strip('"'),
            "version-id": head["VersionId"],
        }
        try:
            yield BenchUpload(key, head["VersionId"], json.dumps(event))
        finally:
            self.s3.delete_object(Bucket=BUCKET, Key=key, VersionId=head["VersionId"])

    def activate(self, function: LambdaFunction, upload: BenchUpload, rows: int) -> InvocationResult:
        """Deliver a file's message to the function and return the result of the invocation.

        Raises:
            RuntimeError: the function failed, or did not submit the file with all of its rows.
        """
        record = {
            "messageId": str(uuid4()),
            "receiptHandle": uuid4().hex,
            "body": upload.message,
            "attributes": {"ApproximateReceiveCount": "1"},
            "eventSource": "aws:sqs",
        }
        invocation = function.invoke({"Records": [record]})
        if invocation.result != {"batchItemFailures": []}:
            raise RuntimeError(f"The function failed: {invocation.error or invocation.result}")
        stored = self.s3.get_object(Bucket=BUCKET, Key=f"reports/{upload.key}/{upload.version_id}.json")
        report = json.loads(stored["Body"].read())
        if (report["status"], report["rows"]["accepted"]) != ("submitted", rows):
            raise RuntimeError(f"The file was not submitted with its {rows} rows: {report['reason']}")
        return invocation

    def emulator(self, method: str, control: str, body: object = None) -> Any:
        """Call a control endpoint of the emulated TikTok; see `sandbox.tiktok.server`."""
        response = requests.request(method, f"{self.tiktok_url}/_emulator/{control}", json=body, timeout=_TIMEOUT)
        response.raise_for_status()
        return response.json()

    def check_arrival(self, rows: int) -> None:
        """Let TikTok process the only audience, check that it holds every row once, and delete it and its files.

        Raises:
            RuntimeError: rows are missing, duplicated or damaged.
        """
        self.emulator("POST", "clock", {"seconds": _PROCESSING_SECONDS + 1})
        (audience,) = self.emulator("GET", "audiences")
        if (audience["members"], audience["bad_rows"]) != (rows, {}):
            raise RuntimeError(f"{audience['members']} of {rows} rows arrived; faulty: {audience['bad_rows']}")
        requests.post(
            f"{self.tiktok_url}/open_api/v1.3/dmp/custom_audience/delete/",
            headers={"Access-Token": TOKEN},
            json={"advertiser_id": ADVERTISER_ID, "custom_audience_ids": [audience["id"]]},
            timeout=_TIMEOUT,
        ).raise_for_status()
        self.emulator("DELETE", "files")


@contextmanager
def deployment() -> Iterator[Deployment]:
    """Start the embedded AWS and the emulated TikTok, yield a connector that uses them, and stop them at the end."""
    with ServerProcess("sandbox.aws.server") as aws, ServerProcess("sandbox.tiktok.emulator") as tiktok:
        package = handler_package()
        s3, sqs, secrets = clients(aws.url)
        s3.create_bucket(Bucket=BUCKET)
        s3.put_bucket_versioning(Bucket=BUCKET, VersioningConfiguration={"Status": "Enabled"})
        credentials = json.dumps({"ACCESS_TOKEN": TOKEN, "ADVERTISER_ID": ADVERTISER_ID})
        spec = FunctionSpec(
            name="bench",
            arn="arn:aws:lambda:us-east-1:123456789012:function:bench",
            package=package,
            handler="handler.app.lambda_handler",
            timeout=900,
            memory=MEMORY_MIB,
            environment={
                "BUCKET_NAME": BUCKET,
                "CREDENTIALS_SECRET_ARN": secrets.create_secret(Name="bench", SecretString=credentials)["ARN"],
                "QUEUE_URL": sqs.create_queue(QueueName="bench")["QueueUrl"],
                "ADVERTISER": "acme",
                "SETTLE_SECONDS": "0",
                "TIKTOK_API_URL": tiktok.url,
                "AWS_ENDPOINT_URL": aws.url,
            },
            logging={"logFormat": "JSON", "applicationLogLevel": "INFO"},
        )
        deployed = Deployment(s3, tiktok.url, spec)
        deployed.emulator("POST", "accounts", {"advertiser_id": ADVERTISER_ID, "access_token": TOKEN})
        deployed.emulator("POST", "settings", {"processing_seconds": _PROCESSING_SECONDS})
        yield deployed
