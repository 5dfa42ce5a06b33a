"""Printing of reports: a table of files, and a single report."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from rich.text import Text

from console.output import number, out, print_table, print_text, status_text
from console.reports import Report, waits_until

_MAX_REJECTIONS = 20
_WIDE = 160  # minimum terminal width, in characters, for the table with all details
_NARROW_FILE, _NARROW_AUDIENCE = 20, 15  # maximum widths of file and audience names on a narrower terminal

Rows = list[list[str | Text]]


def show_files(advertiser: str, state: Mapping[str, Any]) -> None:
    """Print the files and audiences of one advertiser."""
    print_text(f"\n{advertiser}", "bold")
    if not state["files"]:
        folder = f"s3://{state['bucket']}/tiktok/<audience>/<identifier type>/"
        print_text(
            f"There are no reports yet. First, upload a file with `tiktok-activation upload`, or to {folder} in S3."
        )
        return
    print_table(*(_wide(state["files"]) if out.width >= _WIDE else _narrow(state["files"])))
    if len(state["files"]) < state["files_total"]:
        print_text(
            f"These are the {len(state['files'])} most recently changed of {state['files_total']:,} files. "
            "Use --limit to show more."
        )
    reasons = [file for file in state["files"] if file["status"] in {"waiting", "rejected", "failed", "skipped"}]
    if reasons:
        print_text("\nReasons", "bold")
        for file in reasons:
            print_text(f"  {_file_name(file)} ({file['code']}): {file['reason']}")
    if state["audiences"]:
        print_text("\nAudiences", "bold")
        print_table(
            ["audience", "type", "matched users", "at"],
            [
                [each["name"], each["identifier_type"], number(each["matched"]), _time(each["at"])]
                for each in state["audiences"]
            ],
            numbers=(2,),
        )


def _wide(files: Sequence[Mapping[str, Any]]) -> tuple[list[str], Rows, tuple[int, ...]]:
    """Return the headings, rows, and indexes of right-aligned columns of the table with all details."""
    headings = ["file", "audience", "type", "action", "status", "accepted", "rejected", "matched", "changed"]
    rows: Rows = [
        [
            _file_name(file),
            file["audience"] or "-",
            file["identifier_type"] or "-",
            file["action"] or "-",
            status_text(file["status"]),
            *_numbers(file),
            _time(file["updated_at"]),
            _time(file["waits_until"]),
        ]
        for file in files
    ]
    return [*headings, "waits at most until"], rows, (5, 6, 7)


def _narrow(files: Sequence[Mapping[str, Any]]) -> tuple[list[str], Rows, tuple[int, ...]]:
    """Return the headings, rows, and indexes of right-aligned columns of a table that fits an 80-character terminal."""
    headings = ["file", "audience", "status", "accepted", "rejected", "matched"]
    rows: Rows = [
        [
            _shortened(_file_name(file), _NARROW_FILE),
            _shortened(file["audience"] or "-", _NARROW_AUDIENCE),
            status_text(file["status"]),
            *_numbers(file),
        ]
        for file in files
    ]
    return headings, rows, (3, 4, 5)


def _file_name(file: Mapping[str, Any]) -> str:
    return str(file["key"]).rsplit("/", 1)[-1]


def _numbers(file: Mapping[str, Any]) -> list[str]:
    return [number(file[name]) for name in ("accepted", "rejected", "matched")]


def _shortened(text: str, columns: int) -> str:
    short = Text(text)
    short.truncate(columns, overflow="ellipsis")
    return short.plain


def show_report(report: Report) -> None:
    """Print one report."""
    rows, tiktok, audience = report["rows"], report["tiktok"], report["audience"]
    out.print(status_text(report["status"]), f"({report['code']})")
    print_text(report["reason"])
    until = waits_until(report)
    facts = [
        ("file", f"s3://{report['file']['bucket']}/{report['file']['key']}"),
        ("version", report["file"]["version_id"]),
        ("run", report.get("run")),
        ("uploaded", _time(report["file"]["uploaded_at"])),
        ("changed", _time(report["updated_at"])),
        ("waits at most until", _time(f"{until:%Y-%m-%dT%H:%M:%SZ}") if until else None),
        ("audience", f"{audience['name']} ({audience['identifier_type']}), {audience['action']}" if audience else None),
        ("TikTok's audience id", audience["id"] if audience else None),
        ("rows", _counts(rows)),
        ("matched users", _matched(tiktok)),
        ("TikTok's message", tiktok["message"]),
        ("TikTok's request ids", ", ".join(tiktok["request_ids"][-5:])),
    ]
    print_table(["", ""], [[name, str(value)] for name, value in facts if value])
    if report["rejections"]:
        print_text("\nRows and cells that were not sent (the report never contains their content):", "bold")
        shown = [
            [str(each["line"]), each["reason"], each.get("column") or ""]
            for each in report["rejections"][:_MAX_REJECTIONS]
        ]
        print_table(["line", "reason", "column"], shown, numbers=(0,))
        by_reason = report.get("rejected_by_reason") or {}
        if by_reason:
            print_text("In total: " + ", ".join(f"{count:,} {reason}" for reason, count in by_reason.items()))


def _counts(rows: Mapping[str, Any]) -> str | None:
    if rows["total"] is None:
        return None
    text = f"{rows['total']:,}: {rows['accepted']:,} accepted, {rows['rejected']:,} rejected"
    return text + (f", {rows['overtaken']:,} overtaken by newer uploads" if rows.get("overtaken") else "")


def _matched(tiktok: Mapping[str, Any]) -> str | None:
    if tiktok["matched"] is None:
        return None
    before = f" (before: {tiktok['matched_before']:,})" if tiktok["matched_before"] is not None else ""
    return f"{tiktok['matched']:,}{before}"


def _time(text: str | None) -> str:
    return text.replace("T", " ").replace("Z", " UTC") if text else ""
