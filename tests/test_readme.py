"""The README's tables are what the code says."""

from __future__ import annotations

from pathlib import Path

from handler.errors import Code

README = (Path(__file__).parents[1] / "README.md").read_text()


def section(name: str) -> str:
    """What stands between the markers of a generated table."""
    return README.partition(f"<!-- {name}:start -->\n")[2].partition(f"<!-- {name}:end -->")[0]


def codes_table() -> str:
    """Every code and its meaning."""
    rows = "".join(f"| `{code.value}` | {code.meaning} |\n" for code in Code)
    return f"| code | what happened |\n|---|---|\n{rows}"


def test_the_readme_shows_every_code() -> None:
    assert section("codes") == codes_table()
