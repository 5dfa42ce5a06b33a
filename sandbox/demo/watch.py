"""A watch on the reports of all uploads, which reads each report again when it has changed."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from sandbox.demo.connectors import Connectors, RunningAdvertiser

Report = Mapping[str, Any]
OnChange = Callable[[RunningAdvertiser, Report], None]


@dataclass
class Watch:
    """The newest report of each file, and the statuses and codes that each file has had.

    Args:
        on_change: called when the status or the code of an upload has changed.

    Attributes:
        reports: (advertiser, key) -> report.
        history: (advertiser, key) -> the statuses and codes so far, each with its last reason.
    """

    connectors: Connectors
    on_change: OnChange = lambda *_: None
    reports: dict[tuple[str, str], Report] = field(default_factory=dict)
    history: dict[tuple[str, str], dict[str, str]] = field(default_factory=dict)
    _etags: dict[tuple[str, str], str] = field(default_factory=dict)
    _last: dict[tuple[str, str], tuple[str, str]] = field(default_factory=dict)

    def poll(self) -> None:
        """Read the reports that have changed."""
        for advertiser in self.connectors.advertisers.values():
            for key, etag in self.connectors.keys(advertiser, "reports/"):
                if self._etags.get((advertiser.name, key)) != etag:
                    self._etags[advertiser.name, key] = etag
                    self._record(advertiser, key, self.connectors.read(advertiser, key))

    def _record(self, advertiser: RunningAdvertiser, report_key: str, report: Report) -> None:
        file = (advertiser.name, report["file"]["key"])
        self.reports[file] = report
        now = (report["status"], report["code"])
        self.history.setdefault(file, {}).update(dict.fromkeys(now, report["reason"]))
        if self._last.get((advertiser.name, report_key)) != now:  # every upload of a file has its own report
            self._last[advertiser.name, report_key] = now
            self.on_change(advertiser, report)
