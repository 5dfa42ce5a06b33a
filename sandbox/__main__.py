"""Runs the complete connector on this machine: `python -m sandbox [--json] [--stay]`.

The exit status is 0 only if the sample files had exactly the expected results.
"""

from __future__ import annotations

import argparse
import json
import signal
import sys
import time
from contextlib import suppress
from typing import Any

from rich.console import Console
from rich.live import Live

from sandbox.demo import show
from sandbox.demo.as_json import as_json, problem_lines
from sandbox.demo.connectors import Connectors
from sandbox.demo.samples import other_samples, samples
from sandbox.demo.scenario import Plan, run_plan
from sandbox.demo.watch import Watch

# The share of people that TikTok matches. A file of 1,200 people, which users may try, still creates an audience.
MATCH_RATE = 0.85
_INTERRUPTED = 130
_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
_POLL_SECONDS = 0.5


def main() -> int:
    """Run the sandbox and return the exit status."""
    parser = argparse.ArgumentParser(prog="python -m sandbox", description=__doc__)
    parser.add_argument("--json", action="store_true", help="print one JSON object instead of tables")
    parser.add_argument(
        "--stay", action="store_true", help="keep running until Ctrl-C, so that you can upload your own files"
    )
    options = parser.parse_args()
    for number in _SIGNALS:
        signal.signal(number, _interrupt)
    console = Console(stderr=options.json, highlight=False)
    try:
        return _run(console, print_json=options.json, stay=options.stay)
    except KeyboardInterrupt:
        if options.json:
            print(json.dumps({"error": "The sandbox was interrupted."}))
        console.print("Interrupted. The sandbox has stopped.")
        return _INTERRUPTED
    except Exception as error:
        message = f"{type(error).__name__}: {error}"
        if options.json:
            print(json.dumps({"error": message}))
        print(f"The sandbox failed.\n{message}", file=sys.stderr)
        return 1


def _run(console: Console, *, print_json: bool, stay: bool) -> int:
    started = time.monotonic()
    console.print(show.INTRODUCTION)
    console.print("\nBuilding the function's package and creating the stack ...")
    with Connectors() as connectors, connectors.published():
        connectors.control("POST", "settings", match_rate=MATCH_RATE)
        names = " and ".join(connectors.advertisers)
        console.print(f"{len(connectors.cloud.resources)} resources for {names}. Uploading sample files.\n")
        watch, plan = Watch(connectors), _plan(connectors)
        try:
            with Live(show.files(watch, plan), console=console, auto_refresh=False) as live:
                faults = run_plan(watch, plan, lambda: live.update(show.files(watch, plan), refresh=True))
        except Exception:
            _print_problems(connectors)
            raise
        seconds = time.monotonic() - started
        if print_json:
            state: dict[str, Any] = as_json(connectors, watch, seconds)
            print(json.dumps(state | ({"error": " ".join(faults)} if faults else {})), flush=True)
        elif not faults:
            show.result(console, connectors, watch, plan, seconds)
        if faults:
            print("\nNot as expected:", *faults, sep="\n  ", file=sys.stderr)
            _print_problems(connectors)
        if stay or not faults:
            console.print(f"\n{show.next_steps(connectors, stays=stay)}", soft_wrap=True)
        if stay:
            _stay(console, watch)
    return 1 if faults else 0


def _plan(connectors: Connectors) -> Plan:
    """Return the samples. Those of the first advertiser show the features, those of the others show isolation."""
    first, *others = connectors.advertisers.values()
    ratio = float(first.environment["MAX_REJECTED_RATIO"])
    return {first.name: samples(first.name, ratio), **{each.name: other_samples(each.name) for each in others}}


def _stay(console: Console, watch: Watch) -> None:
    """Print every new status of a file until Ctrl-C."""
    watch.on_change = lambda advertiser, report: show.outcome(console, advertiser, report)
    watch.connectors.pause_schedules(paused=False)
    with suppress(KeyboardInterrupt):
        while True:
            watch.poll()
            time.sleep(_POLL_SECONDS)
    console.print("Stopping.")


def _print_problems(connectors: Connectors) -> None:
    lines = problem_lines(connectors) or ["no warnings or errors"]
    print("\nThe logs of the functions:", *lines, sep="\n  ", file=sys.stderr)


def _interrupt(*_: object) -> None:
    for number in _SIGNALS:  # a second signal must not interrupt the shutdown
        signal.signal(number, signal.SIG_IGN)
    raise KeyboardInterrupt


if __name__ == "__main__":
    sys.exit(main())
