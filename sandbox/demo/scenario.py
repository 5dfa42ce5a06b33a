"""Runs the sample files through the connectors, and compares the result with what is expected."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence

from sandbox.demo.connectors import Connectors, RunningAdvertiser
from sandbox.demo.samples import Sample, expected_audiences
from sandbox.demo.watch import Watch

Plan = Mapping[str, Sequence[Sample]]
_POLL_SECONDS = 0.2
_TIMEOUT_SECONDS = 120.0
_DRAIN_SECONDS = 10.0


def run_plan(watch: Watch, plan: Plan, on_look: Callable[[], None] = lambda: None) -> list[str]:
    """Upload the samples of each advertiser and wait until every file is at its expected end.

    Return one sentence for each difference from what is expected. Afterwards the schedules are held and the queues are
    empty. `on_look` is called after each look at the reports.
    """
    connectors = watch.connectors
    unmatched = {person for some in plan.values() for sample in some if not sample.matches for person in sample.people}
    connectors.control("POST", "unmatched", identifiers=sorted(unmatched))
    connectors.hold_schedules(held=False)
    left = [(name, sample) for name, some in plan.items() for sample in some]
    give_up = time.monotonic() + _TIMEOUT_SECONDS
    while time.monotonic() < give_up:
        for name, sample in list(left):
            if _may_go(watch, name, sample):
                connectors.upload(connectors.advertisers[name], sample.key, sample.content)
                if sample.deleted:
                    connectors.delete(connectors.advertisers[name], sample.key)
                left.remove((name, sample))
        connectors.check()
        watch.look()
        on_look()
        if not left and all(_at_end(watch, name, sample) for name, some in plan.items() for sample in some):
            break
        time.sleep(_POLL_SECONDS)
    connectors.hold_schedules(held=True)
    return [fault for name, some in plan.items() for fault in _faults(watch, connectors.advertisers[name], some)]


def _may_go(watch: Watch, name: str, sample: Sample) -> bool:
    if sample.after is None:
        return True
    key, reached = sample.after
    return reached in watch.history.get((name, key), ())


def _at_end(watch: Watch, name: str, sample: Sample) -> bool:
    """Return true if a file cannot change any more."""
    report = watch.reports.get((name, sample.key))
    return sample.status is None or (report is not None and report["status"] not in {"waiting", "submitted"})


def _faults(watch: Watch, advertiser: RunningAdvertiser, some: Sequence[Sample]) -> Iterator[str]:
    for sample in some:
        yield from _file_faults(watch, advertiser.name, sample)
    yield from _audience_faults(watch.connectors, advertiser, some)
    yield from _leftovers(watch.connectors, advertiser)


def _file_faults(watch: Watch, name: str, sample: Sample) -> Iterator[str]:
    file = f"{name}: {sample.key}"
    report = watch.reports.get((name, sample.key))
    if report is None or sample.status is None:
        if (report is None) is not (sample.status is None):
            yield f"{file} has {'no' if report is None else 'a'} report; expected was {sample.status or 'none'}."
        return
    if (report["status"], report["code"]) != (sample.status, sample.code):
        yield f"{file} is {report['status']} ({report['code']}); expected was {sample.status} ({sample.code})."
    rows = (report["rows"]["accepted"], report["rows"]["rejected"])
    if sample.rows not in {None, rows}:
        yield f"{file} has {rows[0]} rows accepted and {rows[1]} rejected; expected were {sample.rows}."
    if sample.seen and sample.seen not in watch.history[name, sample.key]:
        yield f"{file} was never {sample.seen}."


def _audience_faults(connectors: Connectors, advertiser: RunningAdvertiser, some: Sequence[Sample]) -> Iterator[str]:
    """Yield a sentence unless TikTok has exactly the expected audiences, each with exactly the expected people."""
    expected = expected_audiences(some)
    found = connectors.audiences(advertiser)
    names = sorted((each["name"], each["calculate_type"].lower()) for each in found)
    if names != sorted(expected):
        yield f"{advertiser.name}: TikTok has the audiences {names}; expected were {sorted(expected)}."
        return
    for each in found:
        if connectors.members(each["id"]) != expected[each["name"], each["calculate_type"].lower()]:
            yield f"{advertiser.name}: the audience {each['name']} does not have exactly the people of its files."


def _leftovers(connectors: Connectors, advertiser: RunningAdvertiser) -> Iterator[str]:
    """Yield a sentence for everything that is still in progress."""
    for key, _ in connectors.keys(advertiser, "pending/"):
        yield f"{advertiser.name}: {key} is left over."
    for output in ("queue_url", "dead_letter_queue_url"):
        url = advertiser.outputs[output]
        give_up = time.monotonic() + _DRAIN_SECONDS
        while (depth := connectors.depth(url)) and time.monotonic() < give_up:
            time.sleep(_POLL_SECONDS / 4)
        if depth:
            yield f"{advertiser.name}: {depth} messages are left on {url}."
