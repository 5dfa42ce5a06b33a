"""Polling of reports until uploads reach a final status."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from console.errors import ConsoleError, Exit
from console.reports import Report, ReportReader, is_final

_FIRST_PAUSE, _MAX_PAUSE, _GROWTH = 0.5, 20.0, 1.3
_NO_REPORT_SECONDS = 600.0  # a working connector registers an upload within this time


@dataclass(frozen=True)
class FollowedUpload:
    """An uploaded object version to follow."""

    key: str
    version_id: str


def follow(
    reader: ReportReader,
    uploads: Sequence[FollowedUpload],
    on_change: Callable[[FollowedUpload, Report], None],
    timeout: float | None = None,
    sleep: Callable[[float], None] = time.sleep,
) -> dict[FollowedUpload, Report]:
    """Poll the reports of uploads until all have reached a final status, or until the timeout.

    Args:
        reader: the report reader of the connector.
        uploads: the uploads to follow.
        on_change: called with an upload and its report when the report appears, and when its status or code changes.
        timeout: maximum number of seconds to wait; None for no limit.
        sleep: the function that waits between two polls.

    Returns:
        The last report of each upload that has one.

    Raises:
        ConsoleError: an upload has no report after ten minutes, or the reports cannot be read.
    """
    started = time.monotonic()
    known: dict[FollowedUpload, Report] = {}
    pause = _FIRST_PAUSE
    while True:
        for upload in uploads:
            before = known.get(upload)
            if before and is_final(before):
                continue
            report = reader.read(upload.key, upload.version_id)
            if report is None:
                continue
            known[upload] = report
            if before is None or (before["status"], before["code"]) != (report["status"], report["code"]):
                pause = _FIRST_PAUSE
                on_change(upload, report)
        waited = time.monotonic() - started
        if len(known) == len(uploads) and all(map(is_final, known.values())):
            return known
        if timeout is not None and waited >= timeout:
            return known
        if len(known) < len(uploads) and waited >= _NO_REPORT_SECONDS:
            raise ConsoleError(
                "The connector did not register the upload within ten minutes. "
                "Run `tiktok-activation doctor` to find the cause.",
                Exit.STILL_WAITING,
            )
        sleep(pause if timeout is None else min(pause, max(0.0, timeout - waited)))
        pause = min(pause * _GROWTH, _MAX_PAUSE)


def exit_code(uploads: Sequence[FollowedUpload], reports: dict[FollowedUpload, Report]) -> Exit:
    """Return the exit code for the last reports of uploads."""
    found = [reports.get(upload) for upload in uploads]
    if any(report and report["status"] in {"rejected", "failed"} for report in found):
        return Exit.NOT_ACCEPTED
    if not all(report and is_final(report) for report in found):
        return Exit.STILL_WAITING
    return Exit.DONE
