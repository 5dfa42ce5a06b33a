"""Soak test: `python -m tests.load.soak` checks that the memory of one warm function does not grow over many files.

The function runs in its own process, with AWS behind a socket. It handles all messages in batches of ten, with sweeps
in between, and is never restarted. The exit status is 1 if the peak grows by more than 10 percent after the first tenth
of the files.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
import time
from collections.abc import Sequence

from sandbox.tiktok.emulator import TikTokEmulator
from tests.handler.world import ADVERTISER_ID, Context, World, lines, people
from tests.privacy import TOKEN
from tests.servers import embedded_aws

MAX_GROWTH = 1.1
BATCH, SWEEP_AFTER = 10, 10  # messages per batch; batches between two sweeps
MIN_FILES = 2 * BATCH * SWEEP_AFTER  # two sweeps, so that there are two peaks to compare
SWEEP = '{"sweep": true}'
AUDIENCES, ROWS = 10, 30


def peaks_kib(files: int) -> list[int]:
    """Return the peak resident memory of a function, in KiB, after each tenth of the files.

    A sweep measures it, so with fewer than 1,000 files it is measured after every 100 files. The last value
    includes the sweeps until no upload is pending.
    """
    with (
        embedded_aws() as url,
        TikTokEmulator(accounts={ADVERTISER_ID: TOKEN}, processing_seconds=1, match_rate=1000) as tiktok,
    ):
        world = World(url, tiktok)
        environment = {**os.environ, **world.environment, "SETTLE_SECONDS": "0.5"}
        with subprocess.Popen(
            [sys.executable, "-m", "tests.load.soak", "--serve"],
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        ) as function:
            assert function.stdin
            assert function.stdout
            body = lines(people(0, ROWS))
            peaks: list[int] = []
            for first in range(0, files, BATCH):
                numbers = range(first, min(first + BATCH, files))
                keys = [f"tiktok/audience {number % AUDIENCES}/email_sha256/{number}.csv" for number in numbers]
                _ask(function, [world.upload(key, body) for key in keys])
                if first // BATCH % SWEEP_AFTER == SWEEP_AFTER - 1:
                    peak = _ask(function, [SWEEP])
                    if (first + BATCH) // (files // 10) > len(peaks):
                        peaks.append(peak)
            while world.keys("pending/"):
                time.sleep(1)
                peaks[-1] = _ask(function, [SWEEP])
            function.stdin.close()
            return peaks


def _ask(function: subprocess.Popen[str], bodies: Sequence[str]) -> int:
    """Have the function handle a batch; return its peak memory so far in KiB."""
    assert function.stdin
    assert function.stdout
    print(json.dumps(bodies), file=function.stdin, flush=True)
    return int(function.stdout.readline())


def serve() -> None:
    """Run as the function: handle the batch in each line of standard input, and print the peak memory after it."""
    from handler import app  # noqa: PLC0415 - the process that measures does not have the function's environment

    output = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # metrics, which the function prints to standard output, go to standard error
    for line in sys.stdin:
        records = [
            {"messageId": str(number), "receiptHandle": "none", "body": body, "attributes": {}}
            for number, body in enumerate(json.loads(line))
        ]
        if app.lambda_handler({"Records": records}, Context())["batchItemFailures"]:
            raise RuntimeError("The function returned a message as failed.")
        print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, file=output, flush=True)


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure the peak memory; return 1 if it grows too much after the first tenth of the files."""
    parser = argparse.ArgumentParser(prog="python -m tests.load.soak", description=main.__doc__)
    parser.add_argument("--files", type=int, default=10_000, help=f"number of files, at least {MIN_FILES}")
    parser.add_argument("--serve", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args(arguments)
    if options.serve:
        serve()
        return 0
    if options.files < MIN_FILES:
        parser.error(f"--files must be at least {MIN_FILES}")
    peaks = peaks_kib(options.files)
    growth = peaks[-1] / peaks[0]
    result = {"files": options.files, "peak_mib_after_each_tenth": [round(each / 1024, 1) for each in peaks]}
    print(json.dumps({**result, "growth": round(growth, 3)}))
    return int(growth > MAX_GROWTH)


if __name__ == "__main__":
    sys.exit(main())
