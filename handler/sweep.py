"""The sweep: a pass over every audience with pending uploads, started by the schedule."""

from __future__ import annotations

import random
from collections.abc import Sequence

from handler.activation.advance import advance
from handler.activation.invocation import Invocation
from handler.errors import Conflict
from handler.metrics import Metric
from handler.model import AudienceKey
from handler.state.pending_pointers import Pointer

# Seconds of remaining run time below which the next audience is not started.
MIN_SECONDS_TO_START = 60.0


def sweep(run: Invocation) -> bool:
    """Finish the changes that TikTok has processed, and start uploads that have settled, for all audiences.

    Returns:
        True if S3 or the connector's own code failed. The sweep's message then fails and raises an alarm.
    """
    try:
        pending = run.ledger.pending_audiences()
    except Exception:
        run.logger.exception("sweep failed")
        return True
    audiences = list(pending)
    random.shuffle(audiences)  # so that a sweep that runs out of time does not always skip the same audiences
    broken_before = len(run.broken)
    failed = False
    for index, audience in enumerate(audiences):
        if index and run.deadline.remaining() < MIN_SECONDS_TO_START:
            run.logger.warning("sweep ended early", extra={"audiences_left": len(audiences) - index})
            break
        if not isinstance(try_to_advance(run, audience, pending[audience], sweep=True), Conflict | None):
            failed = True
    if run.account.has_snapshot:
        run.metrics.add(Metric.AUDIENCES, run.account.count())
        run.metrics.add(Metric.AUDIENCES_EXPIRING, run.account.count_expiring())
    run.metrics.add(Metric.SWEEPS)
    run.logger.info("sweep", extra={"audiences": len(audiences), "uploads": sum(map(len, pending.values()))})
    return failed or len(run.broken) > broken_before


def try_to_advance(
    run: Invocation, audience: AudienceKey, pointers: Sequence[Pointer] | None = None, *, sweep: bool = False
) -> Exception | None:
    """Advance one audience, with the arguments of `advance`; log and return an exception.

    Returns:
        A `Conflict` if another function wrote first; another exception if S3 or the connector's own code failed; None
        otherwise.
    """
    try:
        advance(run, audience, pointers, sweep=sweep)
    except Conflict as conflict:
        run.logger.warning("another function went on with the audience", extra={"reason": str(conflict)})
        return conflict
    except Exception as error:
        extra = {"audience": audience.name, "identifier_type": audience.identifier_type}
        run.logger.exception("audience failed", extra=extra)
        return error
    return None
