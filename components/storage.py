"""Where a connector keeps things: its key, its bucket and all that protects them."""

from dataclasses import dataclass

from pulumi_aws import kms, s3

from components import policies
from components.scope import Scope

# State is rewritten at every step and its versions are all alike: a month of them is enough to find out what happened.
_STATE_VERSIONS_DAYS = 30
_BROKEN_UPLOADS_DAYS = 7


@dataclass(frozen=True)
class Storage:
    """The connector's key and bucket, ready to be used by what is made after them."""

    key: kms.Key
    key_policy: kms.KeyPolicy
    bucket: s3.Bucket


def make_storage(scope: Scope) -> Storage:
    """Create key and bucket; both stay at a destroy unless told otherwise, and with them all that protects them."""
    name, settings = scope.name, scope.settings
    key = kms.Key(
        f"{name}-key",
        description=f"Audience files and TikTok credentials of {name}",
        enable_key_rotation=True,
        tags=scope.tags,
        opts=scope.kept(),
    )
    kms.Alias(f"{name}-key", target_key_id=key.key_id, opts=scope.child())
    bucket = s3.Bucket(
        f"{name}-audiences",
        bucket=settings.bucket_name,
        force_destroy=not settings.retain_data,
        tags=scope.tags,
        opts=scope.kept(),
    )
    key_policy = kms.KeyPolicy(
        f"{name}-key",
        key_id=key.key_id,
        policy=policies.render(
            policies.key,
            key_arn=key.arn,
            bucket_arn=bucket.arn,
            own=scope.own_names,
            alarms=settings.alarm_email is not None,
            archive=settings.event_archive_days is not None,
            uploaders=settings.uploaders,
        ),
        opts=scope.kept(),
    )
    _protect(scope, bucket, key, key_policy)
    return Storage(key, key_policy, bucket)


def _protect(scope: Scope, bucket: s3.Bucket, key: kms.Key, key_policy: kms.KeyPolicy) -> None:
    """Everything about the bucket that would be lost if it were destroyed while the bucket stays.

    One after the other: S3 answers parallel changes to a bucket with 409.
    """
    name, settings = scope.name, scope.settings
    public_access_block = s3.BucketPublicAccessBlock(
        f"{name}-public-access-block",
        bucket=bucket.bucket,
        block_public_acls=True,
        block_public_policy=True,
        ignore_public_acls=True,
        restrict_public_buckets=True,
        opts=scope.kept(),
    )
    ownership = s3.BucketOwnershipControls(
        f"{name}-ownership",
        bucket=bucket.bucket,
        rule={"object_ownership": "BucketOwnerEnforced"},
        opts=scope.kept(public_access_block),
    )
    policy = s3.BucketPolicy(
        f"{name}-policy",
        bucket=bucket.bucket,
        policy=policies.render(policies.bucket, bucket_arn=bucket.arn, key_arn=key.arn, uploaders=settings.uploaders),
        opts=scope.kept(ownership),
    )
    encryption = s3.BucketServerSideEncryptionConfiguration(
        f"{name}-encryption",
        bucket=bucket.bucket,
        rules=[
            {
                "apply_server_side_encryption_by_default": {"sse_algorithm": "aws:kms", "kms_master_key_id": key.arn},
                "bucket_key_enabled": True,  # one call to KMS for many objects
            }
        ],
        opts=scope.kept(policy, key_policy),
    )
    versioning = s3.BucketVersioning(
        f"{name}-versioning",
        bucket=bucket.bucket,
        versioning_configuration={"status": "Enabled"},
        opts=scope.kept(encryption),
    )
    lifecycle = s3.BucketLifecycleConfiguration(
        f"{name}-lifecycle",
        bucket=bucket.bucket,
        rules=lifecycle_rules(settings.file_retention_days, settings.report_retention_days),
        opts=scope.kept(versioning),
    )
    # Last, so that no file sets off events before the bucket is as it should be.
    s3.BucketNotification(f"{name}-events", bucket=bucket.bucket, eventbridge=True, opts=scope.child(lifecycle))


def lifecycle_rules(file_days: int, report_days: int) -> list[s3.BucketLifecycleConfigurationRuleArgsDict]:
    """How long what lives, by prefix. Audience state and pointers to what is under way never expire."""

    def rule(
        identifier: str, prefix: str, *, days: int | None, version_days: int
    ) -> s3.BucketLifecycleConfigurationRuleArgsDict:
        return {
            "id": identifier,
            "status": "Enabled",
            "filter": {"prefix": prefix},
            # without days: only the marker that a deletion leaves, once nothing is under it any more
            "expiration": {"days": days} if days else {"expired_object_delete_marker": True},
            "noncurrent_version_expiration": {"noncurrent_days": version_days},
        }

    return [
        rule("uploads", "tiktok/", days=file_days, version_days=file_days),
        rule("reports", "reports/", days=report_days, version_days=_STATE_VERSIONS_DAYS),
        rule("audiences", "audiences/", days=None, version_days=_STATE_VERSIONS_DAYS),
        rule("pending", "pending/", days=None, version_days=_STATE_VERSIONS_DAYS),
        {
            "id": "broken-uploads",
            "status": "Enabled",
            "filter": {"prefix": ""},
            "abort_incomplete_multipart_upload": {"days_after_initiation": _BROKEN_UPLOADS_DAYS},
        },
    ]
