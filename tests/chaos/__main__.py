"""Chaos test: `python -m tests.chaos --seed 7` runs the connector under heavy faults, then checks the results.

It prints the differences and, as the last line of each run, a summary. The exit status is 1 if there is a difference.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Sequence

from tests.chaos.checker import check, summary
from tests.chaos.run import ChaosRun, Size
from tests.chaos.sigkills import SigkillRun

MAX_SHOWN = 40


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the chaos test for one or more seeds; return 1 if there is a difference."""
    parser = argparse.ArgumentParser(prog="python -m tests.chaos", description=main.__doc__)
    parser.add_argument("--seed", type=int, default=1, help="the same seed repeats a run")
    parser.add_argument("--runs", type=int, default=1, help="number of runs, with consecutive seeds")
    parser.add_argument("--uploads", type=int, default=Size.uploads, help="uploads per advertiser")
    parser.add_argument("--log", action="store_true", help="also print the log of the functions")
    given = parser.parse_args(arguments)
    failed = False
    for seed in range(given.seed, given.seed + given.runs):
        started = time.monotonic()
        run = ChaosRun(seed, Size(uploads=given.uploads))
        run.execute()
        sigkills = SigkillRun(seed)
        sigkills.execute()
        run.faults["SIGKILLs"] = sigkills.killed
        problems = [*check(run), *sigkills.problems]
        if given.log:
            print(run.log.getvalue())
        for problem in problems[:MAX_SHOWN]:
            print(problem)
        if len(problems) > MAX_SHOWN:
            print(f"... and {len(problems) - MAX_SHOWN} more")
        failed |= bool(problems)
        print(summary(run, time.monotonic() - started), flush=True)
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
