"""Uploads the sample files, and compares the results with the expected ones."""

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


def run_plan(watch: Watch, plan: Plan, on_poll: Callable[[], None] = lambda: None) -> list[str]:
    """Upload the samples of each advertiser, wait up to two minutes for the results, and return the differences.

    Each difference from the expected result is a sentence. Afterward, the schedules are paused and, if there is no
    difference, the queues are empty. `on_poll` is called each time the reports have been read.
    """
    connectors = watch.connectors
    uploads = [(name, sample) for name, samples in plan.items() for sample in samples]
    unmatched = {person for _, sample in uploads if not sample.matches for person in sample.people}
    connectors.control("POST", "unmatched", identifiers=sorted(unmatched))
    connectors.pause_schedules(paused=False)
    remaining = list(uploads)
    give_up = time.monotonic() + _TIMEOUT_SECONDS
    while time.monotonic() < give_up:
        for name, sample in list(remaining):
            if _can_upload(watch, name, sample):
                connectors.upload(connectors.advertisers[name], sample.key, sample.content)
                if sample.deleted:
                    connectors.delete(connectors.advertisers[name], sample.key)
                remaining.remove((name, sample))
        connectors.check()
        watch.poll()
        on_poll()
        if not remaining and all(_is_finished(watch, name, sample) for name, sample in uploads):
            break
        time.sleep(_POLL_SECONDS)
    connectors.pause_schedules(paused=True)
    return [fault for name, samples in plan.items() for fault in _faults(watch, connectors.advertisers[name], samples)]


def _can_upload(watch: Watch, name: str, sample: Sample) -> bool:
    if sample.after is None:
        return True
    key, reached = sample.after
    return reached in watch.history.get((name, key), ())


def _is_finished(watch: Watch, name: str, sample: Sample) -> bool:
    """Return whether a file has its final status, or gets no report."""
    report = watch.reports.get((name, sample.key))
    return sample.status is None or (report is not None and report["status"] not in {"waiting", "submitted"})


def _faults(watch: Watch, advertiser: RunningAdvertiser, samples: Sequence[Sample]) -> Iterator[str]:
    for sample in samples:
        yield from _file_faults(watch, advertiser.name, sample)
    yield from _audience_faults(watch.connectors, advertiser, samples)
    yield from _leftovers(watch.connectors, advertiser)


def _file_faults(watch: Watch, name: str, sample: Sample) -> Iterator[str]:
    file = f"{name}: {sample.key}"
    report = watch.reports.get((name, sample.key))
    if report is None or sample.status is None:
        if (report is None) is not (sample.status is None):
            yield f"{file} has {'no' if report is None else 'a'} report; expected: {sample.status or 'none'}."
        return
    if (report["status"], report["code"]) != (sample.status, sample.code):
        yield f"{file} is {report['status']} ({report['code']}); expected: {sample.status} ({sample.code})."
    rows = (report["rows"]["accepted"], report["rows"]["rejected"])
    if sample.rows not in {None, rows}:
        yield f"{file} has {rows[0]} accepted and {rows[1]} rejected rows; expected: {sample.rows}."
    if sample.passes_through and sample.passes_through not in watch.history[name, sample.key]:
        yield f"{file} never had the code {sample.passes_through}."


def _audience_faults(connectors: Connectors, advertiser: RunningAdvertiser, samples: Sequence[Sample]) -> Iterator[str]:
    """Yield a sentence for each difference between the audiences at TikTok and the expected audiences and people."""
    expected = expected_audiences(samples)
    found = connectors.audiences(advertiser)
    names = sorted((each["name"], each["calculate_type"].lower()) for each in found)
    if names != sorted(expected):
        yield f"{advertiser.name}: TikTok has the audiences {names}; expected: {sorted(expected)}."
        return
    for each in found:
        if connectors.members(each["id"]) != expected[each["name"], each["calculate_type"].lower()]:
            yield f"{advertiser.name}: the people in the audience {each['name']} differ from those in its files."


def _leftovers(connectors: Connectors, advertiser: RunningAdvertiser) -> Iterator[str]:
    """Yield a sentence for everything that is still in progress."""
    for key, _ in connectors.keys(advertiser, "pending/"):
        yield f"{advertiser.name}: {key} was not deleted."
    for output in ("queue_url", "dead_letter_queue_url"):
        url = advertiser.outputs[output]
        give_up = time.monotonic() + _DRAIN_SECONDS
        while (depth := connectors.depth(url)) and time.monotonic() < give_up:
            time.sleep(_POLL_SECONDS / 4)
        if depth:
            yield f"{advertiser.name}: {depth} messages are still in {url}."
