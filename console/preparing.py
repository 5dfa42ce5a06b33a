"""Local files made ready for an upload: checked, or hashed and checked, and opened again to be sent."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from itertools import chain

from console.function import DEFAULT_MAX_REJECTED_RATIO, Verdict, judge
from console.hashing.blocks import Counts
from console.hashing.columns import InputColumn
from console.hashing.plans import Choose, Wishes, prepare, refuse_to_choose
from console.hashing.sources import opened, read_text
from console.hashing.to_file import Hashed, result
from handler.report_codes import Code

OnRead = Callable[[int], None]


def ignore(_: int) -> None:
    """Do nothing with a number of bytes."""


@dataclass(frozen=True)
class Judged:
    """The action and the option `maxRejectedRatio`, which the function's judgement depends on as well."""

    action: str
    max_rejected_ratio: float


@dataclass(frozen=True)
class Ready:
    """A local file that was checked.

    Attributes:
        path: of the file.
        wishes: how it is hashed; the columns are decided. None: it is sent as it is.
        verdict: the function's judgement of what will be sent.
        hashed: the result of hashing, None if it is sent as it is.
    """

    path: str
    wishes: Wishes | None
    verdict: Verdict
    hashed: Hashed | None

    @property
    def rows(self) -> tuple[int, int]:
        """The number of rows with a value, and of those among them that are not sent or that the function rejects."""
        total, rejected = self.verdict.total or 0, self.verdict.rejected or 0
        lost = self.hashed.counts.lost if self.hashed else 0
        return total + lost, rejected + lost

    @contextmanager
    def chunks(self, on_read: OnRead = ignore) -> Iterator[Iterable[bytes]]:
        """Open the file again, as the bytes to send."""
        with opened(self.path, on_read) as chunks:
            if self.wishes is None:
                yield chunks
            else:
                prepared = prepare(read_text(chunks), self.wishes)
                yield chain([prepared.header_row], prepared.hashing().rows(prepared.text.chunks))


def check_file(path: str, identifier_type: str, judged: Judged, on_read: OnRead = ignore) -> Ready:
    """Check a file of hashes.

    Raises:
        ConsoleError: it cannot be read.
    """
    with opened(path, on_read) as chunks:
        return Ready(path, None, judge(chunks, identifier_type, judged.action, judged.max_rejected_ratio), None)


def hash_and_check(
    path: str,
    wishes: Wishes,
    judged: Judged,
    on_read: OnRead = ignore,
    *,
    choose: Choose = refuse_to_choose,
    confirm: Callable[[tuple[InputColumn, ...]], None] | None = None,
) -> Ready:
    """Hash a file and check the hashes, without writing them anywhere: they are made again when they are sent.

    Raises:
        ConsoleError: it cannot be read, or no column fits.
    """
    with opened(path, on_read) as chunks:
        prepared = prepare(read_text(chunks), wishes, choose)
        if confirm:
            confirm(prepared.plan.columns)
        hashing = prepared.hashing()
        rows = chain([prepared.header_row], hashing.rows(prepared.text.chunks))
        verdict = judge(rows, wishes.identifier_type, judged.action, judged.max_rejected_ratio)
        columns = tuple(str(column.index + 1) for column in prepared.plan.columns)
        decided = Wishes(wishes.identifier_type, columns, wishes.country, wishes.plus)
        verdict = refuse_lost(verdict, hashing.counts, judged.max_rejected_ratio)
        return Ready(path, decided, verdict, result(prepared, hashing.counts))


def refuse_lost(verdict: Verdict, counts: Counts, max_rejected_ratio: float = DEFAULT_MAX_REJECTED_RATIO) -> Verdict:
    """Refuse a file of which too many rows cannot be hashed, as the function refuses one with too many faulty rows.

    The function never sees these rows. Without them a replace would take people out, and a remove would leave them in.

    Args:
        verdict: the function's judgement of the hashes.
        counts: of the raw rows.
        max_rejected_ratio: the connector's option.
    """
    with_value = counts.rows - counts.empty
    if verdict.code or counts.lost <= max_rejected_ratio * with_value:
        return verdict
    reason = f"{counts.lost:,} of the {with_value:,} rows cannot be hashed. The limit is {100 * max_rejected_ratio:g}%."
    return replace(verdict, status="rejected", code=Code.TOO_MANY_REJECTED.value, reason=reason)
