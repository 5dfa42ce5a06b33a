"""Upload the files of one call to TikTok. Each file has its own parts, or many small files share parts."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import groupby
from typing import TypeGuard

from botocore.exceptions import ClientError

from handler import reasons
from handler.activation.invocation import Invocation
from handler.activation.overtaking import is_stale
from handler.activation.part_builder import PartBuilder
from handler.activation.reading import identifier_type_of
from handler.activation.resumable_upload import count, record_part, upload_file
from handler.activation.turn import Turn
from handler.cleaning.parts import MAX_PARTS, Part
from handler.clock import iso, parse_iso
from handler.errors import Conflict, Failed, Outcome, OutOfTime, Waiting
from handler.state.lease import Lease
from handler.state.pending_pointers import upload_digest
from handler.state.reports import Report, action_of, clear_uploads, file_paths, identity, is_uploaded

# TikTok recommends fewer than 50 `file_paths` per call. From this number of uploads on, small uploads share parts.
MIN_PACKED_UPLOADS = 50
# A file or list that finishes no part in this many consecutive invocations is rejected.
MAX_STALLED_INVOCATIONS = 3
# An upload that S3 refuses to return fails after an hour of refused reads. A gap of more than 15 minutes between two
# refused reads does not count.
MAX_UNREADABLE_SECONDS = 3600.0
MAX_FAILURE_GAP_SECONDS = 900.0


def prepare(turn: Turn, reports: Sequence[Report]) -> list[Report]:
    """Upload files to TikTok until one call is full.

    Uploads that are faulty or have nothing to send get their outcome and are left out.

    Args:
        turn: the audience's turn.
        reports: the reports of uploads with the same action, in order.

    Returns:
        The reports of the uploads whose rows are all at TikTok.

    Raises:
        OutOfTime: the invocation is about to end; the next one continues.
        Waiting: TikTok cannot accept the files now.
    """
    reports = _without_outdated_parts(turn, reports)
    packer = _Packer(turn.run) if len(reports) >= MIN_PACKED_UPLOADS else None
    ready: dict[tuple[str, str], Report] = {}
    for report in reports:
        if _parts_of(ready.values()) + (packer.parts if packer else 0) >= MAX_PARTS:
            break
        if uploaded := _prepare_one(turn, report, packer):
            ready[identity(report)] = uploaded
    if packer:
        ready |= {identity(report): report for report in packer.flush()}
    result = [ready[identity(report)] for report in reports if identity(report) in ready]
    while _parts_of(result) > MAX_PARTS and len(result) > 1:
        result.pop()
    # Another function may have finished some of them meanwhile.
    return [report for report in result if report["status"] == "waiting"]


def _prepare_one(turn: Turn, report: Report, packer: _Packer | None) -> Report | None:
    """Upload one file and return its report.

    Return None if the file waits in the packer, has its outcome, or is left out because S3 or the connector failed.
    """
    if is_uploaded(report):
        return report
    run, lease, digest = turn.run, turn.lease, upload_digest(*identity(report))
    try:
        keep = turn.overtaking.filter(action_of(report), parse_iso(report["file"]["uploaded_at"]), [identity(report)])
        part = upload_file(run, report, keep, may_be_packed=packer is not None and _can_be_packed(report))
        if part and packer:
            packer.add(report, part)
    except OutOfTime as reason:
        if record_stall(lease, digest, progress=run.ledger.latest(*identity(report))["progress"] != report["progress"]):
            run.set_outcome(report, reasons.no_progress())
            return None
        if packer:
            packer.flush()
        run.set_outcome(report, reason)
        raise
    except (Waiting, Conflict):
        raise
    except Outcome as outcome:
        run.set_outcome(report, outcome)
        return None
    except Exception as error:
        mark_broken(run, lease, report, error)
        return None
    lease.state["stalled"].pop(digest, None)
    lease.state["unreadable"].pop(digest, None)
    return None if part else run.ledger.latest(*identity(report))


def count_or_end(run: Invocation, lease: Lease | None, report: Report) -> Report | None:
    """Return the report with its rows counted.

    Return None if the file is faulty or has nothing to send, or if it is left out because S3 or the connector failed.

    Raises:
        OutOfTime: the invocation is about to end.
        Conflict: other functions kept writing the report.
    """
    try:
        return report if report["rows"]["total"] is not None else count(run, report)
    except (Waiting, Conflict):
        raise
    except Outcome as fault:
        run.set_outcome(report, fault)
    except Exception as error:
        mark_broken(run, lease, report, error)
    return None


def record_stall(lease: Lease, digest: str, *, progress: bool) -> bool:
    """Count consecutive invocations that finished no part of a file or list; return true after three.

    If this invocation finished a part (`progress`), the count is reset.
    """
    stalled = lease.state["stalled"]
    if progress:
        stalled.pop(digest, None)
        return False
    stalled[digest] = stalled.get(digest, 0) + 1
    if stalled[digest] < MAX_STALLED_INVOCATIONS:
        return False
    del stalled[digest]
    return True


def mark_broken(run: Invocation, lease: Lease | None, report: Report, error: Exception) -> None:
    """Leave an upload out of this invocation because S3 or the connector failed, so that other uploads continue.

    The message or the sweep fails. The upload itself fails once S3 has refused access to the object for an hour.
    """
    run.logger.error("upload failed", exc_info=error, extra={"key": report["file"]["key"]})
    digest = upload_digest(*identity(report))
    run.broken.add(digest)
    if lease is not None and (given_up := outcome_after_refusals(run, lease, digest, error)):
        run.set_outcome(report, given_up)


def outcome_after_refusals(run: Invocation, lease: Lease, digest: str, error: Exception) -> Failed | None:
    """Record the error if S3 refused access to an object; return the outcome after an hour of refusals, else None."""
    if not is_refusal(error):
        return None
    now, earlier = run.now(), lease.state["unreadable"].get(digest)
    seconds = 0.0
    if earlier:
        gap = (now - parse_iso(earlier["last"])).total_seconds()
        seconds = earlier["seconds"] + (gap if gap <= MAX_FAILURE_GAP_SECONDS else 0.0)
    if seconds >= MAX_UNREADABLE_SECONDS:
        lease.state["unreadable"].pop(digest, None)
        return reasons.object_unreadable(error.response.get("Error", {}).get("Code", ""))
    lease.state["unreadable"][digest] = {"seconds": seconds, "last": iso(now)}
    return None


def is_refusal(error: Exception) -> TypeGuard[ClientError]:
    """Return true if AWS refused access to an object; false for temporary errors."""
    if not isinstance(error, ClientError):
        return False
    status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
    return status in {400, 403, 404, 405}


def _without_outdated_parts(turn: Turn, reports: Sequence[Report]) -> list[Report]:
    """Remove uploaded parts from the reports if the parts can no longer be used.

    Such parts were cleaned before a newer upload was applied, or are shared with uploads that are not in this call.
    """
    groups = groupby(sorted(filter(is_uploaded, reports), key=file_paths), key=file_paths)
    incomplete: set[tuple[str, str]] = set()
    for _, group in groups:
        members = list(group)
        if sum(map(_own_bytes, members)) != members[0]["uploads"][0]["bytes"] and _is_shared(members[0]):
            incomplete |= {identity(report) for report in members}
    return [
        turn.run.write(report, clear_uploads)
        if report["uploads"] and (identity(report) in incomplete or is_stale(turn.lease.state, report))
        else report
        for report in reports
    ]


def _own_bytes(report: Report) -> int:
    return sum(upload["rows"] for upload in report["uploads"]) * (identifier_type_of(report).digits + 1)


def _is_shared(report: Report) -> bool:
    return (
        _can_be_packed(report) and len(report["uploads"]) == 1 and report["uploads"][0]["bytes"] != _own_bytes(report)
    )


def _can_be_packed(report: Report) -> bool:
    """Return true if all rows have the same length, so that a part's size shows whether other uploads share it."""
    return identifier_type_of(report).digits > 0


