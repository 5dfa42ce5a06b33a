"""Time to import the function's modules, in new processes that see what they would see in Lambda."""

from __future__ import annotations

import os
import subprocess
import sys

from components.package import handler_package
from sandbox.aws.lambda_runtime import BYTECODE, runtime_libraries
from tests.bench.rounds import alternate

ROUNDS = 11  # a process is cheap, and how fast it starts varies more than the other figures do


def import_vs_sdks(rounds: int = ROUNDS) -> list[float]:
    """Importing `handler.app`, the time as a multiple of boto3's and requests' alone; all with cached bytecode."""
    _seconds("handler.app")
    _seconds("boto3, requests")
    pairs = alternate(lambda: _seconds("handler.app"), lambda: _seconds("boto3, requests"), rounds=rounds)
    return [ours / sdks for ours, sdks in pairs]


def _seconds(modules: str) -> float:
    """Return the seconds of the import statement, without the start of the interpreter, which is the same for both."""
    package = handler_package()
    done = subprocess.run(
        # -S: none of the site-packages installed here; the paths are those of `sandbox.aws.lambda_instance`
        [
            *(sys.executable, "-S", "-c"),
            f"import time; begun = time.perf_counter(); import {modules}; print(time.perf_counter() - begun)",
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
