"""Preparation of local files for an upload: check them, or hash and check them, then stream the bytes to send."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from itertools import chain

from console.function import DEFAULT_MAX_REJECTED_RATIO, Verdict, evaluate_file
from console.hashing.blocks import Counts
from console.hashing.columns import InputColumn
from console.hashing.plans import ChooseColumn, HashOptions, prepare, reject_ambiguous_columns
from console.hashing.sources import open_chunks, read_text
from console.hashing.to_file import HashResult, hash_result
from handler.report_codes import Code

OnRead = Callable[[int], None]


def ignore_progress(_: int) -> None:
    """Ignore the number of bytes read."""


@dataclass(frozen=True)
class CheckOptions:
    """The settings of the check besides the identifier type: the action and the option `maxRejectedRatio`."""

    action: str
    max_rejected_ratio: float


@dataclass(frozen=True)
class CheckedFile:
    """A local file that was checked.

    Attributes:
        path: the file's path.
        hash_options: the options for hashing, with the chosen columns; None if the file is sent unchanged.
        verdict: the function's verdict on the bytes to send.
        hashed: the result of hashing; None if the file is sent unchanged.
    """

    path: str
    hash_options: HashOptions | None
    verdict: Verdict
    hashed: HashResult | None

    @property
    def rows(self) -> tuple[int, int]:
        """The number of rows with a value, and how many of them cannot be hashed or would be rejected."""
        total, rejected = self.verdict.total or 0, self.verdict.rejected or 0
        unhashable = self.hashed.counts.unhashable if self.hashed else 0
        return total + unhashable, rejected + unhashable

    @contextmanager
    def chunks(self, on_read: OnRead = ignore_progress) -> Iterator[Iterable[bytes]]:
        """Open the file again and yield the bytes to send, hashed again if the file has raw data.

        Raises:
            ConsoleError: the file cannot be opened, read or hashed.
        """
        with open_chunks(self.path, on_read) as chunks:
            if self.hash_options is None:
                yield chunks
            else:
                prepared = prepare(read_text(chunks), self.hash_options)
                yield chain([prepared.header_row], prepared.hashing().rows(prepared.text.chunks))


def check_file(
    path: str, identifier_type: str, check_options: CheckOptions, on_read: OnRead = ignore_progress
) -> CheckedFile:
    """Check a file of hashes.

    Raises:
        ConsoleError: the file cannot be opened.
    """
    with open_chunks(path, on_read) as chunks:
        return CheckedFile(
            path,
            None,
            evaluate_file(chunks, identifier_type, check_options.action, check_options.max_rejected_ratio),
            None,
        )


def hash_and_check(
    path: str,
    hash_options: HashOptions,
    check_options: CheckOptions,
    on_read: OnRead = ignore_progress,
    *,
    choose: ChooseColumn = reject_ambiguous_columns,
    confirm: Callable[[tuple[InputColumn, ...]], None] | None = None,
) -> CheckedFile:
    """Hash a file and check the hashes. The hashes are not stored: the upload hashes the file again.

    Raises:
        ConsoleError: the file cannot be read or hashed, the columns to hash cannot be selected, or `confirm` raised the
            error.
    """
    with open_chunks(path, on_read) as chunks:
        prepared = prepare(read_text(chunks), hash_options, choose)
        if confirm:
            confirm(prepared.plan.columns)
        hashing = prepared.hashing()
        rows = chain([prepared.header_row], hashing.rows(prepared.text.chunks))
        verdict = evaluate_file(
            rows, hash_options.identifier_type, check_options.action, check_options.max_rejected_ratio
        )
        columns = tuple(str(column.index + 1) for column in prepared.plan.columns)
        resolved = HashOptions(hash_options.identifier_type, columns, hash_options.country, hash_options.plus)
        verdict = reject_unhashable(verdict, hashing.counts, check_options.max_rejected_ratio)
        return CheckedFile(path, resolved, verdict, hash_result(prepared, hashing.counts))


def reject_unhashable(
    verdict: Verdict, counts: Counts, max_rejected_ratio: float = DEFAULT_MAX_REJECTED_RATIO
) -> Verdict:
    """Return the verdict, or a rejection if the file was accepted although too many rows cannot be hashed.

    The function never sees these rows. If they were ignored, a replace would drop the people in them, and a remove
    would keep those people in the audience.

    Args:
        verdict: the function's verdict on the hashes.
        counts: the counts of the raw rows.
        max_rejected_ratio: the connector's option `maxRejectedRatio`.
    """
    with_value = counts.rows - counts.empty
    if verdict.code or counts.unhashable <= max_rejected_ratio * with_value:
        return verdict
    reason = (
        f"{counts.unhashable:,} of the {with_value:,} rows cannot be hashed. The limit is "
        f"{100 * max_rejected_ratio:g}%. Correct these rows, or check that the right column was chosen."
    )
    return replace(verdict, status="rejected", code=Code.TOO_MANY_REJECTED.value, reason=reason)