def _parts_of(reports: Iterable[Report]) -> int:
    return len({path for report in reports for path in file_paths(report)})


class _Packer:
    """Combines small uploads into shared parts, and records each shared part in the reports of its uploads."""

    def __init__(self, run: Invocation) -> None:
        self._run = run
        self._builder = PartBuilder(run.settings.max_part_bytes, self._upload)
        self._members: list[tuple[Report, Part]] = []
        self._done: list[Report] = []
        self.parts = 0

    def add(self, report: Report, part: Part) -> None:
        """Add the rows of an upload; upload the current shared part first if they do not fit."""
        self._builder.add(part)
        self._members.append((report, part))

    def flush(self) -> list[Report]:
        """Upload the last shared part; return the reports of all uploads that were sent since the last flush."""
        self._builder.flush()
        done, self._done = self._done, []
        return done

    def _upload(self, shared: Part) -> None:
        # Cleared before the call: after an error, these uploads stay waiting, and the next part must not include them.
        members, self._members = self._members, []
        try:
            path, request_id = self._run.tiktok.upload(shared, identifier_type_of(members[0][0]))
        except Failed as refused:
            if len(members) == 1:
                self._run.set_outcome(members[0][0], refused)
                return
            for report, part in members:  # one by one, to find the faulty upload
                self._members = [(report, part)]
                self._upload(part)
            return
        self.parts += 1
        for report, part in members:
            self._done.append(
                record_part(self._run, report, part, path=path, request_id=request_id, size=shared.bytes, is_first=True)
            )
