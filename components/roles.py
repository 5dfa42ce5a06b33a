"""The roles of a connector and their permissions, with the configured path and permissions boundary."""

from __future__ import annotations

import pulumi
from pulumi_aws import iam

from . import role_policies
from .scope import Scope
from .statements import render
from .storage import Storage


def make_role(
    scope: Scope, suffix: str, *, description: str, trust: pulumi.Input[str], permissions: pulumi.Input[str]
) -> tuple[iam.Role, iam.RolePolicy]:
    """Create a role and its inline policy, and return both.

    A resource that uses the role must depend on the policy, so that it is created after the policy.
    """
    role = iam.Role(
        f"{scope.name}-{suffix}",
        description=description,
        assume_role_policy=trust,
        permissions_boundary=scope.options.permissions_boundary,
        path=scope.options.role_path,
        tags=scope.tags,
        opts=scope.child(),
    )
    return role, iam.RolePolicy(f"{scope.name}-{suffix}", role=role.name, policy=permissions, opts=scope.child())


def make_upload_role(scope: Scope, storage: Storage, queue_arn: pulumi.Output[str]) -> pulumi.Output[str | None]:
    """Create the role that a vendor assumes to upload, if it is configured, and return its ARN or None.

    Args:
        scope: the connector.
        storage: the connector's key and bucket.
        queue_arn: the queue's ARN, for its partition and region.
    """
    upload_role = scope.options.upload_role
    if upload_role is None:
        return pulumi.Output.from_input(None)
    role, _ = make_role(
        scope,
        "upload",
        description=f"Lets others upload audience files for {scope.name}, and nothing else",
        trust=render(
            role_policies.upload_trust,
            principals=upload_role["principals"],
            external_id=upload_role.get("external_id"),
        ),
        permissions=render(
            role_policies.upload_role, bucket_arn=storage.bucket.arn, key_arn=storage.key_arn, queue_arn=queue_arn
        ),
    )
    return role.arn
