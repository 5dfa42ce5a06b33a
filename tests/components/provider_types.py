"""Compares the registered inputs with the provider's input types, because Pulumi's mocks accept any input."""

from __future__ import annotations

import collections.abc
import importlib
import re
import sys
import types
import typing
from collections.abc import Iterator, Mapping
from enum import Enum
from typing import Any, TypeVar

import pulumi
import pulumi_aws

from tests.components.harness import Resource

_NAMES = {"Output": pulumi.Output, "T": TypeVar("T"), "pulumi": pulumi}


def faults(resource: Resource) -> list[str]:
    """Return a description of each input that the provider would not accept or that is deprecated."""
    cls = class_of(resource.type)
    hints = _hints(cls._internal_init, cls)
    known = {_camel(name): name for name in hints if name not in {"resource_name", "opts", "__props__", "return"}}
    found = []
    for name, value in resource.inputs.items():
        if name not in known:
            found.append(f"{resource.type} has no {name}")
        elif _is_deprecated(cls, known[name]):
            found.append(f"{resource.type}.{name} is deprecated")
        else:
            found += _faults(value, hints[known[name]], f"{resource.type}.{name}", cls)
    return found


def class_of(token: str) -> Any:
    """Return the resource class of a type token."""
    module, _, cls = token.removeprefix("aws:").partition(":")
    service = module.partition("/")[0]
    return getattr(getattr(pulumi_aws, {"lambda": "lambda_"}.get(service, service)), cls)


def _is_deprecated(cls: type, name: str) -> bool:
    getter = getattr(cls, name)
    return hasattr(getter.fget, "_pulumi_deprecated_callable")


def _hints(annotated: Any, cls: type) -> dict[str, Any]:
    module = sys.modules[cls.__module__]
    inputs = importlib.import_module(f"{module.__package__}._inputs")
    return typing.get_type_hints(annotated, {**vars(inputs), **vars(module), **_NAMES})


def _camel(name: str) -> str:
    return re.sub(r"_+([a-z0-9])", lambda match: match[1].upper(), name.rstrip("_"))


def _plain_types(hint: Any) -> Iterator[Any]:
    """Yield the types that a value may have, without Output and Awaitable."""
    origin = typing.get_origin(hint)
    if origin in {typing.Union, types.UnionType}:
        for part in typing.get_args(hint):
            yield from _plain_types(part)
    elif origin in {typing.Required, typing.NotRequired}:
        yield from _plain_types(typing.get_args(hint)[0])
    elif origin not in {pulumi.Output, collections.abc.Awaitable}:
        yield hint


def _faults(value: Any, hint: Any, where: str, cls: type) -> list[str]:
    choices = list(_plain_types(hint))
    enums = [choice for choice in choices if isinstance(choice, type) and issubclass(choice, Enum)]
    if enums:
        allowed = {member.value for enum in enums for member in enum}
        return [] if value in allowed else [f"{where} is {value!r}, not one of {sorted(allowed)}"]
    tried = [_against(value, choice, where, cls) for choice in choices]
    if any(found == [] for found in tried):
        return []
    # The longest message is that of the type that matched most.
    return max((found for found in tried if found), key=lambda found: len(found[0]), default=[f"{where} fits nothing"])


def _against(value: Any, choice: Any, where: str, cls: type) -> list[str] | None:
    """Return the faults of a value if it has one type; None if it cannot have this type."""
    origin, arguments = typing.get_origin(choice), typing.get_args(choice)
    if typing.is_typeddict(choice):
        return _against_dict(value, choice, where, cls) if isinstance(value, dict) else None
    if origin is collections.abc.Sequence and isinstance(value, list):
        return [fault for entry in value for fault in _faults(entry, arguments[0], f"{where}[]", cls)]
    if origin is collections.abc.Mapping and isinstance(value, dict):
        return [fault for key, entry in value.items() for fault in _faults(entry, arguments[1], f"{where}.{key}", cls)]
    fits: Mapping[Any, bool] = {
        str: isinstance(value, str),
        bool: isinstance(value, bool),
        int: isinstance(value, float | int) and not isinstance(value, bool) and value == int(value),
        float: isinstance(value, float | int) and not isinstance(value, bool),
        # The harness represents an archive by its path.
        pulumi.Archive: isinstance(value, str),
    }
    return [] if fits.get(choice, False) else None


def _against_dict(value: Mapping[str, Any], choice: Any, where: str, cls: type) -> list[str]:
    hints = _hints(choice, cls)
    known = {_camel(name): name for name in hints}
    found = [f"{where} has no {name}" for name in value if name not in known]
    found += [f"{where} needs {name}" for name in map(_camel, choice.__required_keys__) if name not in value]
    for name in value.keys() & known.keys():
        found += _faults(value[name], hints[known[name]], f"{where}.{name}", cls)
    return found
