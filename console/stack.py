"""The location of the connectors: the stack's outputs, a file of them, the running sandbox, or only a bucket's name."""

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
    """Where AWS and TikTok are.

    Attributes:
        name: of the source, for people.
        aws_url: None for AWS itself.
        tiktok_url: without a path.
        environment: AWS credentials of the sandbox; empty: the caller's own.
        region: None: the caller's default.
    """

    name: str
    aws_url: str | None = None
    tiktok_url: str = TIKTOK_URL
    environment: Mapping[str, str] = field(default_factory=dict)
    region: str | None = None


@dataclass(frozen=True)
class Connector:
    """One advertiser's connector.

    Attributes:
        name: the advertiser's; None if only the bucket is known.
        outputs: as design.md lists them; only `bucket` is sure to be there.
        place: where it is.
    """

    name: str | None
    outputs: Mapping[str, Any]
    place: Location

    @property
    def bucket(self) -> str:
        """The bucket's name."""
        return str(self.outputs["bucket"])

    @property
    def label(self) -> str:
        """A name for people."""
        return self.name or self.bucket

    @property
    def region(self) -> str | None:
        """The region, which the ARNs name."""
        arn = self.outputs.get("queue_arn") or self.outputs.get("key_arn")
        return str(arn).split(":")[3] if arn else self.place.region

    def output(self, name: str) -> str:
        """Return an output of the stack.

        Raises:
            ConsoleError: it is not known, because only the bucket was given or the stack is older.
        """
        value = self.outputs.get(name)
        if not value:
            raise ConsoleError(
                f"The output {name} of {self.label} is not known. Run this where `pulumi stack output` works, "
                "or give a file of its outputs with --outputs.",
                Exit.USAGE,
            )
        return str(value)


@dataclass(frozen=True)
class Source:
    """The user's choice of where to look; all None: the running sandbox, then Pulumi's current stack."""

    bucket: str | None = None
    outputs: Path | None = None
    stack: str | None = None


def find_connectors(source: Source) -> dict[str, Connector]:
    """Return all connectors by advertiser.

    Raises:
        ConsoleError: nothing was found, or what was found cannot be read.
    """
    if source.bucket:
        return {source.bucket: Connector(None, {"bucket": source.bucket}, _place("the bucket's name"))}
    if source.outputs:
        return _connectors(_read_json(source.outputs), _place(str(source.outputs)))
    if not source.stack and (sandbox := running_sandbox()):
        return sandbox
    return _connectors(_pulumi(source.stack), _place("the stack's outputs"))


def find_connector(source: Source, advertiser: str | None) -> Connector:
    """Return one connector; without a name the only one there is.

    Raises:
        ConsoleError: there is none of that name, or several and none was named.
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
        raise ConsoleError(f"Several advertisers were found: {names}. Name one.", Exit.USAGE)
    if advertiser not in found:
        raise ConsoleError(f"There is no advertiser {advertiser!r}. There are: {names}.", Exit.USAGE)
    return found[advertiser]


def running_sandbox(file: Path = SANDBOX_FILE) -> dict[str, Connector] | None:
    """Return the connectors of the sandbox if it is running; a file left behind by a killed one does not count."""
    try:
        content = json.loads(file.read_text(encoding="utf-8"))
        os.kill(int(content["pid"]), 0)
    except (OSError, ValueError, KeyError, TypeError):
        return None
    environment = {
        "aws_access_key_id": content.get("aws_access_key_id", "sandbox"),
        "aws_secret_access_key": content.get("aws_secret_access_key", "sandbox"),
    }
    place = Location(
        "the running sandbox", content["aws_url"], content["tiktok_url"], environment, content.get("region")
    )
    return _connectors(content, place)


def _place(name: str) -> Location:
    """Return the place that the environment describes; AWS's own variables reach boto3 by themselves."""
    return Location(name, tiktok_url=os.environ.get("TIKTOK_API_URL", "").rstrip("/") or TIKTOK_URL)


def _connectors(content: object, place: Location) -> dict[str, Connector]:
    advertisers = content.get("advertisers", content) if isinstance(content, dict) else None
    if not isinstance(advertisers, dict) or not all(
        isinstance(outputs, dict) and isinstance(outputs.get("bucket"), str) for outputs in advertisers.values()
    ):
        raise ConsoleError(
            f"In {place.name} there is no map of advertisers with their buckets. Give what "
            "`pulumi stack output --json` prints."
        )
    return {str(name): Connector(str(name), outputs, place) for name, outputs in sorted(advertisers.items())}


def _read_json(path: Path) -> object:
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ConsoleError(f"The file {path} cannot be read ({error.strerror}). Check --outputs.") from None
    except ValueError:
        raise ConsoleError(f"The file {path} is not JSON. Write it with `pulumi stack output --json`.") from None


def _pulumi(stack: str | None) -> object:
    advice = (
        "Log in to Pulumi and run this in the project's folder, give a file of its outputs with --outputs, "
        "give a bucket with --bucket, or start the sandbox with `make console`."
    )
    if not (program := shutil.which("pulumi")):
        raise ConsoleError(f"No advertiser was found: no sandbox is running, and Pulumi is not installed. {advice}")
    command = [program, "stack", "output", "--json", "--non-interactive", *(["--stack", stack] if stack else [])]
    try:
        ended = subprocess.run(  # noqa: S603 - Pulumi's own program, without a shell
            command, capture_output=True, text=True, timeout=_PULUMI_SECONDS, check=True, cwd=_project()
        )
        return json.loads(ended.stdout)
    except (subprocess.SubprocessError, ValueError):
        raise ConsoleError(f"`pulumi stack output --json` failed, so no advertiser was found. {advice}") from None


def _project() -> Path:
    """Return the current folder if it is a Pulumi project, otherwise this one's."""
    here = Path.cwd()
    return here if any((each / "Pulumi.yaml").exists() for each in (here, *here.parents)) else ROOT
