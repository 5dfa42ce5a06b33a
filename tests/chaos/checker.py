"""The check at the end of a run, written from the contract, the uploads and the wire; it knows nothing of the handler.

It asks of every upload which ends the contract allows it, of every change at TikTok why it was made, and computes who
is in each audience: for each person, the latest upload that names them decides.
"""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from typing import Any

from tests.chaos.fates import AVAILABLE, RANK, Fate, WholeList, exports_of
from tests.chaos.run import ChaosRun, Tenant
from tests.chaos.traces import limits_ignored, personal_data
from tests.chaos.uploads import End, Planned, row
from tests.chaos.wire import AcceptedChange
from tests.chaos.workload import ANCHOR, POOL, SETTLE

SECOND = timedelta(seconds=1)  # reports tell whole seconds
IN_FLIGHT = timedelta(minutes=15)  # what an invocation has begun, it ends within its run time
APPLIED = {AVAILABLE, ("skipped", "overtaken"), ("rejected", "nothing_to_remove_from")}
FINAL = {"available", "skipped", "rejected", "failed"}


def check(run: ChaosRun) -> list[str]:
    """Return every difference between what is and what should be."""
    problems: list[str] = []
    for one in run.advertisers:
        problems += _Check(run, one).problems()
    problems += [*limits_ignored(run.wire.calls), *personal_data(run)]
    return problems


