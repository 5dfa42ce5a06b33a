"""Hash a file into another file."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from console.errors import ConsoleError, Exit
from console.hashing.blocks import Counts
from console.hashing.columns import InputColumn
from console.hashing.plans import Choose, Prepared, Wishes, prepare, refuse_to_choose
from console.hashing.sources import opened, read_text


@dataclass(frozen=True)
class Hashed:
    """The result of hashing one file.

    Attributes:
        counts: of rows and faults.
        columns: that were hashed.
        delimiter: None for a file of one column.
        encoding: of the file.
        header: its first line names the columns.
    """

    counts: Counts
    columns: tuple[InputColumn, ...]
    delimiter: str | None
    encoding: str
    header: bool


def hash_file(
    source: str,
    target: str,
    wishes: Wishes,
    *,
    choose: Choose = refuse_to_choose,
    confirm: Callable[[tuple[InputColumn, ...]], None] | None = None,
    on_read: Callable[[int], None] = lambda _: None,
) -> Hashed:
    """Hash a file; `-` is standard input or output. A target is there only if something was written to it.

    Args:
        source: path.
        target: path.
        wishes: the user's choices.
        choose: asks for a column where several fit.
        confirm: is shown the guessed columns.
        on_read: is told the bytes read.

    Raises:
        ConsoleError: a file cannot be read or written, or no column fits.
    """
    if (
        target != "-"
        and Path(target).exists()
        and source != "-"
        and Path(source).exists()
        and Path(target).samefile(source)
    ):
        raise ConsoleError("The output is the file itself. Give another name with -o.", Exit.USAGE)
    with opened(source, on_read) as chunks:
        prepared = prepare(read_text(chunks), wishes, choose)
        if confirm:
            confirm(prepared.plan.columns)
        hashing = prepared.hashing()
        with _target(target) as (file, keep):
            file.write(prepared.header_row)
            for rows in hashing.rows(prepared.text.chunks):
                file.write(rows)
            keep(hashing.counts.written > 0)
    return result(prepared, hashing.counts)


def result(prepared: Prepared, counts: Counts) -> Hashed:
    """Return the result of a pass over a file."""
    return Hashed(
        counts,
        prepared.plan.columns,
        prepared.layout.delimiter,
        prepared.text.original,
        prepared.layout.header is not None,
    )


@contextmanager
def _target(path: str) -> Iterator[tuple[BinaryIO, Callable[[bool], None]]]:
    """Open a file beside the target, which takes its place only when it is complete and wanted.

    A pipe or a device, such as `/dev/null`, is written to directly, and a symbolic link stays one.
    """
    if path == "-":
        yield sys.stdout.buffer, lambda _: None
        sys.stdout.buffer.flush()
        return
    target = Path(path)
    direct = target.exists() and not target.is_file()
    unfinished = target if direct else Path(f"{target.resolve()}.unfinished")
    wanted = False

    def keep(value: bool) -> None:
        nonlocal wanted
        wanted = value

    try:
        with unfinished.open("wb") as file:
            yield file, keep
        if wanted and not direct:
            unfinished.replace(target.resolve())
    except OSError as error:
        raise ConsoleError(
            f"The file {path} cannot be written ({os.strerror(error.errno or 0)}). Choose another place with -o."
        ) from None
    finally:
        if not direct:
            unfinished.unlink(missing_ok=True)
