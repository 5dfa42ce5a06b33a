"""A stand-in for Pulumi's AWS provider: the engine's own protocol in front of the embedded AWS.

The engine starts an executable `pulumi-resource-aws` from PATH, which prints the port of this server. So the server is
in the test's own process, and a test can let it fail.
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

from sandbox.aws.program import plain
from sandbox.aws.resources import make
from sandbox.aws.stack import CREDENTIALS
from tests.engine.changes import delete, update
from tests.engine.replacement import REPLACED_BY

Properties = dict[str, Any]
# Kind -> the inputs and the computed properties that an import reads, by the client and the resource's id.
_IMPORTED: Mapping[str, Callable[[Any, str], tuple[Properties, Properties]]] = {
    "aws:s3/bucket:Bucket": lambda _, name: ({"bucket": name}, {"arn": f"arn:aws:s3:::{name}"}),
    "aws:kms/key:Key": lambda client, key: (
        {},
        {"keyId": key, "arn": client("kms").describe_key(KeyId=key)["KeyMetadata"]["Arn"]},
    ),
}


class StandInProvider(provider_pb2_grpc.ResourceProviderServicer):
    """The provider; one for all stacks of a test run.

    Attributes:
        port: the loopback port that it listens on.
        failing: kinds whose next creations fail, with the number of failures left.
        failed: how often each kind failed.
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
        with self._lock:  # boto3's sessions are not safe for threads
            if service not in self._clients:
                self._clients[service] = self._new_client(service)
            return self._clients[service]

    def _new_client(self, service: str) -> Any:
        return self._session.client(service, endpoint_url=self._aws_url, **CREDENTIALS)  # type: ignore[call-overload]

    def close(self) -> None:
        """Stop listening."""
        self._server.stop(None)

    # The methods of the protocol have Pulumi's names.

    def Handshake(self, request: Any, context: Any) -> Any:  # noqa: N802, ARG002 - Pulumi's signature
        """Leave secrets to the engine: it marks as secret what was secret in the inputs."""
        return provider_pb2.ProviderHandshakeResponse(accept_secrets=False)

    def GetPluginInfo(self, request: Any, context: Any) -> Any:  # noqa: N802, ARG002 - Pulumi's signature
        """Return the version that the engine looks for."""
        return plugin_pb2.PluginInfo(version="7.51.1")

    def CheckConfig(self, request: Any, context: Any) -> Any:  # noqa: N802, ARG002 - Pulumi's signature
        """Accept every configuration."""
        return provider_pb2.CheckResponse(inputs=request.news)

    def DiffConfig(self, request: Any, context: Any) -> Any:  # noqa: N802, ARG002 - Pulumi's signature
        """See no change in the configuration."""
        return provider_pb2.DiffResponse(changes=provider_pb2.DiffResponse.DIFF_NONE)

    def Configure(self, request: Any, context: Any) -> Any:  # noqa: N802, ARG002 - Pulumi's signature
        """Ask to be told of previews too."""
        return provider_pb2.ConfigureResponse(supportsPreview=True, acceptSecrets=False)

    def Check(self, request: Any, context: Any) -> Any:  # noqa: N802, ARG002 - Pulumi's signature
        """Accept all inputs: `tests/components` compares them with the provider's types."""
        return provider_pb2.CheckResponse(inputs=request.news)

    def Diff(self, request: Any, context: Any) -> Any:  # noqa: N802, ARG002 - Pulumi's signature
        """Compare the inputs."""
        old, new = _read(request.old_inputs), _read(request.news)
        changed = sorted(name for name in old.keys() | new.keys() if old.get(name) != new.get(name))
        return provider_pb2.DiffResponse(
            changes=provider_pb2.DiffResponse.DIFF_SOME if changed else provider_pb2.DiffResponse.DIFF_NONE,
            diffs=changed,
            replaces=[name for name in changed if name in REPLACED_BY[_kind(request.urn)]],
        )

    def Create(self, request: Any, context: Any) -> Any:  # noqa: N802 - Pulumi's name
        """Create a resource, unless it is this kind's turn to fail."""
        kind, inputs = _kind(request.urn), _read(request.properties)
        if request.preview:
            return provider_pb2.CreateResponse(properties=request.properties)
        with self._lock:
            fails = self.failing[kind] > 0
            self.failing[kind] -= fails
            self.failed[kind] += fails
        if fails:
            context.abort(grpc.StatusCode.INTERNAL, f"{kind} failed because a test asked for it")
        # As Pulumi names what has no name.
        name = f"{request.urn.rpartition('::')[2]}-{secrets.token_hex(4)[:7]}"
        identifier, computed = make(self.client, kind, name, plain(inputs))
        return provider_pb2.CreateResponse(id=identifier, properties=_written({**inputs, **computed}))

    def Update(self, request: Any, context: Any) -> Any:  # noqa: N802, ARG002 - Pulumi's signature
        """Bring a resource to its new inputs."""
        old_inputs, state, inputs = _read(request.old_inputs), _read(request.olds), _read(request.news)
        if not request.preview:
            update(self.client, _kind(request.urn), request.id, plain(state), plain(inputs))
        computed = {name: value for name, value in state.items() if name not in old_inputs}
        return provider_pb2.UpdateResponse(properties=_written({**computed, **inputs}))

    def Read(self, request: Any, context: Any) -> Any:  # noqa: N802, ARG002 - Pulumi's signature
        """Return what the engine knows; of an import, which knows only the id, what the import needs."""
        if not request.inputs.fields and _kind(request.urn) in _IMPORTED:
            inputs, computed = _IMPORTED[_kind(request.urn)](self.client, request.id)
            properties = _written({**inputs, **computed})
            return provider_pb2.ReadResponse(id=request.id, properties=properties, inputs=_written(inputs))
        return provider_pb2.ReadResponse(id=request.id, properties=request.properties, inputs=request.inputs)

    def Delete(self, request: Any, context: Any) -> Any:  # noqa: N802, ARG002 - Pulumi's signature
        """Delete a resource."""
        delete(self.client, _kind(request.urn), request.id, plain(_read(request.properties)))
        return empty_pb2.Empty()

    def Cancel(self, request: Any, context: Any) -> Any:  # noqa: N802, ARG002 - Pulumi's signature
        """Let running operations end."""
        return empty_pb2.Empty()


def _kind(urn: str) -> str:
    return urn.split("::")[2].rpartition("$")[2]


def _read(properties: Any) -> Properties:
    return dict(json_format.MessageToDict(properties))


def _written(properties: Mapping[str, Any]) -> Any:
    return json_format.ParseDict(dict(properties), struct_pb2.Struct())
