"""Files made ready for an upload: raw rows that cannot be hashed count toward the share that refuses a file."""

from __future__ import annotations

from pathlib import Path

import pytest

from console.hashing.plans import Wishes
from console.preparing import Judged, hash_and_check


@pytest.mark.parametrize(
    ("faulty", "empty", "ratio", "status"),
    [(10, 0, 0.1, "accepted"), (11, 0, 0.1, "rejected"), (10, 30, 0.1, "accepted"), (34, 0, 0.5, "accepted")],
)
@pytest.mark.parametrize("action", ["append", "remove", "replace"])
def test_too_many_rows_that_cannot_be_hashed_refuse_a_file(
    tmp_path: Path, *, action: str, faulty: int, empty: int, ratio: float, status: str
) -> None:
    cells = [f"jane{number}@example.com" for number in range(100 - faulty)] + ["no address"] * faulty + [""] * empty
    file = tmp_path / "customers.csv"
    file.write_text("email,city\n" + "".join(f"{cell},Rome\n" for cell in cells))
    ready = hash_and_check(str(file), Wishes("email_sha256", ("email",)), Judged(action, ratio))
    assert ready.verdict.status == status
    assert ready.rows == (100, faulty)
    if status == "rejected":
        assert ready.verdict.code == "too_many_rejected"
        assert ready.verdict.reason == "11 of the 100 rows cannot be hashed. The limit is 10%."
