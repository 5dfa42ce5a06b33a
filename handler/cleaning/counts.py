"""Counts of the rows of a file, and the position where reading continues."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from enum import StrEnum
from types import MappingProxyType
from typing import Any, NamedTuple, TypedDict

from handler.reasons import ColumnHints

MAX_REJECTIONS = 100  # listed with line and reason; further rejections are only counted


class RejectionReason(StrEnum):
    """The fault of a row, of a cell, or of a column name."""

    NOT_HASHED = "not_hashed"
    WRONG_LENGTH = "wrong_length"
    NOT_HEX = "not_hex"
    MORE_THAN_ONE_COLUMN = "more_than_one_column"
    TOO_LONG = "too_long"
    HASH_OF_NOTHING = "hash_of_nothing"
    CUT_OFF = "cut_off"
    WRONG_NUMBER_OF_FIELDS = "wrong_number_of_fields"
    COLUMN_LEFT_OUT = "column_left_out"  # a column of hashes with an unknown name; reported with the header row's line


class Rejection(NamedTuple):
    """A faulty row or cell, or a column that is left out.

    Attributes:
        line: the line number in the file, from 1.
        reason: the fault.
        column: the column's name in the file's header, truncated, or its number, such as `column 4`, if
            the name of a left-out column could be personal data; None if the entire row is faulty.
        digits: the number of hexadecimal digits if the length is wrong; not part of the report.
    """

    line: int
    reason: RejectionReason
    column: str | None = None
    digits: int | None = None


class ColumnCounts(NamedTuple):
    """The numbers of filled and faulty cells in one identifier column. Faulty cells also count as filled."""

    name: str
    filled: int = 0
    faulty: int = 0

    @property
    def faulty_share(self) -> float:
        """The share of faulty cells among the filled cells, 0 to 1."""
        return self.faulty / max(1, self.filled)


class Tally(NamedTuple):
    """Counts of the rows read so far. Headers, empty lines and NULL markers are not rows.

    Attributes:
        rejections: the first 100 faulty rows and cells, and columns of hashes that are left out.
        rejected_by_reason: the number of faults by reason; in a file with columns, each faulty cell counts.
        overtaken: the number of accepted rows that are not sent, because newer uploads name the same people.
        md5: a chained hexadecimal MD5 of the accepted rows, updated after each part; empty before the first part ends.
        null_markers: the number of lines or rows that hold only NULL markers.
        cut_off: True if the file ends in the middle of a row.
        column_hints: hints about the columns; None unless a row of a single-type file has more than one column.
        columns: the counts of each identifier column of a file with columns.
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
    column_hints: ColumnHints | None = None
    columns: tuple[ColumnCounts, ...] = ()

    def with_accepted(self, rows: int) -> Tally:
        """Return the tally with `rows` more accepted rows."""
        return self._replace(total=self.total + rows, accepted=self.accepted + rows)

    @property
    def empty_value_rows(self) -> int:
        """The number of rows that are the hash of an empty value."""
        return self.rejected_by_reason.get(RejectionReason.HASH_OF_NOTHING, 0)

    @property
    def faulty(self) -> int:
        """The number of rejected rows, except hashes of empty values and a row cut off at the end of the file.

        Only these rows count toward the maximum share of faulty rows.
        """
        return self.rejected - self.empty_value_rows - self.cut_off

    @property
    def faulty_share(self) -> float:
        """The share of faulty rows among accepted and faulty rows, 0 to 1."""
        return self.faulty / max(1, self.accepted + self.faulty)


class Progress(NamedTuple):
    """The position in the decompressed file where reading continues, and the counts of the rows before it."""

    next_byte: int = 0
    next_line: int = 1
    tally: Tally = Tally()


def merge(tallies: Iterable[Tally]) -> Tally:
    """Return the sum of the counts of one list's files. Counts of columns with the same name are added."""
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
        column_hints=next((tally.column_hints for tally in files if tally.column_hints), None),
        columns=tuple(ColumnCounts(name, filled[name], faulty[name]) for name in filled),
    )


class RowsEntry(TypedDict):
    """Row counts so far; null if not counted yet.

    `overtaken` is the number of accepted rows that are not sent. `md5` covers the accepted rows.
    """

    total: int | None
    accepted: int | None
    rejected: int | None
    overtaken: int | None
    md5: str | None


class RejectionEntry(TypedDict):
    """One rejection: its line, reason and column, never its content."""

    line: int
    reason: str
    column: str | None


class CountEntries(TypedDict):
    """The report entries that come from a tally."""

    rows: RowsEntry
    rejected_by_reason: dict[str, int]
    rejections: list[RejectionEntry]


def to_report(tally: Tally) -> CountEntries:
    """Return the report entries of a tally."""
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
    """Return the progress of an upload from its report; the beginning of the file if the report has none.

    A report does not store the number of NULL markers, the counts of columns, column hints, or whether the file is cut
    off. The number of NULL markers matters only for a file without accepted rows, and reading of such a file never
    continues. A file with columns is read and counted again from its beginning. Column hints only make a reason more
    precise. The end of the file shows whether it is cut off.
    """
    progress = report["progress"]
    if progress["next_byte"] is None or progress["next_line"] is None:
        return Progress()
    return Progress(progress["next_byte"], progress["next_line"], _tally(report))


def tally_to_json(tally: Tally) -> dict[str, Any]:
    """Return the counts of a list's file as JSON."""
    return {
        **to_report(tally),
        "null_markers": tally.null_markers,
        "cut_off": tally.cut_off,
        "columns": [[each.name, each.filled, each.faulty] for each in tally.columns],
    }


def tally_from_json(counts: Mapping[str, Any]) -> Tally:
    """Return the counts from the JSON of `tally_to_json`."""
    return _tally(counts)._replace(
        null_markers=counts["null_markers"],
        cut_off=counts["cut_off"],
        columns=tuple(ColumnCounts(*each) for each in counts["columns"]),
    )


def _tally(content: Mapping[str, Any]) -> Tally:
    """Return the tally from the entries of `to_report`."""
    rows = content["rows"]
    return Tally(
        total=rows["total"] or 0,
        accepted=rows["accepted"] or 0,
        rejected=rows["rejected"] or 0,
        rejections=tuple(
            Rejection(each["line"], RejectionReason(each["reason"]), each["column"]) for each in content["rejections"]
        ),
        rejected_by_reason=dict(content["rejected_by_reason"]),
        overtaken=rows["overtaken"] or 0,
        md5=rows["md5"] or "",
    )
