"""The console's one error, and the exit codes of its commands."""

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
    Exit.ERROR: "something failed: the message says what, where and what to do",
    Exit.USAGE: "the command line is wrong",
    Exit.NOT_ACCEPTED: "a file cannot be used (rejected, failed, nothing to hash), or a check found a problem",
    Exit.STILL_WAITING: "the time given with --timeout is over and a file is not at its end",
    Exit.INTERRUPTED: "interrupted with Ctrl-C",
}


class ConsoleError(Exception):
    """A command cannot go on. The message says what happened, where, and what to do; it never holds a value.

    Attributes:
        exit_code: of the process.
    """

    def __init__(self, message: str, exit_code: Exit = Exit.ERROR) -> None:
        super().__init__(message)
        self.exit_code = exit_code
