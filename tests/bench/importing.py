"""Time to import the function's modules, in new processes with the same import path as in Lambda."""

from __future__ import annotations

import os
import subprocess
import sys

from components.package import handler_package
from sandbox.aws.lambda_runtime import BYTECODE, runtime_libraries
from tests.bench.rounds import alternate

ROUNDS = 11  # more than for other figures: an import is quick, and its time varies more


def import_vs_sdks(rounds: int = ROUNDS) -> list[float]:
    """Return the time to import `handler.app`, as a multiple of the time for boto3 and requests; bytecode is cached."""
    _seconds("handler.app")
    _seconds("boto3, requests")
    pairs = alternate(lambda: _seconds("handler.app"), lambda: _seconds("boto3, requests"), rounds=rounds)
    return [ours / sdks for ours, sdks in pairs]


def _seconds(modules: str) -> float:
    """Return the time that the import statement takes, in seconds, excluding interpreter startup."""
    package = handler_package()
    done = subprocess.run(
        # -S ignores the site-packages of this environment. The paths are those of `sandbox.aws.lambda_instance`.
        [
            *(sys.executable, "-S", "-c"),
            f"import time; started = time.perf_counter(); import {modules}; print(time.perf_counter() - started)",
        ],
        cwd=package,
        env={
            "PATH": os.environ.get("PATH", os.defpath),
            "PYTHONPATH": f"{package}:{runtime_libraries()}",
            "PYTHONPYCACHEPREFIX": str(BYTECODE),
        },
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    return float(done.stdout)
