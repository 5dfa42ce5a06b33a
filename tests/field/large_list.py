"""A replace of many small files: time, memory and TikTok calls until the list is sent.

`python -m tests.field.large_list --files 500 --rows 100` prints them as one JSON object. The embedded AWS, the emulated
TikTok and the function share one process, so the peak memory while the list is sent includes all three. The memory is
measured in a separate run, because tracing makes a run several times slower.
"""

from __future__ import annotations

import argparse
import json
import time
import tracemalloc
from collections import Counter
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from sandbox.tiktok.emulator import TikTokEmulator
from tests.field.connector import HOUR, SETTLE, VIP, FieldConnector
from tests.handler.world import ADVERTISER_ID, lines, people
from tests.privacy import TOKEN
from tests.servers import InProcessAws

if TYPE_CHECKING:
    from collections.abc import Iterator


@contextmanager
def large_list(
    files: int, rows: int, *, traced: bool = False
) -> Iterator[tuple[FieldConnector, dict[str, Any], list[str]]]:
    """Upload a list and let the sweep send it; yield the connector, the measurements and the messages.

    Args:
        files: the number of files.
        rows: the number of rows per file.
        traced: also measure the peak memory.
    """
    with TikTokEmulator(accounts={ADVERTISER_ID: TOKEN}, processing_seconds=HOUR) as tiktok:
        connector = FieldConnector(InProcessAws(), tiktok, None)
        connector.create_audience()
        names = [f"{VIP}/replace/run/part-{number:05}.csv" for number in range(files)]
        messages = [connector.upload(name, lines(people(number * rows, rows))) for number, name in enumerate(names)]
        connector.tiktok.clear_calls()
        started = time.perf_counter()
        connector.deliver_all(*messages)
        registered = time.perf_counter()
        connector.pass_time((12 * SETTLE + 1) / HOUR)
        if traced:
            tracemalloc.start()
        sweep_started = time.perf_counter()
        connector.sweep()
        sent = time.perf_counter()
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        figures = {
            "files": files,
            "rows": files * rows,
            "seconds_to_register": round(registered - started, 2),
            "seconds_to_send": round(sent - sweep_started, 2),
            "peak_mib": round(peak / 2**20, 1) if traced else None,
            "tiktok_calls": dict(Counter(connector.calls())),
        }
        yield connector, figures, messages


def main() -> None:
    """Measure a list with the size from the command line, and print the results."""
    parser = argparse.ArgumentParser(prog="python -m tests.field.large_list", description=main.__doc__)
    parser.add_argument("--files", type=int, default=500)
    parser.add_argument("--rows", type=int, default=100, help="rows per file")
    options = parser.parse_args()
    with large_list(options.files, options.rows) as (connector, figures, messages):
        outcome = Counter((connector.outcome_of(message) or ("",))[0] for message in messages)
    with large_list(options.files, options.rows, traced=True) as (_, traced, _):
        print(json.dumps({**figures, "peak_mib": traced["peak_mib"], "statuses": dict(outcome)}))


if __name__ == "__main__":
    main()
