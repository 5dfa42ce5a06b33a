"""The command line: `tiktok-activation`."""

from __future__ import annotations

import sys
import traceback
from pathlib import Path

import typer

from console.commands import offline
from console.errors import EXIT_CODES, ConsoleError, Exit
from console.output import fail, print_json

_EPILOG = "Exit codes: " + "; ".join(f"{int(code)} {meaning}" for code, meaning in EXIT_CODES.items()) + "."
_HELP = """
Bring your customers into TikTok custom audiences, and see what became of them.

Nobody's raw data leaves this machine: files are hashed here before they are uploaded.

Start with these:

  tiktok-activation hash customers.csv --type email_sha256 -o hashed.csv

  tiktok-activation check hashed.csv --type email_sha256

Every command takes --json and prints one object then.
"""

# Commands that need neither AWS nor TikTok, whose libraries take half a second to import.
_OFFLINE = {"check", "hash", "demo-files"}


def build(command: str = "") -> typer.Typer:
    """Return the command line with all commands, or with those that are as light as the one that is started."""
    app = typer.Typer(
        name="tiktok-activation",
        help=_HELP,
        epilog=_EPILOG,
        no_args_is_help=True,
        pretty_exceptions_enable=False,  # they print local variables, which hold people's data
        context_settings={"help_option_names": ["-h", "--help"]},
    )
    offline.register(app)
    if command not in _OFFLINE:
        from console.commands import audiences, credentials, forget, operate, uploads, web  # noqa: PLC0415 - see above

        for commands in (uploads, credentials, audiences, operate, forget, web):
            commands.register(app)
    return app


def main() -> None:
    """Run the command line and exit with its code."""
    try:
        build(next(iter(sys.argv[1:]), ""))()
    except ConsoleError as error:
        _stop(str(error), error.exit_code)
    except Exception as error:
        place = traceback.extract_tb(error.__traceback__)[-1]
        _stop(
            f"The console itself failed: {type(error).__name__} in {Path(place.filename).name}, line {place.lineno}. "
            "Report this sentence to whoever maintains it.",
            Exit.ERROR,
        )


def _stop(message: str, code: Exit) -> None:
    if "--json" in sys.argv:
        print_json({"error": message})
    else:
        fail(message)
    sys.exit(int(code))


if __name__ == "__main__":
    main()
