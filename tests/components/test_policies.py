"""The registered policies, evaluated for single requests."""

from __future__ import annotations

import copy
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import pytest

from tests.components.evaluator import AccessRequest, Verdict, as_list, verdict
from tests.components.harness import ACCOUNT, REGION, Program

ADMIN = f"arn:aws:iam::{ACCOUNT}:role/admin"
STRANGER = "arn:aws:iam::999900001111:role/stranger"
EXPORTER = "arn:aws:iam::444455556666:role/exporter"
WAREHOUSE = f"arn:aws:iam::{ACCOUNT}:user/warehouse"
ANALYST = "arn:aws:iam::444455556666:role/analyst"
VENDOR = "arn:aws:iam::444455556666:role/their-own"
EVENTS, LOGS, ALARMS = "events.amazonaws.com", f"logs.{REGION}.amazonaws.com", "cloudwatch.amazonaws.com"
ALGORITHM = "s3:x-amz-server-side-encryption"
KEY_ID = "s3:x-amz-server-side-encryption-aws-kms-key-id"
CUSTOMER_KEY = "s3:x-amz-server-side-encryption-customer-algorithm"
TLS = {"aws:SecureTransport": "true"}
NO_TLS = {"aws:SecureTransport": "false"}
THIS_ACCOUNT = {"aws:SourceAccount": ACCOUNT}
OTHER_ACCOUNT = {"aws:SourceAccount": "999900001111"}
THROUGH_S3 = {"kms:ViaService": f"s3.{REGION}.amazonaws.com"}


@dataclass(frozen=True)
class Case:
    """A request, its description, the document that is evaluated, and the expected verdict.

    `{name}` is a placeholder for an ARN of `acme`, and `{other name}` for one of `acme-b`.
    """

    words: str
    document: str
    expected: Verdict
    action: str
    resource: str
    principal: str = ""
    context: Mapping[str, str] | None = None


