"""Each kind in `kinds.md` that is tested in this folder has a test with its number in the name."""

from __future__ import annotations

import re
from pathlib import Path

HERE = Path(__file__).parent
ROW = re.compile(r"^\| (\d+) \|.*\| ([^|]*) \|$")


def test_each_kind_has_a_test() -> None:
    rows = [match for line in (HERE / "kinds.md").read_text().splitlines() if (match := ROW.match(line))]
    assert [int(row[1]) for row in rows] == list(range(1, len(rows) + 1))
    named: set[int] = set()
    for path in HERE.glob("test_*.py"):
        for numbers in re.findall(r"def test_kind((?:_\d+)+)", path.read_text()):
            named |= {int(number) for number in numbers.strip("_").split("_")}
    assert {int(row[1]) for row in rows if row[2].startswith("here")} == named
