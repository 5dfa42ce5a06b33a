"""Runs the stack's real program without Pulumi's engine, and records every resource exactly as it was registered."""

from __future__ import annotations

import hashlib
import json
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import pulumi
from google.protobuf import json_format  # type: ignore[import-untyped]
from pulumi.runtime import mocks, rpc
from pulumi.runtime.proto import engine_pb2

import sandbox.aws.program
from sandbox.aws.program import SECRET, SIGNATURE, Monitor, unwrapped

ACCOUNT = "111122223333"
REGION = "us-east-1"
CONNECTOR = "tiktok-activation:index:TikTokActivationConnector"
# Pulumi appends a hyphen and seven hexadecimal digits to a logical name to make a physical name.
SUFFIX_LENGTH = 8
_PHYSICAL_NAME = {"aws:s3/bucket:Bucket": "bucket", "aws:cloudwatch/dashboard:Dashboard": "dashboardName"}


@dataclass(frozen=True)
class Resource:
    """One resource as registered.

    Attributes:
        inputs: the inputs for the provider, with secrets unwrapped, and `UNKNOWN` for unknown values in a preview.
        secrets: the names of the inputs that are or contain a secret.
        outputs: the inputs and the properties that the provider would add.
        after: the URNs of the resources on which this one directly depends.
        made_from: input -> the URNs of the resources that it comes from.
    """

    urn: str
    type: str
    name: str
    parent: str
    inputs: Mapping[str, Any]
    secrets: frozenset[str]
    outputs: Mapping[str, Any]
    after: frozenset[str]
    made_from: Mapping[str, frozenset[str]]
    retained: bool
    protected: bool

    def document(self, property_name: str = "policy") -> dict[str, Any]:
        """Return a JSON property, parsed."""
        document: dict[str, Any] = json.loads(self.inputs[property_name])
        return document


@dataclass
class Program:
    """The result of a run of the program.

    Attributes:
        resources: the registered resources, in order.
        outputs: the stack's outputs.
        secret_outputs: the names of the outputs that are or contain a secret.
        log: the warnings and errors.
    """

    resources: list[Resource] = field(default_factory=list)
    outputs: dict[str, Any] = field(default_factory=dict)
    secret_outputs: set[str] = field(default_factory=set)
    log: list[str] = field(default_factory=list)

    def of_type(self, *types: str) -> list[Resource]:
        """Return all resources whose type tokens end with one of these types."""
        return [resource for resource in self.resources if resource.type.endswith(types)]

    def one(self, connector: str, type_: str, name: str | None = None) -> Resource:
        """Return the only resource of a connector with this type and, if given, this logical name."""
        (found,) = [
            resource
            for resource in self.children(connector)
            if resource.type.endswith(type_) and (name is None or resource.name == name)
        ]
        return found

    def connectors(self) -> list[Resource]:
        """Return the components of all connectors."""
        return self.of_type(CONNECTOR)

    def children(self, connector: str) -> list[Resource]:
        """Return the resources of one connector."""
        (parent,) = [resource.urn for resource in self.connectors() if resource.name == connector]
        return [resource for resource in self.resources if resource.parent == parent]


def physical_name(type_: str, name: str, stack_name: str) -> str:
    """Return the name that Pulumi generates for a resource without a name."""
    digest = hashlib.sha256(f"{stack_name} {type_} {name}".encode()).hexdigest()
    prefix = "alias/" if type_ == "aws:kms/alias:Alias" else ""
    return f"{prefix}{name}-{digest[: SUFFIX_LENGTH - 1]}"


_ARNS = {
    "aws:s3/bucket:Bucket": "arn:aws:s3:::{name}",
    "aws:kms/key:Key": "arn:aws:kms:{here}:key/{digest:.32}",
    "aws:sqs/queue:Queue": "arn:aws:sqs:{here}:{name}",
    "aws:sns/topic:Topic": "arn:aws:sns:{here}:{name}",
    "aws:cloudwatch/eventRule:EventRule": "arn:aws:events:{here}:rule/{name}",
    "aws:cloudwatch/eventArchive:EventArchive": "arn:aws:events:{here}:archive/{name}",
    "aws:cloudwatch/logGroup:LogGroup": "arn:aws:logs:{here}:log-group:{name}",
    "aws:cloudwatch/metricAlarm:MetricAlarm": "arn:aws:cloudwatch:{here}:alarm:{name}",
    "aws:cloudwatch/dashboard:Dashboard": "arn:aws:cloudwatch::{account}:dashboard/{name}",
    "aws:secretsmanager/secret:Secret": "arn:aws:secretsmanager:{here}:secret:{name}-{digest:.6}",
    "aws:iam/role:Role": "arn:aws:iam::{account}:role/{name}",
    "aws:lambda/function:Function": "arn:aws:lambda:{here}:function:{name}",
    "aws:scheduler/schedule:Schedule": "arn:aws:scheduler:{here}:schedule/default/{name}",
}