def bucket_cases() -> Iterator[Case]:
    def put(words: str, expected: Verdict, who: str = ADMIN, key: str = "tiktok/a", **headers: str) -> Case:
        named = {"algorithm": ALGORITHM, "key_id": KEY_ID, "customer": CUSTOMER_KEY}
        context = TLS | {named[name]: value for name, value in headers.items()}
        return Case(words, "bucket", expected, "s3:PutObject", f"{{bucket}}/{key}", who, context)

    yield put("an upload without encryption headers", "implicit deny")
    yield put("the right key with its ARN", "implicit deny", algorithm="aws:kms", key_id="{key}")
    yield put("the right key without the algorithm", "implicit deny", key_id="{key}")
    yield put("another key", "deny", algorithm="aws:kms", key_id="{other key}")
    yield put("another key without the algorithm", "deny", key_id="{other key}")
    yield put("aws:kms without a key, which means the account's aws/s3 key", "deny", algorithm="aws:kms")
    yield put("a key of S3 (SSE-S3)", "deny", algorithm="AES256")
    yield put("dual-layer encryption with the right key", "deny", algorithm="aws:kms:dsse", key_id="{key}")
    yield put("a customer-provided key (SSE-C)", "deny", customer="AES256")
    yield put("an uploader of another account", "allow", EXPORTER)
    yield put("an uploader of this account", "allow", WAREHOUSE)
    yield put("an uploader with the right key", "allow", EXPORTER, algorithm="aws:kms", key_id="{key}")
    yield put("an uploader with another key", "deny", EXPORTER, algorithm="aws:kms", key_id="{other key}")
    yield put("an uploader outside the upload location", "implicit deny", EXPORTER, key="reports/tiktok/a/v.json")
    yield put("another account", "implicit deny", STRANGER)
    objects = "{bucket}/tiktok/a"
    yield Case("a connection without TLS to an object", "bucket", "deny", "s3:GetObject", objects, ADMIN, NO_TLS)
    yield Case("a connection without TLS to the bucket", "bucket", "deny", "s3:ListBucket", "{bucket}", ADMIN, NO_TLS)
    yield Case("an upload without TLS", "bucket", "deny", "s3:PutObject", objects, EXPORTER, NO_TLS)
    yield Case("a read over TLS", "bucket", "implicit deny", "s3:GetObject", objects, ADMIN, TLS)
    abort = "s3:AbortMultipartUpload"
    yield Case("an uploader aborts an upload", "bucket", "allow", abort, objects, EXPORTER, TLS)
    for action in ("s3:GetObject", "s3:DeleteObject", "s3:PutObjectAcl"):
        yield Case(f"an uploader may not {action}", "bucket", "implicit deny", action, objects, EXPORTER, TLS)
    full_control = TLS | {"s3:x-amz-acl": "bucket-owner-full-control"}
    acl = "s3:PutObjectAcl"
    for who in (EXPORTER, WAREHOUSE):
        yield Case(f"{who} sends the full-control ACL", "bucket", "allow", acl, objects, who, full_control)
    public = TLS | {"s3:x-amz-acl": "public-read"}
    yield Case("an uploader with another ACL", "bucket", "implicit deny", acl, objects, EXPORTER, public)
    yield Case(
        "the ACL outside the upload location",
        "bucket",
        "implicit deny",
        acl,
        "{bucket}/reports/x",
        EXPORTER,
        full_control,
    )
    yield Case("a stranger with that ACL", "bucket", "implicit deny", acl, objects, STRANGER, full_control)
    report = "{bucket}/reports/tiktok/a/v.json"
    yield Case("a reader reads a report", "bucket", "allow", "s3:GetObject", report, ANALYST, TLS)
    for action in ("s3:PutObject", "s3:DeleteObject", "s3:GetObjectVersion"):
        yield Case(f"a reader may not {action}", "bucket", "implicit deny", action, report, ANALYST, TLS)
    for key in ("tiktok/a", "audiences/a", "pending/a"):
        other = f"{{bucket}}/{key}"
        yield Case(f"a reader may not read {key}", "bucket", "implicit deny", "s3:GetObject", other, ANALYST, TLS)
        listing = TLS | {"s3:prefix": key}
        yield Case(
            f"a reader may not list {key}", "bucket", "implicit deny", "s3:ListBucket", "{bucket}", ANALYST, listing
        )
    listing = TLS | {"s3:prefix": "reports/tiktok/"}
    yield Case("a reader lists reports", "bucket", "allow", "s3:ListBucket", "{bucket}", ANALYST, listing)
    yield Case("a reader may not list all", "bucket", "implicit deny", "s3:ListBucket", "{bucket}", ANALYST, TLS)
    yield Case("an uploader may not list", "bucket", "implicit deny", "s3:ListBucket", "{bucket}", EXPORTER, TLS)


