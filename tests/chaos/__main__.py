"""Chaos: `python -m tests.chaos --seed 7`. The whole connector under worse conditions than production, then a check.

Prints every difference and a summary as its last line. The exit status is 1 on any difference.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Sequence

from tests.chaos.checker import check, summary
from tests.chaos.run import ChaosRun, Size
from tests.chaos.sigkills import Killings

MAX_SHOWN = 40


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one or more seeds; return 1 on any difference."""
    parser = argparse.ArgumentParser(prog="python -m tests.chaos", description=main.__doc__)
    parser.add_argument("--seed", type=int, default=1, help="repeats a run")
    parser.add_argument("--runs", type=int, default=1, help="so many seeds in a row")
    parser.add_argument("--uploads", type=int, default=Size.uploads, help="of each advertiser")
    parser.add_argument("--log", action="store_true", help="print the functions' log, too")
    given = parser.parse_args(arguments)
    failed = False
    for seed in range(given.seed, given.seed + given.runs):
        begun = time.monotonic()
        run = ChaosRun(seed, Size(uploads=given.uploads))
        run.go()
        killings = Killings(seed)
        killings.go()
        run.faults["SIGKILLs"] = killings.killed
        problems = [*check(run), *killings.problems]
        if given.log:
            print(run.log.getvalue())
        for problem in problems[:MAX_SHOWN]:
            print(problem)
        if len(problems) > MAX_SHOWN:
            print(f"... and {len(problems) - MAX_SHOWN} more")
        failed |= bool(problems)
        print(summary(run, time.monotonic() - begun), flush=True)
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