class _Check:
    """The check of one advertiser."""

    def __init__(self, run: ChaosRun, one: Tenant) -> None:
        self.run, self.one = run, one
        self.audiences = run.audiences[one.id]
        self.members = run.members
        self.deleted = {(name, kind): at for name, kind, at in run.deleted[one.id].values()}  # the last time of each
        self.changes = [each for each in run.wire.changes if each.advertiser_id == one.id]
        self.fates = [self._fate(each) for each in one.workload.uploads]
        self.by_audience: dict[tuple[str, str], list[Fate]] = defaultdict(list)
        for fate in self.fates:
            if fate.upload.audience:
                self.by_audience[fate.upload.audience].append(fate)
        self.exports = {name: exports_of(fates) for name, fates in self.by_audience.items()}

    def _fate(self, upload: Planned) -> Fate:
        key = f"reports/{upload.key}/{upload.version_id}.json"
        fate = Fate(upload)
        if report := self.run.json(self.one, key):
            fate.end = (report["status"], report["code"])
            fate.registered = datetime.fromisoformat(report["received_at"])
        if upload.marker is not None and upload.audience:
            mark = row(upload.audience[1], upload.marker)
            fate.changes = [each for each in self.changes if mark in each.rows]
        written = [at for at, status, _ in self.one.written[key] if status in {"submitted", "available"}]
        fate.sent = min([each.at for each in fate.changes] or written, default=None)
        fate.tried = min((at for at, _, code in self.one.written[key] if code == "outcome_unknown"), default=None)
        return fate

    def problems(self) -> Iterator[str]:
        for kind in (self._ends, self._histories, self._changes, self._repeats, self._people, self._leftovers):
            yield from kind()

    def _ends(self) -> Iterator[str]:
        for fate in self.fates:
            upload = fate.upload
            if upload.audience is None:
                wanted = upload.wrong_key or {None}
                if fate.end not in wanted:
                    yield f"{upload}: the end is {fate.end}, not {wanted}"
                continue
            export = next((each for each in self.exports[upload.audience] if fate in each.files), None)
            if export and export.is_available and self._shrank(export):
                yield f"{upload}: applied although the list shrank to {export.rows} rows and nobody confirmed it"
            if fate.end is None:
                yield f"{upload}: lost, there is no report"
            elif fate.end not in (allowed := self._allowed(fate)):
                yield f"{upload}: the end is {fate.end}, not one of {sorted(allowed)}"
            elif fate.end == AVAILABLE:
                yield from self._counts(upload)

    def _counts(self, upload: Planned) -> Iterator[str]:
        report = self.run.json(self.one, f"reports/{upload.key}/{upload.version_id}.json")
        rows = report["rows"] if report else {}
        for name, wanted in (("accepted", upload.file.accepted), ("rejected", upload.file.rejected)):
            if wanted is not None and rows[name] != wanted:
                yield f"{upload}: {rows[name]} rows {name}, not {wanted}"

    def _allowed(self, fate: Fate) -> set[End]:
        upload = fate.upload
        allowed = self._after_lists(fate)
        if upload.copy_of:
            allowed.add(("skipped", "unchanged_copy"))
            source = next(each for each in self.fates if each.upload is upload.copy_of)
            if source.end in APPLIED and not self._was_listed(upload):
                return allowed
        if upload.action == "replace":
            return allowed | self._allowed_in_list(fate)
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
            if each.end in APPLIED and each.upload.action in {opposite, "replace"} and each.place > fate.place
        ]
        if upload.file.people and upload.file.people <= frozenset().union(*later):
            allowed.add(("skipped", "overtaken"))
        created = [each.sent for each in others if each.sent]
        had_end = self._written(upload)[-1][0] if self._written(upload) else self.run.now()
        gone = upload.audience in self.deleted
        if upload.action == "remove" and (gone or not created or min(created) > had_end - IN_FLIGHT):
            allowed.add(("rejected", "nothing_to_remove_from"))
        return allowed

    def _after_lists(self, fate: Fate) -> set[End]:
        """Return the ends that newer lists give to what is older."""
        allowed = set()
        for export in self.exports[fate.upload.audience or ("", "")]:
            if fate in export.files or (export.at, RANK["replace"]) <= fate.place:
                continue
            if export.is_available:
                allowed.add(("skipped", "superseded"))
            if export.sent and export.tried and fate.registered and fate.registered >= export.tried - IN_FLIGHT:
                allowed.add(("rejected", "out_of_order"))
        return allowed

    def _allowed_in_list(self, fate: Fate) -> set[End]:
        exports = self.exports[fate.upload.audience or ("", "")]
        export = next(each for each in exports if fate in each.files)
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
        for each in self.by_audience[fate.upload.audience or ("", "")]:
            known = export.registered
            newer = each.upload.action == "append" and each.upload.at > export.at
            if newer and each.sent and known and each.sent <= known + IN_FLIGHT:
                allowed.add(("rejected", "out_of_order"))
        removed = [
            each.upload.file.people
            for each in self.by_audience[fate.upload.audience or ("", "")]
            if each.upload.action == "remove" and each.end in APPLIED and each.upload.at >= export.at
        ]
        if all(each.upload.file.people <= frozenset().union(*removed) for each in export.files):
            allowed.add(("skipped", "overtaken"))
        return allowed

    def _is_confirmed(self, export: WholeList) -> bool:
        """Return true if a _CONFIRMED came into the folder of a list after its last file."""
        last = export.files[-1].upload
        folder = last.key.removesuffix(last.name)
        markers = (each for each in self.one.workload.uploads if each.key == f"{folder}_CONFIRMED")
        return any(last.at <= each.at for each in markers)

    def _shrank(self, export: WholeList) -> bool:
        """Return true if even the smallest file of the list before has more than twice the rows of this list."""
        lists = self.exports[export.files[0].upload.audience or ("", "")]
        sent = [each for each in lists if each.is_available and each.sent and export.sent and each.sent < export.sent]
        last = max(sent, key=lambda each: each.sent or self.run.began, default=None)
        rows = min((each.upload.file.accepted or 0 for each in last.files), default=0) if last else 0
        return export.rows < rows / 2 and not self._is_confirmed(export)

    def _was_listed(self, upload: Planned) -> bool:
        """Return true if a listing found an upload before its event, which alone says that it is a copy."""
        report = self.run.json(self.one, f"reports/{upload.key}/{upload.version_id}.json")
        return bool(report and report["file"]["event_reason"] is None)

    def _version_within(self, upload: Planned) -> bool:
        gaps = (each.at - upload.at for each in self.one.workload.uploads if each.key == upload.key)
        return any(timedelta() < gap < SETTLE for gap in gaps)

    def _written(self, upload: Planned) -> list[tuple[datetime, str, str]]:
        return self.one.written[f"reports/{upload.key}/{upload.version_id}.json"]

    def _histories(self) -> Iterator[str]:
        """A status never goes back; only a list's files may wait again."""
        rank = {"waiting": 0, "submitted": 1}
        for fate in self.fates:
            if fate.upload.action == "replace":
                continue
            statuses = [status for _, status, _ in self._written(fate.upload)]
            ranks = [rank.get(status, 2) for status in statuses]
            if ranks != sorted(ranks) or sum(status in FINAL for status in statuses) > 1:
                yield f"{fate.upload}: its status went {statuses}"

    def _changes(self) -> Iterator[str]:
        """Every change has its action, the right audience, and rows that somebody wanted there, after settling."""
        names = {each["id"]: (_plain(each["name"]), str(each["calculate_type"]).lower()) for each in self.audiences}
        names |= {key: (name, kind) for key, (name, kind, _) in self.run.deleted[self.one.id].items()}
        for change in self.changes:
            told = f"{change.call} of {change.at:%d %H:%M:%S} to {names.get(change.audience_id)}"
            if change.call == "update" and change.action not in {"APPEND", "REMOVE", "REPLACE"}:
                yield f"{told}: without an action"
            fates = self.by_audience.get(names.get(change.audience_id, ("", "")), [])
            actions = {"create": {"append", "replace"}}.get(change.call, {str(change.action).lower()})
            valid = [each for each in fates if each.upload.action in actions and not each.upload.file.ends]
            wanted = frozenset().union(*(self._rows(each) for each in valid))
            if stray := change.rows - wanted:
                yield f"{told}: {len(stray)} rows that no upload wants there"
            for fate in valid:
                if change in fate.changes and not self._had_settled(fate, change):
                    yield f"{fate.upload}: sent at {change.at:%d %H:%M:%S}, registered {fate.registered}, not settled"

    def _had_settled(self, fate: Fate, change: AcceptedChange) -> bool:
        copies = [each for each in self.fates if each.upload.marker == fate.upload.marker]
        times = [each.registered for each in copies if each.registered]
        return bool(times) and change.at - min(times) >= SETTLE - SECOND

    def _rows(self, fate: Fate) -> frozenset[str]:
        audience = fate.upload.audience or ("", "")
        return frozenset(row(audience[1], person) for person in fate.upload.file.people)

    def _repeats(self) -> Iterator[str]:
        """Nothing is applied twice, unless an answer was lost or the function died with it."""
        for fate in self.fates:
            upload = fate.upload
            if upload.copy_of or upload.marker is None:
                continue
            same = [each for each in self.fates if each.upload.marker == upload.marker]
            known = [each for each in fate.changes if each.answered and not each.invocation.dead]
            known = [each for each in known if not each.invocation.disturbed]
            applied = sum(each.end == AVAILABLE for each in same)
            if len(known) > max(1, applied):
                times = [f"{each.at:%d %H:%M:%S}" for each in known]
                yield f"{upload}: applied {len(known)} times, at {times}"
            deleted = upload.action == "append" and not upload.folder and "_" not in upload.name and upload.deleted
            if deleted and fate.sent and fate.sent > deleted + IN_FLIGHT:
                yield f"{upload}: sent at {fate.sent:%d %H:%M:%S} although it was deleted at {deleted:%d %H:%M:%S}"
            if fate.end == AVAILABLE and not fate.changes and not upload.file.ends:
                yield f"{upload}: available, but TikTok never had it"

    def _people(self) -> Iterator[str]:
        found: dict[tuple[str, str], list[str]] = defaultdict(list)
        for each in self.audiences:
            found[(_plain(each["name"]), str(each["calculate_type"]).lower())].append(each["id"])
        for name in sorted({*found, *self.by_audience}):
            sent = any(self._is_in(each) for each in self.by_audience.get(name, [])) or name in self.one.adopted
            if len(found[name]) != sent:
                yield f"{self.one.name} {name}: {len(found[name])} audiences at TikTok, not {int(sent)}"
                continue
            if not sent:
                continue
            wanted = {row(name[1], person) for person in self._wanted(name)}
            members = self.members[found[name][0]]
            if members != wanted:
                missing, extra = _numbers(name[1], wanted - members), _numbers(name[1], members - wanted)
                yield f"{self.one.name} {name}: of {len(wanted)} people {missing} are missing, {extra} are too many"

    def _is_in(self, fate: Fate) -> bool:
        """Return true if an upload was sent, and not only before a person deleted the audience."""
        last = max((each.at for each in fate.changes), default=fate.sent)
        gone = self.deleted.get(fate.upload.audience or ("", ""))
        return bool(last and (gone is None or last > gone))

    def _is_added(self, fate: Fate) -> bool:
        return fate.upload.action == "append" and (self._is_in(fate) or fate.upload.audience not in self.deleted)

    def _wanted(self, name: tuple[str, str]) -> frozenset[int]:
        changes = [
            (fate.place, fate.upload.action, fate.upload.file.people)
            for fate in self.by_audience[name]
            if fate.end in APPLIED and (fate.upload.action == "remove" or self._is_added(fate))
        ]
        for export in self.exports[name]:
            if export.is_available and any(map(self._is_in, export.files)):
                rows: frozenset[int] = frozenset()
                for fate in export.files:
                    rows |= fate.upload.file.people if fate.end == AVAILABLE else frozenset()
                changes.append(((export.at, RANK["replace"]), "replace", rows))
        people = frozenset({ANCHOR}) if name in self.one.adopted else frozenset()
        for _, action, rows in sorted(changes, key=lambda change: change[0]):
            people = {"append": people | rows, "remove": people - rows, "replace": rows}[action]
        return people

    def _is_open(self, change: dict[str, Any]) -> bool:
        """Return true if not all files of a change have ended; a function may be killed after it ended the last."""
        files = {(each["key"], each["version_id"]) for each in change["files"]}
        ends = [each.end for each in self.fates if (each.upload.key, each.upload.version_id) in files]
        return not all(end and end[0] in FINAL for end in ends)

    def _leftovers(self) -> Iterator[str]:
        """Nothing waits, nobody holds a lease, and the queues hold what belongs there."""
        run, one = self.run, self.one
        for key in run.keys(one, "pending/"):
            yield f"{one.name}: {key} is still pending: {run.json(one, key)}"
        for key in run.keys(one, "audiences/"):
            state = run.json(one, key) or {}
            left = [name for name in ("intent", "change") if (change := state.get(name)) and self._is_open(change)]
            if state.get("held_until") and datetime.fromisoformat(state["held_until"]) > run.now():
                left.append("held_until")  # of a killed function it ends by itself
            if left:
                yield f"{one.name}: {key} still has {left}"
        if one.mailbox.messages:
            yield f"{one.name}: {len(one.mailbox.messages)} messages are still on the queue"
        dead, poison = Counter(one.mailbox.dead), Counter(one.poison)
        for body in dead - poison:
            yield f"{one.name}: in the dead-letter queue, but should not be: {body[:200]}"
        for body in poison - dead:
            yield f"{one.name}: not in the dead-letter queue, but should be: {body}"


def _plain(name: str) -> str:
    return name.replace(" (renamed)", "")


def _numbers(identifier_type: str, rows: Iterable[str]) -> list[int | str]:
    """Return people by number, so that no identifier is in a message."""
    known: dict[str, int | str] = {
        row(identifier_type, person): person for person in (*POOL, ANCHOR, *range(1000, 2000))
    }
    return sorted((known.get(each, "unknown") for each in rows), key=str)


def summary(run: ChaosRun, seconds: float) -> str:
    """Return the last line: files, rows, faults by kind, deliveries, TikTok calls, time, and the seed."""
    uploads = [each for one in run.advertisers for each in one.workload.uploads]
    told = {
        "files": len(uploads),
        "rows": sum(each.file.accepted or 0 for each in uploads),
        "faults": dict(sorted((kind, number) for kind, number in run.faults.items() if number)),
        "deliveries": run.deliveries,
        "tiktok_calls": len(run.wire.calls),
        "simulated_days": round((run.now() - run.began).total_seconds() / 86400, 1),
        "seconds": round(seconds, 1),
        "trace": run.trace.hexdigest()[:12],
        "seed": run.seed,
    }
    return json.dumps(told)
