"""Results for machines, with the names of a report: the same in `--json` and for the page."""

from __future__ import annotations

from typing import Any

from console.function import Verdict
from console.hashing.to_file import Hashed
from console.reports import Report, waits_until


def verdict_json(verdict: Verdict) -> dict[str, Any]:
    """Return a verdict for machines, with the names of a report."""
    return {
        "status": verdict.status,
        "code": verdict.code,
        "reason": verdict.reason,
        "rows": {"total": verdict.total, "accepted": verdict.accepted, "rejected": verdict.rejected},
        "rejected_by_reason": verdict.rejected_by_reason,
        "rejections": [{"line": line, "reason": why, "column": where} for line, why, where in verdict.rejections],
        "parts": verdict.parts,
        "bytes": verdict.bytes,
    }


def hashed_json(file: str, output: str | None, result: Hashed) -> dict[str, Any]:
    """Return the result of hashing for machines."""
    counts = result.counts
    return {
        "file": file,
        "output": output,
        "columns": [{"name": each.name, "number": each.index + 1, "kind": each.kind.value} for each in result.columns],
        "delimiter": result.delimiter,
        "encoding": result.encoding,
        "header": result.header,
        "rows": {
            "total": counts.rows,
            "written": counts.written,
            "empty": counts.empty,
            "rejected": counts.rows - counts.written - counts.empty,
        },
        "already_hashed": counts.passed,
        "rejected_by_reason": dict(counts.faults),
        "rejections": [{"line": line, "reason": why, "column": where} for line, where, why in counts.listed],
    }


def file_json(report: Report) -> dict[str, Any]:
    """Return a file's state for machines."""
    audience = report["audience"] or {}
    until = waits_until(report)
    return {
        "key": report["file"]["key"],
        "version_id": report["file"]["version_id"],
        "status": report["status"],
        "code": report["code"],
        "reason": report["reason"],
        "audience": audience.get("name"),
        "identifier_type": audience.get("identifier_type"),
        "action": audience.get("action"),
        "accepted": report["rows"]["accepted"],
        "rejected": report["rows"]["rejected"],
        "matched": report["tiktok"]["matched"],
        "uploaded_at": report["file"]["uploaded_at"],
        "updated_at": report["updated_at"],
        "waits_until": f"{until:%Y-%m-%dT%H:%M:%SZ}" if until else None,
    }
