"""The storage of a connector: its key, its bucket, and the settings that protect them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import pulumi
from pulumi_aws import kms, s3

from . import policies
from .names import AUDIENCES, PENDING, REPORTS, UPLOADS
from .scope import Scope
from .statements import render

# State objects are overwritten often. A month of old versions is enough to investigate a problem.
_STATE_VERSIONS_DAYS = 30
_INCOMPLETE_UPLOADS_DAYS = 7


@dataclass(frozen=True)
class Storage:
    """The key and the bucket of a connector.

    Attributes:
        key_arn: the ARN of the connector's key, or the value of `kms_key_arn`.
        key_ready: the resources that must exist before AWS services can use the key; empty for an existing key.
        bucket: the bucket.
    """

    key_arn: pulumi.Output[str]
    key_ready: Sequence[pulumi.Resource]
    bucket: s3.Bucket


def make_storage(scope: Scope) -> Storage:
    """Create the bucket with its settings and, unless `kms_key_arn` is set, the key.

    `pulumi destroy` keeps them unless `retain_data` is false.
    """
    own_key = None if scope.options.kms_key_arn is not None else _key(scope)
    bucket = s3.Bucket(
        f"{scope.name}-audiences",
        bucket=scope.options.bucket_name,
        force_destroy=not scope.options.retain_data,
        tags=scope.tags,
        opts=scope.retained(),
    )
    if own_key is None:
        storage = Storage(pulumi.Output.from_input(scope.options.kms_key_arn or ""), [], bucket)
    else:
        storage = Storage(own_key.arn, [_key_policy(scope, own_key, bucket)], bucket)
    _protect(scope, storage)
    return storage


def _key(scope: Scope) -> kms.Key:
    key = kms.Key(
        f"{scope.name}-key",
        description=f"Audience files and TikTok credentials of {scope.name}",
        enable_key_rotation=True,
        tags=scope.tags,
        opts=scope.retained(),
    )
    kms.Alias(f"{scope.name}-key", target_key_id=key.key_id, opts=scope.child())
    return key


def _key_policy(scope: Scope, key: kms.Key, bucket: s3.Bucket) -> kms.KeyPolicy:
    options = scope.options
    return kms.KeyPolicy(
        f"{scope.name}-key",
        key_id=key.key_id,
        policy=render(
            policies.key,
            key_arn=key.arn,
            bucket_arn=bucket.arn,
            name_prefix=scope.name_prefix,
            alarms=options.alarm_email is not None,
            archive=options.event_archive_days is not None,
            uploaders=options.uploaders,
            readers=options.readers,
        ),
        opts=scope.retained(),
    )


def _protect(scope: Scope, storage: Storage) -> None:
    """Create the settings of the bucket. All but the notification are retained with it, so that it stays protected.

    Each setting depends on the one before it, because S3 returns 409 for concurrent changes to a bucket.
    """
    name, options, bucket = scope.name, scope.options, storage.bucket
    public_access_block = s3.BucketPublicAccessBlock(
        f"{name}-public-access-block",
        bucket=bucket.bucket,
        block_public_acls=True,
        block_public_policy=True,
        ignore_public_acls=True,
        restrict_public_buckets=True,
        opts=scope.retained(),
    )
    ownership = s3.BucketOwnershipControls(
        f"{name}-ownership",
        bucket=bucket.bucket,
        rule={"object_ownership": "BucketOwnerEnforced"},
        opts=scope.retained(public_access_block),
    )
    policy = s3.BucketPolicy(
        f"{name}-policy",
        bucket=bucket.bucket,
        policy=render(
            policies.bucket,
            bucket_arn=bucket.arn,
            key_arn=storage.key_arn,
            uploaders=options.uploaders,
            readers=options.readers,
        ),
        opts=scope.retained(ownership),
    )
    encryption = s3.BucketServerSideEncryptionConfiguration(
        f"{name}-encryption",
        bucket=bucket.bucket,
        rules=[
            {
                "apply_server_side_encryption_by_default": {
                    "sse_algorithm": "aws:kms",
                    "kms_master_key_id": storage.key_arn,
                },
                "bucket_key_enabled": True,  # reduces calls to KMS: one data key serves many objects
            }
        ],
        opts=scope.retained(policy, *storage.key_ready),
    )
    versioning = s3.BucketVersioning(
        f"{name}-versioning",
        bucket=bucket.bucket,
        versioning_configuration={"status": "Enabled"},
        opts=scope.retained(encryption),
    )
    lifecycle = s3.BucketLifecycleConfiguration(
        f"{name}-lifecycle",
        bucket=bucket.bucket,
        rules=lifecycle_rules(options.file_retention_days, options.report_retention_days),
        opts=scope.retained(versioning),
    )
    # Notifications come last, so that no event is sent before the bucket is protected.
    s3.BucketNotification(f"{name}-events", bucket=bucket.bucket, eventbridge=True, opts=scope.child(lifecycle))


def lifecycle_rules(file_days: int, report_days: int) -> list[s3.BucketLifecycleConfigurationRuleArgsDict]:
    """Return the lifecycle rules: one for each prefix, and one for incomplete multipart uploads.

    Audience state and pending pointers never expire.

    After an upload is deleted or overwritten, its version is kept for `file_days`, because the function still applies
    it if it is a remove or a file of a list.

    Args:
        file_days: the days until an upload expires, and until a noncurrent version of it is deleted.
        report_days: the days until a report expires after its last change.
    """

    def rule(
        identifier: str, prefix: str, *, days: int | None, version_days: int
    ) -> s3.BucketLifecycleConfigurationRuleArgsDict:
        return {
            "id": identifier,
            "status": "Enabled",
            "filter": {"prefix": prefix},
            # Without days, only a delete marker without noncurrent versions expires.
            "expiration": {"days": days} if days else {"expired_object_delete_marker": True},
            "noncurrent_version_expiration": {"noncurrent_days": version_days},
        }

    return [
        rule("uploads", UPLOADS, days=file_days, version_days=file_days),
        rule("reports", REPORTS, days=report_days, version_days=_STATE_VERSIONS_DAYS),
        rule("audiences", AUDIENCES, days=None, version_days=_STATE_VERSIONS_DAYS),
        rule("pending", PENDING, days=None, version_days=_STATE_VERSIONS_DAYS),
        {
            "id": "incomplete-uploads",
            "status": "Enabled",
            "filter": {"prefix": ""},
            "abort_incomplete_multipart_upload": {"days_after_initiation": _INCOMPLETE_UPLOADS_DAYS},
        },
    ]
