"""Updates and deletions of resources in the embedded AWS. The sandbox itself only creates resources."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Mapping
from typing import Any

from botocore.exceptions import ClientError

from sandbox.aws.resources import Clients, Inputs, create_resource

# The kinds of resources for which the same call creates and updates.
_PUT = (
    *("cloudwatch/dashboard", "cloudwatch/eventTarget", "cloudwatch/logMetricFilter", "cloudwatch/metricAlarm"),
    *("iam/rolePolicy", "kms/keyPolicy", "s3/bucketLifecycleConfiguration", "s3/bucketNotification"),
    *("s3/bucketOwnershipControls", "s3/bucketPolicy", "s3/bucketPublicAccessBlock", "s3/bucketVersioning"),
    *("s3/bucketServerSideEncryptionConfiguration", "sns/topicPolicy", "sqs/queuePolicy", "sqs/redriveAllowPolicy"),
)


def update(aws: Clients, kind: str, identifier: str, state: Inputs, inputs: Inputs) -> None:
    """Update one resource to its new inputs.

    Args:
        aws: service -> boto3 client.
        kind: Pulumi's type token.
        identifier: the resource's id.
        state: the resource's current properties.
        inputs: the resource's new inputs.
    """
    if kind.removeprefix("aws:").partition(":")[0] in _PUT:
        create_resource(aws, kind, str(state.get("name", identifier)), inputs)
    elif kind in _UPDATES:
        _UPDATES[kind](aws, identifier, inputs)
    # Other properties, such as tags and descriptions, are not used by the tests.


def delete(aws: Clients, kind: str, identifier: str, state: Inputs) -> None:
    """Delete one resource. Errors from AWS are ignored, because the resource may no longer exist."""
    with contextlib.suppress(ClientError):
        if kind in _DELETES:
            _DELETES[kind](aws, identifier, state)


def _function(aws: Clients, name: str, inputs: Inputs) -> None:
    aws("lambda").update_function_configuration(
        FunctionName=name,
        MemorySize=int(inputs["memorySize"]),
        Role=inputs["role"],
        Environment={"Variables": inputs["environment"]["variables"]},
    )


def _log_group(aws: Clients, name: str, inputs: Inputs) -> None:
    aws("logs").put_retention_policy(logGroupName=name, retentionInDays=int(inputs["retentionInDays"]))


def _queue(aws: Clients, url: str, inputs: Inputs) -> None:
    aws("sqs").set_queue_attributes(QueueUrl=url, Attributes={"KmsMasterKeyId": inputs["kmsMasterKeyId"]})


def _role(aws: Clients, name: str, inputs: Inputs) -> None:
    if "permissionsBoundary" in inputs:
        aws("iam").put_role_permissions_boundary(RoleName=name, PermissionsBoundary=inputs["permissionsBoundary"])


_UPDATES: Mapping[str, Callable[[Clients, str, Inputs], None]] = {
    "aws:cloudwatch/logGroup:LogGroup": _log_group,
    "aws:iam/role:Role": _role,
    "aws:lambda/function:Function": _function,
    "aws:sqs/queue:Queue": _queue,
}


def _bucket(aws: Clients, name: str, state: Inputs) -> None:
    if state.get("forceDestroy"):
        for page in aws("s3").get_paginator("list_object_versions").paginate(Bucket=name):
            for each in (*page.get("Versions", ()), *page.get("DeleteMarkers", ())):
                aws("s3").delete_object(Bucket=name, Key=each["Key"], VersionId=each["VersionId"])
    aws("s3").delete_bucket(Bucket=name)


def _role_policy(aws: Clients, identifier: str, _: Inputs) -> None:
    role, name = identifier.split(":", 1)
    aws("iam").delete_role_policy(RoleName=role, PolicyName=name)


def _target(aws: Clients, identifier: str, state: Inputs) -> None:
    aws("events").remove_targets(Rule=state["rule"], Ids=[identifier])


def _of(service: str, operation: str, argument: str, **others: Any) -> Callable[[Clients, str, Inputs], None]:
    """Return a function that deletes a resource by its id."""

    def call(aws: Clients, identifier: str, _: Inputs) -> None:
        getattr(aws(service), operation)(**{argument: identifier}, **others)

    return call


# A bucket's settings, resource policies, and the value of a secret need no entry, because they are deleted with the
# resource to which they belong. Alarms and dashboards are not deleted, because no test looks for them.
_DELETES: Mapping[str, Callable[[Clients, str, Inputs], None]] = {
    "aws:cloudwatch/eventArchive:EventArchive": _of("events", "delete_archive", "ArchiveName"),
    "aws:cloudwatch/eventRule:EventRule": _of("events", "delete_rule", "Name"),
    "aws:cloudwatch/eventTarget:EventTarget": _target,
    "aws:cloudwatch/logGroup:LogGroup": _of("logs", "delete_log_group", "logGroupName"),
    "aws:iam/role:Role": _of("iam", "delete_role", "RoleName"),
    "aws:iam/rolePolicy:RolePolicy": _role_policy,
    "aws:kms/alias:Alias": _of("kms", "delete_alias", "AliasName"),
    "aws:kms/key:Key": _of("kms", "schedule_key_deletion", "KeyId", PendingWindowInDays=7),
    "aws:lambda/eventSourceMapping:EventSourceMapping": _of("lambda", "delete_event_source_mapping", "UUID"),
    "aws:lambda/function:Function": _of("lambda", "delete_function", "FunctionName"),
    "aws:s3/bucket:Bucket": _bucket,
    "aws:scheduler/schedule:Schedule": _of("scheduler", "delete_schedule", "Name"),
    "aws:secretsmanager/secret:Secret": _of("secretsmanager", "delete_secret", "SecretId"),
    "aws:sns/topic:Topic": _of("sns", "delete_topic", "TopicArn"),
    "aws:sqs/queue:Queue": _of("sqs", "delete_queue", "QueueUrl"),
}
