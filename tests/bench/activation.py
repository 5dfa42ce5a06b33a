"""Whole activations by the packaged function: speed, memory, the first one, and what they ask of TikTok."""

from __future__ import annotations

import tempfile
from functools import cache
from pathlib import Path

import requests

from tests.bench.copying import copy, known_parts
from tests.bench.deployment import Deployment, deployment
from tests.bench.rounds import ROUNDS, alternate, clean_file, rows_of, seconds, tell
from tests.handler.world import ADVERTISER_ID

ROWS = 4_000_000
FEW_ROWS = 2_000
MIB = 1 << 20
OTHERS = 100  # audiences that the account holds already; TikTok lists 100 on a page


def activation_vs_copy() -> list[float]:
    """The speed of an activation as a share of copying's: from the invocation of a warm function to its result."""
    return [copied / activated for copied, _, activated in _activations()]


def activation_vs_stream() -> list[float]:
    """The same of a copy that never holds a part."""
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
    """Peak resident memory of the function's process for a file of 1 GiB, in MiB."""
    return [large for _, large in _peaks()]


def peak_growth() -> list[float]:
    """That, as a multiple of the same for a file of 64 MiB."""
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
    """Peak resident memory in MiB of a new instance that activates one file, whose every row arrives once."""
    with deployed.function() as function, deployed.uploaded(path) as upload:
        deployed.activate(function, upload, rows)
        (pid,) = function.pids()
        status = Path(f"/proc/{pid}/status").read_text()
    deployed.check_arrival(rows)
    return int(status.partition("VmHWM:")[2].split()[0]) / 1024


def first_invocation_vs_warm() -> list[float]:
    """A cold invocation for a small file as a multiple of a warm one, the start of the process included."""
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
                raise RuntimeError("An instance was started, or not started, against expectation.")
            return invocation.seconds

        def first() -> float:
            function.restart()
            return invoked(cold=True)

        first()  # the bytecode of the libraries is cached from now on
        return [cold / warm for cold, warm in alternate(first, lambda: invoked(cold=False))]


def calls_new_audience() -> list[float]:
    """Calls of TikTok until a file of one part for a new audience is submitted, among at most 100 others."""
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
            tell(f"  round {number + 1} of {ROUNDS}: {', '.join(calls)}")
            counts.append(float(len(calls)))
        return counts