def key_cases() -> Iterator[Case]:
    def use(words: str, expected: Verdict, action: str, who: str, context: Mapping[str, str] | None = None) -> Case:
        return Case(words, "key", expected, f"kms:{action}", "{key}", who, context)

    yield use("the account delegates to IAM", "allow", "ScheduleKeyDeletion", ADMIN)
    yield use("another account", "implicit deny", "Decrypt", STRANGER)
    for action in ("Decrypt", "GenerateDataKey"):
        yield use(f"EventBridge for this account: {action}", "allow", action, EVENTS, THIS_ACCOUNT)
        yield use(f"EventBridge for another account: {action}", "implicit deny", action, EVENTS, OTHER_ACCOUNT)
    for action in ("CreateGrant", "Encrypt"):
        yield use(f"EventBridge: {action}", "implicit deny", action, EVENTS, THIS_ACCOUNT)
    for action in (
        *("Encrypt", "Decrypt", "ReEncryptFrom", "ReEncryptTo", "DescribeKey"),
        *("GenerateDataKey", "GenerateDataKeyWithoutPlaintext"),
    ):
        context = "kms:EncryptionContext:aws:logs:arn"
        yield use(f"the connector's log: {action}", "allow", action, LOGS, {context: "{log group}"})
        yield use(f"another connector's log: {action}", "implicit deny", action, LOGS, {context: "{other log group}"})
        yield use(f"no log: {action}", "implicit deny", action, LOGS)
    for action in ("Decrypt", "GenerateDataKey"):
        yield use(
            f"the connector's alarm: {action}", "allow", action, ALARMS, THIS_ACCOUNT | {"aws:SourceArn": "{alarm}"}
        )
        yield use(
            f"another connector's alarm: {action}",
            "implicit deny",
            action,
            ALARMS,
            THIS_ACCOUNT | {"aws:SourceArn": "{other alarm}"},
        )
        yield use(
            f"an alarm of another account: {action}",
            "implicit deny",
            action,
            ALARMS,
            OTHER_ACCOUNT | {"aws:SourceArn": "{alarm}"},
        )
    bus = "kms:EncryptionContext:aws:events:event-bus:arn"
    default_bus = f"arn:aws:events:{REGION}:{ACCOUNT}:event-bus/default"
    for action in ("Decrypt", "GenerateDataKey", "ReEncryptFrom", "ReEncryptTo"):
        yield use(f"the archive: {action}", "allow", action, EVENTS, {bus: default_bus})
        yield use(f"another bus: {action}", "implicit deny", action, EVENTS, {bus: f"{default_bus}-2"})
    yield use("the archive describes the key", "allow", "DescribeKey", EVENTS, THIS_ACCOUNT)
    yield use("another account's archive describes the key", "implicit deny", "DescribeKey", EVENTS, OTHER_ACCOUNT)
    context = "kms:EncryptionContext:aws:s3:arn"
    for action in ("Decrypt", "GenerateDataKey"):
        for uploader in (EXPORTER,):
            right = THROUGH_S3 | {context: "{bucket}"}
            yield use(f"an uploader through S3: {action}", "allow", action, uploader, right)
            other = THROUGH_S3 | {context: "{other bucket}"}
            yield use(f"an uploader for another bucket: {action}", "implicit deny", action, uploader, other)
            yield use(f"an uploader directly: {action}", "implicit deny", action, uploader, {context: "{bucket}"})
            far = {"kms:ViaService": "s3.eu-west-1.amazonaws.com", context: "{bucket}"}
            yield use(f"an uploader through S3 of another region: {action}", "implicit deny", action, uploader, far)
    right = THROUGH_S3 | {context: "{bucket}"}
    yield use("a reader through S3", "allow", "Decrypt", ANALYST, right)
    yield use("a reader encrypts through S3", "implicit deny", "GenerateDataKey", ANALYST, right)
    yield use("a reader directly", "implicit deny", "Decrypt", ANALYST, {context: "{bucket}"})
    yield use(
        "a reader of another bucket", "implicit deny", "Decrypt", ANALYST, THROUGH_S3 | {context: "{other bucket}"}
    )
    yield use(
        "an uploader calls Encrypt through S3", "implicit deny", "Encrypt", EXPORTER, THROUGH_S3 | {context: "{bucket}"}
    )


def queue_cases() -> Iterator[Case]:
    for name in ("queue", "dead-letters"):
        mine, foreign = {"aws:SourceArn": "{rule}"}, {"aws:SourceArn": "{other rule}"}
        here, send = f"{{{name}}}", "sqs:SendMessage"
        yield Case(f"{name}: the connector's rule", name, "allow", send, here, EVENTS, TLS | mine)
        yield Case(f"{name}: another connector's rule", name, "implicit deny", send, here, EVENTS, TLS | foreign)
        yield Case(f"{name}: another service", name, "implicit deny", send, here, "s3.amazonaws.com", TLS | mine)
        yield Case(f"{name}: the rule reads", name, "implicit deny", "sqs:ReceiveMessage", here, EVENTS, TLS | mine)
        yield Case(f"{name}: a stranger", name, "implicit deny", send, here, STRANGER, TLS)
        yield Case(f"{name}: a connection without TLS", name, "deny", "sqs:ReceiveMessage", here, ADMIN, NO_TLS)

    def publish(words: str, expected: Verdict, context: Mapping[str, str]) -> Case:
        return Case(f"topic: {words}", "topic", expected, "sns:Publish", "{topic}", ALARMS, context)

    own, other = {"aws:SourceArn": "{alarm}"}, {"aws:SourceArn": "{other alarm}"}
    yield publish("the connector's alarm", "allow", TLS | THIS_ACCOUNT | own)
    yield publish("another connector's alarm", "implicit deny", TLS | THIS_ACCOUNT | other)
    yield publish("an alarm of another account", "implicit deny", TLS | OTHER_ACCOUNT | own)
    yield publish("a connection without TLS", "deny", NO_TLS | THIS_ACCOUNT | own)