def computed(type_: str, name: str, inputs: Mapping[str, Any], stack_name: str) -> tuple[str, dict[str, Any]]:
    """Return the id and the outputs that AWS would give a resource."""
    key = _PHYSICAL_NAME.get(type_, "name")
    physical = inputs.get(key) or physical_name(type_, name, stack_name)
    digest = hashlib.sha256(physical.encode()).hexdigest()
    made: dict[str, Any] = {key: physical}
    if type_ in _ARNS:
        made["arn"] = _ARNS[type_].format(here=f"{REGION}:{ACCOUNT}", account=ACCOUNT, name=physical, digest=digest)
    if type_ == "aws:kms/key:Key":
        made = {"arn": made["arn"], "keyId": digest[:32]}
    elif type_ == "aws:sqs/queue:Queue":
        made["url"] = f"https://sqs.{REGION}.amazonaws.com/{ACCOUNT}/{physical}"
    identifier = made["arn"] if type_ == "aws:secretsmanager/secret:Secret" else made.get("keyId") or made.get("url")
    return identifier or physical, made


class _Recorder(Monitor):
    """A monitor that records every registered resource."""

    def __init__(self, stack_name: str, *, preview: bool) -> None:
        super().__init__(self._record)
        self.registered: list[Resource] = []
        self.secret_outputs: set[str] = set()
        self._stack, self._preview = stack_name, preview
        self._lock = threading.Lock()

    def make_urn(self, parent: str, type_: str, name: str) -> str:
        """Return the same URN as the engine, which leaves the type of the stack out of the parent types."""
        parents = parent.split("::")[2] if parent else ""
        chain = [*(kind for kind in parents.split("$") if kind and kind != "pulumi:pulumi:Stack"), type_]
        return f"urn:pulumi:{pulumi.get_stack()}::{pulumi.get_project()}::{'$'.join(chain)}::{name}"

    def RegisterResourceOutputs(self, request: Any) -> Any:  # noqa: N802 - Pulumi's name
        if "::pulumi:pulumi:Stack::" in request.urn:
            outputs = json_format.MessageToDict(request.outputs)
            self.secret_outputs = {name for name, value in outputs.items() if _holds_secret(value)}
        return super().RegisterResourceOutputs(request)

    def _record(self, request: Any, raw: Mapping[str, Any]) -> tuple[str, Mapping[str, Any]]:
        inputs = {name: unwrapped(value) for name, value in raw.items()}
        made_from = {name: frozenset(many.urns) for name, many in request.propertyDependencies.items() if many.urns}
        identifier, made = self._made(request, inputs) if request.custom else ("", {})
        with self._lock:
            self.registered.append(
                Resource(
                    urn=self.make_urn(request.parent, request.type, request.name),
                    type=request.type,
                    name=request.name,
                    parent=request.parent,
                    inputs=inputs,
                    secrets=frozenset(name for name, value in raw.items() if _holds_secret(value)),
                    outputs={**inputs, **made},
                    after=frozenset(request.dependencies).union(*made_from.values()),
                    made_from=made_from,
                    retained=request.retainOnDelete,
                    protected=request.protect,
                )
            )
        return identifier, made

    def _made(self, request: Any, inputs: Mapping[str, Any]) -> tuple[str, dict[str, Any]]:
        identifier, made = computed(request.type, request.name, inputs, self._stack)
        if self._preview:
            return "", {name: inputs.get(name) or rpc.UNKNOWN for name in made}
        return identifier, made


class _Engine(mocks.MockEngine):
    """An engine that records warnings and errors."""

    def __init__(self) -> None:
        super().__init__(None)
        self.log: list[str] = []

    def Log(self, request: Any) -> None:  # noqa: N802 - Pulumi's name
        if request.severity >= engine_pb2.WARNING:
            self.log.append(request.message)


def _holds_secret(value: Any) -> bool:
    if isinstance(value, dict):
        return value.get(SIGNATURE) == SECRET or any(map(_holds_secret, value.values()))
    return isinstance(value, list) and any(map(_holds_secret, value))


def run_program(
    advertisers: object,
    *,
    preview: bool = False,
    stack_name: str = "dev",
    project: str = "tiktok-activation",
    secret: bool = False,
    program: Callable[[], None] | None = None,
) -> Program:
    """Run `__main__.py`, or another program, with this configuration.

    Args:
        advertisers: the value of `tiktok-activation:advertisers`.
        preview: whether to run as a first preview, in which the outputs that AWS computes are unknown.
        stack_name: the stack's name.
        project: the project's name.
        secret: whether the configuration is marked as secret. Pulumi marks it if any part is encrypted.
        program: the program to run instead of `__main__.py`.
    """
    recorder, engine = _Recorder(stack_name, preview=preview), _Engine()
    key = f"{project}:advertisers"
    sandbox.aws.program.run_program(
        recorder,
        project=project,
        stack_name=stack_name,
        config={} if advertisers is None else {key: json.dumps(advertisers)},
        secret_keys=[key] if secret else [],
        preview=preview,
        engine=engine,
        program=program,
    )
    return Program(recorder.registered, recorder.outputs, recorder.secret_outputs, engine.log)


def strings(value: Any) -> Iterator[str]:
    """Yield every string in a property, including the keys of maps."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for name, entry in value.items():
            yield name
            yield from strings(entry)
    elif isinstance(value, Sequence):
        for entry in value:
            yield from strings(entry)
