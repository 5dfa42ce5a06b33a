"""A stand-in for Pulumi's AWS provider, which uses the embedded AWS.

The engine starts the executable `pulumi-resource-aws` from PATH, which prints the port of this server. The server runs
in the process of the tests, so that a test can make it fail.
"""

from __future__ import annotations

import secrets
import threading
from collections import Counter
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import boto3
import grpc  # type: ignore[import-untyped]
from google.protobuf import empty_pb2, json_format, struct_pb2  # type: ignore[import-untyped]
from pulumi.runtime.proto import plugin_pb2, provider_pb2, provider_pb2_grpc

from sandbox.aws.program import unwrapped
from sandbox.aws.resources import create_resource
from sandbox.aws.stack import CREDENTIALS
from tests.engine.changes import delete, update
from tests.engine.replacement import REPLACED_BY

Properties = dict[str, Any]
# Kind -> a function that returns the inputs and the computed properties for an import.
_IMPORTED: Mapping[str, Callable[[Any, str], tuple[Properties, Properties]]] = {
    "aws:s3/bucket:Bucket": lambda _, name: ({"bucket": name}, {"arn": f"arn:aws:s3:::{name}"}),
    "aws:kms/key:Key": lambda client, key: (
        {},
        {"keyId": key, "arn": client("kms").describe_key(KeyId=key)["KeyMetadata"]["Arn"]},
    ),
}


