"""Random stories: uploads, versions, deletions, renames and copies in any order, with late and duplicate events.

Each story runs against a complete connector. `tests.field.model` checks every step, and the people at the end.
"""

from __future__ import annotations

import argparse
import json
import os
import time
from contextlib import ExitStack, redirect_stdout
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, Phase, seed, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule, run_state_machine_as_test
from moto.backends import get_backend

from handler.clock import parse_iso
from sandbox.tiktok.emulator import TikTokEmulator
from tests.field.connector import DAY, HOUR, SETTLE, VIP, FieldConnector, body
from tests.field.model import Model
from tests.field.uploads import SENT, ModelUpload
from tests.handler.world import ADVERTISER_ID, people
from tests.privacy import TOKEN
from tests.servers import ACCOUNT, InProcessAws, stored

PEOPLE = people(0, 8)  # number 0 is never removed: TikTok does not keep an empty audience
ROWS = st.frozensets(st.integers(1, 7), min_size=1, max_size=4)
RUNS = st.sampled_from(["monday/", "tuesday/", "a/b/"])
PAUSES = [10, 0.5 * SETTLE, SETTLE + 5, 3 * SETTLE, 12 * SETTLE + 5, 30 * SETTLE, 80 * SETTLE, DAY]
AWS = InProcessAws()


