"""The processing of one audience's waiting uploads, under the lease on the audience."""

from __future__ import annotations

from collections.abc import Sequence

from handler import reasons
from handler.activation.invocation import Invocation
from handler.activation.resolve import finish_change, resolve_intent
from handler.activation.send import send_next
from handler.activation.submit import mark_submitted, request_for_change
from handler.activation.turn import Turn
from handler.activation.waiting_reasons import count_without_lease, write_waiting_reason
from handler.errors import OutOfTime, Waiting
from handler.model import AudienceKey
from handler.state.lease import Lease, lease_on
from handler.state.lists import read_list
from handler.state.pending_pointers import Pointer, upload_digest


def advance(
    run: Invocation, audience: AudienceKey, pointers: Sequence[Pointer] | None = None, *, sweep: bool = False
) -> None:
    """Process an audience's waiting uploads as far as possible now.

    A function that does not get the lease leaves its uploads pending. Without settling, it counts the rows of appends
    and removes, and the holder of the lease lists the pointers again after its turn, to find uploads that were
    registered meanwhile.

    Args:
        run: the invocation.
        audience: the audience.
        pointers: the audience's pending pointers, if the caller has just listed them.
        sweep: true to check whether TikTok has processed the current change.

    Raises:
        Conflict: another function has taken the lease, or kept writing a report.
        Exception: S3 or the connector's own code failed; the message fails and is delivered again.
    """
    seen: set[Pointer] = set()
    while True:
        pending = run.ledger.pending(audience) if pointers is None else list(pointers)
        if seen.issuperset(pending):
            return
        with lease_on(run.store, audience, run.holder, run.deadline.remaining(), run.now) as lease:
            if lease is None:
                if not run.settings.settle_seconds:
                    count_without_lease(run, [pointer for pointer in pending if pointer not in seen])
                return
            out_of_time = _take_turn(run, lease, pending, sweep=sweep)
        if out_of_time:  # sent after the release, because the next invocation needs the lease
            run.continue_later(audience)
            return
        if run.deadline.near() or run.settle:  # uploads registered during the turn have not settled
            return
        seen.update(pending)
        pointers, sweep = None, False


def _take_turn(run: Invocation, lease: Lease, pending: Sequence[Pointer], *, sweep: bool) -> bool:
    """Process the uploads once; return true if the invocation ran out of time."""
    turn = Turn(run, lease, pending)
    try:
        resolve_intent(turn)
        if change := lease.state["change"]:
            if not change["reported"]:
                mark_submitted(run, change, request_for_change(run, lease, change))
            if not sweep:
                raise reasons.audience_processing()
            finish_change(turn, change)
        while before := turn.waiting():
            send_next(turn)
            if not lease.state["change"] and turn.waiting() == before:
                raise RuntimeError("The turn finished no upload and sent none, so it would repeat forever.")
    except Waiting as reason:
        submitted = _submitted(turn)
        write_waiting_reason(turn, [pointer for pointer in turn.waiting() if pointer.digest not in submitted], reason)
        return isinstance(reason, OutOfTime)
    finally:
        _measure_wait(turn)
    return False


def _measure_wait(turn: Turn) -> None:
    submitted = _submitted(turn)
    unfinished = [pointer for pointer in turn.pointers if not turn.run.ledger.is_finished(pointer)]
    if times := [pointer.uploaded_at for pointer in unfinished if pointer.digest not in submitted]:
        turn.run.metrics.record_wait((turn.run.now() - min(times)).total_seconds())


def _submitted(turn: Turn) -> set[str]:
    """Return the digests of the uploads that TikTok is processing."""
    change = turn.lease.state["change"]
    if change is None:
        return set()
    files = {(file["key"], file["version_id"]) for file in change["files"]}
    if change["list"] and (stored := read_list(turn.run.store, turn.lease.audience, change["list"])):
        files |= {(file["key"], file["version_id"]) for file in (*stored["files"], *stored["outdated"])}
    return {upload_digest(*file) for file in files}
