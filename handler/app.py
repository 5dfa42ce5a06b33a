"""The entry point: `lambda_handler` handles a batch of SQS messages and returns the ids of those to deliver again."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Mapping
from datetime import datetime
from functools import cache
from typing import TYPE_CHECKING, Any, NamedTuple

import boto3
import requests
from aws_lambda_powertools import Logger
from botocore.config import Config

from handler.activation.invocation import Invocation
from handler.activation.outcome_events import publisher
from handler.batch import handle_batch
from handler.clock import Deadline, LambdaContext, utc_now
from handler.events.messages import continue_message
from handler.events.queue import Queue, QueueRecord
from handler.metrics import Metric, Metrics
from handler.settings import Settings, read_settings
from handler.state.ledger import Ledger
from handler.state.objects import ObjectStore
from handler.tiktok.account import Account
from handler.tiktok.client import TikTokClient
from handler.tiktok.credentials import CredentialsStore

if TYPE_CHECKING:
    from mypy_boto3_events import EventBridgeClient
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_secretsmanager import SecretsManagerClient
    from mypy_boto3_sqs import SQSClient


class Function(NamedTuple):
    """The state that a warm function keeps between invocations.

    Attributes:
        session: the HTTP connections to TikTok.
        events: the EventBridge client; None unless the settings turn outcome events on.
        pause: waits the given number of seconds between two tries of a call.
        now: returns the current time in UTC.
        monotonic: returns monotonic time in seconds.
    """

    settings: Settings
    store: ObjectStore
    queue: Queue
    credentials: CredentialsStore
    session: requests.Session
    logger: Logger
    events: EventBridgeClient | None = None
    pause: Callable[[float], None] = time.sleep
    now: Callable[[], datetime] = utc_now
    monotonic: Callable[[], float] = time.monotonic


@cache
def warm_function() -> Function:
    """Return the `Function` of this process, which the first call creates.

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
        events=aws.client("events", config=config) if settings.outcome_events else None,
    )


def connect(
    settings: Settings,
    *,
    s3: S3Client,
    sqs: SQSClient,
    secrets: SecretsManagerClient,
    events: EventBridgeClient | None = None,
) -> Function:
    """Return a `Function` with these settings and clients."""
    session = requests.Session()
    session.trust_env = False  # ignore proxy environment variables and .netrc
    return Function(
        settings=settings,
        store=ObjectStore(s3, settings.bucket),
        queue=Queue(sqs, settings.queue_url),
        credentials=CredentialsStore(secrets, settings.secret_arn, settings.advertiser_id),
        session=session,
        logger=Logger(service="tiktok-activation", level="INFO"),
        events=events,
    )


if "AWS_LAMBDA_RUNTIME_API" in os.environ:
    warm_function()  # so that a cold start creates the clients, and fails if the environment is invalid


def lambda_handler(event: Mapping[str, Any], context: LambdaContext) -> dict[str, list[dict[str, str]]]:
    """Handle one batch of SQS records.

    Args:
        event: `{"Records": [...]}` as the event source mapping delivers it.
        context: Lambda's context.

    Returns:
        Lambda's partial batch response: the ids of the messages to deliver again.
    """
    return handle(warm_function(), event, context)


def handle(function: Function, event: Mapping[str, Any], context: LambdaContext) -> dict[str, list[dict[str, str]]]:
    """Handle one batch of SQS records with the given function."""
    run = new_invocation(function, context)
    records = [QueueRecord.parse(record) for record in event["Records"]]
    try:
        outcomes = handle_batch(run, records)
    finally:
        run.metrics.add(Metric.TIKTOK_CALLS, run.tiktok.calls)
        run.metrics.add(Metric.TIKTOK_THROTTLED, run.tiktok.throttled)
        run.metrics.add(Metric.CREDENTIALS_REJECTED, run.tiktok.credentials_refused)
        run.metrics.flush()
    queue = function.queue
    queue.set_visibility([record for record in records if record.message_id in outcomes.failed], run.logger)
    returned = [record for record in records if record.message_id in outcomes.returned]
    queue.set_visibility(returned, run.logger, immediately=True)
    return {"batchItemFailures": [{"itemIdentifier": each} for each in (*outcomes.failed, *outcomes.returned)]}


def new_invocation(function: Function, context: LambdaContext) -> Invocation:
    """Return the context of one invocation."""
    settings, logger = function.settings, function.logger
    deadline = Deadline(context.get_remaining_time_in_millis() / 1000, function.monotonic)
    tiktok = TikTokClient(function.session, settings.tiktok_url, function.credentials, deadline, logger, function.pause)
    logger.append_keys(request_id=context.aws_request_id, advertiser=settings.advertiser)
    return Invocation(
        settings=settings,
        store=function.store,
        ledger=Ledger(function.store, function.now, publisher(function.events, function.now)),
        tiktok=tiktok,
        account=Account(tiktok, function.now),
        deadline=deadline,
        metrics=Metrics(settings.advertiser),
        logger=logger,
        holder=context.aws_request_id,
        now=function.now,
        continue_later=lambda audience: function.queue.send(continue_message(audience)),
    )
