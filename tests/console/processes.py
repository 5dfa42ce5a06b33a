"""Runs the command line in a separate process."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

ROOT = Path(__file__).parents[2]


Completed = subprocess.CompletedProcess[str]


def console(*arguments: object, env: Mapping[str, str] | None = None, given: str = "") -> Completed:
    """Run a command with `given` on standard input."""
    return subprocess.run(
        [sys.executable, "-m", "console", *map(str, arguments)],
        capture_output=True,
        text=True,
        cwd=ROOT,
        env={**os.environ, **(env or {})},
        input=given,
        timeout=120,
        check=False,
    )
