"""The counts of a file's rows as JSON, as stored in its report and in the list object."""

from __future__ import annotations

from typing import Any

from handler.cleaning.counts import ColumnCounts, Tally, progress_from_report, to_report
from handler.state.reports import Report


def write_counts(report: Report, tally: Tally) -> None:
    """Write the counts of a file into its report."""
    report.update(to_report(tally))  # type: ignore[typeddict-item]  # `cleaning` has no report types


def tally_to_json(tally: Tally) -> dict[str, Any]:
    """Return the counts of a list's file as JSON."""
    return {
        **to_report(tally),
        "null_markers": tally.null_markers,
        "cut_off": tally.cut_off,
        "columns": [[each.name, each.filled, each.faulty] for each in tally.columns],
    }


def tally_from_json(counts: dict[str, Any]) -> Tally:
    """Return the counts from the JSON of `tally_to_json`."""
    at_beginning = {"progress": {"next_byte": 0, "next_line": 1}}
    tally = progress_from_report({**counts, **at_beginning}).tally
    return tally._replace(
        null_markers=counts["null_markers"],
        cut_off=counts["cut_off"],
        columns=tuple(ColumnCounts(*each) for each in counts["columns"]),
    )
