"""The `web` command."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
import webbrowser
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated

import typer

from console.commands import options
from console.errors import ConsoleError
from console.output import err, print_json, print_text
from console.stack import ROOT, Source, find_connectors, running_sandbox

_SANDBOX_SECONDS = 300
_POLL_SECONDS = 0.3
_STOP_SECONDS = 20


def register(app: typer.Typer) -> None:
    """Add the command to the application."""
    app.command()(web)


def web(
    *,
    port: Annotated[int, typer.Option(min=0, max=65_535, help="The local port; 0 for any free port.")] = 8420,
    open_browser: Annotated[bool, typer.Option("--open/--no-open", help="Open the page in the browser.")] = True,
    sandbox: Annotated[
        bool, typer.Option("--sandbox", help="Start the sandbox for the page, to try everything without an account.")
    ] = False,
    as_json: options.Json = False,
    bucket: options.Bucket = None,
    outputs: options.Outputs = None,
    stack: options.Stack = None,
) -> None:
    """Open a local web page with audiences, files, a CSV upload, and the health of each connector.

    The page is available on this computer only, and only with the token in the
    printed address.
    """
    from console.web.serve import serve  # noqa: PLC0415 - no other command needs a web server

    def on_ready(url: str) -> None:
        if as_json:
            print_json({"url": url})
        else:
            print_text(f"Open the page at {url}\nPress Ctrl-C to stop it.")
        if open_browser and err.is_terminal:
            webbrowser.open(url)

    if sandbox:
        with _running_sandbox():
            serve(running_sandbox() or {}, port, on_ready)
    else:
        serve(find_connectors(Source(bucket, outputs, stack)), port, on_ready)


@contextmanager
def _running_sandbox() -> Iterator[None]:
    """Run the sandbox until the page is stopped, unless a sandbox is already running.

    Raises:
        ConsoleError: the sandbox is not installed, or it did not start.
    """
    if running_sandbox():
        yield
        return
    if not (ROOT / "sandbox").is_dir():
        raise ConsoleError("The sandbox is not part of the installed package. Run `make console` in a checkout.")
    err.print("Starting the sandbox. This takes a few seconds.")
    # Without a handler, SIGTERM would stop this process and leave the sandbox running.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    process = subprocess.Popen([sys.executable, "-m", "sandbox", "--stay"], cwd=ROOT, stdout=subprocess.DEVNULL)
    try:
        deadline = time.monotonic() + _SANDBOX_SECONDS
        while not running_sandbox():
            if process.poll() is not None or time.monotonic() > deadline:
                raise ConsoleError("The sandbox did not start. Run `make demo` to find the cause.")
            time.sleep(_POLL_SECONDS)
        yield
    finally:
        process.terminate()
        try:
            process.wait(_STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
