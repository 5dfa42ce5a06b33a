"""Runs the stack's real program without Pulumi's engine, and keeps every resource exactly as it was registered."""

from __future__ import annotations

import asyncio
import contextvars
import hashlib
import json
import runpy
import threading
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pulumi
import pulumi_aws
from google.protobuf import empty_pb2, json_format  # type: ignore[import-untyped]
from pulumi.runtime import mocks, rpc, settings, stack
from pulumi.runtime.proto import engine_pb2, resource_pb2

with warnings.catch_warnings():
    # These modules warn of deprecated names of their own when first used. That the program uses none, tests can tell.
    warnings.simplefilter("ignore", DeprecationWarning)
    _ = pulumi_aws.lambda_.Function, pulumi_aws.s3.Bucket

ROOT = Path(__file__).resolve().parents[2]
ACCOUNT = "111122223333"
REGION = "us-east-1"
CONNECTOR = "tiktok-activation:index:TikTokActivationConnector"
# What Pulumi appends to a logical name to make a physical one: a hyphen and seven hex digits.
SUFFIX_LENGTH = 8
_SIGNATURE, _SECRET, _ARCHIVE = "4dabf18193072939515e22adb298388d", "1b47061264138c4ac30d75fd1eb44270", "path"
_PHYSICAL_NAME = {"aws:s3/bucket:Bucket": "bucket", "aws:cloudwatch/dashboard:Dashboard": "dashboardName"}


@dataclass(frozen=True)
class Resource:
    """One resource as registered.

    Attributes:
        inputs: as sent to the provider, secrets unwrapped; `UNKNOWN` where a preview does not know.
        secrets: the names of the inputs that are, or hold, a secret.
        outputs: inputs and what the provider would add.
        after: URNs of all resources that must exist before.
    """

    urn: str
    type: str
    name: str
    parent: str
    inputs: Mapping[str, Any]
    secrets: frozenset[str]
    outputs: Mapping[str, Any]
    after: frozenset[str]
    retained: bool
    protected: bool

    def document(self, property_name: str = "policy") -> dict[str, Any]:
        """A JSON property, parsed."""
        document: dict[str, Any] = json.loads(self.inputs[property_name])
        return document


@dataclass
class Program:
    """What a run of the program registered, in order."""

    resources: list[Resource] = field(default_factory=list)
    outputs: dict[str, Any] = field(default_factory=dict)
    secret_outputs: set[str] = field(default_factory=set)
    invokes: list[str] = field(default_factory=list)
    log: list[str] = field(default_factory=list)

    def of_type(self, *types: str) -> list[Resource]:
        """All resources of these types; the end of a type token is enough."""
        return [resource for resource in self.resources if resource.type.endswith(types)]

    def one(self, connector: str, type_: str, name: str | None = None) -> Resource:
        """The only resource of that type (and logical name) of a connector."""
        (found,) = [
            resource
            for resource in self.children(connector)
            if resource.type.endswith(type_) and (name is None or resource.name == name)
        ]
        return found

    def connectors(self) -> list[Resource]:
        """The components."""
        return self.of_type(CONNECTOR)

    def children(self, connector: str) -> list[Resource]:
        """The resources of one connector."""
        (parent,) = [resource.urn for resource in self.connectors() if resource.name == connector]
        return [resource for resource in self.resources if resource.parent == parent]


def physical_name(type_: str, name: str, stack_name: str) -> str:
    """The name that Pulumi makes up for a resource that was given none."""
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
    """Id and outputs that AWS would give a resource."""
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


