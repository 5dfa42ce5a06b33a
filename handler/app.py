"""`lambda_handler`: a batch of SQS messages in, the ones to be delivered again out.

A message is deleted once the report of its file says how the file stands; what waits is taken up by the sweep.
"""

from __future__ import annotations

import os
import random
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import cache
from typing import TYPE_CHECKING, Any, TypedDict
from urllib.parse import unquote_plus

import boto3
import requests
from aws_lambda_powertools import Logger
from botocore.config import Config

from handler.activation.advance import advance, check
from handler.activation.invocation import Invocation
from handler.clock import Deadline, LambdaContext, parse_iso, utc_now
from handler.errors import Conflict, MessageError, Rejected
from handler.events.keys import parse_key
from handler.events.messages import Sweep, object_created_event, parse_message
from handler.events.queue import Queue, Record
from handler.metrics import Metric, Metrics
from handler.model import AudienceKey, Upload
from handler.settings import Settings, read_settings
from handler.state.ledger import Ledger
from handler.state.objects import ObjectStore
from handler.state.reports import Report, at_end, new_report, settle_outcome
from handler.tiktok.account import Account
from handler.tiktok.client import TikTokClient
from handler.tiktok.credentials import CredentialsStore

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_secretsmanager import SecretsManagerClient
    from mypy_boto3_sqs import SQSClient

# With less than this left a message that was not begun goes back at once, in seconds.
ENOUGH_TO_BEGIN = 60.0


class BatchResponse(TypedDict):
    """Lambda's partial batch response."""

    batchItemFailures: list[dict[str, str]]


@dataclass(frozen=True)
class Connector:
    """What a warm function keeps: settings and connections, its clock, and how it waits between two tries of a call."""

    settings: Settings
    store: ObjectStore
    queue: Queue
    credentials: CredentialsStore
    session: requests.Session
    logger: Logger
    pause: Callable[[float], None] = time.sleep
    now: Callable[[], datetime] = utc_now


@dataclass
class Batch:
    """What a batch asks for: messages by the audience of their file, and sweeps."""

    files: dict[AudienceKey, dict[str, Report]] = field(default_factory=dict)
    sweeps: list[str] = field(default_factory=list)
    failed: list[str] = field(default_factory=list)
    put_off: list[str] = field(default_factory=list)


@cache
def connector() -> Connector:
    """The connector of this function, made once.

    Raises:
        SettingsError: an environment variable is missing or malformed.
    """
    settings = read_settings(os.environ)
    aws = boto3.session.Session()
    config = Config(connect_timeout=5, read_timeout=60, retries={"mode": "standard", "max_attempts": 4})
    return connect(
        settings,
        s3=aws.client("s3", config=config),
        sqs=aws.client("sqs", config=config),
        secrets=aws.client("secretsmanager", config=config),
    )


def connect(settings: Settings, *, s3: S3Client, sqs: SQSClient, secrets: SecretsManagerClient) -> Connector:
    """A connector with these settings and clients."""
    session = requests.Session()
    session.trust_env = False  # neither a proxy nor a .netrc comes between the function and TikTok
    return Connector(
        settings=settings,
        store=ObjectStore(s3, settings.bucket),
        queue=Queue(sqs, settings.queue_url),
        credentials=CredentialsStore(secrets, settings.secret_arn, settings.advertiser_id),
        session=session,
        logger=Logger(service="tiktok-activation", level="INFO"),
    )


if "AWS_LAMBDA_RUNTIME_API" in os.environ:
    connector()  # a cold start connects, and fails if the environment is wrong


def lambda_handler(event: Mapping[str, Any], context: LambdaContext) -> BatchResponse:
    """Handle one batch of SQS records.

    Args:
        event: {"Records": [...]} as the event source mapping delivers it.
        context: Lambda's context.
    """
    return handle(connector(), event, context)


def handle(here: Connector, event: Mapping[str, Any], context: LambdaContext) -> BatchResponse:
    """Handle one batch of SQS records with this connector."""
    run = _new_run(here, context)
    records = [Record.parse(record) for record in event["Records"]]
    batch = Batch()
    try:
        for record in records:
            _sort(run, record, batch)
        _activate(run, batch)
        _sweep(run, batch)
    finally:
        counts = run.tiktok.counts
        run.metrics.add(Metric.TIKTOK_CALLS, counts.calls)
        run.metrics.add(Metric.TIKTOK_THROTTLED, counts.throttled)
        run.metrics.add(Metric.CREDENTIALS_REJECTED, counts.credentials_refused)
        run.metrics.add(Metric.MESSAGES_FAILED, len(batch.failed))
        run.metrics.flush()
    here.queue.hide([record for record in records if record.message_id in batch.failed], run.logger)
    here.queue.hide([record for record in records if record.message_id in batch.put_off], run.logger, at_once=True)
    return {"batchItemFailures": [{"itemIdentifier": each} for each in (*batch.failed, *batch.put_off)]}


