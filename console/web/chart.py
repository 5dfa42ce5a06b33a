"""A small line chart of matched users over time, for inline SVG."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from console.reports import parse_time

WIDTH, HEIGHT, MARGIN = 160, 36, 4


@dataclass(frozen=True)
class Chart:
    """A line chart of `WIDTH` by `HEIGHT` pixels.

    Attributes:
        line: the points of the polyline as `x,y` pairs, separated by spaces.
        end: the coordinates of the last point.
        title: a text alternative for the chart.
    """

    line: str
    end: tuple[float, float]
    title: str


def draw_chart(points: Sequence[tuple[str, int]]) -> Chart:
    """Return the chart of one or more points (time, matched users), oldest first."""
    times = [parse_time(time).timestamp() for time, _ in points]
    values = [value for _, value in points]
    span, max_value = (times[-1] - times[0]) or 1.0, max(*values, 1)
    coordinates = [
        (
            round(MARGIN + (time - times[0]) / span * (WIDTH - 2 * MARGIN), 1),
            round(HEIGHT - MARGIN - value / max_value * (HEIGHT - 2 * MARGIN), 1),
        )
        for time, value in zip(times, values, strict=True)
    ]
    title = (
        f"{values[0]:,} to {values[-1]:,} matched users in {len(points)} changes"
        if len(points) > 1
        else (f"{values[0]:,} matched users")
    )
    return Chart(" ".join(f"{x},{y}" for x, y in coordinates), coordinates[-1], title)
