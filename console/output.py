"""Results for people and for machines: tables and sentences with colors on a terminal, or one JSON object."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, Protocol

from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn, TransferSpeedColumn
from rich.table import Table
from rich.text import Text

# What is not a terminal has no width: tables there are as wide as they need.
out = Console(soft_wrap=True, highlight=False, width=None if sys.stdout.isatty() else 200)
err = Console(stderr=True, soft_wrap=True, highlight=False)

STATUS_COLORS = {
    "available": "green",
    "accepted": "green",
    "submitted": "cyan",
    "waiting": "yellow",
    "skipped": "bright_black",
    "rejected": "red",
    "failed": "red",
}


class Advance(Protocol):
    """Moves a progress bar on by a number of bytes."""

    def __call__(self, count: int, /) -> None:
        """Move on."""


def print_json(result: Mapping[str, Any]) -> None:
    """Print one JSON object on standard output."""
    sys.stdout.write(json.dumps(result, ensure_ascii=False) + "\n")
    sys.stdout.flush()


def say(text: str, style: str = "", *, to: Console = out) -> None:
    """Print a sentence as it is: square brackets in file names are not markup."""
    to.print(Text(text, style=style))


def fail(text: str) -> None:
    """Print what went wrong on standard error."""
    err.print(Text("Error: ", style="bold red") + Text(text, style=""))


def status_text(status: str) -> Text:
    """Return a status in its color."""
    return Text(status, style=STATUS_COLORS.get(status, ""))


def print_table(
    headings: Sequence[str], rows: Sequence[Sequence[str | Text]], numbers: Sequence[int] = (), *, to: Console = out
) -> None:
    """Print a table; the columns in `numbers` are right-aligned."""
    table = Table(box=None, pad_edge=False, header_style="bold")
    for index, heading in enumerate(headings):
        table.add_column(heading, justify="right" if index in numbers else "left", overflow="fold")
    for row in rows:
        table.add_row(*(cell if isinstance(cell, Text) else Text(cell) for cell in row))
    to.print(table)


def number(value: int | None) -> str:
    """Return a count with thousands separators, or a dash if it is unknown."""
    return "-" if value is None else f"{value:,}"


@contextmanager
def progress_bar(label: str, total: int | None, *, shown: bool = True) -> Iterator[Advance]:
    """Show a progress bar on standard error if that is a terminal.

    Args:
        label: what is in progress.
        total: bytes; None if unknown.
        shown: False never shows it.
    """
    if not shown or not err.is_terminal:
        yield lambda _: None
        return
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        DownloadColumn(),
        TransferSpeedColumn(),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=err, transient=True) as progress:
        task = progress.add_task(label, total=total)
        yield lambda count: progress.advance(task, count)
