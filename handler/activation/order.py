"""Which of an audience's waiting files go next, and together."""

from __future__ import annotations

from collections.abc import Iterable

from handler.model import Action
from handler.state.reports import Report, action_of

# Upload times are whole seconds; within one, nobody who was to be taken out may stay in.
_ORDER = {Action.REPLACE: 0, Action.APPEND: 1, Action.REMOVE: 2}


def line_up(reports: Iterable[Report]) -> list[Report]:
    """Order waiting files: by upload time, and within a second so that a removal wins."""
    return sorted(
        (report for report in reports if report["status"] == "waiting"),
        key=lambda report: (report["file"]["uploaded_at"], _ORDER[action_of(report)], report["file"]["key"]),
    )


def leading(reports: list[Report]) -> list[Report]:
    """The oldest file and the neighbours that share its action."""
    for index, report in enumerate(reports):
        if action_of(report) != action_of(reports[0]):
            return reports[:index]
    return reports
