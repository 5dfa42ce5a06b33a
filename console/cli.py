"""The command line: `tiktok-activation`."""

from __future__ import annotations

import sys
import traceback
from pathlib import Path
from typing import Any

import typer
from typer.core import TyperGroup

from console.commands import offline
from console.errors import EXIT_CODES, ConsoleError, Exit
from console.output import print_error, print_json

_EPILOG = "Exit codes: " + "; ".join(f"{int(code)} {meaning}" for code, meaning in EXIT_CODES.items()) + "."
_HELP = """
Send customer lists to TikTok custom audiences, and follow the status of each upload.

Files with raw data are hashed on this machine, with `hash` or `upload --hash`. Only the hashes are uploaded.

Start with these commands:

  tiktok-activation hash customers.csv --type email_sha256 -o hashed.csv

  tiktok-activation check hashed.csv --type email_sha256

With --json, a command prints its result as one JSON object.
"""

# These commands use neither AWS nor TikTok. Importing the libraries for the other commands takes half a second.
_OFFLINE = {"check", "hash", "demo-files"}


class _Commands(TyperGroup):
    def invoke(self, ctx: Any) -> Any:
        """Run the command. Typer's exit code for Ctrl-C at a prompt is 1, but 130 for Ctrl-C elsewhere."""
        try:
            return super().invoke(ctx)
        except typer.Abort:
            raise typer.Exit(int(Exit.INTERRUPTED)) from None


def build(command: str = "") -> typer.Typer:
    """Return the command-line application.

    Args:
        command: the command to run. If it is an offline command, the other commands are not imported. Empty to add all
            commands.
    """
    app = typer.Typer(
        name="tiktok-activation",
        cls=_Commands,
        help=_HELP,
        epilog=_EPILOG,
        no_args_is_help=True,
        pretty_exceptions_enable=False,  # they would print local variables, which hold personal data
        context_settings={"help_option_names": ["-h", "--help"]},
    )
    offline.register(app)
    if command not in _OFFLINE:
        from console.commands import audiences, credentials, forget, operate, uploads, web  # noqa: PLC0415 - slow to import

        for commands in (uploads, credentials, audiences, operate, forget, web):
            commands.register(app)
    return app


def main() -> None:
    """Run the command line and exit with its exit code."""
    try:
        build(next(iter(sys.argv[1:]), ""))()
    except ConsoleError as error:
        _stop(str(error), error.exit_code)
    except Exception as error:
        frame = traceback.extract_tb(error.__traceback__)[-1]
        _stop(
            f"The console failed with an internal error: {type(error).__name__} in {Path(frame.filename).name}, "
            f"line {frame.lineno}. Send this message to the maintainers.",
            Exit.ERROR,
        )


def _stop(message: str, code: Exit) -> None:
    if "--json" in sys.argv:
        print_json({"error": message})
    else:
        print_error(message)
    sys.exit(int(code))


if __name__ == "__main__":
    main()
