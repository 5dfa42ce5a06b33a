"""Results as JSON objects with the key names of a report, for `--json` and for the web page."""

from __future__ import annotations

from typing import Any

from console.function import Verdict
from console.hashing.to_file import HashResult


def verdict_json(verdict: Verdict) -> dict[str, Any]:
    """Return a verdict as a JSON object with the key names of a report."""
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


def hashed_json(file: str, output: str | None, result: HashResult) -> dict[str, Any]:
    """Return the result of hashing one file as a JSON object."""
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
            "rejected": counts.unhashable,
        },
        "already_hashed": counts.already_hashed,
        "rejected_by_reason": dict(counts.faults),
        "rejections": [{"line": line, "reason": why, "column": where} for line, where, why in counts.listed_faults],
    }
