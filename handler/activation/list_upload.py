"""Read the files of a list, and upload all rows to TikTok or only count them."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from botocore.exceptions import ClientError

from handler import reasons
from handler.activation.invocation import Invocation
from handler.activation.list_turn import ListTurn
from handler.activation.overtaking import Keep
from handler.activation.part_builder import PartBuilder
from handler.activation.prepare import outcome_after_refusals, record_stall
from handler.activation.reading import check_time, read_parts
from handler.activation.turn import MAX_WAIT, Turn
from handler.cleaning.counts import Progress, Tally, merge, tally_from_json, tally_to_json
from handler.cleaning.file_rules import check_file, check_list_file
from handler.cleaning.parts import MAX_PARTS, Part
from handler.clock import iso, parse_iso
from handler.errors import Failed, Outcome, OutOfTime, Rejected
from handler.events.keys import CONFIRMED_MARKER
from handler.model import Action, AudienceKey
from handler.report_codes import Code
from handler.state.lists import ListFile, read_list, write_list
from handler.state.pending_pointers import upload_digest
from handler.state.reports import identity, write_counts


def count_list(turn: Turn, opened: ListTurn) -> None:
    """Count the rows of a list that cannot be sent yet, so that its faults are reported immediately.

    Raises:
        Rejected, Failed: the list is faulty, or one of its files cannot be read.
        OutOfTime: the invocation is about to end.
    """
    for index, file in enumerate(opened.stored["files"]):
        tally = Tally()
        for part in _parts(turn, opened, file):
            tally = part.progress.tally
        _record_tally(opened, index, tally)
        _check_list_file(opened, file, tally)
    _check_total(turn.run, opened)
    opened.stored["status"] = "waiting"
    write_list(turn.run.store, opened.audience, opened.stored)


def is_counted(run: Invocation, audience: AudienceKey, digest: str) -> bool:
    """Return true if the rows of a waiting list have been counted."""
    stored = read_list(run.store, audience, digest)
    return bool(stored and stored["status"] == "waiting" and stored["rows"] is not None)


def record_counts(run: Invocation, opened: ListTurn) -> None:
    """Write the counts of a waiting list's files into the reports that have no counts yet."""
    counts = {(file["key"], file["version_id"]): file["counts"] for file in opened.stored["files"]}
    for report in opened.reports:
        counted = counts[identity(report)]
        if counted is not None and report["rows"]["total"] is None:
            run.write(report, partial(write_counts, tally=tally_from_json(counted)))


def upload_list(turn: Turn, opened: ListTurn) -> None:
    """Upload all rows of a list to TikTok, starting where an earlier invocation stopped.

    Raises:
        Rejected, Skipped, Failed: the list is faulty or has nothing to send, or it shrank and nobody confirmed
            that in time.
        Waiting: the list shrank and is not confirmed yet, or TikTok cannot accept it now.
        OutOfTime: the invocation is about to end; finished parts are recorded in the list object.
    """
    is_uploaded = bool(opened.stored["uploads"]) and not opened.stored["progress"]
    if not is_uploaded:
        first = parse_iso(opened.stored["first_uploaded_at"])
        files = [(file["key"], file["version_id"]) for file in opened.stored["files"]]
        keep = turn.overtaking.filter(Action.REPLACE, first, files)
        _upload_all(turn, opened, keep)
    _check_total(turn.run, opened)
    if not is_uploaded:  # store the number of rows, which must be known even if TikTok's response is lost
        opened.stored["status"] = "waiting"
        write_list(turn.run.store, opened.audience, opened.stored)
    _check_shrink(turn, opened)


def forget_list_uploads(run: Invocation, opened: ListTurn) -> None:
    """Remove the uploaded parts from a list object, so that the list is read and uploaded from the start."""
    opened.stored["uploads"], opened.stored["progress"] = [], None
    write_list(run.store, opened.audience, opened.stored)


def _upload_all(turn: Turn, opened: ListTurn, keep: Keep | None) -> None:
    run, lease, stored = turn.run, turn.lease, opened.stored
    uploader = _Uploader(run, opened)
    progress = stored["progress"]
    first = progress["file"] if progress else 0
    uploaded_before = len(stored["uploads"])
    try:
        for index in range(first, len(stored["files"])):
            file = stored["files"][index]
            start = None
            if progress and index == first:
                start = Progress(progress["next_byte"], progress["next_line"], tally_from_json(progress["counts"]))
            tally = Tally()
            for part in _parts(turn, opened, file, start=start, keep=keep):
                tally = part.progress.tally
                uploader.add(index, part)
                check_time(run)
            _record_tally(opened, index, tally)
            _check_list_file(opened, file, tally)
        uploader.finish()
    except OutOfTime:
        if record_stall(lease, stored["digest"], progress=len(stored["uploads"]) > uploaded_before):
            raise reasons.no_progress() from None
        stored["status"], stored["code"] = "waiting", Code.CONTINUING.value
        write_list(run.store, opened.audience, stored)
        raise
    lease.state["stalled"].pop(stored["digest"], None)