class Story(RuleBasedStateMachine):
    """One audience from its first upload until nothing is pending."""

    def __init__(self) -> None:
        super().__init__()
        self.stack = ExitStack()
        # One row counts as a thousand people, so that small files meet TikTok's minimum of 1,000.
        tiktok = TikTokEmulator(accounts={ADVERTISER_ID: TOKEN}, match_rate=1000)
        self.connector = FieldConnector(AWS, self.stack.enter_context(tiktok), None)
        self.connector.cold_start(MAX_SHRINK="1")
        self.model = Model()
        self.late: list[ModelUpload] = []
        self.started = self.last_step_passed = False

    @initialize(processing=st.sampled_from([600.0, HOUR, 2 * DAY]), exists=st.booleans())
    def begin(self, processing: float, *, exists: bool) -> None:
        """Start with or without an existing audience."""
        self.connector.tiktok.configure(processing_seconds=processing)
        if exists:
            self.upload("append", "base/", "base.csv", frozenset({0}))
            self.pause(SETTLE + 5)
            self.pause(processing + 5)
        self.started = True

    @rule(name=st.sampled_from(["a.csv", "b.csv"]), rows=ROWS, late=st.booleans())
    def append(self, name: str, rows: frozenset[int], *, late: bool) -> None:
        """Upload one file under append."""
        self.upload("append", "", name, rows | {0}, late=late)

    @rule(action=st.sampled_from(["append", "remove"]), count=st.integers(1, 3), rows=ROWS, late=st.booleans())
    def run_of(self, action: str, count: int, rows: frozenset[int], *, late: bool) -> None:
        """Upload a run of numbered files."""
        for number in range(count):
            mine = frozenset(row for row in rows if row % count == number)
            self.upload(action, "daily/", f"part-{number}", mine | ({0} if action == "append" else {1}), late=late)

    @rule(name=st.sampled_from(["a.csv", "b.csv"]), rows=ROWS, late=st.booleans())
    def remove(self, name: str, rows: frozenset[int], *, late: bool) -> None:
        """Upload one file under remove."""
        self.upload("remove", "", name, rows, late=late)

    @rule(
        run=RUNS,
        files=st.lists(st.tuples(ROWS, st.booleans()), min_size=1, max_size=3),
        gap=st.sampled_from([1.0, 1.0, 1.6 * SETTLE, 4 * SETTLE]),
    )
    def replace(self, run: str, files: list[tuple[frozenset[int], bool]], gap: float) -> None:
        """Upload a list in one or more files; the events of some may be late."""
        for number, (rows, late) in enumerate(files):
            self.upload("replace", run, f"part-{number}", rows | {0}, late=late)
            self.pause(gap)

    @rule(rows=ROWS, late=st.booleans())
    def replace_by_one_file(self, rows: frozenset[int], *, late: bool) -> None:
        """Upload a list with one file."""
        self.upload("replace", "", "vip.csv", rows | {0}, late=late)

    @precondition(lambda self: self.current())
    @rule(data=st.data())
    def delete(self, data: st.DataObject) -> None:
        """Delete a file."""
        upload = data.draw(st.sampled_from(self.current()))
        self.connector.delete(f"{VIP}/{upload.path}")
        for each in self.model.uploads:
            if each.path == upload.path and not each.deleted:
                each.deleted = self.connector.now()
        self.observe()

    @precondition(lambda self: self.current())
    @rule(data=st.data(), late=st.booleans())
    def copy(self, data: st.DataObject, *, late: bool) -> None:
        """Copy a file onto itself, as happens when its metadata is changed."""
        upload = data.draw(st.sampled_from(self.current()))
        message = self.connector.copy(f"{VIP}/{upload.path}")
        file = (upload.action, upload.folder, upload.name, upload.rows)
        self.add(ModelUpload(*file, self.connector.now(), message, copied=True), late=late)

    @precondition(lambda self: self.late)
    @rule(data=st.data())
    def arrive(self, data: st.DataObject) -> None:
        """Deliver a late event."""
        upload = data.draw(st.sampled_from(self.late))
        self.late.remove(upload)
        self.deliver(upload)

    @precondition(lambda self: self.model.uploads)
    @rule(data=st.data())
    def duplicate(self, data: st.DataObject) -> None:
        """Deliver an event again."""
        self.deliver(data.draw(st.sampled_from(self.model.uploads)))

    @rule(name=st.sampled_from(["vip", "VIP 2026", "Käufer"]))
    def rename(self, name: str) -> None:
        """Rename the audience in Ads Manager."""
        for audience in self.connector.audiences():
            self.connector.rename(audience["id"], name)

    @rule(seconds=st.sampled_from(PAUSES))
    def pause(self, seconds: float) -> None:
        """Let time pass with sweeps; before a pause of more than half a day, deliver all late events."""
        if seconds > DAY / 2:
            self.deliver_late()
        left = seconds
        while left > 0:
            step = min(left, max(SETTLE, seconds / 6))
            self.connector.sweep(step / HOUR)
            left -= step
            self.observe()

    def current(self) -> list[ModelUpload]:
        """Return the newest version of each key that is not deleted."""
        newest = {each.path: each for each in self.model.uploads}
        return [each for each in newest.values() if not each.deleted]

    def upload(self, action: str, folder: str, name: str, rows: frozenset[int], *, late: bool = False) -> None:
        """Upload a file; its event arrives immediately or late."""
        path = f"{action}/{folder}{name}"
        message = self.connector.upload(f"{VIP}/{path}", body(PEOPLE[row] for row in sorted(rows)))
        self.add(ModelUpload(action, folder, name, rows, self.connector.now(), message), late=late)

    def add(self, upload: ModelUpload, *, late: bool) -> None:
        """Add a new version to the model, and deliver its event unless it is late."""
        self.model.uploads.append(upload)
        if late:
            self.late.append(upload)
        else:
            self.deliver(upload)

    def deliver(self, upload: ModelUpload) -> None:
        """Deliver an event."""
        assert self.connector.deliver(upload.message) == []
        self.observe()

    def deliver_late(self) -> None:
        """Deliver all late events."""
        while self.late:
            self.deliver(self.late.pop(0))

    def observe(self) -> None:
        """Read the reports and check the uploads that this step has sent against the model."""
        sent, self.last_step_passed = [], False
        for upload in self.model.uploads:
            if upload.outcome[0] in {"available", "skipped", "rejected", "failed"} and upload.action != "replace":
                continue
            report = self.report(upload)
            if report is None:
                continue
            before, upload.outcome = upload.outcome, (report["status"], report["code"])
            if not upload.registered and upload in self.late and upload.copied:
                upload.copied, upload.listed = False, True
            upload.registered = upload.registered or parse_iso(report["received_at"])
            if upload.outcome[0] in SENT and before[0] not in SENT:
                sent.append(upload)
                upload.sent = upload.sent or self.connector.now()
            may_wait_again = upload.action == "replace"
            assert may_wait_again or not (before[0] in SENT and upload.outcome[0] == "waiting"), "a status went back"
        try:
            self.model.check_sent(self.connector.now(), sent)
        except AssertionError as error:
            raise AssertionError(f"{error}, at {self.connector.now():%d %H:%M:%S}:\n{self.model}") from None
        self.last_step_passed = True

    def report(self, upload: ModelUpload) -> dict[str, Any] | None:
        """Return the report of an upload, or None if it has no report."""
        version = json.loads(upload.message)["detail"]["object"]
        key = f"reports/{version['key']}/{version['version-id']}.json"
        return json.loads(content) if (content := stored(self.connector.bucket, key)) else None

    def teardown(self) -> None:
        """Finish the story if no step failed. Always stop the emulated TikTok, and remove the bucket."""
        try:
            if self.started and self.last_step_passed:
                self.finish()
        finally:
            self.stack.close()
            get_backend("s3")[ACCOUNT]["aws"].buckets.pop(self.connector.bucket)

    def finish(self) -> None:
        """Deliver late events, let time pass until nothing is pending, and check the outcomes and the people."""
        self.deliver_late()
        for seconds in [SETTLE + 5, 12 * SETTLE + 5, *[12 * SETTLE + 5] * 3, *[6 * HOUR] * 60]:
            if not self.connector.keys("pending/"):
                break
            self.connector.sweep(seconds / HOUR)
            self.observe()
        waiting = {each.path: each.outcome for each in self.model.uploads if each.waits or not each.registered}
        assert not waiting, f"these uploads are still pending: {waiting}\n{self.model}"
        self.connector.sweep(2 * DAY / HOUR)
        self.observe()
        for upload in self.model.uploads:
            self.model.check_end(upload)
        self.check_people()

    def check_people(self) -> None:
        """Compare the people in the audience with those in the model."""
        audiences = self.connector.audiences()
        sent = [each for each in self.model.uploads if each.sent]
        assert len(audiences) == bool(sent), f"found {len(audiences)} audiences, expected {int(bool(sent))}"
        if audiences:
            found = self.connector.tiktok.members(audiences[0]["id"])
            possible = [self.model.people(oldest_version_counts=counts) for counts in (False, True)]
            numbers = sorted(PEOPLE.index(each) for each in found)
            assert frozenset(numbers) in possible, f"found {numbers}, expected {sorted(possible[0])}:\n{self.model}"


