"""Complete activations by the packaged function: speed, memory, cold start and TikTok calls."""

from __future__ import annotations

import tempfile
from functools import cache
from pathlib import Path

import requests

from tests.bench.copying import copy, known_parts
from tests.bench.deployment import Deployment, deployment
from tests.bench.rounds import ROUNDS, alternate, clean_file, print_progress, rows_of, seconds
from tests.handler.world import ADVERTISER_ID

ROWS = 4_000_000
FEW_ROWS = 2_000
MIB = 1 << 20
OTHERS = 100  # maximum number of other audiences in the account; TikTok lists 100 per page


def activation_vs_copy() -> list[float]:
    """Return the speed of an activation by a warm function, as a multiple of the speed of a plain copy."""
    return [copied / activated for copied, _, activated in _activations()]


def activation_vs_stream() -> list[float]:
    """Return the speed of an activation, as a multiple of the speed of a copy that does not buffer parts."""
    return [streamed / activated for _, streamed, activated in _activations()]


@cache
def _activations(rows: int = ROWS) -> list[tuple[float, ...]]:
    with (
        tempfile.TemporaryDirectory(prefix="bench-") as directory,
        deployment() as deployed,
        deployed.function() as function,
        requests.Session() as session,
    ):
        small = clean_file(Path(directory) / "small.csv", FEW_ROWS)
        with deployed.uploaded(small) as upload:
            deployed.activate(function, upload, FEW_ROWS)
            copy(deployed, session, upload, known_parts(small), hold=True)
        deployed.check_arrival(FEW_ROWS)
        path = clean_file(Path(directory) / "rows.csv", rows)
        parts = known_parts(path)

        def copied(*, hold: bool) -> float:
            with deployed.uploaded(path) as upload:
                taken = seconds(lambda: copy(deployed, session, upload, parts, hold=hold))
            deployed.emulator("DELETE", "files")
            return taken

        def activated() -> float:
            with deployed.uploaded(path) as upload:
                taken = deployed.activate(function, upload, rows).seconds
            deployed.check_arrival(rows)
            return taken

        return alternate(lambda: copied(hold=True), lambda: copied(hold=False), activated)


def peak_mib_1gib() -> list[float]:
    """Return the peak resident memory of the function's process for a file of 1 GiB, in MiB."""
    return [large for _, large in _peaks()]


def peak_growth() -> list[float]:
    """Return the peak resident memory for a file of 1 GiB, as a multiple of that for a file of 64 MiB."""
    return [large / small for small, large in _peaks()]


@cache
def _peaks() -> list[tuple[float, ...]]:
    with tempfile.TemporaryDirectory(prefix="bench-") as directory, deployment() as deployed:
        files = {size: clean_file(Path(directory) / f"{size}.csv", rows_of(size * MIB)) for size in (64, 1024)}
        return alternate(
            lambda: _peak(deployed, files[64], rows_of(64 * MIB)),
            lambda: _peak(deployed, files[1024], rows_of(1024 * MIB)),
        )


def _peak(deployed: Deployment, path: Path, rows: int) -> float:
    """Return the peak resident memory in MiB of a new instance that activates one file."""
    with deployed.function() as function, deployed.uploaded(path) as upload:
        deployed.activate(function, upload, rows)
        (pid,) = function.pids()
        status = Path(f"/proc/{pid}/status").read_text()
    deployed.check_arrival(rows)
    return int(status.partition("VmHWM:")[2].split()[0]) / 1024


def first_invocation_vs_warm() -> list[float]:
    """Return the time of a cold invocation for a small file, process start included, as a multiple of a warm one."""
    with (
        tempfile.TemporaryDirectory(prefix="bench-") as directory,
        deployment() as deployed,
        deployed.function() as function,
    ):
        path = clean_file(Path(directory) / "small.csv", FEW_ROWS)

        def invoked(*, cold: bool) -> float:
            with deployed.uploaded(path) as upload:
                invocation = deployed.activate(function, upload, FEW_ROWS)
            if invocation.cold is not cold:
                raise RuntimeError(f"Expected a {'cold' if cold else 'warm'} start of the function.")
            return invocation.seconds

        def first() -> float:
            function.restart()
            return invoked(cold=True)

        first()  # caches the bytecode of the libraries
        return [cold / warm for cold, warm in alternate(first, lambda: invoked(cold=False))]


def calls_new_audience() -> list[float]:
    """Count the TikTok calls until a one-part file for a new audience is submitted, with up to 100 other audiences."""
    with (
        tempfile.TemporaryDirectory(prefix="bench-") as directory,
        deployment() as deployed,
        deployed.function() as function,
    ):
        path = clean_file(Path(directory) / "small.csv", FEW_ROWS)
        deployed.emulator("POST", "audiences", {"advertiser_id": ADVERTISER_ID, "count": OTHERS - ROUNDS + 1})
        counts = []
        for number in range(ROUNDS):
            deployed.emulator("DELETE", "calls")
            with deployed.uploaded(path) as upload:
                deployed.activate(function, upload, FEW_ROWS)
            calls = [each["call"] for each in deployed.emulator("GET", "calls")]
            print_progress(f"  round {number + 1} of {ROUNDS}: {', '.join(calls)}")
            counts.append(float(len(calls)))
        return counts
