"""Tests of preparing a file: raw rows that cannot be hashed count toward the limit for rejected rows."""

from __future__ import annotations

from pathlib import Path

import pytest

from console.hashing.plans import HashOptions
from console.preparing import CheckOptions, hash_and_check


@pytest.mark.parametrize(
    ("faulty", "empty", "ratio", "status"),
    [(10, 0, 0.1, "accepted"), (11, 0, 0.1, "rejected"), (10, 30, 0.1, "accepted"), (34, 0, 0.5, "accepted")],
)
@pytest.mark.parametrize("action", ["append", "remove", "replace"])
def test_a_file_with_too_many_rows_that_cannot_be_hashed_is_rejected(
    tmp_path: Path, *, action: str, faulty: int, empty: int, ratio: float, status: str
) -> None:
    cells = [f"jane{number}@example.com" for number in range(100 - faulty)] + ["no address"] * faulty + [""] * empty
    file = tmp_path / "customers.csv"
    file.write_text("email,city\n" + "".join(f"{cell},Rome\n" for cell in cells))
    ready = hash_and_check(str(file), HashOptions("email_sha256", ("email",)), CheckOptions(action, ratio))
    assert ready.verdict.status == status
    assert ready.rows == (100, faulty)
    if status == "rejected":
        assert ready.verdict.code == "too_many_rejected"
        assert ready.verdict.reason == (
            "11 of the 100 rows cannot be hashed. The limit is 10%. "
            "Correct these rows, or check that the right column was chosen."
        )