def run_stories(examples: int, *, steps: int = 15, first: int = 0, shrink: bool = True) -> None:
    """Run random stories.

    Args:
        examples: the number of stories.
        steps: the maximum number of steps per story.
        first: the seed.
        shrink: search for the shortest failing story instead of stopping at the first one.

    Raises:
        AssertionError: the connector breaks a rule. Hypothesis prints the failing story.
    """
    phases = [Phase.generate, Phase.shrink] if shrink else [Phase.generate]
    chosen = settings(
        max_examples=examples,
        stateful_step_count=steps,
        deadline=None,
        database=None,
        phases=phases,
        suppress_health_check=list(HealthCheck),
    )
    run_state_machine_as_test(seed(first)(Story), settings=chosen)


def main() -> None:
    """Run random stories; the options set their number, length and seed."""
    parser = argparse.ArgumentParser(prog="python -m tests.field.stories", description=main.__doc__)
    parser.add_argument("--examples", type=int, default=2000, help="number of stories")
    parser.add_argument("--steps", type=int, default=15, help="maximum steps per story")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--no-shrink", action="store_true", help="print the first failing story, not the shortest")
    options = parser.parse_args()
    started = time.monotonic()
    with Path(os.devnull).open("w") as nowhere, redirect_stdout(nowhere):  # the function prints its metrics
        run_stories(options.examples, steps=options.steps, first=options.seed, shrink=not options.no_shrink)
    print(
        json.dumps({"examples": options.examples, "seed": options.seed, "seconds": round(time.monotonic() - started)})
    )


if __name__ == "__main__":
    main()
