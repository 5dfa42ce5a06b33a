"""Output of results: colored tables and sentences on a terminal, or one JSON object."""

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

# A file or pipe has no terminal width. 200 characters are enough for every table.
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
    """Advances a progress bar by a number of bytes."""

    def __call__(self, count: int, /) -> None:
        """Advance by `count` bytes."""


def print_json(result: Mapping[str, Any]) -> None:
    """Print one JSON object to standard output."""
    sys.stdout.write(json.dumps(result, ensure_ascii=False) + "\n")
    sys.stdout.flush()


def print_text(text: str, style: str = "", *, to: Console = out) -> None:
    """Print text literally: square brackets in it are not treated as markup."""
    to.print(Text(text, style=style))


def print_error(text: str) -> None:
    """Print an error message to standard error."""
    err.print(Text("Error: ", style="bold red") + Text(text, style=""))


def status_text(status: str) -> Text:
    """Return a status as colored text."""
    return Text(status, style=STATUS_COLORS.get(status, ""))


def print_table(
    headings: Sequence[str], rows: Sequence[Sequence[str | Text]], numbers: Sequence[int] = (), *, to: Console = out
) -> None:
    """Print a table. The columns whose indexes are in `numbers` are right-aligned."""
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
    """Show a progress bar on standard error if it is a terminal, and yield a function that advances it.

    Args:
        label: the text beside the bar.
        total: number of bytes; None if unknown.
        shown: False hides the bar.
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