def role_cases() -> Iterator[Case]:
    def may(action: str, *resources: str, context: Mapping[str, str] | None = None, who: str = "function") -> Any:
        for resource in resources:
            yield Case(f"{who}: {action} on {resource}", who, "allow", action, resource, context=context)

    def may_not(action: str, *resources: str, context: Mapping[str, str] | None = None, who: str = "function") -> Any:
        for resource in resources:
            yield Case(f"{who}: no {action} on {resource}", who, "implicit deny", action, resource, context=context)

    state = [f"{{bucket}}/{prefix}/x" for prefix in ("reports", "audiences", "pending")]
    yield from may("s3:GetObject", *state)
    yield from may("s3:GetObjectVersion", "{bucket}/tiktok/a")
    yield from may("s3:PutObject", *state)
    yield from may("s3:DeleteObject", "{bucket}/pending/x")
    yield from may_not("s3:PutObject", "{bucket}/tiktok/a", "{bucket}/x", "{other bucket}/reports/x")
    yield from may_not("s3:DeleteObject", "{bucket}/tiktok/a", "{bucket}/reports/x", "{bucket}/audiences/x")
    yield from may_not("s3:DeleteObjectVersion", "{bucket}/pending/x")
    yield from may_not("s3:GetObject", "{bucket}/x", "{bucket}/tiktok/a", "{other bucket}/tiktok/a")
    for prefix in ("tiktok/", "reports/tiktok/a/", "audiences/email_sha256/", "pending/"):
        listing = {"s3:prefix": prefix}
        for action in ("s3:ListBucket", "s3:ListBucketVersions"):
            yield Case(f"function: {action} {prefix}", "function", "allow", action, "{bucket}", context=listing)
    yield from may_not("s3:ListBucket", "{bucket}")
    yield from may_not("s3:ListBucket", "{bucket}", context={"s3:prefix": "backup/"})
    yield from may_not("s3:ListBucketVersions", "{bucket}")
    outcome = {"events:source": "tiktok-activation", "events:detail-type": "TikTok Audience File"}
    bus = f"arn:aws:events:{REGION}:{ACCOUNT}:event-bus/default"
    yield from may("events:PutEvents", bus, context=outcome)
    yield from may_not("events:PutEvents", f"{bus}-2", context=outcome)
    yield from may_not("events:PutEvents", bus, context=outcome | {"events:source": "aws.s3"})
    yield from may_not("events:PutEvents", bus, context=outcome | {"events:detail-type": "Other"})
    yield from upload_cases()
    queue = ("ReceiveMessage", "DeleteMessage", "GetQueueAttributes", "ChangeMessageVisibility", "SendMessage")
    for action in queue:
        yield from may(f"sqs:{action}", "{queue}")
        yield from may_not(f"sqs:{action}", "{dead-letters}", "{other queue}")
    yield from may_not("sqs:PurgeQueue", "{queue}")
    for action in ("kms:Decrypt", "kms:GenerateDataKey"):
        yield from may(action, "{key}")
        yield from may_not(action, "{other key}")
        yield from may(action, "{key}", who="schedule")
        yield from may_not(action, "{other key}", who="schedule")
    yield from may_not("kms:CreateGrant", "{key}")
    yield from may("secretsmanager:GetSecretValue", "{secret}")
    yield from may_not("secretsmanager:GetSecretValue", "{other secret}")
    yield from may_not("secretsmanager:PutSecretValue", "{secret}")
    for action in ("logs:CreateLogStream", "logs:PutLogEvents"):
        yield from may(action, "{log group}:log-stream:s")
        yield from may_not(action, "{other log group}:log-stream:s")
    yield from may_not("logs:CreateLogGroup", "{log group}:log-stream:s")
    yield from may("sqs:SendMessage", "{queue}", who="schedule")
    yield from may_not("sqs:SendMessage", "{dead-letters}", "{other queue}", who="schedule")
    yield from may_not("sqs:ReceiveMessage", "{queue}", who="schedule")


