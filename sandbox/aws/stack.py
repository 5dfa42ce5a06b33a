"""The stack in the embedded AWS, where the real program runs and its resources are created."""

from __future__ import annotations

import json
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import boto3
import yaml
from botocore.config import Config

from sandbox.aws.lambda_instance import FunctionSpec
from sandbox.aws.program import Monitor, run_program, unwrapped
from sandbox.aws.resources import Inputs, create_resource
from sandbox.processes import ROOT

_ADVERTISERS = "tiktok-activation:advertisers"
CREDENTIALS = {"aws_access_key_id": "sandbox", "aws_secret_access_key": "sandbox"}


@dataclass(frozen=True)
class CreatedResource:
    """A created resource: its type token, logical name, registered inputs and computed properties."""

    kind: str
    name: str
    inputs: Inputs
    computed: Mapping[str, Any]


class ConfigurationError(ValueError):
    """The sandbox cannot use the stack's configuration. The message says why."""


def read_config(text: str, name: str) -> dict[str, Any]:
    """Return the configuration in a stack's file: full key -> value.

    An advertiser's encrypted credentials get placeholders. Other encrypted top-level keys are left out.

    Raises:
        ConfigurationError: the file is not valid YAML, `config:` is missing, the region is missing or encrypted, the
            list of advertisers is empty or encrypted, or an advertiser has an encrypted option other than its
            credentials.
    """
    try:
        content = yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise ConfigurationError(f"{name} is not valid YAML: {error}") from None
    config = content.get("config") if isinstance(content, dict) else None
    if not isinstance(config, dict):
        raise ConfigurationError(f"{name} must be a map with the key config:, which has the configuration.")
    if not isinstance(config.get("aws:region"), str):
        raise ConfigurationError(f"{name} has no aws:region in plain text; set it, such as aws:region: us-east-1.")
    if config.get(_ADVERTISERS) == []:
        raise ConfigurationError(f"{name} lists no advertiser; add one, such as - name: acme.")
    for number, entry in enumerate(config.get(_ADVERTISERS) or (), 1):
        if isinstance(entry, dict):
            fakes = {"accessToken": f"sandbox-token-{number}", "advertiserId": f"71000000000000000{number:02}"}
            entry |= {key: fakes[key] for key in fakes.keys() & entry.keys() if _is_encrypted(entry[key])}
    plain = {key: value for key, value in config.items() if not _is_encrypted(value)}
    if _ADVERTISERS in config.keys() - plain.keys() or '"secure":' in json.dumps(plain):
        raise ConfigurationError(
            f"{name} has an encrypted option of an advertiser, which the sandbox cannot read. Only accessToken and "
            "advertiserId may be encrypted here."
        )
    return plain


def _is_encrypted(value: object) -> bool:
    return isinstance(value, dict) and value.keys() == {"secure"}


class Cloud:
    """A stack that is deployed in the embedded AWS.

    Args:
        url: the URL of the embedded AWS.
        stack: the stack's name; its configuration is in `Pulumi.<stack>.yaml`.

    Raises:
        Exception: the configuration cannot be used, or AWS refuses a resource.

    Attributes:
        outputs: the stack's outputs.
        resources: all created resources, in the order of their creation.
        client: service -> boto3 client for the embedded AWS.
    """

    def __init__(self, url: str, stack: str = "dev") -> None:
        project = yaml.safe_load((ROOT / "Pulumi.yaml").read_text(encoding="utf-8"))["name"]
        config = read_config((ROOT / f"Pulumi.{stack}.yaml").read_text(encoding="utf-8"), f"Pulumi.{stack}.yaml")
        self.url = url
        self.region = str(config["aws:region"])
        self.client = cache(self._client)
        monitor = Monitor(self._create)
        self.resources: list[CreatedResource] = []
        run_program(
            monitor,
            project=project,
            stack_name=stack,
            config={key: value if isinstance(value, str) else json.dumps(value) for key, value in config.items()},
        )
        self.outputs = monitor.outputs

    def of_kind(self, kind: str) -> list[CreatedResource]:
        """Return the resources whose type token ends with `kind`."""
        return [resource for resource in self.resources if resource.kind.endswith(kind)]

    def functions(self) -> list[FunctionSpec]:
        """Return the functions that the program declares."""
        return [
            FunctionSpec(
                name=resource.computed["name"],
                arn=resource.computed["arn"],
                package=Path(resource.inputs["code"]),
                handler=resource.inputs["handler"],
                runtime=resource.inputs["runtime"],
                timeout=resource.inputs["timeout"],
                memory=int(resource.inputs["memorySize"]),
                environment=resource.inputs["environment"]["variables"],
                logging=resource.inputs["loggingConfig"],
            )
            for resource in self.of_kind(":Function")
        ]

    def _create(self, request: Any, raw: Mapping[str, Any]) -> tuple[str, Mapping[str, Any]]:
        if not request.custom:
            return "", {}
        name = f"{request.name}-{secrets.token_hex(4)[:7]}"  # like the names that Pulumi generates
        inputs = unwrapped(raw)
        identifier, computed = create_resource(self.client, request.type, name, inputs)
        self.resources.append(CreatedResource(request.type, request.name, inputs, computed))
        return identifier, computed

    def _client(self, service: str) -> Any:
        # Several threads share a client: those of event source mappings, schedules and the watch.
        config = Config(max_pool_connections=50, retries={"mode": "standard"})
        return boto3.client(  # type: ignore[call-overload]
            service, region_name=self.region, endpoint_url=self.url, config=config, **CREDENTIALS
        )
