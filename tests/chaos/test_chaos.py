"""A small run of chaos: what `make chaos` does for a minute, in seconds; and the check finds what it is to find."""

from __future__ import annotations

import json

from tests.chaos.checker import check, summary
from tests.chaos.run import ChaosRun, Size

SMALL = Size(advertisers=2, audiences=2, uploads=12, days=0.7, drain_days=10)


def test_a_small_run_ends_clean_and_its_check_sees_differences() -> None:
    run = ChaosRun(7, SMALL)
    run.go()
    assert check(run) == []
    told = json.loads(summary(run, 1.0))
    assert told["seed"] == 7
    assert min(told["files"], told["rows"], told["deliveries"], told["tiktok_calls"], len(told["faults"])) > 5
    run.log.write(run.advertisers[0].token)
    run.advertisers[0].mailbox.dead.append("lost")
    changed = next(iter(run.members.values()))
    changed.pop()
    found = "\n".join(check(run))
    assert "the log holds a token" in found
    assert "in the dead-letter queue, but should not be: lost" in found
    assert "are missing" in found
