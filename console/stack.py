"""Discovery of connectors: from the stack's outputs, a file of outputs, the running sandbox, or a bucket name."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from console.errors import ConsoleError, Exit

ROOT = Path(__file__).parents[1]
SANDBOX_FILE = ROOT / ".build" / "sandbox.json"
TIKTOK_URL = "https://business-api.tiktok.com"
_PULUMI_SECONDS = 60


@dataclass(frozen=True)
class Location:
    """The AWS and TikTok endpoints, and the AWS credentials and region to use.

    Attributes:
        name: the place where the connectors were found, for messages.
        aws_url: the endpoint of the sandbox; None for AWS itself.
        tiktok_url: TikTok's base URL, without a path.
        aws_credentials: the credentials of the sandbox; empty to use the caller's credentials.
        region: the AWS region; None to use the caller's default region.
    """

    name: str
    aws_url: str | None = None
    tiktok_url: str = TIKTOK_URL
    aws_credentials: Mapping[str, str] = field(default_factory=dict)
    region: str | None = None


@dataclass(frozen=True)
class Connector:
    """One advertiser's connector.

    Attributes:
        name: the advertiser's name; None if only the bucket is known.
        outputs: the connector's stack outputs. Only `bucket` is always present.
        location: its AWS and TikTok endpoints.
    """

    name: str | None
    outputs: Mapping[str, Any]
    location: Location

    @property
    def bucket(self) -> str:
        """The bucket's name."""
        return str(self.outputs["bucket"])

    @property
    def label(self) -> str:
        """The connector's name in messages."""
        return self.name or self.bucket

    @property
    def region(self) -> str | None:
        """The AWS region: from an ARN in the stack outputs if there is one, otherwise from the location."""
        arn = self.outputs.get("queue_arn") or self.outputs.get("key_arn")
        return str(arn).split(":")[3] if arn else self.location.region

    @property
    def advertiser_id(self) -> str:
        """TikTok's id of the advertiser if connectors share the secret; empty if the id is in the secret."""
        return str(self.outputs.get("advertiser_id") or "")

    def output(self, name: str) -> str:
        """Return a stack output.

        Raises:
            ConsoleError: the output is missing, because only the bucket was given or an older version was deployed.
        """
        value = self.outputs.get(name)
        if not value:
            raise ConsoleError(
                f"The stack output {name} of {self.label} is missing. Run this command where `pulumi stack output` "
                "works, or save its JSON output to a file and name the file with --outputs. If the stack was deployed "
                "with an older version, run `pulumi up` first.",
                Exit.USAGE,
            )
        return str(value)


@dataclass(frozen=True)
class Source:
    """The options that select where to find connectors.

    If all are None, the connectors are those of the running sandbox, or else of the selected Pulumi stack.

    Attributes:
        bucket: the name of one connector's bucket.
        outputs: a file with the output of `pulumi stack output --json`.
        stack: the name of a Pulumi stack.
    """

    bucket: str | None = None
    outputs: Path | None = None
    stack: str | None = None


def find_connectors(source: Source) -> dict[str, Connector]:
    """Return all connectors by advertiser, or the connector of a bucket by the bucket's name.

    Raises:
        ConsoleError: the outputs cannot be read, or do not describe connectors.
    """
    if source.bucket:
        return {
            source.bucket: Connector(None, {"bucket": source.bucket}, _location_from_environment("the bucket's name"))
        }
    if source.outputs:
        return _connectors(_read_json(source.outputs), _location_from_environment(str(source.outputs)))
    if not source.stack and (sandbox := running_sandbox()):
        return sandbox
    return _connectors(_pulumi(source.stack), _location_from_environment("the stack's outputs"))


