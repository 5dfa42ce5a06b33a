"""Read one upload, and upload its rows to TikTok in parts or only count them."""

from __future__ import annotations

from handler import reasons
from handler.activation.invocation import Invocation
from handler.activation.overtaking import Keep
from handler.activation.reading import check_time, identifier_type_of, read_parts
from handler.cleaning.counts import Progress, Tally, progress_from_report
from handler.cleaning.file_rules import check_file
from handler.cleaning.parts import MAX_PARTS, Part
from handler.errors import Outcome
from handler.state.reports import Report, action_of, identity, write_counts


def count(run: Invocation, report: Report) -> Report:
    """Count the rows of a file that cannot be sent yet, so that its faults are reported immediately.

    Raises:
        Skipped, Rejected: there is nothing to send, or the file is faulty.
        Failed: the object cannot be read.
        OutOfTime: the invocation is about to end.
    """
    tally = Tally()
    for part in read_parts(run, *identity(report), identifier_type_of(report)):
        tally = part.progress.tally
    _check(run, report, tally)

    def counted(current: Report) -> None:
        if current["rows"]["total"] is None:  # the holder of the lease may have counted it meanwhile
            write_counts(current, tally)

    return run.write(report, counted)


def upload_file(run: Invocation, report: Report, keep: Keep | None, *, may_be_packed: bool) -> Part | None:
    """Upload every part of a file, starting where an earlier invocation stopped.

    The report is updated after each part. Read the newest version from the ledger afterward.

    Args:
        run: the invocation.
        report: the upload's report.
        keep: a filter that leaves out overtaken rows; None if no rows are overtaken.
        may_be_packed: true to return the part of a file that fits into one part, instead of uploading it.

    Returns:
        The only part of the file, to be packed with parts of other files; None if the file is uploaded.

    Raises:
        Skipped: there is nothing to send.
        Rejected: the file is faulty.
        Failed: the object cannot be read, or TikTok refuses the file.
        OutOfTime: the invocation is about to end; finished parts are recorded in the report.
        Waiting: TikTok cannot accept the file now.
    """
    start, identifier_type, is_first = progress_from_report(report), identifier_type_of(report), True
    for part in read_parts(run, *identity(report), identifier_type, start=start, keep=keep):
        tally = part.progress.tally
        if part.last:
            _check(run, report, tally)
            if tally.accepted == tally.overtaken:
                raise with_counts(run, report, tally, reasons.overtaken())
        if part.rows and len(report["uploads"]) >= MAX_PARTS:
            raise reasons.too_many_parts(MAX_PARTS)
        if may_be_packed and part.last and start == Progress() and not report["uploads"]:
            return part
        path, request_id = run.tiktok.upload(part, identifier_type) if part.rows else ("", "")
        report = record_part(run, report, part, path=path, request_id=request_id, size=part.bytes, is_first=is_first)
        is_first = False
        if not part.last:
            check_time(run)
    return None


def record_part(
    run: Invocation, report: Report, part: Part, *, path: str, request_id: str, size: int, is_first: bool
) -> Report:
    """Record in the report that TikTok has a part of an upload, and return the stored report.

    Args:
        run: the invocation.
        report: the upload's report.
        part: the upload's own rows in the part.
        path: TikTok's `file_path` of the uploaded part; empty if the upload's own part has no rows.
        request_id: TikTok's id of the upload request.
        size: the size of the uploaded part in bytes, including the rows of other uploads that share it.
        is_first: true for the first part of the upload in this invocation, which counts as one attempt.
    """

    def record(current: Report) -> None:
        write_counts(current, part.progress.tally)
        current["attempts"] += is_first
        if part.rows:
            current["uploads"].append({"rows": part.rows, "bytes": size, "file_path": path})
            current["tiktok"]["request_ids"].append(request_id)
        current["progress"] = {
            "next_byte": None if part.last else part.progress.next_byte,
            "next_line": None if part.last else part.progress.next_line,
        }

    return run.write(report, record)


def with_counts(run: Invocation, report: Report, tally: Tally, outcome: Outcome) -> Outcome:
    """Write the counts of a file into its report and return the outcome, which the caller raises."""
    run.write(report, lambda current: write_counts(current, tally))
    return outcome


def _check(run: Invocation, report: Report, tally: Tally) -> None:
    try:
        check_file(tally, action_of(report), run.settings.max_rejected_ratio, identifier_type_of(report))
    except Outcome as fault:
        raise with_counts(run, report, tally, fault) from None
