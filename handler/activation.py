"""The story: the next files of one audience become one change at TikTok, and the change comes to its end.

Everything here happens under the audience's lease. Files go by upload time; neighbours with the same action share one
call.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from handler.audiences import Lease, is_superseded, take_lease
from handler.changes import end_change, files_of, mark_submitted, settle_intent, submit
from handler.clock import parse_iso
from handler.errors import Code, Conflict, Failed, NotEditable, Outcome, OutOfTime, Rejected, Waiting
from handler.intake import count, upload
from handler.lifecycle import Stage, needs_details, stage
from handler.messages import Action, AudienceKey
from handler.parts import MAX_PARTS
from handler.reports import Pointer, Report, pointer_key
from handler.run import Run
from handler.tiktok_answers import AUDIENCE_LIMIT_REASON, Audience

_BEHIND = "An older file of the same audience goes first; this one goes through by itself afterwards."
# Upload times are whole seconds; within one, nobody who was to be taken out may stay in.
_ORDER = {Action.REPLACE: 0, Action.APPEND: 1, Action.REMOVE: 2}


def advance(run: Run, key: AudienceKey, own: Sequence[Report] | None = None) -> bool:
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
                _hold(run, _follow(run, joining), _processing())
            else:
                _take_turn(run, lease, pointers, sweep=sweep)
            seen.update(pointers)
        finally:
            lease.release()
        sweep, new = False, set()
        if run.deadline.near() or seen.issuperset(run.ledger.pointers(key)):
            return True


def line_up(reports: Iterable[Report]) -> list[Report]:
    """Order waiting files: by upload time, and within a second so that a removal wins."""
    return sorted(
        (report for report in reports if report["status"] == "waiting"),
        key=lambda report: (report["file"]["uploaded_at"], _ORDER[_action(report)], report["file"]["key"]),
    )


def leading(reports: list[Report]) -> list[Report]:
    """The oldest file and the neighbours that share its action."""
    for index, report in enumerate(reports):
        if _action(report) != _action(reports[0]):
            return reports[:index]
    return reports


def _take_turn(run: Run, lease: Lease, pointers: Sequence[Pointer], *, sweep: bool) -> None:
    waiting = _follow(run, pointers)
    try:
        settle_intent(run, lease)
        if change := lease.state["change"]:
            mark_submitted(run, change, files_of(run, change))
            if sweep:
                end_change(run, lease)
        while waiting := _still_waiting(run, waiting):
            _go(run, lease, waiting)
    except Waiting as reason:
        _hold(run, _still_waiting(run, waiting), reason)
    except Failed as refusal:
        # Refused while TikTok was only asked for its audiences: the request is wrong for every file of this one.
        _settle_all(run, _still_waiting(run, waiting), refusal)


def _follow(run: Run, pointers: Iterable[Pointer]) -> list[Report]:
    return line_up(report for pointer in pointers if (report := run.ledger.follow(pointer)))


def _still_waiting(run: Run, reports: Iterable[Report]) -> list[Report]:
    return line_up(run.ledger.latest(*_id(report)) for report in reports)


def _go(run: Run, lease: Lease, waiting: list[Report]) -> None:
    """Send the next files, or say why they cannot go.

    Raises:
        Waiting: nothing more can go now.
    """
    if lease.state["change"]:
        raise _processing()
    late = [report for report in waiting if is_superseded(lease.state, _action(report), report["file"]["uploaded_at"])]
    if late:
        _settle_all(run, late, _superseded())
        return
    files = [report for report in leading(waiting) if _id(report) not in run.broken]
    if not files:
        raise Waiting(Code.BEHIND_OLDER_FILE, _BEHIND)
    action = _action(files[0])
    audience, note = _choose(run, lease)
    if audience is None and action is Action.REMOVE:
        _settle_all(run, files, _nothing_to_remove_from())
        return
    if audience is None and run.account.is_full():
        raise Waiting(Code.AUDIENCE_LIMIT_REACHED, AUDIENCE_LIMIT_REASON)
    ready = _bring(run, files[::-1] if action is Action.REPLACE else files)
    if not ready:
        return
    submit(run, lease, audience, ready, note)
    if action is Action.REPLACE and lease.state["change"]:
        sent = [_id(report) for report in files].index(_id(ready[0]))
        _settle_all(run, files[:sent], _superseded())


def _bring(run: Run, files: list[Report]) -> list[Report]:
    """Upload files until one call is full; of replaces the first good one is enough."""
    ready: list[Report] = []
    parts = 0
    for report in files:
        try:
            uploaded = upload(run, run.write(report, _count_attempt))
        except OutOfTime as reason:
            run.settle(report, reason)
            run.send_again(report)
            raise
        except (Rejected, Failed) as fault:
            run.settle(report, fault)
            continue
        except (Waiting, Conflict):
            raise
        except Exception as error:  # S3's or our own fault with one file must not stop the others
            run.logger.exception("file failed", extra={"key": report["file"]["key"]})
            run.broken[_id(report)] = error
            continue
        parts += len(uploaded["uploads"])
        if parts > MAX_PARTS:
            break
        ready.append(uploaded)
        if _action(report) is Action.REPLACE:
            break
    return ready


def _choose(run: Run, lease: Lease) -> tuple[Audience | None, str]:
    """The audience these files belong to, ready to be changed, or None if it is to be made; and a note on twins.

    Raises:
        Waiting: it takes no change now, or never again; or TikTok cannot be asked.
    """
    found = run.account.find(lease.key, lease.state["audience_id"])
    if not found:
        return None, ""
    audience = found[0]
    if needs_details(audience, None, run.now()):
        audience = run.account.details(audience.id) or audience
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
    raise _processing()


def _hold(run: Run, waiting: list[Report], reason: Outcome) -> None:
    """Say why files wait, and what is wrong with those that were not looked at yet."""
    for report in waiting:
        if _id(report) in run.broken:  # its message comes back; until then its report stays as it was
            continue
        run.metrics.waited((run.now() - parse_iso(report["file"]["uploaded_at"])).total_seconds())
        if isinstance(reason, OutOfTime):  # the file that ran out of time has said so itself
            if report["code"] != Code.CONTINUING:
                run.settle(report, Waiting(Code.BEHIND_OLDER_FILE, _BEHIND))
        else:
            check(run, run.settle(report, reason))


def check(run: Run, report: Report) -> None:
    """Count a file that waits, once, so that a faulty one is rejected today and not when its turn comes."""
    if report["status"] != "waiting" or report["rows"]["total"] is not None:
        return
    try:
        count(run, report)
    except OutOfTime:
        return
    except Outcome as fault:
        run.settle(report, fault)


def _settle_all(run: Run, reports: list[Report], outcome: Outcome) -> None:
    for report in reports:
        run.settle(report, outcome)


def _processing() -> NotEditable:
    return NotEditable(
        Code.AUDIENCE_PROCESSING,
        "TikTok is processing this audience, up to 48 hours; the file goes through by itself afterwards.",
    )


def _nothing_to_remove_from() -> Rejected:
    return Rejected(
        Code.NOTHING_TO_REMOVE_FROM,
        "There is no audience of this name and identifier type to remove anybody from: check the folder.",
    )


def _superseded() -> Rejected:
    return Rejected(
        Code.SUPERSEDED,
        "A newer remove or replace was applied first; this file would undo it. Upload it again if it is still meant.",
    )


def _count_attempt(report: Report) -> None:
    report["attempts"] += 1


def _id(report: Report) -> tuple[str, str]:
    return report["file"]["key"], report["file"]["version_id"]


def _action(report: Report) -> Action:
    audience = report["audience"]
    if audience is None:
        raise AssertionError("a pending file has an audience")
    return Action(audience["action"])
