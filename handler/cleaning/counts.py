"""Counts of the rows of a file, and the position where reading continues."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from enum import StrEnum
from types import MappingProxyType
from typing import Any, NamedTuple, TypedDict

MAX_REJECTIONS = 100  # reported with line and reason; the others are only counted


class RejectionReason(StrEnum):
    """The fault of a row, or of one cell of a row with columns."""

    NOT_HASHED = "not_hashed"
    WRONG_LENGTH = "wrong_length"
    NOT_HEX = "not_hex"
    MORE_THAN_ONE_COLUMN = "more_than_one_column"
    TOO_LONG = "too_long"
    HASH_OF_NOTHING = "hash_of_nothing"
    CUT_OFF = "cut_off"
    WRONG_NUMBER_OF_FIELDS = "wrong_number_of_fields"
    COLUMN_LEFT_OUT = "column_left_out"  # of the header: a column of hashes with a name that is not known


class Rejection(NamedTuple):
    """A faulty row or cell.

    Attributes:
        line: its line number in the file, from 1.
        reason: its fault.
        column: the column's name in the file's header; None for a whole row.
        digits: the number of hexadecimal digits if it has the wrong length; not part of the report.
    """

    line: int
    reason: RejectionReason
    column: str | None = None
    digits: int | None = None


class ColumnCounts(NamedTuple):
    """Cells of one column that are not empty, and how many of them are faulty."""

    name: str
    filled: int = 0
    faulty: int = 0

    @property
    def faulty_share(self) -> float:
        """Faulty cells among the filled ones, 0 to 1."""
        return self.faulty / max(1, self.filled)


class SeveralColumns(NamedTuple):
    """Hints from the first rows with more than one column, in a file that should have one.

    Attributes:
        right: the numbers, from 1, of the columns that hold identifiers of the right length.
        action: the number of the column that says whether a person is added or removed; None without one.
        names: names by column number, as far as the header has names that are safe to repeat.
        plain: True if no column holds identifiers, and cells look like email addresses or phone numbers.
    """

    right: frozenset[int] = frozenset()
    action: int | None = None
    names: Mapping[int, str] = MappingProxyType({})
    plain: bool = False


class Tally(NamedTuple):
    """Rows read so far. A header, empty lines and NULL markers are not rows.

    Attributes:
        rejections: the first 100 faulty rows and cells.
        rejected_by_reason: faults of all rows; with columns, faulty cells count too.
        overtaken: accepted rows that are not sent, because newer uploads name the same people.
        md5: an MD5 over the MD5s of the accepted rows of each part, hexadecimal; empty before the first part's end.
        null_markers: lines or rows that hold only NULL markers.
        cut_off: True if the file ends in the middle of a row.
        several: set once a row of a single-type file has more than one column.
        columns: counts for each identifier column of a file with columns.
    """

    total: int = 0
    accepted: int = 0
    rejected: int = 0
    rejections: tuple[Rejection, ...] = ()
    rejected_by_reason: Mapping[str, int] = MappingProxyType({})
    overtaken: int = 0
    md5: str = ""
    null_markers: int = 0
    cut_off: bool = False
    several: SeveralColumns | None = None
    columns: tuple[ColumnCounts, ...] = ()

    def with_clean(self, rows: int) -> Tally:
        """Return the tally with so many more accepted rows."""
        return self._replace(total=self.total + rows, accepted=self.accepted + rows)

    @property
    def empty_value_rows(self) -> int:
        """Rows that are the hash of nothing."""
        return self.rejected_by_reason.get(RejectionReason.HASH_OF_NOTHING, 0)

    @property
    def faulty(self) -> int:
        """Rejected rows that count toward the maximum share: no hash of nothing, no row that the file's end cut off."""
        return self.rejected - self.empty_value_rows - self.cut_off

    @property
    def faulty_share(self) -> float:
        """Faulty rows among those that count, 0 to 1."""
        return self.faulty / max(1, self.accepted + self.faulty)


class Progress(NamedTuple):
    """The position where reading continues: the next byte of the decompressed file, its line, the rows before it."""

    next_byte: int = 0
    next_line: int = 1
    tally: Tally = Tally()


def merge(tallies: Iterable[Tally]) -> Tally:
    """Add up the rows of the files of one list; columns of the same name count together."""
    files = list(tallies)
    by_reason: Counter[str] = Counter()
    filled: Counter[str] = Counter()
    faulty: Counter[str] = Counter()
    for tally in files:
        by_reason.update(tally.rejected_by_reason)
        for column in tally.columns:
            filled[column.name] += column.filled
            faulty[column.name] += column.faulty
    return Tally(
        total=sum(tally.total for tally in files),
        accepted=sum(tally.accepted for tally in files),
        rejected=sum(tally.rejected for tally in files),
        rejections=tuple(rejection for tally in files for rejection in tally.rejections)[:MAX_REJECTIONS],
        rejected_by_reason=dict(by_reason),
        overtaken=sum(tally.overtaken for tally in files),
        null_markers=sum(tally.null_markers for tally in files),
        cut_off=any(tally.cut_off for tally in files),
        several=next((tally.several for tally in files if tally.several), None),
        columns=tuple(ColumnCounts(name, filled[name], faulty[name]) for name in filled),
    )


class RowsEntry(TypedDict):
    """Rows so far; null when not counted. `overtaken` rows are accepted but left out; `md5` is of the accepted rows."""

    total: int | None
    accepted: int | None
    rejected: int | None
    overtaken: int | None
    md5: str | None


class RejectionEntry(TypedDict):
    """A rejected row or cell: its line, the reason and the column, never its content."""

    line: int
    reason: str
    column: str | None


class CountEntries(TypedDict):
    """The part of a report that a tally fills."""

    rows: RowsEntry
    rejected_by_reason: dict[str, int]
    rejections: list[RejectionEntry]


def to_report(tally: Tally) -> CountEntries:
    """Return the report's entries for a tally."""
    return {
        "rows": {
            "total": tally.total,
            "accepted": tally.accepted,
            "rejected": tally.rejected,
            "overtaken": tally.overtaken,
            "md5": tally.md5 or None,
        },
        "rejected_by_reason": dict(tally.rejected_by_reason),
        "rejections": [
            {"line": each.line, "reason": each.reason.value, "column": each.column} for each in tally.rejections
        ],
    }


def progress_from_report(report: Mapping[str, Any]) -> Progress:
    """Return the position where reading of an upload continues; the beginning if its report has none.

    A report does not hold NULL markers, cell counts and column hints. NULL markers matter only in a file without an
    accepted row, which is never continued. A file with columns is counted anew from its beginning. The hints only make
    a reason more precise.
    """
    progress, rows = report["progress"], report["rows"]
    if progress["next_byte"] is None or progress["next_line"] is None:
        return Progress()
    tally = Tally(
        total=rows["total"] or 0,
        accepted=rows["accepted"] or 0,
        rejected=rows["rejected"] or 0,
        rejections=tuple(
            Rejection(each["line"], RejectionReason(each["reason"]), each["column"]) for each in report["rejections"]
        ),
        rejected_by_reason=dict(report["rejected_by_reason"]),
        overtaken=rows["overtaken"] or 0,
        md5=rows["md5"] or "",
    )
    return Progress(progress["next_byte"], progress["next_line"], tally)
