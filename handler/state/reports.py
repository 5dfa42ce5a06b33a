"""The report: what became of one file, in words a person reads and keys a machine does."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, TypedDict

from handler.clock import iso
from handler.errors import Outcome
from handler.model import Action, Target, Upload
from handler.report_codes import Code, Status

if TYPE_CHECKING:
    from handler.cleaning.counts import Tally

RANK: dict[Status, int] = {"waiting": 0, "submitted": 1, "available": 2, "skipped": 2, "rejected": 2, "failed": 2}
"""How far a file has come; it never goes back."""


class FileEntry(TypedDict):
    """The object version a report is about."""

    bucket: str
    key: str
    version_id: str
    etag: str | None
    size: int | None
    uploaded_at: str


class AudienceEntry(TypedDict):
    """The audience the file is for."""

    name: str
    identifier_type: str
    action: str
    id: str | None
    created: bool


class RowsEntry(TypedDict):
    """Rows so far; null when not counted."""

    total: int | None
    accepted: int | None
    rejected: int | None


class RejectionEntry(TypedDict):
    """A rejected row: where and why, never what."""

    line: int
    reason: str


class UploadEntry(TypedDict):
    """A part that is at TikTok."""

    rows: int
    bytes: int
    file_path: str


class ProgressEntry(TypedDict):
    """Where reading goes on; null when nothing or everything is uploaded."""

    next_byte: int | None
    next_line: int | None


class TikTokEntry(TypedDict):
    """What TikTok said."""

    request_ids: list[str]
    matched_before: int | None
    matched: int | None
    match_rate: float | None
    message: str | None


class Report(TypedDict):
    """What became of one object version; every key is always there."""

    schema: int
    status: Status
    code: str
    reason: str
    file: FileEntry
    audience: AudienceEntry | None
    rows: RowsEntry
    rejections: list[RejectionEntry]
    uploads: list[UploadEntry]
    progress: ProgressEntry
    tiktok: TikTokEntry
    attempts: int
    received_at: str
    updated_at: str


def new_report(file: Upload, bucket: str, target: Target | None, now: datetime) -> Report:
    """The report a file begins with."""
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
        "schema": 1,
        "status": "waiting",
        "code": Code.RECEIVED.value,
        "reason": "The file has been received.",
        "file": {
            "bucket": bucket,
            "key": file.key,
            "version_id": file.version_id,
            "etag": file.etag,
            "size": file.size,
            "uploaded_at": iso(file.uploaded_at),
        },
        "audience": audience,
        "rows": {"total": None, "accepted": None, "rejected": None},
        "rejections": [],
        "uploads": [],
        "progress": {"next_byte": None, "next_line": None},
        "tiktok": {"request_ids": [], "matched_before": None, "matched": None, "match_rate": None, "message": None},
        "attempts": 0,
        "received_at": iso(now),
        "updated_at": iso(now),
    }


def settle(report: Report, status: Status, code: Code, reason: str) -> None:
    """Say how the file stands."""
    report["status"], report["code"], report["reason"] = status, code.value, reason


def settle_outcome(report: Report, outcome: Outcome) -> None:
    """Say how the file stands after an error."""
    settle(report, outcome.status, outcome.code, outcome.reason)


def count_rows(report: Report, tally: Tally) -> None:
    """Put what the cleaning found into the report."""
    report["rows"] = {"total": tally.total, "accepted": tally.accepted, "rejected": tally.rejected}
    report["rejections"] = [{"line": each.line, "reason": each.reason.value} for each in tally.rejections]


def identity(report: Report) -> tuple[str, str]:
    """Key and version id of the file."""
    return report["file"]["key"], report["file"]["version_id"]


def action_of(report: Report) -> Action:
    """What the file asks for; its key is right."""
    if report["audience"] is None:
        raise AssertionError("a file with a wrong key asks for nothing")
    return Action(report["audience"]["action"])


def at_end(report: Report) -> bool:
    """Whether nothing more will become of the file."""
    return RANK[report["status"]] == RANK["available"]
