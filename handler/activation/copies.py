"""Copies: an object copied onto itself, to change its metadata, storage class or encryption, changes no audience."""

from __future__ import annotations

from collections.abc import Sequence

from botocore.exceptions import ClientError

from handler import reasons
from handler.activation.file_upload import count
from handler.activation.invocation import Invocation
from handler.activation.prepare import is_refusal, set_aside
from handler.activation.reading import identifier_type_of, read_parts
from handler.activation.versions import Versions
from handler.cleaning.counts import Tally
from handler.clock import parse_iso
from handler.errors import Damaged, Missing, Outcome, OutOfTime, Rejected, Skipped
from handler.report_codes import Code
from handler.state.lease import Lease
from handler.state.objects import Version
from handler.state.pointers import Pointer
from handler.state.reports import Report, identity

# A copy that cannot be counted within this many invocations is sent like any upload.
MAX_INVOCATIONS = 2


def drop_unchanged_copies(run: Invocation, lease: Lease, versions: Versions, pointers: Sequence[Pointer]) -> bool:
    """End uploads that are copies with the same accepted rows as the version of their key before them.

    Returns:
        True if an upload ended, or is left out because S3 failed.

    Raises:
        OutOfTime: the invocation ends.
    """
    ended, stalled = False, lease.state["stalled"]
    for pointer in pointers:
        stall_key = f"copy:{pointer.digest}"
        if not pointer.is_copy or stalled.get(stall_key, 0) >= MAX_INVOCATIONS or not (report := run.report(pointer)):
            continue
        source, known = _source(run, versions, report)
        if source is None or report["uploads"] or (known and _is_tried_again(known)):
            continue
        try:
            if not _has_rows_of(run, report, source, known):
                continue
        except OutOfTime:
            stalled[stall_key] = stalled.get(stall_key, 0) + 1
            raise
        except Outcome:  # its own turn reports the fault
            continue
        except ClientError as error:
            if not is_refusal(error):  # sent like any upload, it could bring back people that were removed since
                set_aside(run, lease, report, error)
                ended = True
            continue
        others = any(
            each["key"] != source.key and parse_iso(each["uploaded_at"]) >= source.modified_at
            for each in lease.state["applied"]
        )
        run.set_outcome(report, reasons.unchanged_copy(after_other_uploads=others))
        ended = True
    return ended


def _source(run: Invocation, versions: Versions, report: Report) -> tuple[Version | None, Report | None]:
    """Return the version that a copy repeats, and its report: not a copy that changed nothing itself."""
    source = versions.previous(*identity(report))
    known = source and _report_of(run, source)
    while source and known and known["code"] == Code.UNCHANGED_COPY:
        before = versions.previous(source.key, source.version_id)
        if before is None:  # gone by now
            break
        source, known = before, _report_of(run, before)
    return source, known


def _report_of(run: Invocation, version: Version) -> Report | None:
    try:
        return run.ledger.latest(version.key, version.version_id)
    except (Missing, Damaged):
        return None


def _is_tried_again(source: Report) -> bool:
    """Return true if the version before was not applied, so that uploading it again is the way to have it applied."""
    if source["code"] == Code.NOTHING_TO_REMOVE_FROM:  # its rows count as applied
        return False
    return source["status"] in {"rejected", "failed"} or source["code"] == Code.WITHDRAWN


def _has_rows_of(run: Invocation, report: Report, source: Version, known: Report | None) -> bool:
    """Return true if an upload has the same accepted rows as an older version of its key.

    Raises:
        Outcome: one of the two cannot be counted.
    """
    try:
        rows = report["rows"]["md5"] or count(run, report)["rows"]["md5"]
    except (Rejected, Skipped):
        # Empty files of a list have ended as skipped, but alone each would be a faulty list.
        return bool(
            known and known["code"] == Code.EMPTY_FILE and run.ledger.latest(*identity(report))["rows"] == known["rows"]
        )
    if known and known["rows"]["md5"] and known["progress"]["next_byte"] is None:
        return rows == known["rows"]["md5"]
    tally = Tally()
    for part in read_parts(run, source.key, source.version_id, identifier_type_of(report)):
        tally = part.progress.tally
    return rows == tally.md5
