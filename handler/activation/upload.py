"""One file from S3: cleaned, counted, cut and uploaded as it streams, or counted only."""

from __future__ import annotations

from collections.abc import Iterator

from handler.activation.invocation import Invocation
from handler.cleaning.counts import Progress, Tally, progress_from_report
from handler.cleaning.file_rules import check_file
from handler.cleaning.parts import MAX_PARTS, Part, parts
from handler.errors import Outcome, OutOfTime, Rejected
from handler.model import IdentifierType
from handler.report_codes import Code
from handler.state.reports import Report, action_of, count_rows

# A file begun with at least this share of the invocation's time that ends no part will never end one; nor will one
# that twice in a row had at least half of it.
FULL_TIME_SHARE = 0.8
HALF_TIME_SHARE = 0.5


def is_uploaded(report: Report) -> bool:
    """Whether every row of the file is at TikTok, ready for a create or an update."""
    return bool(report["uploads"]) and report["progress"]["next_byte"] is None


def file_paths(report: Report) -> list[str]:
    """TikTok's names for the parts of a file."""
    return [upload["file_path"] for upload in report["uploads"]]


def forget_uploads(report: Report) -> None:
    """Begin the file anew: TikTok no longer knows its parts."""
    report["uploads"] = []
    report["progress"] = {"next_byte": None, "next_line": None}


def count(run: Invocation, report: Report) -> Report:
    """Clean a file that cannot go yet, so that what is wrong with it is reported at once.

    Raises:
        Rejected: the file is at fault.
        Failed: the object is gone.
        OutOfTime: it will be counted when its turn comes.
    """
    tally = Progress().tally
    for part in _parts(run, report, Progress()):
        tally = part.progress.tally
    _check(run, report, tally)

    def counted(current: Report) -> None:
        if current["rows"]["total"] is None:  # whoever has the lease may be uploading it, and counts as well
            count_rows(current, tally)

    return run.write(report, counted)


def upload(run: Invocation, report: Report) -> Report:
    """Bring every part of a file to TikTok, from where an earlier invocation stopped; return its report.

    Raises:
        Rejected: the file is at fault, or too large to make progress with.
        Failed: the object is gone, or TikTok refuses the file.
        OutOfTime: what is uploaded is noted in the report.
        Waiting: TikTok cannot take it now.
    """
    if is_uploaded(report):
        return report
    share = HALF_TIME_SHARE if report["code"] == Code.CONTINUING else FULL_TIME_SHARE
    had_its_time = run.deadline.remaining() >= share * run.deadline.total
    uploaded_before = len(report["uploads"])
    try:
        for part in _parts(run, report, progress_from_report(report)):
            if part.last:
                _check(run, report, part.progress.tally)
            if part.rows and len(report["uploads"]) >= MAX_PARTS:
                raise Rejected(
                    Code.TOO_MANY_PARTS,
                    f"The file needs more than {MAX_PARTS} uploads, TikTok's limit for one change: split it.",
                )
            report = _upload_part(run, report, part)
            if not part.last:
                _check_time(run)
    except OutOfTime:
        if had_its_time and len(report["uploads"]) == uploaded_before:
            what_to_do = "split it, or upload it without .gz" if _is_compressed(report) else "check what is in it"
            raise Rejected(
                Code.NO_PROGRESS,
                f"The file has too much in it that is no row, or is too large, to be read in one go: {what_to_do}.",
            ) from None
        raise
    return report


def _check(run: Invocation, report: Report, tally: Tally) -> None:
    """Refuse a file of which too much is wrong; its report then has what was counted, lines and reasons included."""
    try:
        check_file(tally, action_of(report), run.settings.max_rejected_ratio, _identifier_type(report))
    except Outcome:
        run.write(report, lambda current: count_rows(current, tally))
        raise


def _upload_part(run: Invocation, report: Report, part: Part) -> Report:
    path, request_id = "", ""
    if part.rows:
        path, request_id = run.tiktok.upload(part, _identifier_type(report))

    def note(current: Report) -> None:
        count_rows(current, part.progress.tally)
        if part.rows:
            current["uploads"].append({"rows": part.rows, "bytes": part.bytes, "file_path": path})
            current["tiktok"]["request_ids"].append(request_id)
        current["progress"] = {
            "next_byte": None if part.last else part.progress.next_byte,
            "next_line": None if part.last else part.progress.next_line,
        }

    return run.write(report, note)


def _parts(run: Invocation, report: Report, start: Progress) -> Iterator[Part]:
    file = report["file"]
    return parts(
        lambda first_byte: run.store.stream(file["key"], file["version_id"], first_byte),
        _identifier_type(report),
        run.settings.max_part_bytes,
        start=start,
        check_time=lambda: _check_time(run),
    )


def _is_compressed(report: Report) -> bool:
    return report["file"]["key"].lower().endswith(".gz")


def _identifier_type(report: Report) -> IdentifierType:
    if report["audience"] is None:
        raise AssertionError("a file with a wrong key is never read")
    return IdentifierType(report["audience"]["identifier_type"])


def _check_time(run: Invocation) -> None:
    if run.deadline.near():
        raise OutOfTime(Code.CONTINUING, "The file is large; the upload goes on at once where it stopped.")
