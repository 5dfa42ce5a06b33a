"""Unchanged copies: objects copied onto themselves, for example to change their metadata or storage class.

They change no audience.
"""

from __future__ import annotations

from collections.abc import Sequence

from botocore.exceptions import ClientError

from handler import reasons
from handler.activation.invocation import Invocation
from handler.activation.prepare import is_refusal, mark_broken
from handler.activation.reading import identifier_type_of, read_parts
from handler.activation.resumable_upload import count
from handler.activation.turn import Turn
from handler.cleaning.counts import Tally
from handler.clock import parse_iso
from handler.errors import Outcome, OutOfTime, Rejected, Skipped
from handler.report_codes import Code
from handler.state.objects import Version
from handler.state.pending_pointers import Pointer
from handler.state.reports import Report, identity

# A copy that cannot be compared with its source within this many invocations is sent like any other upload.
MAX_INVOCATIONS = 2


def skip_unchanged_copies(turn: Turn, pointers: Sequence[Pointer]) -> bool:
    """Skip copies whose accepted rows equal those of the previous version of their key.

    Returns:
        True if an upload was skipped, or is left out of this invocation because S3 failed.

    Raises:
        OutOfTime: the invocation is about to end.
    """
    run, lease = turn.run, turn.lease
    ended, stalled = False, lease.state["stalled"]
    for pointer in pointers:
        stall_key = f"copy:{pointer.digest}"
        if not pointer.is_copy or stalled.get(stall_key, 0) >= MAX_INVOCATIONS or not (report := run.report(pointer)):
            continue
        source, known = _source(turn, report)
        if source is None or report["uploads"] or (known and _was_not_applied(known)):
            continue
        try:
            if not _has_rows_of(run, report, source, known):
                continue
        except OutOfTime:
            stalled[stall_key] = stalled.get(stall_key, 0) + 1
            raise
        except Outcome:  # the fault is reported when the copy is prepared like any other upload
            continue
        except ClientError as error:
            if not is_refusal(error):  # if the copy were sent, it could add people who were removed meanwhile
                mark_broken(run, lease, report, error)
                ended = True
            continue
        others = any(
            each["key"] != source.key and parse_iso(each["uploaded_at"]) >= source.modified_at
            for each in lease.state["applied"]
        )
        run.set_outcome(report, reasons.unchanged_copy(after_other_uploads=others))
        ended = True
    return ended


def _source(turn: Turn, report: Report) -> tuple[Version | None, Report | None]:
    """Return the version that was copied, and its report. Unchanged copies in between are skipped.

    Both are None if there is no such version. Only the report is None if it is missing or damaged.
    """
    versions, ledger = turn.versions, turn.run.ledger
    source = versions.previous(*identity(report))
    known = source and ledger.find(source.key, source.version_id)
    while source and known and known["code"] == Code.UNCHANGED_COPY:
        before = versions.previous(source.key, source.version_id)
        if before is None:  # there is none, or it was deleted
            break
        source, known = before, ledger.find(before.key, before.version_id)
    return source, known


def _was_not_applied(source: Report) -> bool:
    """Return true if the source was not applied, so that a copy of it is a new attempt to apply it."""
    if source["code"] == Code.NOTHING_TO_REMOVE_FROM:  # counts as applied
        return False
    return source["status"] in {"rejected", "failed"} or source["code"] == Code.WITHDRAWN


def _has_rows_of(run: Invocation, report: Report, source: Version, known: Report | None) -> bool:
    """Return true if an upload has the same accepted rows as an older version of its key.

    Raises:
        Failed: one of the two versions cannot be read.
        Rejected: the older version is faulty.
        OutOfTime: the invocation is about to end.
        ClientError: S3 refused or failed to return one of the two versions.
    """
    try:
        rows = report["rows"]["md5"] or count(run, report)["rows"]["md5"]
    except (Rejected, Skipped):
        # An empty file of a list is skipped, but counted by itself it would be rejected as an empty list.
        return bool(
            known and known["code"] == Code.EMPTY_FILE and run.ledger.latest(*identity(report))["rows"] == known["rows"]
        )
    if known and known["rows"]["md5"] and known["progress"]["next_byte"] is None:
        return rows == known["rows"]["md5"]
    tally = Tally()
    for part in read_parts(run, source.key, source.version_id, identifier_type_of(report)):
        tally = part.progress.tally
    return rows == tally.md5
