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
from handler.errors import Damaged, Failed, Missing, Outcome, OutOfTime, Rejected
from handler.model import IdentifierType
from handler.report_codes import Code
from handler.state.lease import Lease
from handler.state.objects import Version
from handler.state.pointers import Pointer
from handler.state.reports import Report

# A copy that cannot be counted within this many invocations is sent like any upload.
MAX_INVOCATIONS = 2


def drop_unchanged_copies(run: Invocation, lease: Lease, versions: Versions, pointers: Sequence[Pointer]) -> bool:
    """End uploads that are copies with the same accepted rows as the version of their key before them.

    Returns:
        True if an upload ended, or is left out because S3 failed.

    Raises:
        OutOfTime: the invocation ends.
    """
    ended = False
    for pointer in pointers:
        if not pointer.is_copy or _is_too_large(lease, pointer) or (report := run.report(pointer)) is None:
            continue
        previous = versions.previous(report)
        if previous is None or report["uploads"] or _is_tried_again(run, previous):
            continue
        try:
            rows = _rows_md5(run, report)
            before = _previous_md5(run, previous.key, previous.version_id, identifier_type_of(report))
        except OutOfTime:
            lease.state["stalled"][_stall_key(pointer)] = lease.state["stalled"].get(_stall_key(pointer), 0) + 1
            raise
        except ClientError as error:  # sent like any upload, the copy could bring back people that were removed since
            set_aside(run, lease, report, error)
            ended = True
            continue
        if rows is None or rows != before:
            continue
        since = previous.modified_at
        others = any(
            (each["key"] != previous.key) and parse_iso(each["uploaded_at"]) >= since for each in lease.state["applied"]
        )
        run.set_outcome(report, reasons.unchanged_copy(after_other_uploads=others))
        ended = True
    return ended


def _is_too_large(lease: Lease, pointer: Pointer) -> bool:
    return lease.state["stalled"].get(_stall_key(pointer), 0) >= MAX_INVOCATIONS


def _stall_key(pointer: Pointer) -> str:
    return f"copy:{pointer.digest}"


def _is_tried_again(run: Invocation, previous: Version) -> bool:
    """Return true if the version before was not applied, so that uploading it again is the way to have it applied."""
    try:
        report = run.ledger.latest(previous.key, previous.version_id)
    except (Missing, Damaged):
        return False
    if report["code"] == Code.NOTHING_TO_REMOVE_FROM:  # its rows count as applied
        return False
    return report["status"] in {"rejected", "failed"} or report["code"] == Code.WITHDRAWN


def _rows_md5(run: Invocation, report: Report) -> str | None:
    """Return the MD5 of the accepted rows of an upload; None if it cannot be counted.

    Raises:
        ClientError: S3 failed for now.
    """
    if report["rows"]["md5"]:
        return report["rows"]["md5"]
    try:
        return count(run, report)["rows"]["md5"]
    except OutOfTime:
        raise
    except Outcome:
        return None  # its own turn reports the fault
    except ClientError as error:
        if not is_refusal(error):
            raise
        return None


def _previous_md5(run: Invocation, key: str, version_id: str, identifier_type: IdentifierType) -> str | None:
    try:
        if md5 := run.ledger.latest(key, version_id)["rows"]["md5"]:
            return md5
    except (Missing, Damaged):
        pass
    tally = Tally()
    try:
        for part in read_parts(run, key, version_id, identifier_type):
            tally = part.progress.tally
    except (Rejected, Failed):
        return None
    except ClientError as error:
        if not is_refusal(error):
            raise
        return None
    return tally.md5 or None
