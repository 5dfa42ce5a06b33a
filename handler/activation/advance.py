"""The story: the next files of one audience become one change at TikTok, and the change comes to its end.

Everything here happens under the audience's lease. Files go by upload time; neighbours with the same action share one
call.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from handler import reasons
from handler.activation.audience_status import Stage, needs_details, stage, without_old_message
from handler.activation.invocation import Invocation
from handler.activation.order import leading, line_up
from handler.activation.resolve import end_change, resolve_intent
from handler.activation.submit import files_of, mark_submitted, processing, submit
from handler.activation.upload import count, forget_uploads, is_uploaded, upload
from handler.cleaning.parts import MAX_PARTS
from handler.clock import parse_iso
from handler.errors import (
    Conflict,
    Damaged,
    Failed,
    Missing,
    Outcome,
    OutOfTime,
    Rejected,
    Skipped,
    UploadAgain,
    Waiting,
)
from handler.model import Action, AudienceKey
from handler.report_codes import Code
from handler.state.audience_state import held_back, is_superseded, mark_applied
from handler.state.lease import Lease, take_lease
from handler.state.ledger import Pointer, pointer_key
from handler.state.reports import Report, action_of, identity
from handler.tiktok.responses import Audience

UPLOADS_AGAIN = 2  # how often a file's parts are uploaded anew before TikTok's refusal counts

_BEHIND = "An older file of the same audience goes first; this one goes through by itself afterwards."


def advance(run: Invocation, key: AudienceKey, own: Sequence[Report] | None = None) -> bool:
    """Take an audience's pending files as far as they can go now; False if another function is at it.

    A function that does not get the lease leaves its file pending; the holder looks for such files after it has let
    go, so none is left behind between the two.

    Args:
        run: this invocation.
        key: the audience.
        own: the reports of the files that were delivered. None is a sweep: it asks TikTok about the change that is
            being processed, which an upload leaves to it.

    Raises:
        Exception: S3's or our own; the message fails and comes back.
    """
    sweep = own is None
    new = {pointer_key(report) for report in own or ()}
    seen: set[Pointer] = set()
    while True:
        lease = take_lease(run.store, key, run.holder, run.deadline.remaining(), run.now)
        if lease is None:
            return bool(seen)
        try:
            pointers = run.ledger.pointers(key)
            if lease.state["change"] and not lease.state["intent"] and not sweep:
                # However many files wait, a new one only joins them.
                joining = [pointer for pointer in pointers if pointer.key in new or (seen and pointer not in seen)]
                _hold(run, _follow(run, joining), processing())
            else:
                _take_turn(run, lease, pointers, sweep=sweep)
            seen.update(pointers)
        finally:
            lease.release()
        while run.unfinished:  # not before: whoever gets the message at once needs the lease
            run.send_again(run.unfinished.pop())
        sweep, new = False, set()
        if run.deadline.near() or seen.issuperset(run.ledger.pointers(key)):
            return True


def _take_turn(run: Invocation, lease: Lease, pointers: Sequence[Pointer], *, sweep: bool) -> None:
    waiting = _follow(run, pointers)
    try:
        resolve_intent(run, lease)
        if change := lease.state["change"]:
            mark_submitted(run, change, files_of(run, change))
            if sweep:
                end_change(run, lease)
        while waiting := _still_waiting(run, waiting):
            _go(run, lease, waiting)
    except Waiting as reason:
        _hold(run, _still_waiting(run, waiting), reason)


def _follow(run: Invocation, pointers: Iterable[Pointer]) -> list[Report]:
    return line_up(report for pointer in pointers if (report := _report(run, pointer)))


def _report(run: Invocation, pointer: Pointer) -> Report | None:
    try:
        return run.ledger.follow(pointer)
    except (Missing, Damaged):
        # Somebody deleted or changed the report or the pointer by hand: that stops no other file, and is heard of.
        run.logger.exception("report unreadable", extra={"pointer": pointer.key})
        run.metrics.waited((run.now() - pointer.uploaded_at).total_seconds())
        return None


def _still_waiting(run: Invocation, reports: Iterable[Report]) -> list[Report]:
    return line_up(run.ledger.latest(*identity(report)) for report in reports)


def _go(run: Invocation, lease: Lease, waiting: list[Report]) -> None:
    """Send the next files, or say why they cannot go.

    Raises:
        Waiting: nothing more can go now.
    """
    if lease.state["change"]:
        raise processing()
    late = [
        report for report in waiting if is_superseded(lease.state, action_of(report), report["file"]["uploaded_at"])
    ]
    if late:
        _settle_all(run, late, _superseded())
        return
    files = [report for report in leading(waiting) if identity(report) not in run.broken]
    if not files:
        raise Waiting(Code.BEHIND_OLDER_FILE, _BEHIND)
    action = action_of(files[0])
    if held := held_back(lease.state, action, run.now()):
        raise held
    audience, note = _choose(run, lease)
    if audience is None and action is Action.REMOVE:
        # An older append may still be on its way: it would put in who was to be taken out.
        for report in files:
            mark_applied(lease.state, action, report["file"]["uploaded_at"])
        lease.save()
        _settle_all(run, files, _nothing_to_remove_from())
        return
    if audience is None and run.account.is_full():
        raise reasons.audience_limit_reached()
    ready = _send(run, lease, audience, files[::-1] if action is Action.REPLACE else files, note)
    if ready and action is Action.REPLACE and lease.state["change"]:
        sent = [identity(report) for report in files].index(identity(ready[0]))
        _settle_all(run, files[:sent], _superseded())


def _send(run: Invocation, lease: Lease, audience: Audience | None, files: list[Report], note: str) -> list[Report]:
    """Upload files and ask TikTok for the change; uploads that TikTok no longer has are made anew a few times."""
    for uploads_left in reversed(range(UPLOADS_AGAIN + 1)):
        ready = _bring(run, files)
        if not ready:
            break
        try:
            submit(run, lease, audience, ready, note, again=uploads_left > 0)
            break
        except UploadAgain:
            files = [run.write(report, forget_uploads) for report in ready]
    return ready


def _bring(run: Invocation, files: list[Report]) -> list[Report]:
    """Upload files until one call is full; of replaces the first good one is enough."""
    ready: list[Report] = []
    parts = 0
    for report in files:
        try:
            uploaded = upload(run, run.write(report, _count_attempt))
        except OutOfTime as reason:
            run.unfinished.append(run.settle(report, reason))
            raise
        except (Skipped, Rejected, Failed) as fault:
            run.settle(report, fault)
            continue
        except (Waiting, Conflict):
            raise
        except Exception as error:
            _set_aside(run, report, error)
            continue
        if uploaded["status"] != "waiting" or not is_uploaded(uploaded):
            continue  # another function has found its end: what is uploaded of it may not be all of it
        parts += len(uploaded["uploads"])
        if parts > MAX_PARTS:
            break
        ready.append(uploaded)
        if action_of(report) is Action.REPLACE:
            break
    return ready


def _choose(run: Invocation, lease: Lease) -> tuple[Audience | None, str]:
    """The audience these files belong to, ready to be changed, or None if it is to be made; and a note on twins.

    Raises:
        Waiting: it takes no change now, or never again; or TikTok cannot be asked.
    """
    found = run.account.find(lease.key, lease.state["audience_id"], list)
    if not found:
        return None, ""
    audience = without_old_message(found[0], lease.state)
    if needs_details(audience, None, run.now()):
        audience = without_old_message(run.account.details(audience.id) or audience, lease.state)
    where = stage(audience, None, None, run.now())
    if where is Stage.READY:
        note = f" TikTok has {len(found)} audiences of this name and type; {audience.id} was used."
        return audience, note if len(found) > 1 else ""
    if where is Stage.TOO_SMALL:
        raise Waiting(
            Code.AUDIENCE_TOO_SMALL,
            "TikTok matched fewer than 1,000 people in this audience, so it takes no more files: "
            "delete it in Ads Manager, and this file makes a new one.",
        )
    if where is Stage.EXPIRED:
        raise Waiting(
            Code.AUDIENCE_EXPIRED,
            "The audience has expired and takes no more files: delete it in Ads Manager, and the file makes a new one.",
        )
    raise processing()


def _hold(run: Invocation, waiting: list[Report], reason: Outcome) -> None:
    """Say why files wait, and what is wrong with those that were not looked at yet."""
    for report in waiting:
        run.metrics.waited((run.now() - parse_iso(report["file"]["uploaded_at"])).total_seconds())
        if identity(report) in run.broken:  # the message comes back; until then the report stays as it was
            continue
        if isinstance(reason, OutOfTime):  # the file that ran out of time has said so itself
            if report["code"] != Code.CONTINUING:
                run.settle(report, Waiting(Code.BEHIND_OLDER_FILE, _BEHIND))
        else:
            behind = reason.code is Code.REPLACED_TODAY and action_of(report) is not Action.REPLACE
            check(run, report, Waiting(Code.BEHIND_OLDER_FILE, _BEHIND) if behind else reason)


def _set_aside(run: Invocation, report: Report, error: Exception) -> None:
    """S3's or our own fault with one file must not stop the others."""
    run.logger.exception("file failed", extra={"key": report["file"]["key"]})
    run.broken[identity(report)] = error


def check(run: Invocation, report: Report, reason: Outcome | None = None) -> None:
    """Say why a file waits, and count it, once, so that a faulty one is rejected today and not when its turn comes."""
    try:
        if reason:
            report = run.settle(report, reason)
        if report["status"] == "waiting" and report["rows"]["total"] is None:
            _count(run, report)
    except Conflict:
        raise
    except Exception as error:
        _set_aside(run, report, error)


def _count(run: Invocation, report: Report) -> None:
    try:
        count(run, report)
    except OutOfTime:
        return
    except Outcome as fault:
        run.settle(report, fault)


def _settle_all(run: Invocation, reports: list[Report], outcome: Outcome) -> None:
    for report in reports:
        run.settle(report, outcome)


def _nothing_to_remove_from() -> Rejected:
    return Rejected(
        Code.NOTHING_TO_REMOVE_FROM,
        "There is no audience of this name and identifier type to remove anybody from: check the folder.",
    )


def _superseded() -> Rejected:
    return Rejected(
        Code.SUPERSEDED,
        "A newer file of the audience was applied first, and this one would undo it: "
        "upload it again if it is still meant.",
    )


def _count_attempt(report: Report) -> None:
    report["attempts"] += 1
