"""The uploads of one call, brought to TikTok: each with parts of its own, or many small ones in shared parts."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import groupby
from typing import TypeGuard

from botocore.exceptions import ClientError

from handler import reasons
from handler.activation.file_upload import Uploaded, count, note_part, upload_file
from handler.activation.invocation import Invocation
from handler.activation.overtaking import Overtaking, is_stale
from handler.activation.packing import Pack
from handler.activation.reading import identifier_type_of
from handler.cleaning.parts import MAX_PARTS, Part
from handler.clock import iso, parse_iso
from handler.errors import Conflict, Failed, Outcome, OutOfTime, Waiting
from handler.state.lease import Lease
from handler.state.pointers import upload_digest
from handler.state.reports import Report, action_of, file_paths, forget_uploads, identity, is_uploaded

# TikTok advises fewer than 50 file_paths per call. Up to that each upload has parts of its own.
MIN_PACKED_UPLOADS = 50
# A file that finishes no part in this many invocations in a row never will.
MAX_STALLED_INVOCATIONS = 3
# An upload that cannot be read is given up after an hour of failures. A pause longer than this does not count.
MAX_UNREADABLE_SECONDS = 3600.0
MAX_FAILURE_GAP_SECONDS = 900.0


def prepare(run: Invocation, lease: Lease, reports: Sequence[Report], overtaking: Overtaking) -> list[Report]:
    """Bring uploads to TikTok until one call is full.

    Uploads that are faulty or have nothing to send get their outcome and are left out.

    Args:
        run: the invocation.
        lease: the lease on the audience.
        reports: uploads with the same action, in order.
        overtaking: filters for their rows.

    Returns:
        The reports of the uploads that are ready.

    Raises:
        OutOfTime: the rest follows in the next invocation.
        Waiting: TikTok cannot take them now.
    """
    reports = _without_outdated_parts(run, lease, reports)
    packer = _Packer(run) if len(reports) > MIN_PACKED_UPLOADS else None
    ready: dict[tuple[str, str], Report] = {}
    for report in reports:
        if _parts_of(ready.values()) + (packer.parts if packer else 0) >= MAX_PARTS:
            break
        if uploaded := _prepare_one(run, lease, report, overtaking, packer):
            ready[identity(report)] = uploaded
    if packer:
        ready |= {identity(report): report for report in packer.flush()}
    result = [ready[identity(report)] for report in reports if identity(report) in ready]
    while _parts_of(result) > MAX_PARTS and len(result) > 1:
        result.pop()
    # Another function may have ended one of them meanwhile.
    return [report for report in result if report["status"] == "waiting"]


def _prepare_one(
    run: Invocation, lease: Lease, report: Report, overtaking: Overtaking, packer: _Packer | None
) -> Report | None:
    """Bring one upload to TikTok; return its report if it is ready, or None if it is packed or has its outcome."""
    if is_uploaded(report):
        return report
    digest = upload_digest(*identity(report))
    try:
        keep = overtaking.filter(action_of(report), parse_iso(report["file"]["uploaded_at"]), [identity(report)])
        part = upload_file(run, report, keep, may_be_packed=packer is not None and _can_be_packed(report))
        if part and packer:
            packer.add(report, part)
    except OutOfTime as reason:
        if note_stall(lease, digest, progress=run.ledger.latest(*identity(report))["progress"] != report["progress"]):
            run.set_outcome(report, reasons.no_progress())
            return None
        if packer:
            packer.flush()
        run.set_outcome(report, reason)
        raise
    except Waiting:
        raise
    except Outcome as outcome:
        run.set_outcome(report, outcome)
        return None
    except Conflict:
        raise
    except Exception as error:
        set_aside(run, lease, report, error)
        return None
    lease.state["stalled"].pop(digest, None)
    lease.state["unreadable"].pop(digest, None)
    return None if part else run.ledger.latest(*identity(report))


def count_or_end(run: Invocation, lease: Lease | None, report: Report) -> Report | None:
    """Count an upload once; return None if it has ended because it is faulty, or is left out because S3 failed.

    Raises:
        OutOfTime: the invocation ends.
    """
    try:
        return report if report["rows"]["total"] is not None else count(run, report)
    except (Waiting, Conflict):
        raise
    except Outcome as fault:
        run.set_outcome(report, fault)
    except Exception as error:
        set_aside(run, lease, report, error)
    return None


def note_stall(lease: Lease, digest: str, *, progress: bool) -> bool:
    """Count an invocation that finished no part of a file; return true if the file is to be given up."""
    stalled = lease.state["stalled"]
    if progress:
        stalled.pop(digest, None)
        return False
    stalled[digest] = stalled.get(digest, 0) + 1
    if stalled[digest] < MAX_STALLED_INVOCATIONS:
        return False
    del stalled[digest]
    return True


def set_aside(run: Invocation, lease: Lease | None, report: Report, error: Exception) -> None:
    """Leave out an upload that S3 or our own code fails to handle, so that it does not stop the others.

    The message or the sweep fails. If S3 refuses to let this object be read for an hour, while the state beside it can
    be read, the upload fails for good.
    """
    run.logger.error("upload failed", exc_info=error, extra={"key": report["file"]["key"]})
    run.broken.add(upload_digest(*identity(report)))
    if lease is not None and (given_up := refused_for_long(run, lease, report, error)):
        run.set_outcome(report, given_up)


def refused_for_long(run: Invocation, lease: Lease, report: Report, error: Exception) -> Failed | None:
    """Count the time for which S3 refuses to let an object be read; return the outcome after an hour."""
    if not is_refusal(error):
        return None
    digest = upload_digest(*identity(report))
    now, trouble = run.now(), lease.state["unreadable"].get(digest)
    seconds = 0.0
    if trouble:
        gap = (now - parse_iso(trouble["last"])).total_seconds()
        seconds = trouble["seconds"] + (gap if gap <= MAX_FAILURE_GAP_SECONDS else 0.0)
    if seconds >= MAX_UNREADABLE_SECONDS:
        lease.state["unreadable"].pop(digest, None)
        return reasons.object_unreadable(error.response.get("Error", {}).get("Code", ""))
    lease.state["unreadable"][digest] = {"seconds": seconds, "last": iso(now)}
    return None


def is_refusal(error: Exception) -> TypeGuard[ClientError]:
    """Return true if AWS refused access to one object; false for temporary errors."""
    if not isinstance(error, ClientError):
        return False
    status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
    return status in {400, 403, 404, 405}


def _without_outdated_parts(run: Invocation, lease: Lease, reports: Sequence[Report]) -> list[Report]:
    """Forget parts that cannot be used any more.

    Those are parts that were cleaned before a newer upload was applied, and shared parts of which not every upload is
    in this call.
    """
    partners = groupby(sorted(filter(is_uploaded, reports), key=file_paths), key=file_paths)
    torn: set[tuple[str, str]] = set()
    for _, group in partners:
        members = list(group)
        if sum(map(_own_bytes, members)) != members[0]["uploads"][0]["bytes"] and _is_shared(members[0]):
            torn |= {identity(report) for report in members}
    return [
        run.write(report, forget_uploads)
        if report["uploads"] and (identity(report) in torn or is_stale(lease.state, report))
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
    """Return true if the width of a row is known, so that the size of a part shows whether other uploads share it."""
    return identifier_type_of(report).digits > 0


def _parts_of(reports: Iterable[Report]) -> int:
    return len({path for report in reports for path in file_paths(report)})


class _Packer:
    """Collects the single parts of small uploads, and notes a shared part in all their reports."""

    def __init__(self, run: Invocation) -> None:
        self._run = run
        self._pack = Pack(run.settings.max_part_bytes)
        self._members: list[tuple[Report, Part]] = []
        self._done: list[Report] = []
        self.parts = 0

    def add(self, report: Report, part: Part) -> None:
        """Add an upload's rows; upload the shared part first if they do not fit."""
        if not self._pack.fits(part):
            self._upload()
        self._pack.add(part)
        self._members.append((report, part))

    def flush(self) -> list[Report]:
        """Upload what is left; return the reports of all uploads that were packed."""
        if self._members:
            self._upload()
        done, self._done = self._done, []
        return done

    def _upload(self) -> None:
        # Taken first: after an error, these uploads have no part and wait, and the next part is not theirs.
        members, self._members = self._members, []
        whole = self._pack.take()
        try:
            self._upload_part(whole, members)
        except Failed as refused:
            if len(members) == 1:
                self._run.set_outcome(members[0][0], refused)
                return
            for report, part in members:  # to find the one that is faulty
                self._pack.add(part)
                self._members = [(report, part)]
                self._upload()

    def _upload_part(self, whole: Part, members: Sequence[tuple[Report, Part]]) -> None:
        path, request_id = self._run.tiktok.upload(whole, identifier_type_of(members[0][0]))
        uploaded = Uploaded(path, whole.bytes, request_id)
        self.parts += 1
        for report, part in members:
            self._done.append(note_part(self._run, report, part, uploaded, is_first=True))
