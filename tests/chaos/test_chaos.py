"""A small chaos run, which takes seconds; `make chaos` takes a minute. The check must find injected differences."""

from __future__ import annotations

import json

import pytest

from tests.chaos.checker import check, summary
from tests.chaos.run import ChaosRun, Size

SMALL = Size(advertisers=2, audiences=2, uploads=12, days=0.7, drain_days=10)


@pytest.mark.processes
def test_a_small_run_has_no_differences_and_the_check_finds_injected_ones() -> None:
    run = ChaosRun(7, SMALL)
    run.execute()
    assert check(run) == []
    totals = json.loads(summary(run, 1.0))
    assert totals["seed"] == 7
    assert min(totals["files"], totals["rows"], totals["deliveries"], totals["tiktok_calls"], len(totals["faults"])) > 5
    run.log.write(run.advertisers[0].token)
    run.advertisers[0].queue.dead_letters.append("lost")
    changed = next(iter(run.members.values()))
    changed.pop()
    found = "\n".join(check(run))
    assert "the log holds a token" in found
    assert "in the dead-letter queue, but should not be: lost" in found
    assert "are missing" in found