class StandInProvider(provider_pb2_grpc.ResourceProviderServicer):
    """The provider for all stacks of a test run.

    Attributes:
        port: the loopback port of the server.
        failing: kind -> the number of creations that will fail.
        failed: kind -> the number of creations that have failed.
    """

    def __init__(self, aws_url: str) -> None:
        self.failing: Counter[str] = Counter()
        self.failed: Counter[str] = Counter()
        self._lock = threading.Lock()
        self._session = boto3.session.Session(region_name="us-east-1")
        self._aws_url = aws_url
        self._clients: dict[str, Any] = {}
        self._server = grpc.server(ThreadPoolExecutor(16))
        provider_pb2_grpc.add_ResourceProviderServicer_to_server(self, self._server)
        self.port = self._server.add_insecure_port("127.0.0.1:0")
        self._server.start()

    def client(self, service: str) -> Any:
        """Return a client of the embedded AWS."""
        with self._lock:  # boto3 sessions are not thread-safe
            if service not in self._clients:
                self._clients[service] = self._new_client(service)
            return self._clients[service]

    def _new_client(self, service: str) -> Any:
        return self._session.client(service, endpoint_url=self._aws_url, **CREDENTIALS)  # type: ignore[call-overload]

    def close(self) -> None:
        """Stop listening."""
        self._server.stop(None)

    # The following methods have the names of Pulumi's provider protocol.

    def Handshake(self, request: Any, context: Any) -> Any:  # noqa: N802, ARG002 - Pulumi's signature
        """Decline secrets, so that the engine handles them: it marks outputs as secret if the input was secret."""
        return provider_pb2.ProviderHandshakeResponse(accept_secrets=False)

    def GetPluginInfo(self, request: Any, context: Any) -> Any:  # noqa: N802, ARG002 - Pulumi's signature
        """Return the version that the engine requires."""
        return plugin_pb2.PluginInfo(version="7.51.1")

    def CheckConfig(self, request: Any, context: Any) -> Any:  # noqa: N802, ARG002 - Pulumi's signature
        """Accept every configuration."""
        return provider_pb2.CheckResponse(inputs=request.news)

    def DiffConfig(self, request: Any, context: Any) -> Any:  # noqa: N802, ARG002 - Pulumi's signature
        """Report no change in the configuration."""
        return provider_pb2.DiffResponse(changes=provider_pb2.DiffResponse.DIFF_NONE)

    def Configure(self, request: Any, context: Any) -> Any:  # noqa: N802, ARG002 - Pulumi's signature
        """Request calls for previews."""
        return provider_pb2.ConfigureResponse(supportsPreview=True, acceptSecrets=False)

    def Check(self, request: Any, context: Any) -> Any:  # noqa: N802, ARG002 - Pulumi's signature
        """Accept all inputs: `tests/components` compares them with the provider's types."""
        return provider_pb2.CheckResponse(inputs=request.news)

    def Diff(self, request: Any, context: Any) -> Any:  # noqa: N802, ARG002 - Pulumi's signature
        """Return the inputs that have changed, and those whose change replaces the resource."""
        old, new = _read(request.old_inputs), _read(request.news)
        changed = sorted(name for name in old.keys() | new.keys() if old.get(name) != new.get(name))
        return provider_pb2.DiffResponse(
            changes=provider_pb2.DiffResponse.DIFF_SOME if changed else provider_pb2.DiffResponse.DIFF_NONE,
            diffs=changed,
            replaces=[name for name in changed if name in REPLACED_BY[_kind(request.urn)]],
        )

    def Create(self, request: Any, context: Any) -> Any:  # noqa: N802 - Pulumi's name
        """Create a resource, unless a test requested a failure for its kind."""
        kind, inputs = _kind(request.urn), _read(request.properties)
        if request.preview:
            return provider_pb2.CreateResponse(properties=request.properties)
        with self._lock:
            fails = self.failing[kind] > 0
            self.failing[kind] -= fails
            self.failed[kind] += fails
        if fails:
            context.abort(grpc.StatusCode.INTERNAL, f"{kind} failed because a test requested it")
        # This is like the names that Pulumi generates.
        name = f"{request.urn.rpartition('::')[2]}-{secrets.token_hex(4)[:7]}"
        identifier, computed = create_resource(self.client, kind, name, unwrapped(inputs))
        return provider_pb2.CreateResponse(id=identifier, properties=_written({**inputs, **computed}))

    def Update(self, request: Any, context: Any) -> Any:  # noqa: N802, ARG002 - Pulumi's signature
        """Update a resource to its new inputs."""
        old_inputs, state, inputs = _read(request.old_inputs), _read(request.olds), _read(request.news)
        if not request.preview:
            update(self.client, _kind(request.urn), request.id, unwrapped(state), unwrapped(inputs))
        computed = {name: value for name, value in state.items() if name not in old_inputs}
        return provider_pb2.UpdateResponse(properties=_written({**computed, **inputs}))

    def Read(self, request: Any, context: Any) -> Any:  # noqa: N802, ARG002 - Pulumi's signature
        """Return the given properties. For an import, which has only an id, return the properties from AWS."""
        if not request.inputs.fields and _kind(request.urn) in _IMPORTED:
            inputs, computed = _IMPORTED[_kind(request.urn)](self.client, request.id)
            properties = _written({**inputs, **computed})
            return provider_pb2.ReadResponse(id=request.id, properties=properties, inputs=_written(inputs))
        return provider_pb2.ReadResponse(id=request.id, properties=request.properties, inputs=request.inputs)

    def Delete(self, request: Any, context: Any) -> Any:  # noqa: N802, ARG002 - Pulumi's signature
        """Delete a resource."""
        delete(self.client, _kind(request.urn), request.id, unwrapped(_read(request.properties)))
        return empty_pb2.Empty()

    def Cancel(self, request: Any, context: Any) -> Any:  # noqa: N802, ARG002 - Pulumi's signature
        """Do nothing, so that running operations can finish."""
        return empty_pb2.Empty()


def _kind(urn: str) -> str:
    return urn.split("::")[2].rpartition("$")[2]


def _read(properties: Any) -> Properties:
    return dict(json_format.MessageToDict(properties))


def _written(properties: Mapping[str, Any]) -> Any:
    return json_format.ParseDict(dict(properties), struct_pb2.Struct())
