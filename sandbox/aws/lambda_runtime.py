"""Lambda's Python runtime: its libraries, and the runtime API that sends events to an instance."""

from __future__ import annotations

import queue
import re
import shutil
import time
from contextlib import suppress
from dataclasses import dataclass
from hashlib import sha256
from http import HTTPStatus
from importlib import metadata
from pathlib import Path
from typing import Literal

from sandbox.http_server import LoopbackServer, QuietHandler
from sandbox.processes import ROOT

BYTECODE = ROOT / ".build" / "bytecode"
_RUNTIME_PACKAGES = ("boto3", "awslambdaric")
_INVOCATION = "/2018-06-01/runtime/invocation/"
_TRACE = "Root=1-00000000-000000000000000000000000;Parent=0000000000000000;Sampled=0"
_INIT_ERROR = "/2018-06-01/runtime/init/error"


def runtime_libraries() -> Path:
    """Return a directory with the libraries of Lambda's Python runtime, as links to the installed packages.

    Raises:
        PackageNotFoundError: boto3, the runtime client or one of their dependencies is not installed.
    """
    links: dict[str, Path] = {}
    wanted, seen = list(_RUNTIME_PACKAGES), set[str]()
    while wanted:
        distribution = metadata.distribution(wanted.pop())
        if distribution.name in seen:
            continue
        seen.add(distribution.name)
        for file in distribution.files or ():
            top = file.parts[0]
            if top not in {"..", "__pycache__"} and not top.endswith(".dist-info"):
                links[top] = Path(str(distribution.locate_file(top)))
        for requirement in distribution.requires or ():
            name, _, marker = requirement.partition(";")
            if "extra ==" not in marker:
                wanted.append(re.match(r"[\w.-]+", name)[0])  # type: ignore[index]  # every requirement has a name
    inputs = sha256("".join(sorted(f"{name}={path}\n" for name, path in links.items())).encode()).hexdigest()
    directory = ROOT / ".build" / f"runtime-{inputs[:16]}"
    directory.mkdir(parents=True, exist_ok=True)
    for name, path in links.items():
        with suppress(FileExistsError):  # it exists already, or another process has just created it
            (directory / name).symlink_to(path)
    return directory


def remove_old_bytecode() -> None:
    """Remove the bytecode of packages that no longer exist."""
    for cached in (BYTECODE / (ROOT / ".build").relative_to("/")).glob("function-*"):
        if not (ROOT / ".build" / cached.name).exists():
            shutil.rmtree(cached, ignore_errors=True)


@dataclass(frozen=True)
class InstanceEvent:
    """An event of an instance: it started an invocation, returned a result, returned an error, or exited."""

    kind: Literal["started", "result", "error", "exit"]
    content: bytes = b""


class RuntimeApi(LoopbackServer):
    """The runtime API of one instance, which puts the instance's events into `events`."""

    def __init__(self, events: queue.SimpleQueue[InstanceEvent]) -> None:
        super().__init__(_RuntimeHandler)
        self.events = events
        self.offers: queue.SimpleQueue[tuple[bytes, dict[str, str], float] | None] = queue.SimpleQueue()
        self.start()

    def offer(self, event: bytes, request_id: str, arn: str, seconds: float, lineage: int) -> None:
        """Send the instance an event when it requests the next one. The deadline is `seconds` after that."""
        headers = {
            "Lambda-Runtime-Aws-Request-Id": request_id,
            "Lambda-Runtime-Invoked-Function-Arn": arn,
            "Lambda-Runtime-Trace-Id": f"{_TRACE};Lineage=1:{sha256(arn.encode()).hexdigest()[:8]}:{lineage}",
        }
        self.offers.put((event, headers, seconds))

    def close(self) -> None:
        """Stop serving. The instance's process must have ended."""
        self.offers.put(None)
        self.stop()


class _RuntimeHandler(QuietHandler):
    server: RuntimeApi

    def do_GET(self) -> None:  # noqa: N802 - the name that http.server calls
        """Wait for the next event and return it."""
        offer = self.server.offers.get() if self.path == f"{_INVOCATION}next" else None
        if offer is None:
            self.close_connection = True
            return
        event, headers, seconds = offer
        self.server.events.put(InstanceEvent("started"))
        headers["Lambda-Runtime-Deadline-Ms"] = str(int((time.time() + seconds) * 1000))
        self.reply(HTTPStatus.OK, event, headers)

    def do_POST(self) -> None:  # noqa: N802 - the name that http.server calls
        """Accept a result or an error from the instance."""
        content = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        # The reply is sent first, because the instance may be closed as soon as the event is in the queue.
        self.reply(HTTPStatus.ACCEPTED, b'{"status": "OK"}')
        if self.path == _INIT_ERROR:
            self.server.events.put(InstanceEvent("exit", content))
        elif self.path.startswith(_INVOCATION):
            self.server.events.put(InstanceEvent("error" if self.path.endswith("/error") else "result", content))
