"""Alternating measurements, and the files that they use."""

from __future__ import annotations

import random
import sys
import time
from collections.abc import Callable
from pathlib import Path

ROUNDS = 5
_ROWS_AT_ONCE = 100_000
_ROW_BYTES = 65  # 64 digits and a line feed


def alternate(*measures: Callable[[], float], rounds: int = ROUNDS) -> list[tuple[float, ...]]:
    """Return the values of each round. The measurements alternate, so that other load affects all of them equally."""
    found = []
    for number in range(1, rounds + 1):
        figures = tuple(measure() for measure in measures)
        print_progress(f"  round {number} of {rounds}: {', '.join(f'{figure:.4g}' for figure in figures)}")
        found.append(figures)
    return found


def seconds(work: Callable[[], object]) -> float:
    """Return the time that a function takes, in seconds."""
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def print_progress(text: str) -> None:
    """Print progress to standard error; standard output is only for the figures."""
    print(text, file=sys.stderr, flush=True)


def clean_file(path: Path, rows: int) -> Path:
    """Write a file of distinct identifiers without faulty rows; for a given number of rows, it is always the same."""
    source = random.Random(rows)  # noqa: S311 - made-up rows, no secrets
    with path.open("wb") as file:
        for first in range(0, rows, _ROWS_AT_ONCE):
            file.write(b"\n".join([*_identifiers(source, min(_ROWS_AT_ONCE, rows - first)), b""]))
    return path


def dirty_file(path: Path, rows: int) -> Path:
    """Write the same rows as `clean_file`, but in upper case and with CRLF. One row in a hundred is faulty.

    A faulty row is an email address, too short, or not hexadecimal.
    """
    source = random.Random(rows)  # noqa: S311 - made-up rows, no secrets
    with path.open("wb") as file:
        for first in range(0, rows, _ROWS_AT_ONCE):
            lines = [line.upper() for line in _identifiers(source, min(_ROWS_AT_ONCE, rows - first))]
            for number in range(50, len(lines), 100):
                kind = number // 100 % 3
                if kind == 0:
                    lines[number] = b"person%d@example.com" % (first + number)
                elif kind == 1:
                    lines[number] = lines[number][1:]
                else:
                    lines[number] = lines[number][:40] + b"Z" + lines[number][41:]
            file.write(b"\r\n".join([*lines, b""]))
    return path


def columns_file(path: Path, rows: int) -> Path:
    """Write a file with a hashed email address, phone number and device id per row.

    The phone number is missing in every fifth row.
    """
    source = random.Random(rows)  # noqa: S311 - made-up rows, no secrets
    with path.open("wb") as file:
        file.write(b"email_sha256,phone_sha256,maid_sha256\n")
        for first in range(0, rows, _ROWS_AT_ONCE):
            count = min(_ROWS_AT_ONCE, rows - first)
            emails, phones, devices = (_identifiers(source, count) for _ in range(3))
            phones = [phone if number % 5 else b"" for number, phone in enumerate(phones)]
            file.write(b"\n".join([*map(b",".join, zip(emails, phones, devices, strict=True)), b""]))
    return path


def rows_of(size: int) -> int:
    """Return the number of rows in a clean file of at most `size` bytes."""
    return size // _ROW_BYTES


def _identifiers(source: random.Random, count: int) -> list[bytes]:
    return source.randbytes(32 * count).hex("\n", 32).encode().split(b"\n")
