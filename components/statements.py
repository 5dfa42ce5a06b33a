"""The building blocks of policy documents: a statement carries its reason, and a document is its JSON."""

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
        sid: its name, unique within a document.
        why: the reason for it, for the table in the documentation.
        elements: its JSON.
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
    """Return a statement that allows; the policy of a role names no principal, a trust policy no resource."""
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
    """Return a statement that denies to everybody, whatever else allows."""
    allowed = allow(sid, why, actions, resources, "*", condition=condition)
    return Statement(sid, why, {**allowed.elements, "Effect": "Deny"})


def tls_only(actions: str, resources: str | list[str]) -> Statement:
    """Return the statement that refuses connections without TLS."""
    return deny(
        "RefusePlainConnections",
        "nothing about people, and no token, travels unencrypted",
        actions,
        resources,
        {"Bool": {"aws:SecureTransport": "false"}},
    )


def document(policy: Policy) -> Document:
    """Return the policy document of some statements."""
    return {"Version": "2012-10-17", "Statement": [dict(statement.elements) for statement in policy]}


def render(policy: Callable[..., Policy], **known_later: Any) -> pulumi.Output[str]:
    """Return the JSON of a policy whose arguments are known only when AWS has created the resources."""
    return pulumi.Output.all(**known_later).apply(lambda known: json.dumps(document(policy(**known))))
