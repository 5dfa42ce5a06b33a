"""What does the work: the function, its log, its role, its secret, and the mapping that feeds it from the queue."""

import json
from dataclasses import dataclass

import pulumi
from pulumi_aws import cloudwatch, iam, lambda_, secretsmanager

from components import policies
from components.delivery import BATCHING_WINDOW, FUNCTION_TIMEOUT, Delivery
from components.scope import Scope
from components.storage import Storage

_BATCH_SIZE = 10


@dataclass(frozen=True)
class Worker:
    """The function, its log and the secret it reads."""

    function: lambda_.Function
    log_group: cloudwatch.LogGroup
    secret: secretsmanager.Secret


def make_worker(scope: Scope, storage: Storage, delivery: Delivery) -> Worker:
    """Create the function and all it needs."""
    secret = _secret(scope, storage)
    log_group = cloudwatch.LogGroup(
        f"{scope.own_names}function",
        kms_key_id=storage.key.arn,
        retention_in_days=scope.settings.log_retention_days,
        tags=scope.tags,
        opts=scope.kept(storage.key_policy),
    )
    role = iam.Role(
        f"{scope.name}-function",
        description=f"What the function of {scope.name} may do",
        assume_role_policy=json.dumps(policies.function_trust()),
        tags=scope.tags,
        opts=scope.child(),
    )
    rights = iam.RolePolicy(
        f"{scope.name}-function",
        role=role.name,
        policy=policies.render(
            policies.function_role,
            bucket_arn=storage.bucket.arn,
            queue_arn=delivery.queue.arn,
            key_arn=storage.key.arn,
            secret_arn=secret.arn,
            log_group_arn=log_group.arn,
        ),
        opts=scope.child(),
    )
    environment: dict[str, pulumi.Input[str]] = {
        "BUCKET_NAME": storage.bucket.bucket,
        "CREDENTIALS_SECRET_ARN": secret.arn,
        "QUEUE_URL": delivery.queue.url,
        "ADVERTISER": scope.label,
        "MAX_REJECTED_RATIO": str(scope.settings.max_rejected_ratio),
    }
    if scope.settings.tiktok_api_url:
        environment["TIKTOK_API_URL"] = scope.settings.tiktok_api_url
    function = lambda_.Function(
        f"{scope.name}-function",
        description=f"Audience files of {scope.name} to TikTok",
        architectures=["arm64"],
        runtime="python3.13",
        handler="handler.app.lambda_handler",
        code=pulumi.FileArchive(scope.settings.package),
        memory_size=scope.settings.memory_size,
        timeout=FUNCTION_TIMEOUT,
        role=role.arn,
        kms_key_arn=storage.key.arn,
        environment={"variables": environment},
        # metrics are log lines of level INFO: a higher level would drop them
        logging_config={"log_format": "JSON", "log_group": log_group.name, "application_log_level": "INFO"},
        tags=scope.tags,
        opts=scope.child(rights),
    )
    lambda_.EventSourceMapping(
        f"{scope.name}-function",
        event_source_arn=delivery.queue.arn,
        function_name=function.name,
        function_response_types=["ReportBatchItemFailures"],
        batch_size=_BATCH_SIZE,
        maximum_batching_window_in_seconds=BATCHING_WINDOW,
        scaling_config={"maximum_concurrency": scope.settings.maximum_concurrency},
        tags=scope.tags,
        opts=scope.child(rights),
    )
    return Worker(function, log_group, secret)


def _secret(scope: Scope, storage: Storage) -> secretsmanager.Secret:
    secret = secretsmanager.Secret(
        f"{scope.name}-credentials",
        description=f"ACCESS_TOKEN and ADVERTISER_ID of {scope.name} at TikTok",
        kms_key_id=storage.key.arn,
        tags=scope.tags,
        opts=scope.child(storage.key_policy),
    )
    settings = scope.settings
    if settings.access_token:  # only then: a managed version would overwrite what a person puts there
        secretsmanager.SecretVersion(
            f"{scope.name}-credentials",
            secret_id=secret.id,
            secret_string=pulumi.Output.json_dumps(
                {"ACCESS_TOKEN": pulumi.Output.secret(settings.access_token), "ADVERTISER_ID": settings.advertiser_id}
            ),
            opts=scope.child(),
        )
    return secret
