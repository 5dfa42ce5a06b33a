"""Uploads followed until the connector is done with them."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from console.errors import ConsoleError, Exit
from console.reports import Report, ReportReader, is_at_end

_FIRST_PAUSE, _MAX_PAUSE, _GROWTH = 0.5, 20.0, 1.3
_NO_REPORT_SECONDS = 600.0  # by then a working connector has registered the upload


@dataclass(frozen=True)
class FollowedUpload:
    """An object version that was uploaded."""

    key: str
    version_id: str


def follow(
    reader: ReportReader,
    uploads: Sequence[FollowedUpload],
    tell: Callable[[FollowedUpload, Report], None],
    timeout: float | None = None,
    sleep: Callable[[float], None] = time.sleep,
) -> dict[FollowedUpload, Report]:
    """Read the reports of uploads again and again until all are at their end.

    Args:
        reader: of the connector.
        uploads: to follow.
        tell: told a report whenever its status or code changes.
        timeout: seconds; None to wait as long as it takes.
        sleep: waits some seconds.

    Returns:
        The last report of each upload that has one.

    Raises:
        ConsoleError: an upload gets no report at all.
    """
    begun = time.monotonic()
    known: dict[FollowedUpload, Report] = {}
    pause = _FIRST_PAUSE
    while True:
        for upload in uploads:
            before = known.get(upload)
            if before and is_at_end(before):
                continue
            report = reader.read(upload.key, upload.version_id)
            if report is None:
                continue
            known[upload] = report
            if before is None or (before["status"], before["code"]) != (report["status"], report["code"]):
                pause = _FIRST_PAUSE
                tell(upload, report)
        waited = time.monotonic() - begun
        if len(known) == len(uploads) and all(map(is_at_end, known.values())):
            return known
        if timeout is not None and waited >= timeout:
            return known
        if len(known) < len(uploads) and waited >= _NO_REPORT_SECONDS:
            raise ConsoleError(
                "The connector has not registered the upload for ten minutes. Run `doctor` to see why.",
                Exit.STILL_WAITING,
            )
        sleep(pause if timeout is None else min(pause, max(0.0, timeout - waited)))
        pause = min(pause * _GROWTH, _MAX_PAUSE)


def exit_code(uploads: Sequence[FollowedUpload], reports: dict[FollowedUpload, Report]) -> Exit:
    """Return the exit code for the ends of some uploads."""
    found = [reports.get(upload) for upload in uploads]
    if any(report and report["status"] in {"rejected", "failed"} for report in found):
        return Exit.NOT_ACCEPTED
    if not all(report and is_at_end(report) for report in found):
        return Exit.STILL_WAITING
    return Exit.DONE
