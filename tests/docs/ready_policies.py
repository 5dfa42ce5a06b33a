"""The IAM policies to copy from `docs/permissions.md`, for uploaders, readers, operators and deployers."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from components import policies, role_policies
from components.aws_location import AwsLocation
from components.statements import Condition, Statement, allow, document
from console.permissions import NEEDS, Need

LOCATION = AwsLocation.of("arn:aws:sqs:<region>:<account>:<queue>")
BUCKET, KEY = "arn:aws:s3:::<bucket>", "<key_arn>"
QUEUES = ["<queue_arn>", "<dead_letter_queue_arn>"]
LOG_GROUP = LOCATION.arn("logs", "log-group:<log_group_name>:*")
# The resource names of `console.permissions` -> ARNs.
RESOURCES: dict[str, str | list[str]] = {
    **{f"{prefix}/*": f"{BUCKET}/{prefix}/*" for prefix in ("tiktok", "reports", "audiences", "pending")},
    "reports/*, audiences/*": [f"{BUCKET}/reports/*", f"{BUCKET}/audiences/*"],
    "the secret": "<secret_arn>",
    "the log group": LOG_GROUP,
    "all metrics": "*",  # CloudWatch does not support narrower resources for this action
    "queue and dead-letter queue": QUEUES,
    "dead-letter queue, queue": QUEUES,
}
_BELOW, _THROUGH = "the bucket, below ", "the key, through "
_SERVICES = {"S3": "s3", "SQS": "sqs", "Secrets Manager": "secretsmanager"}
# Resource types -> the service whose actions create and change them. IAM is handled separately.
_SERVICE_OF = {
    "cloudwatch/dashboard": "cloudwatch",
    "cloudwatch/metricAlarm": "cloudwatch",
    "cloudwatch/eventArchive": "events",
    "cloudwatch/eventRule": "events",
    "cloudwatch/eventTarget": "events",
    "cloudwatch/logGroup": "logs",
    "cloudwatch/logMetricFilter": "logs",
}
_IAM = """
    CreateRole DeleteRole DeleteRolePermissionsBoundary DeleteRolePolicy GetRole GetRolePolicy ListAttachedRolePolicies
    ListInstanceProfilesForRole ListRolePolicies ListRoleTags PassRole PutRolePermissionsBoundary PutRolePolicy TagRole
    UntagRole UpdateAssumeRolePolicy UpdateRole
"""


def upload_policy() -> dict[str, Any]:
    """Return the policy for an uploader, which is also the policy of the role that `uploadRole` creates."""
    return document(role_policies.upload_role(bucket_arn=BUCKET, key_arn=KEY, queue_arn=LOCATION.arn("sqs", "<queue>")))


def read_policy() -> dict[str, Any]:
    """Return the policy for a reader of reports."""
    return _document(NEEDS["report"])


def operator_policy() -> dict[str, Any]:
    """Return the policy for an operator who uses all commands of the console."""
    return _document(need for needs in NEEDS.values() for need in needs)


def deploy_policy(types: Iterable[str]) -> dict[str, Any]:
    """Return the policy for someone who runs `pulumi up`.

    Args:
        types: the Pulumi types of the program's resources, such as `aws:s3/bucket:Bucket`.
    """
    kinds = {each.split(":")[1] for each in types if each.startswith("aws:")}
    services = {_SERVICE_OF.get(kind, kind.partition("/")[0]) for kind in kinds} - {"iam"}
    return document(
        [
            allow("Services", "", [f"{service}:*" for service in sorted(services)], "*"),
            allow("Roles", "", [f"iam:{action}" for action in _IAM.split()], "arn:aws:iam::<account>:role/*"),
        ]
    )


def _document(needs: Iterable[Need]) -> dict[str, Any]:
    actions: dict[str, set[str]] = {}
    for need in needs:
        actions.setdefault(need.on, set()).update(need.actions)
    below = {on.removeprefix(_BELOW): actions.pop(on) for on in list(actions) if on.startswith(_BELOW)}
    statements = [_statement(on, sorted(some)) for on, some in sorted(actions.items())]
    statements += [_listing(action, below) for action in sorted(set().union(*below.values()))]
    return document(statements)


def _statement(on: str, actions: list[str]) -> Statement:
    name = "".join(word.capitalize() for word in on.replace("/*", "").replace(",", "").replace("-", " ").split())
    if not on.startswith(_THROUGH):
        return allow(name, "", actions, RESOURCES[on])
    service = _SERVICES[on.removeprefix(_THROUGH)]
    condition: Condition = {"StringEquals": {"kms:ViaService": LOCATION.service(service)}}
    if service == "s3":
        condition = policies.through_s3(LOCATION, BUCKET)
    return allow(name, "", actions, KEY, condition=condition)


def _listing(action: str, below: dict[str, set[str]]) -> Statement:
    prefixes = [f"{prefix}*" for prefix, actions in sorted(below.items()) if action in actions]
    return allow(action.partition(":")[2], "", action, BUCKET, condition={"StringLike": {"s3:prefix": prefixes}})
