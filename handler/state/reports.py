"""The report: the JSON document with the status of one upload."""

from __future__ import annotations

from datetime import datetime
from typing import Any, TypedDict, cast

from handler.cleaning.counts import RejectionEntry, RowsEntry, Tally, to_report
from handler.clock import iso
from handler.errors import Outcome
from handler.model import Action, Target, Upload
from handler.report_codes import Code, Status

SCHEMA = 2
RANK: dict[Status, int] = {"waiting": 0, "submitted": 1, "available": 2, "skipped": 2, "rejected": 2, "failed": 2}
"""The order of the statuses. The rank of a report never decreases, except when a list is sent again."""


class FileEntry(TypedDict):
    """The object version that a report describes."""

    bucket: str
    key: str
    version_id: str
    etag: str | None
    size: int | None
    uploaded_at: str
    event_reason: str | None


class AudienceEntry(TypedDict):
    """The audience and action that an upload names.

    Attributes:
        id: TikTok's id of the audience; null until the upload is submitted.
        created: true if the upload created the audience.
    """

    name: str
    identifier_type: str
    action: str
    id: str | None
    created: bool


class UploadEntry(TypedDict):
    """A part that was uploaded to TikTok.

    Attributes:
        rows: the number of this upload's rows in the part.
        bytes: the size of the part, including the rows of other uploads that share it.
    """

    rows: int
    bytes: int
    file_path: str


class ProgressEntry(TypedDict):
    """The position where reading continues; null if no part or the complete file is uploaded."""

    next_byte: int | None
    next_line: int | None


class TikTokEntry(TypedDict):
    """TikTok's responses about one upload.

    Attributes:
        request_ids: TikTok's ids of the requests that uploaded parts or sent the change.
        matched_before: the number of people that the audience matched before an update; null for a create.
        matched: the number of people that the audience matches after the change.
        match_rate: after a create or replace, `matched` divided by the number of accepted rows of all uploads in the
            call; otherwise null.
        message: TikTok's message about a failed change.
    """

    request_ids: list[str]
    matched_before: int | None
    matched: int | None
    match_rate: float | None
    message: str | None


class Report(TypedDict):
    """The status of one object version; every key is always present.

    Attributes:
        attempts: the number of invocations that uploaded parts of this upload to TikTok.
        received_at: the registration time.
        updated_at: the time of the last change to the report.
    """

    schema: int
    status: Status
    code: str
    reason: str
    file: FileEntry
    run: str | None
    audience: AudienceEntry | None
    rows: RowsEntry
    rejected_by_reason: dict[str, int]
    rejections: list[RejectionEntry]
    uploads: list[UploadEntry]
    progress: ProgressEntry
    tiktok: TikTokEntry
    attempts: int
    received_at: str
    updated_at: str


def new_report(upload: Upload, bucket: str, target: Target | None, now: datetime) -> Report:
    """Return the first report of an upload. `target` is None if the upload's key is invalid."""
    audience: AudienceEntry | None = None
    if target:
        audience = {
            "name": target.audience.name,
            "identifier_type": target.audience.identifier_type.value,
            "action": target.action.value,
            "id": None,
            "created": False,
        }
    return {
        "schema": SCHEMA,
        "status": "waiting",
        "code": Code.RECEIVED.value,
        "reason": "The upload is registered.",
        "file": {
            "bucket": bucket,
            "key": upload.key,
            "version_id": upload.version_id,
            "etag": upload.etag,
            "size": upload.size,
            "uploaded_at": iso(upload.uploaded_at),
            "event_reason": upload.event_reason,
        },
        "run": target.run if target else None,
        "audience": audience,
        "rows": {"total": None, "accepted": None, "rejected": None, "overtaken": None, "md5": None},
        "rejected_by_reason": {},
        "rejections": [],
        "uploads": [],
        "progress": {"next_byte": None, "next_line": None},
        "tiktok": {"request_ids": [], "matched_before": None, "matched": None, "match_rate": None, "message": None},
        "attempts": 0,
        "received_at": iso(now),
        "updated_at": iso(now),
    }


def upgraded_report(content: dict[str, Any]) -> Report | None:
    """Return a stored report with the keys of the current schema, or None if it is not a report.

    Schema 1 lacks a few keys. Its reports keep `schema` 1, because their pending pointers have names in the old format.
    """
    if content.get("schema") == 1:
        rows, file = content.get("rows"), content.get("file")
        if not isinstance(rows, dict) or not isinstance(file, dict):
            return None
        content = {
            **content,
            "file": {"event_reason": None, **file},
            "run": None,
            "rows": {"overtaken": None, "md5": None, **rows},
            "rejected_by_reason": {},
            "rejections": [{"column": None, **each} for each in content.get("rejections", [])],
        }
    return cast("Report", content) if Report.__required_keys__ <= content.keys() else None


def set_status(report: Report, status: Status, code: Code, reason: str) -> None:
    """Set status, code and reason of an upload."""
    report["status"], report["code"], report["reason"] = status, code.value, reason


def set_outcome(report: Report, outcome: Outcome) -> None:
    """Set status, code and reason of an upload from an outcome."""
    set_status(report, outcome.status, outcome.code, outcome.reason)


def write_counts(report: Report, tally: Tally) -> None:
    """Write the counts of a file into its report."""
    report.update(to_report(tally))  # type: ignore[typeddict-item]  # `cleaning` has no report types


def clear_uploads(report: Report) -> None:
    """Remove the parts of an upload from its report, so that it is read and uploaded from the start."""
    report["uploads"] = []
    report["progress"] = {"next_byte": None, "next_line": None}


def is_uploaded(report: Report) -> bool:
    """Return true if the complete upload is at TikTok, ready for a create or an update."""
    return bool(report["uploads"]) and report["progress"]["next_byte"] is None


def file_paths(report: Report) -> list[str]:
    """Return the `file_path` of each part of an upload."""
    return [upload["file_path"] for upload in report["uploads"]]


def identity(report: Report) -> tuple[str, str]:
    """Return the key and version id of an upload."""
    return report["file"]["key"], report["file"]["version_id"]


def action_of(report: Report) -> Action:
    """Return the action of an upload whose key is valid."""
    if report["audience"] is None:
        raise AssertionError("An upload with an invalid key has no action.")
    return Action(report["audience"]["action"])


def is_final(report: Report) -> bool:
    """Return true if the upload's status is final."""
    return RANK[report["status"]] == RANK["available"]
