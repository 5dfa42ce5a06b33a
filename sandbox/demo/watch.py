"""What became of the files: their reports, read again and again, and the judgement on the samples."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sandbox.demo.connectors import Advertiser, Connectors
from sandbox.demo.samples import Sample

Report = Mapping[str, Any]
Tell = Callable[[Advertiser, Report], None]
_LOOK_SECONDS = 0.2
_PATIENCE_SECONDS = 120.0
_DRAIN_SECONDS = 10.0
_ENDS = {"available", "rejected", "failed"}


@dataclass
class Watch:
    """The reports of all advertisers, as last seen, and the statuses that each file went through.

    Args:
        tell: is told whenever a file stands otherwise; every upload has a report of its own.
    """

    connectors: Connectors
    tell: Tell
    reports: dict[tuple[str, str], Report] = field(default_factory=dict)
    statuses: dict[tuple[str, str], list[str]] = field(default_factory=dict)
    _etags: dict[tuple[str, str], str] = field(default_factory=dict)
    _told: dict[tuple[str, str], tuple[str, str]] = field(default_factory=dict)

    def look(self) -> None:
        """Read the reports that changed."""
        for advertiser in self.connectors.advertisers.values():
            for key, etag in self.connectors.keys(advertiser, "reports/"):
                place = (advertiser.name, key)
                if self._etags.get(place) != etag:
                    self._etags[place] = etag
                    self._take(advertiser, key, self.connectors.read(advertiser, key))

    def _take(self, advertiser: Advertiser, report_key: str, report: Report) -> None:
        place = (advertiser.name, report["file"]["key"])
        self.reports[place] = report
        self.statuses.setdefault(place, []).append(report["status"])
        stands = report["status"], report["code"]
        if self._told.get((advertiser.name, report_key)) != stands:
            self._told[advertiser.name, report_key] = stands
            self.tell(advertiser, report)


def run_samples(watch: Watch, plan: Mapping[str, Sequence[Sample]]) -> list[str]:
    """Upload the samples of each advertiser, wait until every file is at its end, and say what is not as it should be.

    The schedules are held then, and the queues at rest.

    Args:
        watch: looks at the reports.
        plan: advertiser -> its samples.

    Returns:
        One sentence for everything that is wrong; none if all is well.
    """
    connectors = watch.connectors
    connectors.hold_schedules(held=False)
    left = {(name, sample.key): sample for name, some in plan.items() for sample in some}
    places = set(left)
    give_up = time.monotonic() + _PATIENCE_SECONDS
    while time.monotonic() < give_up:
        for (name, key), sample in list(left.items()):
            if not sample.waits_for or "submitted" in watch.statuses.get((name, sample.waits_for), ()):
                connectors.upload(connectors.advertisers[name], key, sample.content)
                del left[name, key]
        connectors.check()
        watch.look()
        if not left and all(watch.reports.get(place, {}).get("status") in _ENDS for place in places):
            break
        time.sleep(_LOOK_SECONDS)
    connectors.hold_schedules(held=True)
    return [
        fault
        for name, some in plan.items()
        for fault in (
            *(fault for sample in some for fault in _file_faults(watch, name, sample)),
            *_audience_faults(connectors, connectors.advertisers[name], some),
            *_leftovers(connectors, connectors.advertisers[name]),
        )
    ]


def _file_faults(watch: Watch, name: str, sample: Sample) -> list[str]:
    where = f"{name}: {sample.key}"
    report = watch.reports.get((name, sample.key))
    if report is None:
        return [f"{where} has no report; expected was {sample.status}."]
    faults = []
    if (report["status"], report["code"]) != (sample.status, sample.code):
        faults.append(
            f"{where} is {report['status']} ({report['code']}); expected was {sample.status} ({sample.code})."
        )
    rows = report["rows"]
    if (rows["accepted"], rows["rejected"]) != (sample.accepted, sample.rejected):
        faults.append(
            f"{where} has {rows['accepted']} rows accepted and {rows['rejected']} rejected; "
            f"expected were {sample.accepted} and {sample.rejected}."
        )
    if sample.waits_for and "waiting" not in watch.statuses[name, sample.key]:
        faults.append(f"{where} was to wait while its audience was being processed, and was not seen to.")
    return faults


def _audience_faults(connectors: Connectors, advertiser: Advertiser, some: Sequence[Sample]) -> list[str]:
    """Whether TikTok has exactly the audiences of these files, each with exactly their people."""
    expected: dict[tuple[str, str], set[str]] = {}
    for sample in some:
        if sample.people:
            expected.setdefault(sample.audience, set()).update(sample.people)
    found = connectors.audiences(advertiser)
    names = sorted((each["name"], each["calculate_type"].lower()) for each in found)
    if names != sorted(expected):
        return [f"{advertiser.name}: TikTok has the audiences {names}; expected were {sorted(expected)}."]
    return [
        f"{advertiser.name}: the audience {each['name']} does not hold exactly the people of its files."
        for each in found
        if connectors.members(each["id"]) != expected[each["name"], each["calculate_type"].lower()]
    ]


def _leftovers(connectors: Connectors, advertiser: Advertiser) -> list[str]:
    """Whether anything is still under way."""
    faults = [f"{advertiser.name}: {key} is still there." for key, _ in connectors.keys(advertiser, "pending/")]
    for output in ("queue_url", "dead_letter_queue_url"):
        url = advertiser.outputs[output]
        give_up = time.monotonic() + _DRAIN_SECONDS
        while connectors.depth(url) and time.monotonic() < give_up:
            time.sleep(_LOOK_SECONDS / 4)
        if time.monotonic() >= give_up:
            faults.append(f"{advertiser.name}: there are {connectors.depth(url)} messages on {url}.")
    return faults
