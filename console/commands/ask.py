"""Questions on a terminal."""

from __future__ import annotations

import sys

import typer

from console.errors import ConsoleError, Exit
from console.hashing.columns import InputColumn
from console.hashing.values import Kind
from console.output import err, say


def is_interactive(file: str = "") -> bool:
    """Return whether somebody is there to answer; not if the file itself comes on standard input."""
    return file != "-" and sys.stdin.isatty() and err.is_terminal


def ask_for_column(kind: Kind, found: list[InputColumn]) -> InputColumn:
    """Ask for one of several columns that fit."""
    say(f"Several columns could hold the {kind}:")
    for position, column in enumerate(found, 1):
        say(f"  {position}  {column.name}")
    while True:
        chosen: int = typer.prompt("Which one", type=int, err=True)
        if 1 <= chosen <= len(found):
            return found[chosen - 1]
        say(f"Give a number from 1 to {len(found)}.")


def confirm_columns(columns: tuple[InputColumn, ...]) -> None:
    """Ask whether the guessed columns are right.

    Raises:
        ConsoleError: they are not.
    """
    names = " and ".join(f"{column.name!r} as {column.kind}" for column in columns)
    if not typer.confirm(f"Hash {names}?", default=True, err=True):
        raise ConsoleError("Nothing was hashed. Name the right column with --column.", Exit.USAGE)


def agreed(question: str, *, yes: bool) -> bool:
    """Return whether the user agrees: with --yes, or by answering; without a terminal the answer is no."""
    return yes or (is_interactive() and typer.confirm(question, default=False, err=True))
