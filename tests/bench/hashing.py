"""Speed of hashing a large file with the console, compared with a loop that only hashes the same values."""

from __future__ import annotations

import hashlib
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from sandbox.processes import ROOT
from tests.bench.rounds import alternate, seconds

ROWS = 10_000_000
_ROWS_AT_ONCE = 100_000


def hash_vs_sha256(rows: int = ROWS) -> list[float]:
    """Return the speed of `hash` in each round, as a multiple of the speed of the loop that only hashes."""
    with tempfile.TemporaryDirectory(prefix="bench-") as directory:
        source, target = Path(directory) / "emails.csv", Path(directory) / "hashed.csv"
        with source.open("wb") as file:
            file.writelines(b"\n".join([*values, b""]) for values in _values(rows))

        def hashed() -> None:
            subprocess.run(
                [sys.executable, "-m", "console", "hash", source, "--type", "email_sha256", "-o", target],
                cwd=ROOT,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                check=True,
            )

        def looped() -> float:
            return sum(seconds(lambda: _hash_all(values)) for values in _values(rows))  # noqa: B023 - called here

        pairs = alternate(looped, lambda: seconds(hashed))
        if target.stat().st_size != rows * 65:
            raise RuntimeError("Not every row was hashed.")
    return [loop / ours for loop, ours in pairs]


def _values(rows: int) -> Iterator[list[bytes]]:
    for first in range(0, rows, _ROWS_AT_ONCE):
        yield [b"person.%d@example.com" % number for number in range(first, min(first + _ROWS_AT_ONCE, rows))]


def _hash_all(values: list[bytes]) -> None:
    for value in values:
        hashlib.sha256(value).hexdigest()
