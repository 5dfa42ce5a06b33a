"""The check at the end of a run, which shares no code with the handler.

It compares the reports and the calls on the wire with the contract and the uploads. It checks that the contract allows
the final status of every upload, and that every change at TikTok comes from uploads. It computes the expected people in
each audience: for each person, the latest upload that contains them decides.
"""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from typing import Any

from tests.chaos.outcomes import AVAILABLE, RANK, UploadedList, UploadOutcome, exports_of
from tests.chaos.run import ChaosRun, SimulatedAdvertiser
from tests.chaos.traces import limits_ignored, personal_data
from tests.chaos.uploads import End, PlannedUpload, row
from tests.chaos.wire import AcceptedChange
from tests.chaos.workload import ANCHOR, POOL, SETTLE

SECOND = timedelta(seconds=1)  # the resolution of times in reports
IN_FLIGHT = timedelta(minutes=15)  # the run time of an invocation: work that started may still be in progress
APPLIED = {AVAILABLE, ("skipped", "overtaken"), ("rejected", "nothing_to_remove_from")}
FINAL = {"available", "skipped", "rejected", "failed"}


def check(run: ChaosRun) -> list[str]:
    """Return every difference between the actual and the expected results."""
    problems: list[str] = []
    for advertiser in run.advertisers:
        problems += _Check(run, advertiser).problems()
    problems += [*limits_ignored(run.wire.calls), *personal_data(run)]
    return problems


