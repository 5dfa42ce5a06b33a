"""The whole connector on this machine: `python -m sandbox [--json] [--stay]`.

It exits with 0 only if every sample file reached its expected end.
"""

from __future__ import annotations

import argparse
import json
import signal
import sys
import time
from contextlib import suppress
from typing import Any

from sandbox.demo.connectors import Connectors
from sandbox.demo.output import DIFFERENCES, Progress, as_json, how_to_go_on, log_lines, table
from sandbox.demo.samples import samples
from sandbox.demo.watch import Watch, run_samples

_INTERRUPTED = 130
_STOPPERS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def main() -> int:
    """Run the sandbox; gives the exit code."""
    parser = argparse.ArgumentParser(prog="python -m sandbox", description=__doc__)
    parser.add_argument("--json", action="store_true", help="print one JSON object instead of a table")
    parser.add_argument("--stay", action="store_true", help="stay up for files of your own until Ctrl-C")
    options = parser.parse_args()
    for number in _STOPPERS:
        signal.signal(number, _interrupt)
    progress = Progress(sys.stderr if options.json else sys.stdout)
    try:
        return _run(progress, json_wanted=options.json, stay=options.stay)
    except KeyboardInterrupt:
        if options.json:
            print(json.dumps({"error": "It was interrupted."}))
        progress.say("Interrupted; everything is stopped.")
        return _INTERRUPTED
    except Exception as error:
        if options.json:
            print(json.dumps({"error": f"{type(error).__name__}: {error}"}))
        print(f"The sandbox failed.\n{type(error).__name__}: {error}", file=sys.stderr)
        return 1


def _run(progress: Progress, *, json_wanted: bool, stay: bool) -> int:
    if not json_wanted:
        print(f"{DIFFERENCES}\n")
    progress.say("Building the function's package and bringing up the stack.")
    with Connectors() as connectors, connectors.published():
        names = " and ".join(connectors.advertisers)
        progress.say(f"{len(connectors.cloud.resources)} resources for {names}. Uploading sample files.")
        watch = Watch(connectors, progress.tell)
        plan = {
            each.name: samples(each.name, float(each.environment["MAX_REJECTED_RATIO"]))
            for each in connectors.advertisers.values()
        }
        try:
            faults = run_samples(watch, plan)
        except Exception:
            _show_trouble(connectors)
            raise
        _show(connectors, watch, faults, progress.seconds, json_wanted=json_wanted)
        if stay:
            print(how_to_go_on(connectors), file=sys.stderr if json_wanted else sys.stdout)
            connectors.hold_schedules(held=False)
            progress.explain = True
            with suppress(KeyboardInterrupt):
                while True:
                    watch.look()
                    time.sleep(0.5)
            progress.say("Stopping.")
    return 1 if faults else 0


def _show(connectors: Connectors, watch: Watch, faults: list[str], seconds: float, *, json_wanted: bool) -> None:
    if json_wanted:
        result: dict[str, Any] = as_json(connectors, watch, seconds)
        if faults:
            result["error"] = " ".join(faults)
        print(json.dumps(result), flush=True)
    else:
        print(table(watch))
        if not faults:
            print(f"\nEvery file ended as it should, in {seconds:.0f} seconds; every audience holds just its people.")
    if faults:
        print("\nNot as it should be:", *faults, sep="\n  ", file=sys.stderr)
        _show_trouble(connectors)


def _show_trouble(connectors: Connectors) -> None:
    trouble = log_lines(connectors) or ["no line tells of trouble"]
    print("\nThe functions' log:", *trouble, sep="\n  ", file=sys.stderr)


def _interrupt(*_: object) -> None:
    for number in _STOPPERS:  # a second one must not break off the stopping
        signal.signal(number, signal.SIG_IGN)
    raise KeyboardInterrupt


if __name__ == "__main__":
    sys.exit(main())
