"""A connector with settling, and helpers for the acceptance tests."""

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

SETTLE = 300.0  # the default of SETTLE_SECONDS
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
    """A file of a test case and its expected outcome.

    Attributes:
        name: the part of its key after the identifier type.
        body: its content.
        outcome: expected status and code of its report; None if the file is not data and has no report.
        accepted, rejected: expected numbers of rows in its report; None to skip the check.
        after: seconds between the previous file and this one.
        reason: the reason in its event.
    """

    name: str
    body: bytes
    outcome: tuple[str, str] | None = AVAILABLE
    accepted: int | None = None
    rejected: int | None = None
    after: float = 1.0
    reason: str = "PutObject"


class FieldConnector(World):
    """A world with settling, and with methods to let hours and days pass.

    Attributes:
        capsys: the fixture from which metrics are read; None outside a test.
    """

    def __init__(self, aws: InProcessAws, tiktok: TikTokEmulator, capsys: pytest.CaptureFixture[str] | None) -> None:
        self.capsys = capsys
        self._metrics: Counter[str] = Counter()
        super().__init__(aws, tiktok)

    @property
    def environment(self) -> dict[str, str]:
        """The function's environment, with the default settling time."""
        return {**super().environment, "SETTLE_SECONDS": str(SETTLE)}

    def put(self, key: str, body: bytes, after: float = 1.0, **upload: Any) -> str:
        """Let `after` seconds pass, upload a file, deliver its event, and return the message."""
        self.pass_time(after / HOUR)
        message = self.upload(key, body, **upload)
        assert self.deliver(message) == []
        return message

    def upload_all(self, files: Sequence[File], folder: str = VIP) -> list[str]:
        """Upload files and deliver the event of each; return the messages."""
        return [self.put(f"{folder}/{each.name}", each.body, each.after, reason=each.reason) for each in files]

    def wait(self, seconds: float, every: float = SETTLE) -> None:
        """Let time pass with a sweep every `every` seconds and one at the end."""
        while seconds > 0:
            step = min(every, seconds)
            self.sweep(step / HOUR)
            seconds -= step

    def finish(self, days: float = 6) -> None:
        """Advance the clock and sweep until nothing is pending.

        Args:
            days: the maximum time; the test fails if an upload is still pending then.
        """
        self.sweep((SETTLE + 1) / HOUR)
        self.sweep((12 * SETTLE + 1) / HOUR)
        for _ in range(round(days * 24 * HOUR / (12 * SETTLE + 1))):
            if not self.keys("pending/"):
                return
            self.sweep((12 * SETTLE + 1) / HOUR)
        assert not self.keys("pending/"), [self.describe_pointer(pointer) for pointer in self.keys("pending/")]

    def describe_pointer(self, pointer: str) -> str:
        """Return a pending pointer and its content, for the message of a failed test."""
        return f"{pointer}: {self.json(pointer)}"

    def outcome_of(self, message: str) -> tuple[str, str] | None:
        """Return the status and the code of the upload in a message, or None if it has no report."""
        report = self.report_of(message)
        return (report["status"], report["code"]) if report else None

    def report_of(self, message: str) -> dict[str, Any] | None:
        """Return the report of the upload in a message, or None if it has no report."""
        key = json.loads(message)["detail"]["object"]["key"]
        try:
            return self.report(key, message)
        except self.s3.exceptions.NoSuchKey:
            return None

    def check(self, files: Sequence[File], messages: Sequence[str]) -> None:
        """Compare all reports with the expected outcomes in one assertion, so that a failure shows every file."""
        found, expected = [], []
        for file, message in zip(files, messages, strict=True):
            rows = (self.report_of(message) or {"rows": {}})["rows"]
            wanted = {"accepted": file.accepted, "rejected": file.rejected}
            wanted = {name: value for name, value in wanted.items() if value is not None}
            expected.append((file.name, file.outcome, wanted))
            found.append((file.name, self.outcome_of(message), {name: rows.get(name) for name in wanted}))
        assert found == expected, [(self.report_of(message) or {}).get("reason") for message in messages]

    def check_case(self, files: Sequence[File], members: Iterable[str] | None = None, folder: str = VIP) -> list[str]:
        """Upload files, wait until they are final, and check reports and the people in the audience.

        Returns:
            The message of each file.
        """
        messages = self.upload_all(files, folder)
        self.finish()
        self.check(files, messages)
        if members is not None:
            assert self.members() == set(members)
        return messages

    def create_audience(self, count: int = 2000, first: int = 0) -> set[str]:
        """Create the audience `vip`, ready for changes, reset the metric totals, and return its people."""
        self.put(f"{VIP}/base.csv", body(people(first, count)))
        self.finish()
        assert self.outcome(f"{VIP}/base.csv") == AVAILABLE
        self.metric_totals()
        self._metrics.clear()
        return set(people(first, count))

    def changes(self) -> list[str]:
        """Return each accepted change with files, oldest first: its action in upper case, or `create`."""
        accepted = [each for each in self.tiktok.calls() if each["call"] in {"create", "update"} and each["code"] == 0]
        return [each["action"] or each["call"] for each in accepted if each["files"]]

    def rename(self, audience_id: str, name: str) -> None:
        """Rename an audience, as a person does in Ads Manager. A refusal while TikTok processes it is ignored."""
        requests.post(
            f"{self.tiktok.url}/open_api/v1.3/dmp/custom_audience/update/",
            json={"advertiser_id": ADVERTISER_ID, "custom_audience_id": audience_id, "custom_audience_name": name},
            headers={"Access-Token": TOKEN},
            timeout=10,
        ).raise_for_status()

    def metric_totals(self) -> Counter[str]:
        """Return the total of each metric, since the start or the last `create_audience`."""
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
    """Return the content of a file: an optional header row, then each row with `before`, `after` and `end`."""
    lines = [*([header] if header is not None else []), *(f"{before}{row}{after}" for row in rows)]
    return "".join(f"{line}{end}" for line in lines).encode()