def _new_run(here: Connector, context: LambdaContext) -> Invocation:
    deadline = Deadline(context.get_remaining_time_in_millis() / 1000)
    tiktok = TikTokClient(here.session, here.settings.tiktok_url, here.credentials, deadline, here.logger, here.pause)

    def send_again(report: Report) -> None:
        entry = report["file"]
        file = Upload(entry["key"], entry["version_id"], entry["etag"], entry["size"], parse_iso(entry["uploaded_at"]))
        here.queue.send(object_created_event(here.settings.bucket, file))

    here.logger.append_keys(request_id=context.aws_request_id, advertiser=here.settings.advertiser)
    return Invocation(
        settings=here.settings,
        store=here.store,
        ledger=Ledger(here.store, here.now),
        tiktok=tiktok,
        account=Account(tiktok, here.now),
        deadline=deadline,
        metrics=Metrics(here.settings.advertiser),
        logger=here.logger,
        holder=context.aws_request_id,
        now=here.now,
        send_again=send_again,
    )


def _sort(run: Invocation, record: Record, batch: Batch) -> None:
    """Register the file of one message, so that it is on record before anything is done with it."""
    try:
        message = parse_message(record.body, run.settings.bucket)
        if isinstance(message, Sweep):
            batch.sweeps.append(record.message_id)
        elif message:
            report = _register(run, message)
            if not at_end(report) and report["audience"]:
                key = parse_key(report["file"]["key"]).audience
                batch.files.setdefault(key, {})[record.message_id] = report
    except MessageError as error:
        run.logger.warning("message refused", extra={"message_id": record.message_id, "reason": str(error)})
        batch.failed.append(record.message_id)
    except Exception:
        run.logger.exception("message failed", extra={"message_id": record.message_id})
        batch.failed.append(record.message_id)


def _register(run: Invocation, file: Upload) -> Report:
    """Open a file's report, or find the one it has.

    Raises:
        MessageError: it has that of another upload of the same key.
    """
    decoded = unquote_plus(file.key)
    # EventBridge gives keys as they are; should that ever change, the object itself tells.
    if decoded != file.key and not run.store.exists(file.key, file.version_id):
        other = Upload(decoded, file.version_id, file.etag, file.size, file.uploaded_at)
        if run.store.exists(decoded, file.version_id):
            file = other
    try:
        target, fault = parse_key(file.key), None
    except Rejected as rejected:
        target, fault = None, rejected
    report = new_report(file, run.settings.bucket, target, run.now())
    if fault:
        settle_outcome(report, fault)
    opened = run.ledger.open(report)
    if file.version_id == "null" and opened["file"]["etag"] != file.etag:
        raise MessageError("The bucket's versioning is suspended, so the upload cannot be told from one before it.")
    if fault and opened is report:
        run.announce(report)
    return opened


def _activate(run: Invocation, batch: Batch) -> None:
    for index, (key, reports) in enumerate(batch.files.items()):
        if index and run.deadline.remaining() < ENOUGH_TO_BEGIN:
            batch.put_off.extend(reports)
            continue
        try:
            if not advance(run, key, list(reports.values())):
                for report in reports.values():
                    check(run, report)
        except Conflict as conflict:
            run.logger.warning("another function went on with the audience", extra={"reason": str(conflict)})
            batch.failed.extend(reports)
        except Exception:
            run.logger.exception(
                "audience failed", extra={"audience": key.name, "identifier_type": key.identifier_type}
            )
            batch.failed.extend(reports)
        else:
            batch.failed.extend(
                message_id
                for message_id, report in reports.items()
                if (report["file"]["key"], report["file"]["version_id"]) in run.broken
            )


def _sweep(run: Invocation, batch: Batch) -> None:
    """End what TikTok has processed and take up what is pending, for every audience."""
    if not batch.sweeps:
        return
    try:
        audiences = list(run.ledger.pending_audiences())
    except Exception:
        run.logger.exception("sweep failed")
        batch.failed.append(batch.sweeps[0])
        return
    random.shuffle(audiences)  # when time is short, it is not always the same ones that are left out
    faulty, broken = False, len(run.broken)
    for index, key in enumerate(audiences):
        if index and run.deadline.remaining() < ENOUGH_TO_BEGIN:
            run.logger.warning("sweep ended early", extra={"left": len(audiences) - index})
            break
        try:
            advance(run, key)
        except Conflict as conflict:
            run.logger.warning("another function went on with the audience", extra={"reason": str(conflict)})
        except Exception:
            run.logger.exception(
                "audience failed", extra={"audience": key.name, "identifier_type": key.identifier_type}
            )
            faulty = True
    if faulty or len(run.broken) > broken:
        batch.failed.append(batch.sweeps[0])  # one is enough to be heard of