def upload_cases() -> Iterator[Case]:
    """Yield requests of the role that a vendor assumes, which may upload and nothing else."""

    def use(expected: Verdict, action: str, resource: str, context: Mapping[str, str] | None = None) -> Case:
        words = f"upload role: {action} on {resource} with {sorted(context or {})}"
        return Case(words, "upload", expected, action, resource, context=context)

    objects, through = "{bucket}/tiktok/a", THROUGH_S3 | {"kms:EncryptionContext:aws:s3:arn": "{bucket}"}
    full_control = {"s3:x-amz-acl": "bucket-owner-full-control"}
    yield use("allow", "s3:PutObject", objects)
    yield use("allow", "s3:AbortMultipartUpload", objects)
    yield use("allow", "s3:PutObjectAcl", objects, full_control)
    yield use("implicit deny", "s3:PutObjectAcl", objects)
    yield use("implicit deny", "s3:PutObjectAcl", "{bucket}/reports/x", full_control)
    for action in ("kms:Decrypt", "kms:GenerateDataKey"):
        yield use("allow", action, "{key}", through)
        yield use("implicit deny", action, "{key}", {"kms:EncryptionContext:aws:s3:arn": "{bucket}"})
        yield use("implicit deny", action, "{key}", THROUGH_S3)
        yield use("implicit deny", action, "{other key}", through)
    for action in ("s3:GetObject", "s3:DeleteObject", "s3:GetObjectVersion"):
        yield use("implicit deny", action, objects)
    yield use("implicit deny", "s3:PutObject", "{bucket}/reports/x")
    yield use("implicit deny", "s3:PutObject", "{other bucket}/tiktok/a")
    yield use("implicit deny", "s3:ListBucket", "{bucket}", {"s3:prefix": "tiktok/"})


def trust_cases() -> Iterator[Case]:
    take, scheduler = "sts:AssumeRole", "scheduler.amazonaws.com"
    group = {"aws:SourceArn": f"arn:aws:scheduler:{REGION}:{ACCOUNT}:schedule-group/default"}
    elsewhere = {"aws:SourceArn": f"arn:aws:scheduler:{REGION}:999900001111:schedule-group/default"}
    yield Case("Lambda assumes the function's role", "function-trust", "allow", take, "", "lambda.amazonaws.com")
    yield Case("another principal assumes the function's role", "function-trust", "implicit deny", take, "", ADMIN)
    yield Case(
        "Scheduler assumes the schedule's role", "schedule-trust", "allow", take, "", scheduler, THIS_ACCOUNT | group
    )
    yield Case(
        "Scheduler for another group", "schedule-trust", "implicit deny", take, "", scheduler, THIS_ACCOUNT | elsewhere
    )
    yield Case(
        "Scheduler for another account", "schedule-trust", "implicit deny", take, "", scheduler, OTHER_ACCOUNT | group
    )
    right, wrong = {"sts:ExternalId": "acme-4711"}, {"sts:ExternalId": "acme-4712"}
    yield Case("the vendor assumes the upload role", "upload-trust", "allow", take, "", VENDOR, right)
    yield Case(
        "the vendor with the external id of another customer", "upload-trust", "implicit deny", take, "", VENDOR, wrong
    )
    yield Case("the vendor without an external id", "upload-trust", "implicit deny", take, "", VENDOR)
    yield Case("another principal assumes the upload role", "upload-trust", "implicit deny", take, "", STRANGER, right)
    yield Case(
        "another principal assumes the schedule's role",
        "schedule-trust",
        "implicit deny",
        take,
        "",
        ADMIN,
        THIS_ACCOUNT | group,
    )


CASES = [*bucket_cases(), *key_cases(), *queue_cases(), *role_cases(), *trust_cases()]


