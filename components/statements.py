"""Building blocks of policy documents: statements, each with its reason, and their conversion to JSON."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import pulumi

Document = dict[str, Any]
Condition = Mapping[str, Mapping[str, str | list[str]]]
Principal = Mapping[str, str | list[str]] | Literal["*"]


@dataclass(frozen=True)
class Statement:
    """One statement of a policy.

    Attributes:
        sid: the statement's id, unique within a document.
        why: the reason for the statement, which the documentation shows.
        elements: the elements of the statement's JSON.
    """

    sid: str
    why: str
    elements: Mapping[str, Any] = field(default_factory=dict)


Policy = Sequence[Statement]


def allow(
    sid: str,
    why: str,
    actions: str | list[str],
    resources: str | list[str] | None,
    principal: Principal | None = None,
    *,
    condition: Condition | None = None,
) -> Statement:
    """Return an Allow statement. The policy of a role has no principal, and a trust policy has no resource."""
    elements = {
        "Sid": sid,
        "Effect": "Allow",
        "Principal": principal,
        "Action": actions,
        "Resource": resources,
        "Condition": condition,
    }
    return Statement(sid, why, {name: value for name, value in elements.items() if value is not None})


def deny(sid: str, why: str, actions: str, resources: str | list[str], condition: Condition) -> Statement:
    """Return a Deny statement for all principals, which overrides every Allow."""
    allowed = allow(sid, why, actions, resources, "*", condition=condition)
    return Statement(sid, why, {**allowed.elements, "Effect": "Deny"})


def tls_only(actions: str, resources: str | list[str]) -> Statement:
    """Return the statement that denies connections without TLS."""
    return deny(
        "RefusePlainConnections",
        "personal data and tokens must not be sent unencrypted",
        actions,
        resources,
        {"Bool": {"aws:SecureTransport": "false"}},
    )


def document(policy: Policy) -> Document:
    """Return the policy document with these statements."""
    return {"Version": "2012-10-17", "Statement": [dict(statement.elements) for statement in policy]}


def render(policy: Callable[..., Policy], **arguments: Any) -> pulumi.Output[str]:
    """Return the JSON of a policy as an output, because its arguments are outputs of other resources."""
    return pulumi.Output.all(**arguments).apply(lambda known: json.dumps(document(policy(**known))))
