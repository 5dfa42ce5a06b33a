"""Throughput: `python -m tests.load.throughput` prints files per minute and rows per second of two processes.

Each of 1 to 50 advertisers has a bucket, a queue and an account. Files arrive in batches of ten messages, and a sweep
sends them. The embedded AWS and the emulated TikTok run in the same processes, so the time includes theirs.
"""

from __future__ import annotations

import contextlib
import io
import json
import multiprocessing
import sys
import time
from concurrent.futures import ProcessPoolExecutor

from sandbox.tiktok.emulator import TikTokEmulator
from tests.handler.world import ADVERTISER_ID, World, lines, people
from tests.privacy import TOKEN
from tests.servers import InProcessAws

PROCESSES = 2
ADVERTISERS = (1, 2, 10, 50)
FILES, ROWS = 40, 2_000  # files per advertiser, rows per file
FOLDER = "tiktok/vip/email_sha256"


def seconds_to_submit(advertisers: int) -> float:
    """Return the time from the first message to the last submitted file, in seconds, for advertisers of one process."""
    body = lines(people(0, ROWS))
    with contextlib.ExitStack() as stack:
        stack.enter_context(contextlib.redirect_stdout(io.StringIO()))
        aws = InProcessAws()
        accounts = [TikTokEmulator(accounts={ADVERTISER_ID: TOKEN}) for _ in range(advertisers)]
        worlds = [World(aws, stack.enter_context(account)) for account in accounts]
        for world in worlds:
            world.cold_start(SETTLE_SECONDS="300")
        messages = [[world.upload(f"{FOLDER}/{number}.csv", body) for number in range(FILES)] for world in worlds]
        started = time.perf_counter()
        for world, own_messages in zip(worlds, messages, strict=True):
            world.deliver_all(*own_messages)
        for world in worlds:
            world.sweep(hours=1.1)
        taken = time.perf_counter() - started
        for world in worlds:
            if {world.outcome(key)[0] for key in world.events} != {"submitted"}:
                raise RuntimeError("Not all files were submitted.")
        return taken


def main() -> int:
    """Measure and print one line for each number of advertisers."""
    with ProcessPoolExecutor(PROCESSES, multiprocessing.get_context("spawn")) as pool:
        list(pool.map(seconds_to_submit, [1] * PROCESSES))  # a warm-up that imports the modules
        for number in ADVERTISERS:
            shares = [number // PROCESSES + (index < number % PROCESSES) for index in range(PROCESSES)]
            seconds = max(pool.map(seconds_to_submit, [share for share in shares if share]))
            files = number * FILES
            result = {"advertisers": number, "files": files, "rows": files * ROWS, "seconds": round(seconds, 2)}
            result["files_per_minute"] = round(files * 60 / seconds)
            result["rows_per_second"] = round(files * ROWS / seconds)
            print(json.dumps(result), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
