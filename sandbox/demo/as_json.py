"""The demo's machine-readable output: one JSON object, and the warnings and errors in the functions' logs."""

from __future__ import annotations

import json
from typing import Any

from sandbox.demo.connectors import Connectors
from sandbox.demo.watch import Watch

_MAX_LINES = 20


def as_json(connectors: Connectors, watch: Watch, seconds: float) -> dict[str, Any]:
    """Return the state of the sandbox, which `--json` prints."""
    return {
        "resources": len(connectors.cloud.resources),
        "seconds": round(seconds, 1),
        "advertisers": {
            name: {
                "bucket": advertiser.outputs["bucket"],
                "queue_depth": connectors.depth(advertiser.outputs["queue_url"]),
                "dead_letter_depth": connectors.depth(advertiser.outputs["dead_letter_queue_url"]),
                "audiences": [
                    {field: each[field] for field in ("id", "name", "matched", "is_valid")}
                    | {"identifier_type": each["calculate_type"].lower()}
                    for each in connectors.audiences(advertiser)
                ],
                "files": [
                    {
                        "key": report["file"]["key"],
                        **{field: report[field] for field in ("status", "code", "reason")},
                        **{field: report["rows"][field] for field in ("accepted", "rejected")},
                    }
                    for (owner, _), report in sorted(watch.reports.items())
                    if owner == name
                ],
            }
            for name, advertiser in connectors.advertisers.items()
        },
    }


def problem_lines(connectors: Connectors) -> list[str]:
    """Return the last warnings, errors and unstructured lines of each function's log, without duplicates."""
    return [
        f"{name}: {message}"
        for name, advertiser in connectors.advertisers.items()
        for message in list(dict.fromkeys(filter(None, map(_message, list(advertiser.log.lines)))))[-_MAX_LINES:]
    ]


def _message(line: str) -> str | None:
    """Return an unstructured log line, or the message and details of a warning or error; None for other lines."""
    try:
        content = json.loads(line)
        level, message = content.get("level"), content.get("errorMessage") or content.get("message")
    except (ValueError, AttributeError):
        return line
    if level not in {"WARNING", "ERROR", "CRITICAL"}:
        return None
    details = content.get("exception") or content.get("error") or ""
    return f"{level} {message} {details}".rstrip()