class _Check:
    """The check of the results of one advertiser. Its generators yield descriptions of differences."""

    def __init__(self, run: ChaosRun, advertiser: SimulatedAdvertiser) -> None:
        self.run, self.advertiser = run, advertiser
        self.audiences = run.audiences[advertiser.id]
        self.members = run.members
        # Audience -> time of its last deletion.
        self.deleted = {(name, kind): at for name, kind, at in run.deleted[advertiser.id].values()}
        self.changes = [each for each in run.wire.changes if each.advertiser_id == advertiser.id]
        self.outcomes = [self._outcome(each) for each in advertiser.workload.uploads]
        self.by_audience: dict[tuple[str, str], list[UploadOutcome]] = defaultdict(list)
        for outcome in self.outcomes:
            if outcome.upload.audience:
                self.by_audience[outcome.upload.audience].append(outcome)
        self.exports = {name: exports_of(outcomes) for name, outcomes in self.by_audience.items()}

    def _outcome(self, upload: PlannedUpload) -> UploadOutcome:
        key = f"reports/{upload.key}/{upload.version_id}.json"
        outcome = UploadOutcome(upload)
        if report := self.run.json(self.advertiser, key):
            outcome.end = (report["status"], report["code"])
            outcome.registered = datetime.fromisoformat(report["received_at"])
        if upload.marker is not None and upload.audience:
            mark = row(upload.audience[1], upload.marker)
            outcome.changes = [each for each in self.changes if mark in each.rows]
        written = [at for at, status, _ in self.advertiser.written[key] if status in {"submitted", "available"}]
        outcome.sent = min([each.at for each in outcome.changes] or written, default=None)
        outcome.tried = min(
            (at for at, _, code in self.advertiser.written[key] if code == "outcome_unknown"), default=None
        )
        return outcome

    def problems(self) -> Iterator[str]:
        for kind in (self._ends, self._histories, self._changes, self._repeats, self._people, self._leftovers):
            yield from kind()

    def _ends(self) -> Iterator[str]:
        for outcome in self.outcomes:
            upload = outcome.upload
            if upload.audience is None:
                wanted = upload.wrong_key or {None}
                if outcome.end not in wanted:
                    yield f"{upload}: its final status is {outcome.end}, not {wanted}"
                continue
            export = next((each for each in self.exports[upload.audience] if outcome in each.files), None)
            if export and export.is_available and self._shrank(export):
                yield f"{upload}: applied although the list shrank to {export.rows} rows without a confirmation"
            if outcome.end is None:
                yield f"{upload}: lost, it has no report"
            elif outcome.end not in (allowed := self._allowed(outcome)):
                yield f"{upload}: its final status is {outcome.end}, not one of {sorted(allowed)}"
            elif outcome.end == AVAILABLE:
                yield from self._counts(upload)

    def _counts(self, upload: PlannedUpload) -> Iterator[str]:
        report = self.run.json(self.advertiser, f"reports/{upload.key}/{upload.version_id}.json")
        rows = report["rows"] if report else {}
        for name, wanted in (("accepted", upload.file.accepted), ("rejected", upload.file.rejected)):
            if wanted is not None and rows[name] != wanted:
                yield f"{upload}: {rows[name]} rows {name}, not {wanted}"

    def _allowed(self, outcome: UploadOutcome) -> set[End]:
        upload = outcome.upload
        allowed = self._after_lists(outcome)
        if upload.copy_of:
            allowed.add(("skipped", "unchanged_copy"))
            source = next(each for each in self.outcomes if each.upload is upload.copy_of)
            if source.end in APPLIED and not self._was_listed(upload):
                return allowed
        if upload.action == "replace":
            return allowed | self._allowed_in_list(outcome)
        allowed |= upload.file.ends or {AVAILABLE}
        if upload.action == "append" and not upload.folder and upload.deleted and "_" not in upload.name:
            allowed.add(("skipped", "withdrawn"))
        if upload.action == "append" and self._version_within(upload):
            allowed |= {("skipped", "superseded"), ("skipped", "overtaken")}
        others = self.by_audience[upload.audience or ("", "")]
        opposite = {"append": "remove", "remove": "append"}[upload.action]
        later = [
            each.upload.file.people
            for each in others
            if each.end in APPLIED
            and each.upload.action in {opposite, "replace"}
            and each.order_key > outcome.order_key
        ]
        if upload.file.people and upload.file.people <= frozenset().union(*later):
            allowed.add(("skipped", "overtaken"))
        created = [each.sent for each in others if each.sent]
        finished_at = self._written(upload)[-1][0] if self._written(upload) else self.run.now()
        was_deleted = upload.audience in self.deleted
        if upload.action == "remove" and (was_deleted or not created or min(created) > finished_at - IN_FLIGHT):
            allowed.add(("rejected", "nothing_to_remove_from"))
        return allowed

    def _after_lists(self, outcome: UploadOutcome) -> set[End]:
        """Return the final statuses that newer lists allow for an upload."""
        allowed = set()
        for export in self.exports[outcome.upload.audience or ("", "")]:
            if outcome in export.files or (export.at, RANK["replace"]) <= outcome.order_key:
                continue
            if export.is_available:
                allowed.add(("skipped", "superseded"))
            if export.sent and export.tried and outcome.registered and outcome.registered >= export.tried - IN_FLIGHT:
                allowed.add(("rejected", "out_of_order"))
        return allowed

    def _allowed_in_list(self, outcome: UploadOutcome) -> set[End]:
        exports = self.exports[outcome.upload.audience or ("", "")]
        export = next(each for each in exports if outcome in each.files)
        faulty: set[End] = set().union(*(each.upload.file.ends for each in export.files))
        allowed = faulty | {("rejected", "list_rejected")} if faulty else {AVAILABLE}
        if any(each.upload.deleted for each in export.files):
            allowed.add(("skipped", "withdrawn"))
        if not self._is_confirmed(export) and any(
            each.is_available and export.rows < each.rows / 2 for each in exports if each.at < export.at
        ):
            allowed.add(("rejected", "shrinks_too_much"))
        if any(export.meets(other) for other in exports if other is not export):
            allowed.add(("rejected", "ambiguous_replace"))
        for each in self.by_audience[outcome.upload.audience or ("", "")]:
            known = export.registered
            newer = each.upload.action == "append" and each.upload.at > export.at
            if newer and each.sent and known and each.sent <= known + IN_FLIGHT:
                allowed.add(("rejected", "out_of_order"))
        removed = [
            each.upload.file.people
            for each in self.by_audience[outcome.upload.audience or ("", "")]
            if each.upload.action == "remove" and each.end in APPLIED and each.upload.at >= export.at
        ]
        if all(each.upload.file.people <= frozenset().union(*removed) for each in export.files):
            allowed.add(("skipped", "overtaken"))
        return allowed

    def _is_confirmed(self, export: UploadedList) -> bool:
        """Return true if a _CONFIRMED was uploaded to the folder of a list after its last file."""
        last = export.files[-1].upload
        folder = last.key.removesuffix(last.name)
        markers = (each for each in self.advertiser.workload.uploads if each.key == f"{folder}_CONFIRMED")
        return any(last.at <= each.at for each in markers)

    def _shrank(self, export: UploadedList) -> bool:
        """Return true if an unconfirmed list has less than half the rows of the smallest file of the previous list.

        The previous list may have been sent without some of its files, so the rows of its smallest file are the only
        safe minimum.
        """
        lists = self.exports[export.files[0].upload.audience or ("", "")]
        sent = [each for each in lists if each.is_available and each.sent and export.sent and each.sent < export.sent]
        last = max(sent, key=lambda each: each.sent or self.run.started_at, default=None)
        rows = min((each.upload.file.accepted or 0 for each in last.files), default=0) if last else 0
        return export.rows < rows / 2 and not self._is_confirmed(export)

    def _was_listed(self, upload: PlannedUpload) -> bool:
        """Return true if a listing found an upload before its event; only the event identifies a copy."""
        report = self.run.json(self.advertiser, f"reports/{upload.key}/{upload.version_id}.json")
        return bool(report and report["file"]["event_reason"] is None)

    def _version_within(self, upload: PlannedUpload) -> bool:
        gaps = (each.at - upload.at for each in self.advertiser.workload.uploads if each.key == upload.key)
        return any(timedelta() < gap < SETTLE for gap in gaps)

    def _written(self, upload: PlannedUpload) -> list[tuple[datetime, str, str]]:
        return self.advertiser.written[f"reports/{upload.key}/{upload.version_id}.json"]

    def _histories(self) -> Iterator[str]:
        """Find uploads whose status went back or that had two final statuses.

        Files of a list may wait again, so they are not checked.
        """
        rank = {"waiting": 0, "submitted": 1}
        for outcome in self.outcomes:
            if outcome.upload.action == "replace":
                continue
            statuses = [status for _, status, _ in self._written(outcome.upload)]
            ranks = [rank.get(status, 2) for status in statuses]
            if ranks != sorted(ranks) or sum(status in FINAL for status in statuses) > 1:
                yield f"{outcome.upload}: its status changed in the order {statuses}"

    def _changes(self) -> Iterator[str]:
        """Find updates without an action, changes with unexpected rows, and uploads that were sent too early."""
        names = {each["id"]: (_plain(each["name"]), str(each["calculate_type"]).lower()) for each in self.audiences}
        names |= {key: (name, kind) for key, (name, kind, _) in self.run.deleted[self.advertiser.id].items()}
        for change in self.changes:
            description = f"{change.call} of {change.at:%d %H:%M:%S} to {names.get(change.audience_id)}"
            if change.call == "update" and change.action not in {"APPEND", "REMOVE", "REPLACE"}:
                yield f"{description}: without an action"
            outcomes = self.by_audience.get(names.get(change.audience_id, ("", "")), [])
            actions = {"create": {"append", "replace"}}.get(change.call, {str(change.action).lower()})
            valid = [each for each in outcomes if each.upload.action in actions and not each.upload.file.ends]
            wanted = frozenset().union(*(self._rows(each) for each in valid))
            if unexpected := change.rows - wanted:
                yield f"{description}: {len(unexpected)} rows that are in no upload with this action"
            for outcome in valid:
                if change in outcome.changes and not self._had_settled(outcome, change):
                    times = f"sent at {change.at:%d %H:%M:%S}, registered {outcome.registered}"
                    yield f"{outcome.upload}: not settled: {times}"

    def _had_settled(self, outcome: UploadOutcome, change: AcceptedChange) -> bool:
        copies = [each for each in self.outcomes if each.upload.marker == outcome.upload.marker]
        times = [each.registered for each in copies if each.registered]
        return bool(times) and change.at - min(times) >= SETTLE - SECOND

    def _rows(self, outcome: UploadOutcome) -> frozenset[str]:
        audience = outcome.upload.audience or ("", "")
        return frozenset(row(audience[1], person) for person in outcome.upload.file.people)

    def _repeats(self) -> Iterator[str]:
        """Find uploads that were applied twice without cause, sent after their deletion, or available but never sent.

        A lost response, a killed function or an AWS error is a cause for a second call. An upload may still be sent
        within 15 minutes after its deletion.
        """
        for outcome in self.outcomes:
            upload = outcome.upload
            if upload.copy_of or upload.marker is None:
                continue
            same = [each for each in self.outcomes if each.upload.marker == upload.marker]
            known = [each for each in outcome.changes if each.answered and not each.invocation.killed]
            known = [each for each in known if not each.invocation.had_aws_error]
            applied = sum(each.end == AVAILABLE for each in same)
            if len(known) > max(1, applied):
                times = [f"{each.at:%d %H:%M:%S}" for each in known]
                yield f"{upload}: applied {len(known)} times, at {times}"
            deleted = upload.action == "append" and not upload.folder and "_" not in upload.name and upload.deleted
            if deleted and outcome.sent and outcome.sent > deleted + IN_FLIGHT:
                yield f"{upload}: sent at {outcome.sent:%d %H:%M:%S} although it was deleted at {deleted:%d %H:%M:%S}"
            if outcome.end == AVAILABLE and not outcome.changes and not upload.file.ends:
                yield f"{upload}: available, but it was never sent to TikTok"

    def _people(self) -> Iterator[str]:
        found: dict[tuple[str, str], list[str]] = defaultdict(list)
        for each in self.audiences:
            found[(_plain(each["name"]), str(each["calculate_type"]).lower())].append(each["id"])
        for name in sorted({*found, *self.by_audience}):
            sent = (
                any(self._is_in(each) for each in self.by_audience.get(name, [])) or name in self.advertiser.preexisting
            )
            if len(found[name]) != sent:
                yield f"{self.advertiser.name} {name}: {len(found[name])} audiences at TikTok, not {int(sent)}"
                continue
            if not sent:
                continue
            wanted = {row(name[1], person) for person in self._wanted(name)}
            members = self.members[found[name][0]]
            if members != wanted:
                missing, extra = _numbers(name[1], wanted - members), _numbers(name[1], members - wanted)
                found_people = f"of {len(wanted)} people {missing} are missing, {extra} are unexpected"
                yield f"{self.advertiser.name} {name}: {found_people}"

    def _is_in(self, outcome: UploadOutcome) -> bool:
        """Return true if an upload was sent and the audience was not deleted after that."""
        last = max((each.at for each in outcome.changes), default=outcome.sent)
        deleted_at = self.deleted.get(outcome.upload.audience or ("", ""))
        return bool(last and (deleted_at is None or last > deleted_at))

    def _is_added(self, outcome: UploadOutcome) -> bool:
        return outcome.upload.action == "append" and (
            self._is_in(outcome) or outcome.upload.audience not in self.deleted
        )

    def _wanted(self, name: tuple[str, str]) -> frozenset[int]:
        changes = [
            (outcome.order_key, outcome.upload.action, outcome.upload.file.people)
            for outcome in self.by_audience[name]
            if outcome.end in APPLIED and (outcome.upload.action == "remove" or self._is_added(outcome))
        ]
        for export in self.exports[name]:
            if export.is_available and any(map(self._is_in, export.files)):
                rows: frozenset[int] = frozenset()
                for outcome in export.files:
                    rows |= outcome.upload.file.people if outcome.end == AVAILABLE else frozenset()
                changes.append(((export.at, RANK["replace"]), "replace", rows))
        people = frozenset({ANCHOR}) if name in self.advertiser.preexisting else frozenset()
        for _, action, rows in sorted(changes, key=lambda change: change[0]):
            people = {"append": people | rows, "remove": people - rows, "replace": rows}[action]
        return people

    def _is_open(self, change: dict[str, Any]) -> bool:
        """Return true if a file of a change has no final status.

        If all files have one, the change is not an error: a function may be killed after it wrote the last report.
        """
        files = {(each["key"], each["version_id"]) for each in change["files"]}
        ends = [each.end for each in self.outcomes if (each.upload.key, each.upload.version_id) in files]
        return not all(end and end[0] in FINAL for end in ends)

    def _leftovers(self) -> Iterator[str]:
        """Find pending uploads, leases and open changes, and messages that are in the wrong queue or missing."""
        run, advertiser = self.run, self.advertiser
        for key in run.keys(advertiser, "pending/"):
            yield f"{advertiser.name}: {key} is still pending: {run.json(advertiser, key)}"
        for key in run.keys(advertiser, "audiences/"):
            state = run.json(advertiser, key) or {}
            left = [name for name in ("intent", "change") if (change := state.get(name)) and self._is_open(change)]
            if state.get("held_until") and datetime.fromisoformat(state["held_until"]) > run.now():
                left.append("held_until")  # the lease of a killed function has expired by now
            if left:
                yield f"{advertiser.name}: {key} still has {left}"
        if advertiser.queue.messages:
            yield f"{advertiser.name}: {len(advertiser.queue.messages)} messages are still on the queue"
        dead_letters, poison = Counter(advertiser.queue.dead_letters), Counter(advertiser.poison)
        for body in dead_letters - poison:
            yield f"{advertiser.name}: in the dead-letter queue, but should not be: {body[:200]}"
        for body in poison - dead_letters:
            yield f"{advertiser.name}: not in the dead-letter queue, but should be: {body}"


def _plain(name: str) -> str:
    return name.replace(" (renamed)", "")


def _numbers(identifier_type: str, rows: Iterable[str]) -> list[int | str]:
    """Return the number of the person in each row, or "unknown", so that messages contain no identifiers."""
    known: dict[str, int | str] = {
        row(identifier_type, person): person for person in (*POOL, ANCHOR, *range(1000, 2000))
    }
    return sorted((known.get(each, "unknown") for each in rows), key=str)


def summary(run: ChaosRun, seconds: float) -> str:
    """Return the last line of the output: the size, faults, time, trace and seed of the run, as a JSON object."""
    uploads = [each for advertiser in run.advertisers for each in advertiser.workload.uploads]
    description = {
        "files": len(uploads),
        "rows": sum(each.file.accepted or 0 for each in uploads),
        "faults": dict(sorted((kind, number) for kind, number in run.faults.items() if number)),
        "deliveries": run.deliveries,
        "tiktok_calls": len(run.wire.calls),
        "simulated_days": round((run.now() - run.started_at).total_seconds() / 86400, 1),
        "seconds": round(seconds, 1),
        "trace": run.trace.hexdigest()[:12],
        "seed": run.seed,
    }
    return json.dumps(description)
