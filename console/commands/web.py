"""`web`."""

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
from console.output import err, print_json, say
from console.stack import ROOT, Source, find_connectors, running_sandbox

_SANDBOX_SECONDS = 300
_LOOK_SECONDS = 0.3
_STOP_SECONDS = 20


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(web)


def web(
    *,
    port: Annotated[int, typer.Option(min=0, max=65_535, help="0 takes any free port.")] = 8420,
    open_browser: Annotated[bool, typer.Option("--open/--no-open", help="Open the page in the browser.")] = True,
    sandbox: Annotated[
        bool, typer.Option("--sandbox", help="Run the sandbox behind the page: everything without any account.")
    ] = False,
    as_json: options.Json = False,
    bucket: options.Bucket = None,
    outputs: options.Outputs = None,
    stack: options.Stack = None,
) -> None:
    """Show a local page: audiences, files, a drop zone for a CSV, and the health of each connector.

    Only this machine reaches it, and only with the token in the address that is printed.
    """
    # Imported here: no other command needs a web server.
    from console.web.serve import serve  # noqa: PLC0415

    def tell(url: str) -> None:
        if as_json:
            print_json({"url": url})
        else:
            say(f"The page is at {url}\nCtrl-C stops it.")
        if open_browser and err.is_terminal:
            webbrowser.open(url)

    if sandbox:
        with _running_sandbox():
            serve(running_sandbox() or {}, port, tell)
    else:
        serve(find_connectors(Source(bucket, outputs, stack)), port, tell)


@contextmanager
def _running_sandbox() -> Iterator[None]:
    """Run the sandbox until the page is stopped, if it is not running already.

    Raises:
        ConsoleError: it is not here, ended, or took too long.
    """
    if running_sandbox():
        yield
        return
    if not (ROOT / "sandbox").is_dir():
        raise ConsoleError("The sandbox is only in a checkout of the project. Run `make console` there.")
    err.print("Starting the sandbox; this takes a few seconds.")
    # Without a handler, SIGTERM would end this process and leave the sandbox running.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    process = subprocess.Popen([sys.executable, "-m", "sandbox", "--stay"], cwd=ROOT, stdout=subprocess.DEVNULL)
    try:
        give_up = time.monotonic() + _SANDBOX_SECONDS
        while not running_sandbox():
            if process.poll() is not None or time.monotonic() > give_up:
                raise ConsoleError("The sandbox did not start. Run `make demo` to see why.")
            time.sleep(_LOOK_SECONDS)
        yield
    finally:
        process.terminate()
        try:
            process.wait(_STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
