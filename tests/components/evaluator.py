"""A small evaluator of IAM policies. It supports the elements that this project uses, and raises an error for others.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic.html
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

Verdict = Literal["allow", "deny", "implicit deny"]


@dataclass(frozen=True)
class AccessRequest:
    """A request to AWS.

    Attributes:
        principal: an ARN or the name of a service.
        context: condition key -> value.
    """

    action: str
    resource: str
    principal: str = ""
    context: Mapping[str, str] = field(default_factory=dict)


def verdict(document: Mapping[str, Any], request: AccessRequest) -> Verdict:
    """Evaluate one policy document for a request. A Deny overrides every Allow; without both, the deny is implicit."""
    effects = {statement["Effect"] for statement in document["Statement"] if _applies(statement, request)}
    return "deny" if "Deny" in effects else "allow" if "Allow" in effects else "implicit deny"


def _applies(statement: Mapping[str, Any], request: AccessRequest) -> bool:
    unknown = statement.keys() - {"Sid", "Effect", "Principal", "Action", "Resource", "Condition"}
    if unknown:
        raise NotImplementedError(f"statement elements {unknown}")
    return (
        _is_principal(statement.get("Principal"), request.principal)
        and any(matches(action, request.action) for action in as_list(statement["Action"]))
        and any(matches(resource, request.resource) for resource in as_list(statement.get("Resource", "*")))
        and all(
            _OPERATORS[operator](request.context.get(key), as_list(values))
            for operator, keys in statement.get("Condition", {}).items()
            for key, values in keys.items()
        )
    )


def _is_principal(named: Any, principal: str) -> bool:
    if named is None or named == "*":
        return True
    (kind, names), *others = named.items()
    if others or kind not in {"AWS", "Service"}:
        raise NotImplementedError(f"principal {named}")
    # An account root includes every principal of the account that IAM allows.
    return any(
        name == principal or (name.endswith(":root") and principal.startswith(name.removesuffix("root")))
        for name in as_list(names)
    )


def matches(pattern: str, text: str) -> bool:
    """Return whether a text matches a pattern with `*` and `?`."""
    expression = re.escape(pattern).replace(r"\*", ".*").replace(r"\?", ".")
    return re.fullmatch(expression, text) is not None


def as_list(value: str | list[str]) -> list[str]:
    """Return the value as a list: IAM allows one string in place of a list."""
    return [value] if isinstance(value, str) else value


def _like(value: str | None, patterns: list[str]) -> bool:
    return value is not None and any(matches(pattern, value) for pattern in patterns)


_OPERATORS: Mapping[str, Callable[[str | None, list[str]], bool]] = {
    "StringEquals": lambda value, expected: value in expected,
    # This also matches an absent key, so the policies combine it with Null.
    "StringNotEquals": lambda value, expected: value not in expected,
    "StringLike": _like,
    "ArnLike": _like,
    "ArnEquals": _like,
    "Bool": lambda value, expected: value in expected,
    "Null": lambda value, expected: ("true" if value is None else "false") in expected,
}
