"""Speed of cleaning, compared with MD5 only; for files with columns, compared with the csv module."""

from __future__ import annotations

import csv
import hashlib
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

from handler.cleaning.parts import parts
from handler.model import IdentifierType
from handler.settings import DEFAULT_PART_BYTES
from handler.state.objects import CHUNK_BYTES
from tests.bench.rounds import alternate, clean_file, columns_file, dirty_file, seconds

ROWS = 4_000_000


def clean_vs_md5(rows: int = ROWS) -> list[float]:
    """Return the speed of cleaning, splitting and MD5 in each round, as a multiple of MD5 only, for a clean file."""
    return _share(clean_file, rows, rows)


def dirty_vs_md5(rows: int = ROWS) -> list[float]:
    """Return the same as `clean_vs_md5` for a file in which every row needs repair and one in a hundred is faulty."""
    return _share(dirty_file, rows, rows - rows // 100)


def clean_columns_vs_csv(rows: int = ROWS // 4) -> list[float]:
    """Return the speed of cleaning a file with three columns in each round, as a multiple of the csv module's."""
    with tempfile.TemporaryDirectory(prefix="bench-") as directory:
        path = columns_file(Path(directory) / "rows.csv", rows)

        def cleaned() -> None:
            if (found := _clean(path, IdentifierType.MULTIPLE_TYPES)) != rows:
                raise RuntimeError(f"{found} rows were accepted, not {rows}.")

        def read() -> None:
            with path.open(newline="", encoding="utf-8") as file:
                for _ in csv.reader(file):
                    pass

        read()  # reads the file into the page cache
        pairs = alternate(lambda: seconds(read), lambda: seconds(cleaned))
    return [module / ours for module, ours in pairs]


def _share(make: Callable[[Path, int], Path], rows: int, accepted: int) -> list[float]:
    with tempfile.TemporaryDirectory(prefix="bench-") as directory:
        path = make(Path(directory) / "rows.csv", rows)
        _hash(path)  # reads the file into the page cache

        def cleaned() -> None:
            if (found := _clean(path)) != accepted:
                raise RuntimeError(f"{found} rows were accepted, not {accepted}.")

        pairs = alternate(lambda: seconds(lambda: _hash(path)), lambda: seconds(cleaned))
    return [md5 / ours for md5, ours in pairs]


def _chunks(path: Path) -> Iterator[bytes]:
    with path.open("rb", buffering=0) as file:
        while chunk := file.read(CHUNK_BYTES):
            yield chunk


def _hash(path: Path) -> str:
    md5 = hashlib.md5(usedforsecurity=False)
    for chunk in _chunks(path):
        md5.update(chunk)
    return md5.hexdigest()


def _clean(path: Path, identifier_type: IdentifierType = IdentifierType.EMAIL_SHA256) -> int:
    accepted = 0
    for part in parts(lambda _: _chunks(path), identifier_type, DEFAULT_PART_BYTES):
        accepted = part.progress.tally.accepted
    return accepted
