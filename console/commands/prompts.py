"""Prompts on a terminal."""

from __future__ import annotations

import sys

import typer

from console.errors import ConsoleError, Exit
from console.hashing.columns import InputColumn
from console.hashing.values import Kind
from console.output import err, print_text


def is_interactive(file: str = "") -> bool:
    """Return whether a user can answer prompts: on a terminal, and if the file is not read from standard input."""
    return file != "-" and sys.stdin.isatty() and err.is_terminal


def choose_column(kind: Kind, found: list[InputColumn]) -> InputColumn:
    """Ask the user to choose one of several columns that fit, and return it."""
    print_text(f"Several columns may hold {kind.plural}:")
    for position, column in enumerate(found, 1):
        print_text(f"  {position}  {column.name}")
    while True:
        chosen: int = typer.prompt("Number of the column to hash", type=int, err=True)
        if 1 <= chosen <= len(found):
            return found[chosen - 1]
        print_text(f"Enter a number from 1 to {len(found)}.")


def confirm_columns(columns: tuple[InputColumn, ...]) -> None:
    """Ask the user to confirm the detected columns.

    Raises:
        ConsoleError: the user did not confirm them.
    """
    names = " and ".join(f"{column.name!r} as {column.kind}" for column in columns)
    if not typer.confirm(f"Hash {names}?", default=True, err=True):
        raise ConsoleError("Nothing was hashed. Choose the right column with --column.", Exit.USAGE)


def confirmed(question: str, *, yes: bool) -> bool:
    """Return whether the user confirmed, with --yes or at the prompt. Without a terminal, only --yes confirms."""
    return yes or (is_interactive() and typer.confirm(question, default=False, err=True))
