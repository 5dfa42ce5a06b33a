"""Blocks that can be sent unchanged, compared with the same rows in a file whose rows are all split into cells."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator

import pytest

from handler.cleaning.counts import Tally
from handler.cleaning.parts import parts
from handler.model import IdentifierType
from tests.handler.cleaning.reference import EMPTY_VALUE_HASHES

Row = tuple[str, str, str]
HEADER = "email_SHA256,phone_SHA256,MAID_SHA256"
ROWS = 3000
BLOCK = 1 << 14  # bytes; each file has many blocks


def hashed(kind: str, number: int) -> str:
    return hashlib.sha256(f"{kind} {number}".encode()).hexdigest()


def person(number: int) -> Row:
    return hashed("email", number), hashed("phone", number), hashed("device", number)


def cleaned(rows: list[Row], *, with_city: bool) -> tuple[bytes, Tally]:
    """Return the clean rows and the counts of a file. The column `city`, which is left out, forces rows to be split."""
    header, end = (f"{HEADER},city", ",Rome") if with_city else (HEADER, "")
    file = "\n".join([header, *(",".join(row) + end for row in rows), ""]).encode()

    def pieces(first: int) -> Iterator[bytes]:
        return (file[at : at + BLOCK] for at in range(first, len(file), BLOCK))

    found = [
        (b"".join(part.chunks), part.progress.tally) for part in parts(pieces, IdentifierType.MULTIPLE_TYPES, 1 << 22)
    ]
    return b"".join(rows for rows, _ in found), found[-1][1]


def changed(row: Row, column: int, cell: str) -> Row:
    first, second, third = (cell if number == column else old for number, old in enumerate(row))
    return first, second, third


CELLS: dict[str, Callable[[str], str]] = {
    "empty": lambda _: "",
    "hash of an empty value": lambda _: EMPTY_VALUE_HASHES[64][0].decode(),
    "upper case": str.upper,
    "short": lambda cell: cell[:-1],
    "not hexadecimal": lambda cell: "g" + cell[1:],
    "NULL": lambda _: "NULL",
    "quoted": lambda cell: f'"{cell}"',
    "leading space": lambda cell: " " + cell,
}


@pytest.mark.processes
@pytest.mark.parametrize("every", [7, 900])
@pytest.mark.parametrize("column", range(3))
@pytest.mark.parametrize("cell", CELLS)
def test_a_cell_of_any_kind_counts_as_in_a_file_that_is_split_into_cells(cell: str, column: int, every: int) -> None:
    rows = [person(number) for number in range(ROWS)]
    for number in range(every - 1, ROWS, every):
        rows[number] = changed(rows[number], column, CELLS[cell](rows[number][column]))
    assert cleaned(rows, with_city=False) == cleaned(rows, with_city=True)


@pytest.mark.parametrize("every", [1, 50])
def test_a_row_without_identifiers_counts_as_in_a_file_that_is_split_into_cells(every: int) -> None:
    rows = [person(number) if number < 200 or number % every else ("", "", "") for number in range(ROWS)]
    assert cleaned(rows, with_city=False) == cleaned(rows, with_city=True)


def test_clean_rows_are_sent_unchanged() -> None:
    rows = [person(number) for number in range(ROWS)]
    content, tally = cleaned(rows, with_city=False)
    assert content == "".join(f"{line}\n" for line in [HEADER, *map(",".join, rows)]).encode()
    assert tally.accepted == ROWS