class Monitor(mocks.MockMonitor):
    """Pulumi's mock monitor, keeping the whole of every request."""

    def __init__(self, project: str, stack_name: str, *, preview: bool) -> None:
        super().__init__(_NoMocks())
        self.program = Program()
        self._project, self._stack, self._preview = project, stack_name, preview
        self._lock = threading.Lock()

    def Invoke(self, request: Any) -> Any:  # noqa: N802 - Pulumi's name
        self.program.invokes.append(request.tok)
        return super().Invoke(request)  # type: ignore[no-untyped-call]

    def RegisterResource(self, request: Any) -> Any:  # noqa: N802 - Pulumi's name
        urn = self._urn(request)
        if request.type == "pulumi:pulumi:Stack":
            return _answer(urn, "", {})
        raw = json_format.MessageToDict(request.object)
        inputs = {name: _plain(value) for name, value in raw.items()}
        identifier, made = ("", {}) if not request.custom else self._made(request, inputs)
        with self._lock:
            self.program.resources.append(
                Resource(
                    urn=urn,
                    type=request.type,
                    name=request.name,
                    parent=request.parent,
                    inputs=inputs,
                    secrets=frozenset(name for name, value in raw.items() if _holds_secret(value)),
                    outputs={**inputs, **made},
                    after=frozenset(request.dependencies)
                    | {one for many in request.propertyDependencies.values() for one in many.urns},
                    retained=request.retainOnDelete,
                    protected=request.protect,
                )
            )
        return _answer(urn, identifier, {**raw, **made})

    def RegisterResourceOutputs(self, request: Any) -> Any:  # noqa: N802 - Pulumi's name
        if "::pulumi:pulumi:Stack::" in request.urn:
            raw = json_format.MessageToDict(request.outputs)
            self.program.outputs = {name: _plain(value) for name, value in raw.items()}
            self.program.secret_outputs = {name for name, value in raw.items() if _holds_secret(value)}
        return empty_pb2.Empty()

    def _urn(self, request: Any) -> str:
        parents = request.parent.split("::")[2] if request.parent else ""
        # The stack itself does not count among the parents in a URN.
        chain = [*(kind for kind in parents.split("$") if kind and kind != "pulumi:pulumi:Stack"), request.type]
        return f"urn:pulumi:{self._stack}::{self._project}::{'$'.join(chain)}::{request.name}"

    def _made(self, request: Any, inputs: Mapping[str, Any]) -> tuple[str, dict[str, Any]]:
        identifier, made = computed(request.type, request.name, inputs, self._stack)
        if self._preview:
            return "", {name: inputs.get(name) or rpc.UNKNOWN for name in made}
        return identifier, made


class _NoMocks(mocks.Mocks):
    def new_resource(self, args: mocks.MockResourceArgs) -> tuple[str | None, dict[str, Any]]:
        raise NotImplementedError(args.typ)

    def call(self, args: mocks.MockCallArgs) -> tuple[dict[str, Any], list[tuple[str, str]] | None]:
        known = {
            "aws:index/getRegion:getRegion": {"region": REGION},
            "aws:index/getCallerIdentity:getCallerIdentity": {"accountId": ACCOUNT},
            "aws:index/getPartition:getPartition": {"partition": "aws"},
        }
        return known[args.token], None


class _Engine(mocks.MockEngine):
    """Keeps warnings and errors, so that a test can say there are none."""

    def __init__(self, log: list[str]) -> None:
        super().__init__(None)
        self._log = log

    def Log(self, request: Any) -> None:  # noqa: N802 - Pulumi's name
        if request.severity >= engine_pb2.WARNING:
            self._log.append(request.message)


def _answer(urn: str, identifier: str, properties: Mapping[str, Any]) -> Any:
    answer = resource_pb2.RegisterResourceResponse(urn=urn, id=identifier)
    json_format.ParseDict(dict(properties), answer.object)
    return answer


def _plain(value: Any) -> Any:
    """A property as the provider gets it: secrets unwrapped, an archive as its path."""
    if isinstance(value, dict):
        if value.get(_SIGNATURE) == _SECRET:
            return _plain(value["value"])
        if _SIGNATURE in value:
            return value.get(_ARCHIVE)
        return {name: _plain(entry) for name, entry in value.items()}
    return [_plain(entry) for entry in value] if isinstance(value, list) else value


def _holds_secret(value: Any) -> bool:
    if isinstance(value, dict):
        return value.get(_SIGNATURE) == _SECRET or any(map(_holds_secret, value.values()))
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
        preview: as a first preview, in which nothing that AWS computes is known.
        stack_name: the stack's name.
        project: the project's name.
        secret: whether the configuration is marked as secret, as it is once it has a secret in it.
        program: what to run in place of `__main__.py`.
    """
    monitor = Monitor(project, stack_name, preview=preview)

    def run() -> None:
        loop = asyncio.new_event_loop()
        asyncio.set_event_loop(loop)
        try:
            settings.ROOT.set(None)
            settings.configure(
                settings.Settings(
                    project,
                    stack_name,
                    monitor=monitor,
                    engine=_Engine(monitor.program.log),
                    dry_run=preview,
                    organization="organization",
                    root_directory=str(ROOT),
                )
            )
            key = f"{project}:advertisers"
            config = {} if advertisers is None else {key: json.dumps(advertisers)}
            pulumi.runtime.set_all_config(config, [key] if secret else [])
            loop.run_until_complete(stack.run_in_stack(program or _main))
        finally:
            loop.close()
            asyncio.set_event_loop(None)

    contextvars.Context().run(run)
    return monitor.program


def _main() -> None:
    runpy.run_path(str(ROOT / "__main__.py"), run_name="__main__")


def strings(value: Any) -> Iterator[str]:
    """Every text in a property, keys of maps included."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for name, entry in value.items():
            yield name
            yield from strings(entry)
    elif isinstance(value, Sequence):
        for entry in value:
            yield from strings(entry)
