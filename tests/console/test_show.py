"""Tests of the table of files on narrow and wide terminals."""

from __future__ import annotations

from typing import Any

import pytest

from console.commands.show import show_files
from console.output import out

FILE: dict[str, Any] = {
    "key": "tiktok/a very long name of an audience/email_sha256/part-00000-9f2c1f5e-6a0d-4a5e-8f3b-c000.csv",
    "audience": "a very long name of an audience",
    "identifier_type": "email_sha256",
    "action": "append",
    "status": "available",
    "code": "available",
    "reason": "",
    "accepted": 9_999_999,
    "rejected": 0,
    "matched": 1_000_000,
    "updated_at": "2026-01-31T12:00:00Z",
    "waits_until": None,
}


def shown(width: int, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Return the lines of the table on a terminal of the given width."""
    monkeypatch.setattr(out, "width", width)
    with out.capture() as captured:
        show_files("acme", {"files": [FILE], "files_total": 1, "audiences": [], "bucket": "b"})
    return captured.get().split("acme\n")[1].splitlines()


@pytest.mark.parametrize("width", [80, 120])
def test_a_file_fits_into_one_line_on_a_narrow_terminal(width: int, monkeypatch: pytest.MonkeyPatch) -> None:
    heading, line = shown(width, monkeypatch)
    assert max(len(heading.rstrip()), len(line.rstrip())) <= 80
    assert "part-00000" in line
    assert "1,000,000" in line


def test_a_wide_terminal_shows_all_columns(monkeypatch: pytest.MonkeyPatch) -> None:
    heading, *lines = shown(160, monkeypatch)
    assert "changed" in heading
    assert "2026-01-31 12:00:00 UTC" in "".join(lines)
