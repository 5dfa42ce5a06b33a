"""The function with its log group, role, secret, and event source mapping."""

from __future__ import annotations

import json
from dataclasses import dataclass

import pulumi
from pulumi_aws import cloudwatch, iam, lambda_, secretsmanager

from . import role_policies
from .delivery import BATCHING_WINDOW, FUNCTION_TIMEOUT, Delivery
from .package import handler_package
from .roles import make_role
from .scope import Options, Scope
from .statements import document, render
from .storage import Storage

_BATCH_SIZE = 10


@dataclass(frozen=True)
class Compute:
    """The function, its log group and role, and the secret with its credentials."""

    function: lambda_.Function
    log_group: cloudwatch.LogGroup
    role: iam.Role
    secret_arn: pulumi.Output[str]
    secret_name: pulumi.Output[str]


def make_compute(scope: Scope, storage: Storage, delivery: Delivery) -> Compute:
    """Create the function, its log group, role, secret and event source mapping.

    Raises:
        PackageError: the function's package cannot be built.
    """
    options = scope.options
    secret_arn, secret_name = _secret(scope, storage)
    log_group = cloudwatch.LogGroup(
        f"{scope.name_prefix}function",
        kms_key_id=storage.key_arn,
        retention_in_days=options.log_retention_days,
        tags=scope.tags,
        opts=scope.retained(*storage.key_ready),
    )
    role, permissions = make_role(
        scope,
        "function",
        description=f"Permissions of the function of {scope.name}",
        trust=json.dumps(document(role_policies.function_trust())),
        permissions=render(
            role_policies.function_role,
            bucket_arn=storage.bucket.arn,
            queue_arn=delivery.queue.arn,
            key_arn=storage.key_arn,
            secret_arn=secret_arn,
            log_group_arn=log_group.arn,
            outcome_events=options.outcome_events,
        ),
    )
    function = lambda_.Function(
        f"{scope.name}-function",
        description=f"Sends the audience files of {scope.name} to TikTok",
        architectures=["arm64"],
        runtime="python3.13",
        handler="handler.app.lambda_handler",
        code=pulumi.FileArchive(options.package or str(handler_package())),
        memory_size=options.memory_size,
        timeout=FUNCTION_TIMEOUT,
        role=role.arn,
        kms_key_arn=storage.key_arn,
        environment={
            "variables": {
                "BUCKET_NAME": storage.bucket.bucket,
                "CREDENTIALS_SECRET_ARN": secret_arn,
                "QUEUE_URL": delivery.queue.url,
                "ADVERTISER": scope.label,
                **_settings(options),
            }
        },
        # The metrics are log lines of level INFO. A higher log level would drop them.
        logging_config={"log_format": "JSON", "log_group": log_group.name, "application_log_level": "INFO"},
        tags=scope.tags,
        opts=scope.child(permissions),
    )
    # To continue a large file, the function sends a message to its own queue. Lambda detects this as a recursive loop
    # and stops it after about 16 invocations, unless loops are allowed.
    # https://docs.aws.amazon.com/lambda/latest/dg/invocation-recursion.html
    lambda_.FunctionRecursionConfig(
        f"{scope.name}-function", function_name=function.name, recursive_loop="Allow", opts=scope.child()
    )
    lambda_.EventSourceMapping(
        f"{scope.name}-function",
        event_source_arn=delivery.queue.arn,
        function_name=function.name,
        function_response_types=["ReportBatchItemFailures"],
        batch_size=_BATCH_SIZE,
        maximum_batching_window_in_seconds=BATCHING_WINDOW,
        scaling_config={"maximum_concurrency": options.maximum_concurrency},
        tags=scope.tags,
        opts=scope.child(permissions),
    )
    return Compute(function, log_group, role, secret_arn, secret_name)


def _settings(options: Options) -> dict[str, pulumi.Input[str]]:
    """Return the environment variables that come from options."""
    settings: dict[str, pulumi.Input[str]] = {
        "MAX_REJECTED_RATIO": f"{options.max_rejected_ratio:g}",
        "MAX_SHRINK": f"{options.max_shrink:g}",
        "SETTLE_SECONDS": f"{options.settle_seconds:g}",
        "FILE_RETENTION_DAYS": str(options.file_retention_days),
        "OUTCOME_EVENTS": str(options.outcome_events).lower(),
    }
    if options.id_outside_secret is not None:
        settings["ADVERTISER_ID"] = options.id_outside_secret
    if options.tiktok_api_url is not None:
        settings["TIKTOK_API_URL"] = options.tiktok_api_url
    return settings


def _secret(scope: Scope, storage: Storage) -> tuple[pulumi.Output[str], pulumi.Output[str]]:
    """Return the ARN and the name of the secret, which is created unless an existing one is configured."""
    options = scope.options
    if options.credentials_secret_arn is not None:
        given = pulumi.Output.from_input(options.credentials_secret_arn)
        return given, given.apply(secret_name)
    secret = secretsmanager.Secret(
        f"{scope.name}-credentials",
        description=f"TikTok credentials of {scope.name}: ACCESS_TOKEN and ADVERTISER_ID",
        kms_key_id=storage.key_arn,
        tags=scope.tags,
        opts=scope.child(*storage.key_ready),
    )
    # Without a token, Pulumi must not manage the value: it would overwrite the credentials that a person stored.
    if options.access_token is not None:
        secretsmanager.SecretVersion(
            f"{scope.name}-credentials",
            secret_id=secret.id,
            secret_string=pulumi.Output.json_dumps(
                {"ACCESS_TOKEN": pulumi.Output.secret(options.access_token), "ADVERTISER_ID": options.advertiser_id}
            ),
            opts=scope.child(),
        )
    return secret.arn, secret.name


def secret_name(arn: str) -> str:
    """Return the secret's name from its ARN, without the hyphen and six random characters at the end."""
    return arn.rpartition(":secret:")[2][: -len("-AbCdEf")]
