"""The check of one file. It runs the function's own code, so that it always agrees with the function."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from handler import reasons
from handler.cleaning.counts import Tally
from handler.cleaning.file_rules import check_file
from handler.cleaning.parts import MAX_PARTS
from handler.cleaning.parts import parts as parts_of
from handler.errors import Rejected, Skipped
from handler.model import Action, IdentifierType
from handler.settings import DEFAULT_PART_BYTES, Settings

DEFAULT_MAX_REJECTED_RATIO = Settings.max_rejected_ratio


@dataclass(frozen=True)
class Verdict:
    """The function's verdict on one file.

    Attributes:
        status: `accepted`, or `skipped` or `rejected` as in a report.
        code, reason: the report's code and reason; None if the file is accepted.
        total, accepted, rejected: numbers of rows; None if no row was read.
        rejected_by_reason: number of faults by reason; in a file with columns, each faulty cell counts.
        rejections: line, reason and column of the first 100 faulty rows and cells, and of columns that are left out;
            the column is None for a row.
        parts: number of parts that TikTok would receive.
        bytes: total size of the parts.
    """

    status: str
    code: str | None
    reason: str | None
    total: int | None = None
    accepted: int | None = None
    rejected: int | None = None
    rejected_by_reason: dict[str, int] = field(default_factory=dict)
    rejections: list[tuple[int, str, str | None]] = field(default_factory=list)
    parts: int = 0
    bytes: int = 0


def evaluate_file(
    chunks: Iterable[bytes],
    identifier_type: str,
    action: str = "append",
    max_rejected_ratio: float = DEFAULT_MAX_REJECTED_RATIO,
) -> Verdict:
    """Read a file in the same way as the function, and return what its report would say.

    Args:
        chunks: the file's bytes, compressed or not.
        identifier_type: the identifier type in lower case.
        action: `append`, `remove` or `replace`.
        max_rejected_ratio: the connector's option `maxRejectedRatio`.

    Raises:
        ValueError: there is no identifier type or action with this name.
    """
    kind = IdentifierType(identifier_type)
    tally, parts, size = Tally(), 0, 0
    try:
        for part in parts_of(lambda _: chunks, kind, DEFAULT_PART_BYTES):
            tally = part.progress.tally
            parts += part.rows > 0
            size += part.bytes
        check_file(tally, Action(action), max_rejected_ratio, kind)
    except (Rejected, Skipped) as outcome:
        known = tally if tally.total else None
        return _verdict(outcome.status, (outcome.code.value, outcome.reason), known, parts, size)
    if parts > MAX_PARTS:
        too_many = reasons.too_many_parts(MAX_PARTS)
        return _verdict(too_many.status, (too_many.code.value, too_many.reason), tally, parts, size)
    return _verdict("accepted", (None, None), tally, parts, size)


def _verdict(
    status: str, outcome: tuple[str | None, str | None], tally: Tally | None, parts: int, size: int
) -> Verdict:
    code, reason = outcome
    if tally is None:
        return Verdict(status, code, reason)
    return Verdict(
        status,
        code,
        reason,
        tally.total,
        tally.accepted,
        tally.rejected,
        dict(tally.rejected_by_reason),
        [(each.line, each.reason.value, each.column) for each in tally.rejections],
        parts,
        size,
    )
