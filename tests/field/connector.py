"""A connector with settling on, and the helpers of the acceptance tests."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import pytest
import requests

from sandbox.tiktok.emulator import TikTokEmulator
from tests.handler.world import ADVERTISER_ID, World, people
from tests.privacy import TOKEN
from tests.servers import InProcessAws

S = 300.0  # SETTLE_SECONDS, the default
HOUR = 3600.0
DAY = 24 * HOUR
VIP = "tiktok/vip/email_sha256"

AVAILABLE = ("available", "available")
EMPTY = ("skipped", "empty_file")
WITHDRAWN = ("skipped", "withdrawn")
COPY = ("skipped", "unchanged_copy")
SUPERSEDED = ("skipped", "superseded")
OUT_OF_ORDER = ("rejected", "out_of_order")


@dataclass(frozen=True)
class File:
    """A file of a case and its intended end.

    Attributes:
        name: the part of its key after the identifier type.
        body: its content.
        ends: status and code of its report; None if it is not data, so that there is no report.
        accepted, rejected: rows in its report; None is not looked at.
        after: seconds since the file before it.
        reason: of its event.
    """

    name: str
    body: bytes
    ends: tuple[str, str] | None = AVAILABLE
    accepted: int | None = None
    rejected: int | None = None
    after: float = 1.0
    reason: str = "PutObject"


class FieldConnector(World):
    """A world with settling on, whose schedule can be followed in steps of hours.

    Attributes:
        capsys: what reads the metrics; None outside a test.
    """

    def __init__(self, aws: InProcessAws, tiktok: TikTokEmulator, capsys: pytest.CaptureFixture[str] | None) -> None:
        self.capsys = capsys
        self._metrics: Counter[str] = Counter()
        super().__init__(aws, tiktok)

    @property
    def environment(self) -> dict[str, str]:
        """The function's environment, with the default time to settle."""
        return {**super().environment, "SETTLE_SECONDS": str(S)}

    def put(self, key: str, body: bytes, after: float = 1.0, **upload: Any) -> str:
        """Upload a file and deliver its event; return the message."""
        self.pass_time(after / HOUR)
        message = self.upload(key, body, **upload)
        assert self.deliver(message) == []
        return message

    def play(self, files: Sequence[File], folder: str = VIP) -> list[str]:
        """Upload files and deliver the event of each; return the messages."""
        return [self.put(f"{folder}/{each.name}", each.body, each.after, reason=each.reason) for each in files]

    def wait(self, seconds: float, every: float = S) -> None:
        """Let time pass with a sweep every `every` seconds, and one at the end."""
        while seconds > 0:
            step = min(every, seconds)
            self.sweep(step / HOUR)
            seconds -= step

    def end(self, days: float = 6) -> None:
        """Let time pass until nothing is pending; the steps are those at which something can become due.

        Args:
            days: after so many the test fails: nothing waits forever.
        """
        self.sweep((S + 1) / HOUR)
        self.sweep((12 * S + 1) / HOUR)
        for _ in range(round(days * 24 * HOUR / (12 * S + 1))):
            if not self.keys("pending/"):
                return
            self.sweep((12 * S + 1) / HOUR)
        assert not self.keys("pending/"), [self.standing_of(pointer) for pointer in self.keys("pending/")]

    def standing_of(self, pointer: str) -> str:
        """Return where a pending pointer is, for the message of a failed test."""
        return f"{pointer}: {self.json(pointer)}"

    def ends(self, message: str) -> tuple[str, str] | None:
        """Return status and code of the upload that a message tells of, None if it has no report."""
        report = self.report_of(message)
        return (report["status"], report["code"]) if report else None

    def report_of(self, message: str) -> dict[str, Any] | None:
        """Return the report of the upload that a message tells of, None if it has none."""
        key = json.loads(message)["detail"]["object"]["key"]
        try:
            return self.report(key, message)
        except self.s3.exceptions.NoSuchKey:
            return None

    def check(self, files: Sequence[File], messages: Sequence[str]) -> None:
        """Compare the reports with the intended ends; all of them at once, so that a failure shows the whole case."""
        found, intended = [], []
        for file, message in zip(files, messages, strict=True):
            rows = (self.report_of(message) or {"rows": {}})["rows"]
            wanted = {"accepted": file.accepted, "rejected": file.rejected}
            wanted = {name: value for name, value in wanted.items() if value is not None}
            intended.append((file.name, file.ends, wanted))
            found.append((file.name, self.ends(message), {name: rows.get(name) for name in wanted}))
        assert found == intended, [(self.report_of(message) or {}).get("reason") for message in messages]

    def case(self, files: Sequence[File], members: Iterable[str] | None = None, folder: str = VIP) -> list[str]:
        """Play a whole case: upload, end, compare reports and the audience's people; return the messages."""
        messages = self.play(files, folder)
        self.end()
        self.check(files, messages)
        if members is not None:
            assert self.members() == set(members)
        return messages

    def base(self, count: int = 2000, first: int = 0) -> set[str]:
        """Make the audience `vip`, ready to be changed, and return its people."""
        self.put(f"{VIP}/base.csv", body(people(first, count)))
        self.end()
        assert self.outcome(f"{VIP}/base.csv") == AVAILABLE
        self.counted()
        self._metrics.clear()
        return set(people(first, count))

    def changes(self) -> list[str]:
        """Return the changes that TikTok has accepted, oldest first."""
        accepted = [each for each in self.tiktok.calls() if each["call"] in {"create", "update"} and each["code"] == 0]
        return [each["action"] or each["call"] for each in accepted if each["files"]]

    def rename(self, audience_id: str, name: str) -> None:
        """Do what a person does in Ads Manager; TikTok refuses it while it processes the audience."""
        requests.post(
            f"{self.tiktok.url}/open_api/v1.3/dmp/custom_audience/update/",
            json={"advertiser_id": ADVERTISER_ID, "custom_audience_id": audience_id, "custom_audience_name": name},
            headers={"Access-Token": TOKEN},
            timeout=10,
        ).raise_for_status()

    def counted(self) -> Counter[str]:
        """Return the sums of all metrics so far; each line has exactly the one dimension."""
        if self.capsys:
            read = self.capsys.readouterr()
            self.printed += [read.out, read.err]
            for line in read.out.splitlines():
                if '"_aws"' in line:
                    content = json.loads(line)
                    (directive,) = content["_aws"]["CloudWatchMetrics"]
                    for metric in directive["Metrics"]:
                        self._metrics[metric["Name"]] += _sum(content[metric["Name"]])
        return self._metrics


def _sum(value: float | list[float]) -> int:
    return round(sum(value) if isinstance(value, list) else value)


def body(
    rows: Iterable[str], *, header: str | None = None, before: str = "", after: str = "", end: str = "\n"
) -> bytes:
    """Return a file: a header row if given, then a line per row, with text before and after each."""
    lines = [*([header] if header is not None else []), *(f"{before}{row}{after}" for row in rows)]
    return "".join(f"{line}{end}" for line in lines).encode()
