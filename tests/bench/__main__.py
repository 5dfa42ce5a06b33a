"""The benchmarks: `python -m tests.bench [--json] [name ...]`.

Each figure is a median of rounds in which the two things compared take turns, so that it says the same on a slow
machine as on a fast one. The exit status is 1 if a budget is missed.
"""

from __future__ import annotations

import argparse
import json
import signal
import sys
import time
from collections.abc import Sequence
from typing import Any

from tests.bench.figures import FIGURES, Figure, Result
from tests.bench.rounds import tell


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure and print; return 1 if a budget is missed."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description="Measure what the budgets are about.")
    parser.add_argument("--json", action="store_true", help="print one JSON object and nothing else")
    parser.add_argument("names", nargs="*", metavar="name", help=", ".join(each.name for each in FIGURES))
    given = parser.parse_args(arguments)
    known = {each.name for each in FIGURES}
    if unknown := [name for name in given.names if name not in known]:
        parser.error(f"no such figure: {', '.join(unknown)}; there are {', '.join(each.name for each in FIGURES)}")
    begun = time.monotonic()
    results = [_measured(each) for each in FIGURES if not given.names or each.name in given.names]
    tell(f"{time.monotonic() - begun:.0f} s")
    print(json.dumps(as_json(results)) if given.json else as_table(results))
    return int(any(each.met is False for each in results))


def as_json(results: Sequence[Result]) -> dict[str, dict[str, Any]]:
    """Return the results for a machine."""
    return {each.figure.name: {"value": each.value, "budget": each.figure.budget, "met": each.met} for each in results}


def as_table(results: Sequence[Result]) -> str:
    """Return the results for a person."""
    rows = [("", "median", "range", "budget", "aim", "met"), *map(_row, results)]
    widths = [max(len(row[column]) for row in rows) for column in range(6)]
    lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]
    notes = [f"{each.figure.name.ljust(widths[0])}  {each.figure.description}" for each in results]
    return "\n".join([*lines, "", *notes])


def _row(result: Result) -> tuple[str, ...]:
    figure, digits = result.figure, result.figure.digits
    bound = "at least" if figure.more_is_better else "at most"
    return (
        figure.name,
        f"{result.value:.{digits}f}",
        f"{min(result.rounds):.{digits}f} to {max(result.rounds):.{digits}f}",
        "-" if figure.budget is None else f"{bound} {figure.budget:g}",
        "-" if figure.aim is None else f"{figure.aim:g}",
        {True: "yes", False: "NO", None: "-"}[result.met],
    )


def _measured(figure: Figure) -> Result:
    tell(f"{figure.name}: {figure.description}")
    return Result(figure, figure.measure())


if __name__ == "__main__":
    # Ended from outside, the servers and files of a figure go as they do after an error.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    sys.exit(main())