def find_connector(source: Source, advertiser: str | None) -> Connector:
    """Return the connector of an advertiser. Without an advertiser, return the only connector.

    If `source` names a bucket, return the connector of that bucket.

    Raises:
        ConsoleError: there is no connector, or none with this name; there are several and none was named; or the
            connectors cannot be found, see `find_connectors`.
    """
    found = find_connectors(source)
    if source.bucket:
        return found[source.bucket]
    if advertiser is None and len(found) == 1:
        return next(iter(found.values()))
    if not found:
        raise ConsoleError(
            "The stack has no advertisers yet. Run `pulumi up`, choose another stack with --stack, or start the "
            "sandbox with `make console`."
        )
    names = ", ".join(found)
    if advertiser is None:
        raise ConsoleError(f"The stack has several advertisers. Name one of them: {names}.", Exit.USAGE)
    if advertiser not in found:
        raise ConsoleError(
            f"There is no advertiser with the name {advertiser!r}. Use one of these: {names}.", Exit.USAGE
        )
    return found[advertiser]


def running_sandbox(file: Path = SANDBOX_FILE) -> dict[str, Connector] | None:
    """Return the connectors of the running sandbox; None if it is not running, even if its file is still there."""
    try:
        content = json.loads(file.read_text(encoding="utf-8"))
        os.kill(int(content["pid"]), 0)
    except (OSError, ValueError, KeyError, TypeError):
        return None
    environment = {
        "aws_access_key_id": content.get("aws_access_key_id", "sandbox"),
        "aws_secret_access_key": content.get("aws_secret_access_key", "sandbox"),
    }
    location = Location(
        "the running sandbox", content["aws_url"], content["tiktok_url"], environment, content.get("region")
    )
    return _connectors(content, location)


def _location_from_environment(name: str) -> Location:
    """Return the location with the URL from `TIKTOK_API_URL`, if set. boto3 reads the AWS variables itself."""
    return Location(name, tiktok_url=os.environ.get("TIKTOK_API_URL", "").rstrip("/") or TIKTOK_URL)


def _connectors(content: object, location: Location) -> dict[str, Connector]:
    advertisers = content.get("advertisers", content) if isinstance(content, dict) else None
    if not isinstance(advertisers, dict) or not all(
        isinstance(outputs, dict) and isinstance(outputs.get("bucket"), str) for outputs in advertisers.values()
    ):
        raise ConsoleError(
            f"No connectors were found in {location.name}, because advertisers with buckets are missing there. "
            "Use the output of `pulumi stack output --json`."
        )
    return {str(name): Connector(str(name), outputs, location) for name, outputs in sorted(advertisers.items())}


def _read_json(path: Path) -> object:
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ConsoleError(f"The file {path} cannot be read ({error.strerror}). Check --outputs.") from None
    except ValueError:
        raise ConsoleError(f"The file {path} is not JSON. Create it with `pulumi stack output --json`.") from None


def _pulumi(stack: str | None) -> object:
    advice = (
        "Log in to Pulumi and run this command in the project's folder, give a file of the stack's outputs with "
        "--outputs, name a bucket with --bucket, or start the sandbox with `make console`."
    )
    if not (program := shutil.which("pulumi")):
        raise ConsoleError(f"No advertiser was found: no sandbox is running, and Pulumi is not installed. {advice}")
    command = [program, "stack", "output", "--json", "--non-interactive", *(["--stack", stack] if stack else [])]
    try:
        completed = subprocess.run(  # noqa: S603 - runs the Pulumi CLI, without a shell
            command, capture_output=True, text=True, timeout=_PULUMI_SECONDS, check=True, cwd=_project()
        )
        return json.loads(completed.stdout)
    except (subprocess.SubprocessError, ValueError):
        raise ConsoleError(f"`pulumi stack output --json` failed, so no advertiser was found. {advice}") from None


def _project() -> Path:
    """Return the current folder if it is in a Pulumi project, otherwise the root of this project."""
    here = Path.cwd()
    return here if any((each / "Pulumi.yaml").exists() for each in (here, *here.parents)) else ROOT