def _parts(
    turn: Turn, opened: ListTurn, file: ListFile, *, start: Progress | None = None, keep: Keep | None = None
) -> Iterator[Part]:
    upload = file["key"], file["version_id"]
    try:
        yield from read_parts(turn.run, *upload, opened.audience.identifier_type, start=start, keep=keep)
    except (Rejected, Failed) as fault:
        raise _list_outcome(opened, file, fault) from None
    except ClientError as error:
        if given_up := outcome_after_refusals(turn.run, turn.lease, upload_digest(*upload), error):
            raise _list_outcome(opened, file, given_up) from None
        raise


def _record_tally(opened: ListTurn, index: int, tally: Tally) -> None:
    opened.tallies[index] = tally
    opened.stored["files"][index]["counts"] = tally_to_json(tally)


def _check_list_file(opened: ListTurn, file: ListFile, tally: Tally) -> None:
    """Reject the list if one of several files has rows but no valid row, or is cut off."""
    if len(opened.stored["files"]) > 1:
        try:
            check_list_file(tally, opened.audience.identifier_type)
        except Rejected as fault:
            raise _list_outcome(opened, file, fault) from None


def _list_outcome(opened: ListTurn, file: ListFile, fault: Rejected | Failed) -> Outcome:
    """Return the outcome of the list for the fault of one file, and record the file as faulty."""
    opened.stored["faulty_key"] = file["key"]
    if fault.code is Code.CUT_OFF:
        opened.cut_off = file["key"], fault
    return fault if len(opened.stored["files"]) == 1 else reasons.list_rejected(file["key"], fault)


def _check_total(run: Invocation, opened: ListTurn) -> None:
    tallies = [
        opened.tallies[index] if index in opened.tallies else tally_from_json(file["counts"])
        for index, file in enumerate(opened.stored["files"])
        if file["counts"] is not None
    ]
    identifier_type, limit = opened.audience.identifier_type, run.settings.max_rejected_ratio
    total = merge(tallies)
    if len(tallies) == 1:
        check_file(tallies[0], Action.REPLACE, limit, identifier_type)
    else:
        check_file(total, Action.REPLACE, limit, identifier_type, "list")
    if total.accepted == total.overtaken:
        raise reasons.overtaken()
    opened.stored["rows"] = total.accepted


def _check_shrink(turn: Turn, opened: ListTurn) -> None:
    run = turn.run
    last, rows = turn.lease.state["list_rows"], opened.stored["rows"] or 0
    if (
        last is None
        or rows >= last * (1 - run.settings.max_shrink)
        or turn.versions.has_newer_marker(CONFIRMED_MARKER, opened.stored["files"])
    ):
        return
    now, since = run.now(), opened.stored["waiting_since"]
    if since and now - parse_iso(since) >= MAX_WAIT:
        raise reasons.shrank_without_confirmation(rows, last)
    waiting = reasons.shrinks_too_much(rows, last)
    opened.stored["waiting_since"] = since or iso(now)
    opened.stored["status"], opened.stored["code"] = "waiting", waiting.code.value
    write_list(run.store, opened.audience, opened.stored)
    raise waiting


class _Uploader:
    """Uploads the rows of a list in parts that are as large as possible, and stores the progress in the list object."""

    def __init__(self, run: Invocation, opened: ListTurn) -> None:
        self._run = run
        self._opened = opened
        self._builder = PartBuilder(run.settings.max_part_bytes, self._upload)
        self._last: tuple[int, Part] | None = None  # index of the current file, and its last part that was added

    def add(self, index: int, part: Part) -> None:
        """Add the next part of the file with this index; upload the collected rows first if the part does not fit."""
        if part.rows:
            self._builder.add(part)
        self._last = index, part

    def finish(self) -> None:
        """Upload the remaining rows."""
        self._builder.flush()
        self._opened.stored["progress"] = None

    def _upload(self, part: Part) -> None:
        stored = self._opened.stored
        if len(stored["uploads"]) >= MAX_PARTS:
            raise reasons.too_many_parts(MAX_PARTS)
        path, _ = self._run.tiktok.upload(part, self._opened.audience.identifier_type)
        stored["uploads"].append({"rows": part.rows, "bytes": part.bytes, "file_path": path})
        if self._last:
            index, latest = self._last
            stored["progress"] = {
                "file": index + latest.last,
                "next_byte": 0 if latest.last else latest.progress.next_byte,
                "next_line": 1 if latest.last else latest.progress.next_line,
                "counts": tally_to_json(Tally() if latest.last else latest.progress.tally),
            }
        write_list(self._run.store, self._opened.audience, stored)
