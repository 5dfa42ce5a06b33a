"""The handler works with its declared role, and does not work without any one of the role's permissions.

moto enforces the permissions: actions for all services, and ARNs for S3 and SQS. It does not enforce ARNs of secrets,
conditions on listings, or the use of KMS and CloudWatch Logs on behalf of the function. `test_policies.py` tests those.
"""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import boto3
import pytest
import requests
from botocore.exceptions import ClientError

from components import role_policies
from components.statements import document
from handler import app
from handler.settings import read_settings
from sandbox.tiktok.emulator import TikTokEmulator
from tests.components.evaluator import as_list
from tests.components.harness import Program
from tests.components.test_policies import arns
from tests.handler.world import ADVERTISER_ID, Context, World, lines, people
from tests.privacy import TOKEN, assert_nothing_personal

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_secretsmanager import SecretsManagerClient
    from mypy_boto3_sqs import SQSClient

pytestmark = pytest.mark.processes

PART_BYTES = "70000"  # a file of 2,000 rows has two parts
UNLIMITED = float("inf")  # the number of requests that moto accepts without a check of permissions


@dataclass(frozen=True)
class Permission:
    """A permission of the role: a statement, one of its actions, and the index of one of its resources."""

    sid: str
    action: str
    resource: int

    def __str__(self) -> str:
        return f"{self.sid}-{self.action}-{self.resource}"


def permissions(document: dict[str, Any]) -> Iterator[Permission]:
    """Yield every permission that moto can enforce. GetQueueAttributes is left out: only Lambda's poller needs it."""
    for statement in document["Statement"]:
        for action in as_list(statement["Action"]):
            for resource in range(len(as_list(statement["Resource"]))):
                if not action.startswith(("kms:", "logs:")) and action != "sqs:GetQueueAttributes":
                    yield Permission(statement["Sid"], action, resource)


PERMISSIONS = list(
    permissions(
        document(
            role_policies.function_role(
                bucket_arn="bucket",
                queue_arn="queue",
                key_arn="key",
                secret_arn="secret",
                log_group_arn="log",
                outcome_events=False,
            )
        )
    )
)


def without(document: dict[str, Any], permission: Permission) -> dict[str, Any]:
    """Return the document without one permission."""
    left = copy.deepcopy(document)
    (index,) = [i for i, statement in enumerate(left["Statement"]) if statement["Sid"] == permission.sid]
    statement = left["Statement"].pop(index)
    actions, resources = as_list(statement["Action"]), as_list(statement["Resource"])
    others = [resource for number, resource in enumerate(resources) if number != permission.resource]
    kept_actions = [action for action in actions if action != permission.action]
    left["Statement"] += [{**statement, "Sid": f"{permission.sid}Elsewhere", "Resource": others}] if others else []
    left["Statement"] += [{**statement, "Action": kept_actions}] if kept_actions else []
    return left


class RoleAccount:
    """An embedded AWS in which the permissions of the function's role can be enforced."""

    def __init__(self, url: str) -> None:
        self.url = url
        admin = self._session("test", "test")
        self._iam = admin.client("iam", endpoint_url=url)
        self._role = f"function-{uuid4().hex[:8]}"
        trust = json.dumps(document(role_policies.function_trust()))
        arn = self._iam.create_role(RoleName=self._role, AssumeRolePolicyDocument=trust)["Role"]["Arn"]
        credentials = admin.client("sts", endpoint_url=url).assume_role(RoleArn=arn, RoleSessionName="life")[
            "Credentials"
        ]
        function = self._session(
            credentials["AccessKeyId"], credentials["SecretAccessKey"], credentials["SessionToken"]
        )
        self.s3: S3Client = function.client("s3", endpoint_url=url)
        self.sqs: SQSClient = function.client("sqs", endpoint_url=url)
        self.secrets: SecretsManagerClient = function.client("secretsmanager", endpoint_url=url)

    def allow(self, document: dict[str, Any]) -> None:
        """Give the role exactly these permissions.

        AWS has one permission for a call and its batch version. moto has two.
        """
        single = '"sqs:ChangeMessageVisibility"'
        text = json.dumps(document).replace(single, '"sqs:ChangeMessageVisibilityBatch"')
        self._iam.put_role_policy(RoleName=self._role, PolicyName="permissions", PolicyDocument=text)

    def enforce(self, *, enabled: bool) -> None:
        """Enable or disable the checks of permissions for every caller."""
        requests.post(f"{self.url}/moto-api/reset-auth", data=str(0 if enabled else UNLIMITED), timeout=5)

    @staticmethod
    def _session(key: str, secret: str, token: str | None = None) -> boto3.session.Session:
        return boto3.session.Session(key, secret, token, region_name="us-east-1")


class UnexpectedFailureError(Exception):
    """More or fewer messages failed than expected."""


