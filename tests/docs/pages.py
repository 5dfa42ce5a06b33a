"""Parser for the documentation pages: links, headings and shell blocks."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
PAGES = sorted(
    path
    for path in [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")]
    if path.name != "CHANGELOG.md"  # its links to releases do not resolve in a checkout
)
_FENCE = re.compile(r"^( *)```(\w*)\n(.*?)^\1```$", re.MULTILINE | re.DOTALL)
_BLOCK = re.compile(
    r"(?:^ *<!-- (?P<mark>[^>]*) -->\n)?^(?P<indent> *)```bash\n(?P<lines>.*?)^(?P=indent)```$", re.M | re.S
)
_LINK = re.compile(r"(?<!`)\[(?:[^\]\[]|\[[^\]]*\])*\]\(([^)\s]+)\)")


@dataclass(frozen=True)
class ShellBlock:
    """A block of shell commands.

    Attributes:
        lines: the commands, without indentation.
        mark: the HTML comment directly above the block; empty if the test runs the block.
    """

    lines: str
    mark: str

    @property
    def tested_by(self) -> str:
        """The path of the test that covers this block, relative to the root; empty if the block is run."""
        return self.mark.removeprefix("tested by: ")


def text_of(path: Path) -> str:
    """Return the text of a page with each run of white space replaced by a single space."""
    return " ".join(path.read_text(encoding="utf-8").split())


def blocks(path: Path) -> Iterator[ShellBlock]:
    """Yield the shell blocks of a page."""
    for found in _BLOCK.finditer(path.read_text(encoding="utf-8")):
        indent = found["indent"]
        lines = "".join(line.removeprefix(indent) for line in found["lines"].splitlines(keepends=True))
        yield ShellBlock(lines, found["mark"] or "")


def links(path: Path) -> list[str]:
    """Return the links of a page to files and headings in the repository."""
    text = _FENCE.sub("", path.read_text(encoding="utf-8"))
    return [link for link in _LINK.findall(text) if "://" not in link and not link.startswith("mailto:")]


def anchors(path: Path) -> set[str]:
    """Return the anchors that GitHub generates for the headings of a page."""
    text = _FENCE.sub("", path.read_text(encoding="utf-8"))
    return {_anchor(heading) for heading in re.findall(r"^#+ (.+)$", text, re.MULTILINE)}


def _anchor(heading: str) -> str:
    return re.sub(r"[^\w\- ]", "", heading.lower().strip()).replace(" ", "-")
