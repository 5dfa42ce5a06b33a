"""Hashing of a file into another file."""

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
from console.hashing.plans import ChooseColumn, HashOptions, PreparedFile, prepare, reject_ambiguous_columns
from console.hashing.sources import open_chunks, read_text


@dataclass(frozen=True)
class HashResult:
    """The result of hashing one file.

    Attributes:
        counts: the counts of rows and faults.
        columns: the hashed columns.
        delimiter: the delimiter; None for a file with one column.
        encoding: the file's encoding, for messages.
        header: True if the first line names the columns.
    """

    counts: Counts
    columns: tuple[InputColumn, ...]
    delimiter: str | None
    encoding: str
    header: bool


def hash_file(
    source: str,
    target: str,
    hash_options: HashOptions,
    *,
    choose: ChooseColumn = reject_ambiguous_columns,
    confirm: Callable[[tuple[InputColumn, ...]], None] | None = None,
    on_read: Callable[[int], None] = lambda _: None,
) -> HashResult:
    """Hash a file into another file. A regular file is written only if at least one row was hashed.

    Args:
        source: the path of the file to read, or `-` for standard input.
        target: the path of the file to write, or `-` for standard output.
        hash_options: the user's options.
        choose: called to choose a column if several fit.
        confirm: called with the detected columns; raises an exception to cancel.
        on_read: called with the number of bytes of each chunk.

    Raises:
        ConsoleError: a file cannot be read or written, both are the same file, a worker process ended unexpectedly, or
            `prepare` or `confirm` raised the error.
    """
    if (
        target != "-"
        and Path(target).exists()
        and source != "-"
        and Path(source).exists()
        and Path(target).samefile(source)
    ):
        raise ConsoleError("The output file is the same as the input file. Give another name with -o.", Exit.USAGE)
    with open_chunks(source, on_read) as chunks:
        prepared = prepare(read_text(chunks), hash_options, choose)
        if confirm:
            confirm(prepared.plan.columns)
        hashing = prepared.hashing()
        with _open_target(target) as (file, keep):
            file.write(prepared.header_row)
            for rows in hashing.rows(prepared.text.chunks):
                file.write(rows)
            keep(hashing.counts.written > 0)
    return hash_result(prepared, hashing.counts)


def hash_result(prepared: PreparedFile, counts: Counts) -> HashResult:
    """Return the result of hashing a file, given the counts of its rows."""
    return HashResult(
        counts,
        prepared.plan.columns,
        prepared.layout.delimiter,
        prepared.text.original,
        prepared.layout.header is not None,
    )


@contextmanager
def _open_target(path: str) -> Iterator[tuple[BinaryIO, Callable[[bool], None]]]:
    """Open a temporary file that replaces the target when it is complete, and yield it with a `keep` function.

    The target is replaced only after `keep(True)`. A pipe or a device, such as `/dev/null`, is written to directly. A
    symbolic link is followed, not replaced.
    """
    if path == "-":
        yield sys.stdout.buffer, lambda _: None
        sys.stdout.buffer.flush()
        return
    target = Path(path)
    direct = target.exists() and not target.is_file()
    temporary = target if direct else Path(f"{target.resolve()}.unfinished")
    kept = False

    def keep(value: bool) -> None:
        nonlocal kept
        kept = value

    try:
        with temporary.open("wb") as file:
            yield file, keep
        if kept and not direct:
            temporary.replace(target.resolve())
    except OSError as error:
        raise ConsoleError(
            f"The file {path} cannot be written ({os.strerror(error.errno or 0)}). Choose another path with -o."
        ) from None
    finally:
        if not direct:
            temporary.unlink(missing_ok=True)
