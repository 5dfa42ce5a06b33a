"""The console's exception and the exit codes of its commands."""

from __future__ import annotations

from enum import IntEnum


class Exit(IntEnum):
    """Exit codes, the same for every command."""

    DONE = 0
    ERROR = 1
    USAGE = 2
    NOT_ACCEPTED = 3
    STILL_WAITING = 4
    INTERRUPTED = 130


EXIT_CODES = {
    Exit.DONE: "done",
    Exit.ERROR: "error (the message says what happened and what to do)",
    Exit.USAGE: "the command line is wrong",
    Exit.NOT_ACCEPTED: "a file cannot be used (rejected, failed, or no row can be hashed), or a check found a problem",
    Exit.STILL_WAITING: "a file has no final status yet (the --timeout expired, or the connector did not register it)",
    Exit.INTERRUPTED: "interrupted with Ctrl-C, or with Ctrl-D at a prompt",
}


class ConsoleError(Exception):
    """An error that stops a command.

    The message says what happened, where, and what to do. It never contains a value from a customer file.

    Attributes:
        exit_code: the exit code of the process.
    """

    def __init__(self, message: str, exit_code: Exit = Exit.ERROR) -> None:
        super().__init__(message)
        self.exit_code = exit_code