class RestrictedWorld(World):
    """A world that receives, handles and deletes messages with the function's role only."""

    def __init__(self, account: RoleAccount, tiktok: TikTokEmulator) -> None:
        self.account = account
        super().__init__(account.url, tiktok)

    def cold_start(self, **changes: str) -> None:
        super().cold_start(**changes)
        settings = read_settings({**self.environment, "MAX_PART_BYTES": PART_BYTES})
        self.function = app.connect(settings, s3=self.account.s3, sqs=self.account.sqs, secrets=self.account.secrets)

    def send(self, *bodies: str) -> None:
        """Send messages to the queue, as EventBridge and Scheduler do."""
        for body in bodies:
            self.sqs.send_message(QueueUrl=self.queue_url, MessageBody=body)

    def poll(self, seconds: float = 900, failing: int = 0) -> None:
        """Receive and handle messages once with the function's role, as Lambda does.

        Raises:
            UnexpectedFailureError: the number of failed messages is not `failing`.
        """
        self.account.enforce(enabled=True)
        try:
            response = self.account.sqs.receive_message(
                QueueUrl=self.queue_url, MaxNumberOfMessages=10, AttributeNames=["ApproximateReceiveCount"]
            )
            records = [
                {
                    "messageId": message["MessageId"],
                    "receiptHandle": message["ReceiptHandle"],
                    "body": message["Body"],
                    "attributes": message["Attributes"],
                }
                for message in response.get("Messages", [])
            ]
            failed = app.handle(self.function, {"Records": records}, Context(seconds))["batchItemFailures"]
            for record in records:
                if {"itemIdentifier": record["messageId"]} not in failed:
                    self.account.sqs.delete_message(QueueUrl=self.queue_url, ReceiptHandle=str(record["receiptHandle"]))
        finally:
            self.account.enforce(enabled=False)
        if len(failed) != failing:
            raise UnexpectedFailureError

    def policy(self, program: Program) -> dict[str, Any]:
        """Return the role's registered policy with the ARNs of this world in place of the program's."""
        text = program.one("acme", "RolePolicy", "acme-function").inputs["policy"]
        declared = arns(program, "acme")
        attributes = self.sqs.get_queue_attributes(QueueUrl=self.queue_url, AttributeNames=["QueueArn"])["Attributes"]
        text = text.replace(declared["bucket"], f"arn:aws:s3:::{self.bucket}")
        text = text.replace(declared["queue"], attributes["QueueArn"])
        document: dict[str, Any] = json.loads(text.replace(declared["secret"], "*"))
        return document


# A plus sign could be an encoded space, so the function checks which object exists.
FIRST, SECOND = "tiktok/vip/email_sha256/first+file.csv", "tiktok/vip/email_sha256/second.csv"
GOLD, SILVER, MISPLACED = "tiktok/gold/email_sha256/a.csv", "tiktok/silver/email_sha256/a.csv", "tiktok/misplaced.csv"
EXPECTED = {
    **dict.fromkeys((FIRST, SECOND, GOLD, SILVER), "available"),
    MISPLACED: "rejected",
    "pending": 0,
    "queued": 1,
    "times of objects": True,
}


def process_files(world: RestrictedWorld) -> dict[str, Any]:
    """Process files that need every permission. Return the statuses of the files, and what is left in the account.

    Raises:
        UnexpectedFailureError: more or fewer messages failed than expected.
        ClientError: the role may not receive or delete messages.
    """
    rows = lines(people(0, 2000))
    # There is a new audience, a file with an invalid key, and a message that always fails.
    # The time of the event is later than the object's LastModified, as for a multipart upload.
    first = world.upload(FIRST, rows).replace("T12:00:00Z", "T12:59:00Z")
    world.send(first, world.upload(MISPLACED, rows), "nonsense")
    world.poll(failing=1)
    # A second file waits for the audience.
    world.send(world.upload(SECOND, rows))
    world.poll()
    # There is only time for one audience, so the other message is returned to the queue immediately.
    world.send(world.upload(GOLD, rows), world.upload(SILVER, rows))
    world.poll(seconds=50, failing=1)
    # There is only time for one of two parts, so the function sends itself a message to continue.
    world.tiktok.fault("upload", "slow", seconds=0.5, times=1)
    world.poll(seconds=0.6)
    world.poll()
    for _ in range(2):
        world.tiktok.advance(3600)
        world.send('{"sweep": true}')
        world.poll()
    statuses = {key: world.outcome(key)[0] for key in world.events}
    left = world.sqs.get_queue_attributes(QueueUrl=world.queue_url, AttributeNames=["All"])["Attributes"]
    queued = int(left["ApproximateNumberOfMessages"]) + int(left["ApproximateNumberOfMessagesNotVisible"])
    times_of_objects = "T12:59:00Z" not in world.report(FIRST)["file"]["uploaded_at"]
    return {**statuses, "pending": len(world.pending()), "queued": queued, "times of objects": times_of_objects}


@pytest.fixture(scope="module")
def account(aws_url: str) -> RoleAccount:
    return RoleAccount(aws_url)


@pytest.fixture
def world(account: RoleAccount) -> Iterator[RestrictedWorld]:
    with TikTokEmulator(accounts={ADVERTISER_ID: TOKEN}, processing_seconds=3600) as tiktok:
        world = RestrictedWorld(account, tiktok)
        yield world
        assert_nothing_personal(world.written())


def test_the_declared_role_is_sufficient(world: RestrictedWorld, everything: Program) -> None:
    world.account.allow(world.policy(everything))
    assert process_files(world) == EXPECTED


@pytest.mark.parametrize("permission", PERMISSIONS, ids=str)
def test_the_declared_role_has_no_unneeded_permission(
    world: RestrictedWorld, everything: Program, permission: Permission
) -> None:
    world.account.allow(without(world.policy(everything), permission))
    with suppress(UnexpectedFailureError, ClientError):
        assert process_files(world) != EXPECTED
    by_poller = permission.action in {"sqs:ReceiveMessage", "sqs:DeleteMessage"}
    refusals = ("AccessDenied", "not authorized", "Forbidden")
    assert by_poller or any(refusal in world.log.getvalue() for refusal in refusals)