def documents(program: Program, connector: str) -> dict[str, dict[str, Any]]:
    """Return the policy documents of a connector, by the names that the cases use."""
    one = program.one
    return {
        "key": one(connector, "KeyPolicy").document(),
        "bucket": one(connector, "BucketPolicy").document(),
        "queue": one(connector, "QueuePolicy", f"{connector}-queue").document(),
        "dead-letters": one(connector, "QueuePolicy", f"{connector}-dead-letters").document(),
        "topic": one(connector, "TopicPolicy").document(),
        "function": one(connector, "RolePolicy", f"{connector}-function").document(),
        "schedule": one(connector, "RolePolicy", f"{connector}-schedule").document(),
        "upload": one(connector, "RolePolicy", f"{connector}-upload").document(),
        "upload-trust": one(connector, "iam/role:Role", f"{connector}-upload").document("assumeRolePolicy"),
        "function-trust": one(connector, "iam/role:Role", f"{connector}-function").document("assumeRolePolicy"),
        "schedule-trust": one(connector, "iam/role:Role", f"{connector}-schedule").document("assumeRolePolicy"),
    }


def arns(program: Program, connector: str) -> dict[str, str]:
    """Return the ARNs of a connector, by the names that the cases use."""
    one = program.one
    found = {
        "key": one(connector, "kms/key:Key"),
        "bucket": one(connector, "bucket:Bucket"),
        "queue": one(connector, "queue:Queue", f"{connector}-queue"),
        "dead-letters": one(connector, "queue:Queue", f"{connector}-dead-letters"),
        "rule": one(connector, "EventRule"),
        "topic": one(connector, "topic:Topic"),
        "secret": one(connector, "secret:Secret"),
        "log group": one(connector, "LogGroup"),
        "alarm": program.children(connector)[[r.type for r in program.children(connector)].index(ALARM)],
    }
    return {name: resource.outputs["arn"] for name, resource in found.items()}


ALARM = "aws:cloudwatch/metricAlarm:MetricAlarm"


@pytest.fixture(scope="session")
def judged(everything: Program) -> tuple[dict[str, dict[str, Any]], dict[str, str]]:
    """The documents of `acme`, and the ARNs that the cases refer to."""
    others = {f"other {name}": arn for name, arn in arns(everything, "acme-b").items()}
    return documents(everything, "acme"), arns(everything, "acme") | others


def judge(document: Mapping[str, Any], case: Case, names: Mapping[str, str]) -> Verdict:
    def full(text: str) -> str:
        for name, arn in names.items():
            text = text.replace(f"{{{name}}}", arn)
        return text

    context = {key: full(value) for key, value in (case.context or {}).items()}
    return verdict(document, AccessRequest(case.action, full(case.resource), case.principal, context))


Judged = tuple[dict[str, dict[str, Any]], dict[str, str]]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.words)
def test_a_request_gets_its_expected_verdict(judged: Judged, case: Case) -> None:
    found, names = judged
    assert judge(found[case.document], case, names) == case.expected


def weakenings(document: Mapping[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield each removable element (a statement, action, resource or condition), and the policy without it."""
    for index, statement in enumerate(document["Statement"]):
        without = copy.deepcopy(dict(document))
        del without["Statement"][index]
        yield statement["Sid"], without
        for element in ("Action", "Resource"):
            values = as_list(statement.get(element, []))
            for value in values if len(values) > 1 else ():
                left = [other for other in values if other != value]
                yield f"{statement['Sid']}, {element} {value}", _changed(document, index, {element: left})
        for operator, keys in statement.get("Condition", {}).items():
            for key in keys:
                condition = copy.deepcopy(statement["Condition"])
                del condition[operator][key]
                yield f"{statement['Sid']}, {operator} {key}", _changed(document, index, {"Condition": condition})


def _changed(document: Mapping[str, Any], index: int, elements: Mapping[str, Any]) -> dict[str, Any]:
    copied = copy.deepcopy(dict(document))
    copied["Statement"][index] |= elements
    return copied


def test_removing_any_element_of_a_policy_changes_a_verdict(judged: Judged) -> None:
    found, names = judged
    unnoticed = [
        f"{name}: {what}"
        for name, document in found.items()
        for what, weaker in weakenings(document)
        if all(judge(weaker, case, names) == case.expected for case in CASES if case.document == name)
    ]
    assert unnoticed == []
