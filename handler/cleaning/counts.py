"""Counts of the rows of a file, and where reading goes on."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

MAX_REJECTIONS = 100  # reported with line and reason; the rest is only counted


class RejectionReason(StrEnum):
    """Why a row is left out."""

    NOT_HASHED = "not_hashed"
    WRONG_LENGTH = "wrong_length"
    NOT_HEX = "not_hex"
    MORE_THAN_ONE_COLUMN = "more_than_one_column"
    TOO_LONG = "too_long"


@dataclass(frozen=True)
class Rejection:
    """A row that is left out: where and why; `digits` is the length of one of the wrong length."""

    line: int
    reason: RejectionReason
    digits: int | None = None


@dataclass(frozen=True)
class Tally:
    """Rows so far; a header and blank lines are not rows. `rejections` are the first 100."""

    total: int = 0
    accepted: int = 0
    rejected: int = 0
    rejections: tuple[Rejection, ...] = ()


@dataclass(frozen=True)
class Progress:
    """Where reading goes on: the next byte of the (decompressed) file, its line number, and the rows before it."""

    next_byte: int = 0
    next_line: int = 1
    tally: Tally = field(default_factory=Tally)
