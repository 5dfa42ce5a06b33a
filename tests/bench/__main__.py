"""The benchmarks: `python -m tests.bench [--json] [name ...]`.

Each figure is the median of its rounds. For a ratio, each round takes the measurements right after one another, so that
the speed of the machine affects them equally. The exit status is 1 if a budget is missed.
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
from tests.bench.rounds import print_progress


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure and print the figures; return 1 if a budget is missed."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description="Measure performance against budgets.")
    parser.add_argument("--json", action="store_true", help="print one JSON object and nothing else")
    parser.add_argument("names", nargs="*", metavar="name", help=", ".join(each.name for each in FIGURES))
    options = parser.parse_args(arguments)
    known = {each.name for each in FIGURES}
    if unknown := [name for name in options.names if name not in known]:
        parser.error(f"unknown figure: {', '.join(unknown)}; choose from {', '.join(each.name for each in FIGURES)}")
    started = time.monotonic()
    results = [_measured(each) for each in FIGURES if not options.names or each.name in options.names]
    print_progress(f"{time.monotonic() - started:.0f} s")
    print(json.dumps(as_json(results)) if options.json else as_table(results))
    return int(any(each.met is False for each in results))


def as_json(results: Sequence[Result]) -> dict[str, dict[str, Any]]:
    """Return the results as an object that can be written as JSON."""
    return {each.figure.name: {"value": each.value, "budget": each.figure.budget, "met": each.met} for each in results}


def as_table(results: Sequence[Result]) -> str:
    """Return the results as a table in plain text."""
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
    print_progress(f"{figure.name}: {figure.description}")
    return Result(figure, figure.measure())


if __name__ == "__main__":
    # On SIGTERM, exit through `finally` blocks, so that servers stop and temporary files are deleted.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    sys.exit(main())
