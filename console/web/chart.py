"""Matched users over time as one small line, inline SVG."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from console.reports import moment

WIDTH, HEIGHT, MARGIN = 160, 36, 4


@dataclass(frozen=True)
class Chart:
    """A line in a box of `WIDTH` times `HEIGHT`.

    Attributes:
        line: points of the polyline, `x,y` separated by spaces.
        end: coordinates of the last point.
        title: the same in words.
    """

    line: str
    end: tuple[float, float]
    title: str


def draw(points: Sequence[tuple[str, int]]) -> Chart:
    """Return the line of at least one point (time, matched users), oldest first."""
    times = [moment(time).timestamp() for time, _ in points]
    values = [value for _, value in points]
    span, most = (times[-1] - times[0]) or 1.0, max(*values, 1)
    places = [
        (
            round(MARGIN + (time - times[0]) / span * (WIDTH - 2 * MARGIN), 1),
            round(HEIGHT - MARGIN - value / most * (HEIGHT - 2 * MARGIN), 1),
        )
        for time, value in zip(times, values, strict=True)
    ]
    title = (
        f"{values[0]:,} to {values[-1]:,} matched users in {len(points)} changes"
        if len(points) > 1
        else (f"{values[0]:,} matched users")
    )
    return Chart(" ".join(f"{x},{y}" for x, y in places), places[-1], title)
