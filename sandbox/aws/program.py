"""Runs the stack's real program without Pulumi's engine and CLI."""

from __future__ import annotations

import asyncio
import contextvars
import logging
import runpy
import warnings
from collections.abc import Callable, Mapping, Sequence
from typing import Any, cast

import pulumi
import pulumi_aws
from google.protobuf import empty_pb2, json_format  # type: ignore[import-untyped]
from pulumi.runtime import mocks, settings, stack
from pulumi.runtime.proto import resource_pb2

from sandbox.processes import ROOT

with warnings.catch_warnings():
    # These modules issue warnings about their own deprecated names when they are first used.
    warnings.simplefilter("ignore", DeprecationWarning)
    _ = pulumi_aws.lambda_.Function, pulumi_aws.s3.Bucket

_STACK = "pulumi:pulumi:Stack"
# The keys and signatures with which Pulumi marks special values.
SIGNATURE, SECRET, _ARCHIVE = "4dabf18193072939515e22adb298388d", "1b47061264138c4ac30d75fd1eb44270", "path"
_SILENT = logging.Logger("pulumi", logging.CRITICAL)


class Monitor(mocks.MockMonitor):
    """A replacement for Pulumi's engine.

    Args:
        register: returns the id and computed properties of a resource. Its arguments are the RegisterResourceRequest
            and the inputs, with marked secrets and archives (see `unwrapped`). It is called from several threads.

    Attributes:
        outputs: the stack's outputs, with secrets unwrapped.
    """

    def __init__(self, register: Callable[[Any, Mapping[str, Any]], tuple[str, Mapping[str, Any]]]) -> None:
        super().__init__(cast("mocks.Mocks", None))  # needed only for reads and provider functions
        self._register = register
        self.outputs: dict[str, Any] = {}

    def RegisterResource(self, request: Any) -> Any:  # noqa: N802 - Pulumi's name
        """Return the response that the engine would return."""
        raw: dict[str, Any] = json_format.MessageToDict(request.object)
        identifier, computed = ("", {}) if request.type == _STACK else self._register(request, raw)
        urn = self.make_urn(request.parent, request.type, request.name)
        response = resource_pb2.RegisterResourceResponse(urn=urn, id=identifier)
        json_format.ParseDict({**raw, **computed}, response.object)
        return response

    def RegisterResourceOutputs(self, request: Any) -> Any:  # noqa: N802 - Pulumi's name
        """Store the stack's outputs."""
        if f"::{_STACK}::" in request.urn:
            self.outputs = unwrapped(json_format.MessageToDict(request.outputs))
        return empty_pb2.Empty()


def unwrapped(value: Any) -> Any:
    """Return a property as the provider receives it, with secrets unwrapped and archives as their paths."""
    if isinstance(value, dict):
        if value.get(SIGNATURE) == SECRET:
            return unwrapped(value["value"])
        if SIGNATURE in value:
            return value.get(_ARCHIVE)
        return {name: unwrapped(entry) for name, entry in value.items()}
    return [unwrapped(entry) for entry in value] if isinstance(value, list) else value


def run_program(
    monitor: Monitor,
    *,
    project: str,
    stack_name: str,
    config: Mapping[str, str],
    secret_keys: Sequence[str] = (),
    preview: bool = False,
    engine: mocks.MockEngine | None = None,
    program: Callable[[], None] | None = None,
) -> None:
    """Run `__main__.py` and wait until all its resources are registered.

    Args:
        monitor: receives every resource.
        project: the project's name.
        stack_name: the stack's name.
        config: full key -> value; values that are not strings are JSON.
        secret_keys: the keys of secret values.
        preview: whether to run a preview, in which computed properties may be unknown.
        engine: receives Pulumi's messages. By default they are dropped.
        program: the program to run instead of `__main__.py`.

    Raises:
        Exception: the first error of the program or of the monitor.
    """

    def main() -> None:
        runpy.run_path(str(ROOT / "__main__.py"), run_name="__main__")

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
                    engine=engine or mocks.MockEngine(_SILENT),
                    dry_run=preview,
                    organization="organization",
                    root_directory=str(ROOT),
                )
            )
            pulumi.runtime.set_all_config(dict(config), list(secret_keys))
            loop.run_until_complete(stack.run_in_stack(program or main))
        finally:
            loop.close()
            asyncio.set_event_loop(None)

    contextvars.Context().run(run)
