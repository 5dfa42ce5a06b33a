"""The next step of an audience's turn: which uploads go, and the call to TikTok."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property

from handler import reasons
from handler.activation import order
from handler.activation.audience_status import Stage, needs_details, stage, without_old_message
from handler.activation.copies import drop_unchanged_copies
from handler.activation.invocation import Invocation
from handler.activation.list_turn import ListTurn, check_deleted, end_list, gather_list, open_list
from handler.activation.list_upload import forget_list_uploads, note_counts, upload_list
from handler.activation.order import Export
from handler.activation.overtaking import Overtaking, applied
from handler.activation.prepare import prepare
from handler.activation.submit import request_for, request_for_list, submit
from handler.activation.upload import count
from handler.activation.versions import Versions, is_applied_when_deleted, is_finished_by_tool
from handler.clock import iso
from handler.errors import Damaged, Failed, Missing, Outcome, OutOfTime, UploadAgain, Waiting
from handler.model import Action
from handler.report_codes import Code
from handler.state.audience_state import AUDIENCES, held_back, mark_applied, prune_applied
from handler.state.lease import Lease
from handler.state.ledger import Pointer, upload_digest
from handler.state.lists import StoredList, read_list
from handler.state.reports import Report, forget_uploads
from handler.tiktok.responses import Audience

MAX_UPLOADS_AGAIN = 2  # times that parts are uploaded again after TikTok lost them


class Turn:
    """One audience's turn.

    Attributes:
        run: the invocation.
        lease: the lease on the audience.
        versions: the object versions behind its uploads.
        overtaking: filters for the rows of its uploads.
    """

    def __init__(self, run: Invocation, lease: Lease, pointers: Sequence[Pointer]) -> None:
        self.run = run
        self.lease = lease
        self.pointers = pointers
        self.versions = Versions(run)
        self.overtaking = Overtaking(run, lease.state, lease.audience.identifier_type)
        oldest = min((pointer.uploaded_at for pointer in pointers), default=None)
        prune_applied(lease.state, oldest, run.now())

    def waiting(self) -> list[Pointer]:
        """Return the pointers of uploads that are not at their end and can be handled in this invocation."""
        return [
            pointer
            for pointer in self.pointers
            if pointer.digest not in self.run.broken | self.run.unreadable and not self.run.ledger.is_finished(pointer)
        ]

    @cached_property
    def lists(self) -> dict[str, StoredList]:
        """The stored lists of the waiting replaces, by digest, as they were when the turn began."""
        digests = {order.digest_of_list(pointer, self.run.settle) for pointer in self.pointers if pointer.list_digest}
        found = {digest: read_list(self.run.store, self.lease.audience, digest) for digest in digests}
        return {digest: stored for digest, stored in found.items() if stored}

    def registered_elsewhere(self) -> set[str]:
        """Return the ids that are registered for other audience names of the same identifier type."""
        own = self.lease.audience
        prefix = f"{AUDIENCES}{own.identifier_type}/"
        ids = set()
        for key in self.run.store.keys(prefix):
            name = key.removeprefix(prefix).removesuffix(".json")
            if "/" in name or name == own.name:  # the object of a list, or the audience itself
                continue
            try:
                ids.add(self.run.store.read(key).content.get("audience_id"))
            except (Missing, Damaged):
                self.run.logger.exception("state unreadable", extra={"key": key})
        return ids - {None}


def send_next(turn: Turn) -> None:
    """Send the next uploads, or end those that cannot be sent.

    Raises:
        Waiting: nothing more can go now; the outcome says why.
    """
    run, state = turn.run, turn.lease.state
    if state["change"]:
        raise reasons.audience_processing()
    waiting = turn.waiting()
    if _end_late(turn, waiting):
        return
    replaces = [pointer for pointer in waiting if pointer.action is Action.REPLACE]
    changes = [pointer for pointer in waiting if pointer.action is not Action.REPLACE]
    lists = order.exports(replaces, turn.lists, run.settle)
    late = [export for export in lists if _end_late_list(turn, export)]
    if late:
        return
    complete = bool(lists) and order.is_complete(lists, run.settle, run.now())
    if complete:
        if _end_copies(turn, lists[-1].pointers):
            return
        _send_list(turn, lists)
        return
    before = [pointer for pointer in changes if not lists or order.moment(pointer) < (lists[0].first, 0)]
    if not before:
        raise reasons.settling() if lists else reasons.behind_older_upload()
    if not order.is_ready(before, run.settle, run.now()):
        raise reasons.settling()
    settled = [pointer for pointer in before if order.has_waited(pointer, run.settle, run.now())]
    if not settled:
        raise reasons.settling()
    if _end_copies(turn, settled) or _end_replaced_versions(turn, before):
        return
    _send_changes(turn, settled, has_replace=bool(lists))


def _end_late(turn: Turn, waiting: Sequence[Pointer]) -> bool:
    """End uploads that a processed replace supersedes or that come too late; return true if there are any."""
    run, state = turn.run, turn.lease.state
    sent = order.last_replace(state)
    ended = False
    for pointer in waiting:
        is_change = pointer.action is not Action.REPLACE
        if is_change and order.is_out_of_order(pointer, state, sent):
            outcome: Outcome = reasons.out_of_order()
        elif sent and order.is_superseded(pointer, sent):
            outcome = reasons.superseded()
        else:
            continue
        if report := run.report(pointer):
            run.set_outcome(report, outcome)
        ended = True
    return ended


def _end_late_list(turn: Turn, export: Export) -> bool:
    """End a list that comes too late, or that shares the end of the list it belongs to; return true if it did."""
    run, joined = turn.run, export.joined
    if joined and joined["code"] in {Code.AMBIGUOUS_REPLACE, Code.WITHDRAWN} and _has_files(turn, joined):
        outcome = reasons.list_withdrawn() if joined["code"] == Code.WITHDRAWN else reasons.ambiguous_replace()
    elif order.is_list_out_of_order(export, turn.lease.state, order.last_replace(turn.lease.state)):
        outcome = reasons.out_of_order()
    else:
        return False
    for pointer in export.pointers:
        if report := run.report(pointer):
            run.set_outcome(report, outcome)
    return True


def _has_files(turn: Turn, stored: StoredList) -> bool:
    """Return true if a file of a list still exists. If all were deleted, what comes next is another export."""
    return any(turn.versions.current(file["key"]) for file in stored["files"])


def _end_copies(turn: Turn, pointers: Sequence[Pointer]) -> bool:
    return drop_unchanged_copies(turn.run, turn.lease.state, turn.versions, pointers)


def _end_replaced_versions(turn: Turn, pointers: Sequence[Pointer]) -> bool:
    """End appends of which a newer version was uploaded shortly afterwards; return true if there are any."""
    replaced = order.replaced_versions(pointers, turn.run.settle)
    for pointer in replaced:
        if report := turn.run.report(pointer):
            turn.run.set_outcome(report, reasons.newer_version())
    return bool(replaced)


def _send_changes(turn: Turn, settled: Sequence[Pointer], *, has_replace: bool) -> None:
    """Send the next appends or removes in one call."""
    run, lease = turn.run, turn.lease
    _check_hold(turn, order.next_action(settled, has_audience=lease.state["audience_id"] is not None))
    audience, note = choose_audience(turn)
    action = order.next_action(settled, has_audience=audience is not None)
    if audience is None and action is Action.REMOVE and has_replace:
        raise reasons.behind_older_upload()
    same = [pointer for pointer in settled if pointer.action is action]
    pointers = same if order.can_pass(settled, action) else order.neighbors(settled, action)
    reports = [report for pointer in order.in_order(pointers) if (report := run.report(pointer))]
    reports = _without_withdrawn(turn, reports)
    if not reports:
        return
    if audience is None:
        if action is Action.REMOVE:
            _end_without_audience(turn, reports)
            return
        _check_before_create(turn, reports)
    if action is Action.REMOVE and (
        types := run.account.same_name(lease.audience.name, lease.audience.identifier_type)
    ):
        note += reasons.other_identifier_types(types)
    _send(turn, audience, reports, note, MAX_UPLOADS_AGAIN)


def _end_without_audience(turn: Turn, reports: Sequence[Report]) -> None:
    """End removes that have no audience. Their rows count as applied: an older append may still arrive."""
    run, lease = turn.run, turn.lease
    counted = []
    for report in reports:
        try:
            counted.append(count(run, report))
        except Waiting:
            raise
        except Outcome as fault:
            run.set_outcome(report, fault)
    mark_applied(lease.state, [applied(report, iso(run.now())) for report in counted])
    lease.save()
    for report in counted:
        run.set_outcome(report, reasons.nothing_to_remove_from())


def _send(turn: Turn, audience: Audience | None, reports: Sequence[Report], note: str, uploads_again: int) -> None:
    """Upload and submit uploads of one action. After a refusal they are halved, to find the one that is faulty."""
    run, lease = turn.run, turn.lease
    ready = prepare(run, lease, reports, turn.overtaking)
    if not ready:
        return
    try:
        submit(run, lease, audience, request_for(ready, note))
    except UploadAgain as refused:
        if uploads_again:
            forgotten = [run.write(report, forget_uploads) for report in ready]
            _send(turn, audience, forgotten, note, uploads_again - 1)
        else:
            _halve(turn, audience, ready, note, refused)
    except Failed as refused:
        _halve(turn, audience, ready, note, refused)


def _halve(turn: Turn, audience: Audience | None, reports: Sequence[Report], note: str, refused: Failed) -> None:
    if len(reports) == 1:
        turn.run.set_outcome(reports[0], refused)
        return
    middle = len(reports) // 2
    for half in (reports[:middle], reports[middle:]):
        _send(turn, audience, half, note, 0)
        if turn.lease.state["change"]:
            return


def _without_withdrawn(turn: Turn, reports: Sequence[Report]) -> list[Report]:
    """End uploads that were deleted before their turn; return the others."""
    kept = []
    for report in reports:
        if not is_applied_when_deleted(report) and turn.versions.is_deleted(report):
            turn.run.set_outcome(report, reasons.withdrawn())
        else:
            kept.append(report)
    return kept


def _send_list(turn: Turn, lists: Sequence[Export]) -> None:
    """Send the newest list."""
    run, lease = turn.run, turn.lease
    chosen = _choose_list(turn, lists)
    if chosen is None:
        return
    _check_hold(turn, Action.REPLACE)
    audience, note = choose_audience(turn)
    keys = [report["file"]["key"] for pointer in chosen.pointers if (report := run.report(pointer))]
    _register_unregistered(turn, keys)
    if audience is None:
        _check_limit(turn)
    opened = open_list(run, lease.audience, chosen, turn.versions)
    if opened is None:
        return
    _reopen(run, opened)
    try:
        _upload_and_submit(turn, audience, opened, note)
    except OutOfTime:
        raise
    except Waiting:
        note_counts(run, opened)
        raise
    except Outcome as outcome:
        end_list(run, opened, outcome)


def _reopen(run: Invocation, opened: ListTurn) -> None:
    """Make the files of a list wait again that had an end, because the list is made anew."""
    for index, report in enumerate(opened.reports):
        if report["status"] != "waiting":
            opened.reports[index] = run.ledger.reopen(report, Code.SETTLING, reasons.LIST_MADE_ANEW)


def _upload_and_submit(turn: Turn, audience: Audience | None, opened: ListTurn, note: str) -> None:
    for uploads_left in reversed(range(MAX_UPLOADS_AGAIN + 1)):
        upload_list(turn.run, turn.lease, opened, turn.overtaking, turn.versions)
        check_deleted(opened, Versions(turn.run))  # while it was uploaded
        try:
            submit(turn.run, turn.lease, audience, request_for_list(opened, note))
        except UploadAgain:
            if not uploads_left:
                raise
            forget_list_uploads(turn.run, opened)
        else:
            return


def _choose_list(turn: Turn, lists: Sequence[Export]) -> Export | None:
    """Return the list that goes; None if several were uploaded together and it is unclear which is meant."""
    run = turn.run
    together = order.uploaded_together(lists, run.settle)
    if len(together) == 1:
        return together[0]
    gathered = [(export, gather_list(run, turn.lease.audience, export, turn.versions)) for export in together]
    finished = [export for export, opened in gathered if is_finished_by_tool(turn.versions, opened.reports)]
    chosen = finished[0] if len(finished) == 1 else None
    for export, opened in gathered:
        # An older list next to the chosen one is superseded later. A newer one would replace the chosen one.
        if chosen is None or export.first > chosen.first:
            end_list(run, opened, reasons.ambiguous_replace())
    return chosen


def _check_hold(turn: Turn, action: Action) -> None:
    if held := held_back(turn.lease.state, action, turn.run.now()):
        raise held


def _check_before_create(turn: Turn, reports: Sequence[Report]) -> None:
    _register_unregistered(turn, [report["file"]["key"] for report in reports])
    _check_limit(turn)


def _check_limit(turn: Turn) -> None:
    if turn.run.account.is_full():
        raise reasons.audience_limit_reached()


def _register_unregistered(turn: Turn, keys: Sequence[str]) -> None:
    """End the turn if the folders hold an object that has no report yet."""
    run = turn.run
    if not run.settle or not keys:
        return
    known = {pointer.digest for pointer in turn.pointers}
    known |= {upload_digest(each["key"], each["version_id"]) for each in turn.lease.state["applied"]}
    if turn.versions.register_unregistered(keys, known):
        raise reasons.settling()


def choose_audience(turn: Turn) -> tuple[Audience | None, str]:
    """Return the audience that the uploads belong to, or None if it is to be created; and a note for their reports.

    Raises:
        Waiting: it accepts no change now, or never again; or TikTok cannot be asked.
    """
    run, lease = turn.run, turn.lease
    registered = lease.state["audience_id"]
    found = run.account.find(lease.audience, registered, turn.registered_elsewhere)
    if not found:
        return None, ""
    audience = without_old_message(found[0], lease.state)
    if needs_details(audience, None, run.now()):
        audience = without_old_message(run.account.details(audience.id) or audience, lease.state)
    match stage(audience, None, None, run.now()):
        case Stage.READY:
            others = [each for each in found[1:] if each.name == lease.audience.name]
            note = reasons.several_audiences(1 + len(others), audience.id) if others else ""
            if audience.name and audience.name != lease.audience.name:
                note += reasons.renamed(audience.name)
            return audience, note
        case Stage.TOO_SMALL:
            raise reasons.audience_too_small()
        case Stage.EXPIRED:
            raise reasons.audience_expired()
        case _:
            raise reasons.audience_processing()
