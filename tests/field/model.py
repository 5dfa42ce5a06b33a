"""A model of one audience, derived only from the contract: the allowed outcomes of uploads, and the expected people.

The model does not repeat the connector's decisions. It observes the report of each upload and checks every step against
the rules for settling, lists, deletions and order. At the end it computes the people in the audience: for each person,
the latest upload that contains them decides.

`python -m tests.field.stories --examples 2000` runs many random stories.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from tests.field.uploads import (
    LIST_QUIET,
    MAX_LIST_WAIT,
    PRIORITY,
    QUIET,
    SENT,
    TIME_RESOLUTION,
    ModelExport,
    ModelUpload,
)


@dataclass
class Model:
    """All uploads of one audience, oldest first."""

    uploads: list[ModelUpload] = field(default_factory=list)

    def __str__(self) -> str:
        return "\n".join(map(str, self.uploads))

    def exports(self) -> list[ModelExport]:
        """Return the lists. A copy of a file onto itself is part of a list if the connector sent or rejected it."""
        found: dict[str, list[ModelExport]] = {}
        for each in self._with_actions("replace"):
            exports = found.setdefault(each.folder or each.name, [])
            if not exports or each.at - exports[-1].files[-1].at > MAX_LIST_WAIT or _all_deleted(exports[-1], each.at):
                exports.append(ModelExport())
            exports[-1].files.append(each)
        return [export for exports in found.values() for export in exports]

    def export_of(self, upload: ModelUpload) -> ModelExport:
        """Return the list that contains a file."""
        return next(export for export in self.exports() if upload in export.files)

    def _with_actions(self, *actions: str) -> Iterator[ModelUpload]:
        return (
            each
            for each in self.uploads
            if each.action in actions
            and (not each.copied or (each.action == "replace" and each.outcome[0] in {*SENT, "rejected"}))
        )

    def people(self, *, oldest_version_counts: bool = False) -> frozenset[int]:
        """Return the people in the audience: for each person, the latest applied upload that contains them decides.

        Args:
            oldest_version_counts: use the earliest time of any version in a list as its time, instead of the earliest
                time of the newest versions. The contract allows both.
        """
        changes = [
            (each.at, PRIORITY[each.action], each.action, each.rows)
            for each in self.uploads
            if each.applied and each.action != "replace"
        ]
        for export in self.exports():
            if files := export.applied:
                at = min(each.at for each in (export.files if oldest_version_counts else files))
                rows: frozenset[int] = frozenset().union(*(each.rows for each in files))
                changes.append((at, PRIORITY["replace"], "replace", rows))
        people: frozenset[int] = frozenset()
        for _, _, action, rows in sorted(changes, key=lambda change: change[:2]):
            people = {"append": people | rows, "remove": people - rows, "replace": rows}[action]
        return people

    def check_sent(self, now: datetime, sent: Iterable[ModelUpload]) -> None:
        """Check the uploads that this step has sent to TikTok against the rules for settling, order and deletions.

        Raises:
            AssertionError: an upload was sent against a rule.
        """
        lists = []
        for each in sent:
            assert each.registered, f"{each.path} was sent without having been registered"
            assert now - each.registered >= QUIET - TIME_RESOLUTION, f"{each.path} was sent before it had settled"
            if each.copied:
                assert not self._repeats_applied(each), f"{each.path} was sent although it is a copy"
                continue
            if each.action != "replace":
                assert not each.withdrawable or not each.deleted, f"{each.path} was sent although it was deleted"
                self._check_quiet(now, each)
                for export in self.exports():  # a list that will be withdrawn holds up nothing
                    waits = all(file.waits and not file.deleted for file in export.current) and export.current
                    assert not waits or each.at <= export.time, f"{each.path} was sent before an older list"
            elif (export := self.export_of(each)) not in lists:
                lists.append(export)
                self._check_list(now, export)
        assert len(lists) <= 1, "two lists were sent in one step"

    def _check_quiet(self, now: datetime, sent: ModelUpload) -> None:
        """Check that no append or remove is sent while others arrive, unless one has waited for 12 settling times.

        Uploads that are newer than a waiting list wait for the list, so they do not count. An append is not sent if its
        next version was uploaded within the settling time.
        """
        lists = [export.files[0].at for export in self.exports() if any(file.waits for file in export.files)]
        together = [
            each
            for each in self._with_actions("append", "remove")
            if each.registered and (each.waits or each.sent == now) and not any(time < each.at for time in lists)
        ]
        waited = [each.registered for each in [sent, *together] if each.registered]
        quiet = now - max(waited) >= QUIET - TIME_RESOLUTION or now - min(waited) >= LIST_QUIET - TIME_RESOLUTION
        assert quiet, f"{sent.path} was sent while others were still arriving"
        if sent.action == "append":
            newer = [
                each for each in together if each.path == sent.path and TIME_RESOLUTION <= each.at - sent.at < QUIET
            ]
            assert not newer, f"{sent.path} of {sent.at:%H:%M:%S} was sent although there is a newer version"

    def _check_list(self, now: datetime, export: ModelExport) -> None:
        """Check that a list is sent completely, after a quiet hour or six hours, and without a competing list."""
        # A list that is sent again consists of its current files, without files that were sent before and deleted.
        current = [file for file in export.current if not (file.deleted and file.sent and file.sent < now)]
        names = [file.path for file in current]
        for file in current:
            assert file.registered, f"{names} was sent without {file.path}, which is in the bucket"
            assert file.outcome[0] in {*SENT, "skipped"}, f"{names} was sent without {file.path}: {file.outcome}"
            assert not file.deleted, f"{names} was sent although {file.path} was deleted"
        newest_name = max(self._names(now))
        oldest = min(file.registered for file in export.files if file.registered)
        quiet = now - newest_name >= LIST_QUIET - TIME_RESOLUTION or now - oldest >= MAX_LIST_WAIT - TIME_RESOLUTION
        assert quiet, f"{names} was sent before a quiet hour: {now - newest_name} after {newest_name}"
        for other in self.exports():
            waits = any(file.waits for file in other.current) and not any(file.deleted for file in other.current)
            if other.files != export.files and waits:
                now_in = [ModelExport(each.current) for each in (export, other)]
                assert not _within_an_hour(*now_in), f"{names} was sent although a competing list waits"

    def _names(self, now: datetime) -> Iterator[datetime]:
        """Yield the first registration time of each file name under `replace/` that waits or was just sent."""
        first: dict[str, datetime] = {}
        for file in self._with_actions("replace"):
            if file.registered and (file.waits or file.sent == now):
                first[file.path] = min(file.registered, first.get(file.path, file.registered))
        yield from first.values()

    def check_end(self, upload: ModelUpload) -> None:
        """Check that the contract allows the outcome of an upload.

        Raises:
            AssertionError: the contract does not allow it.
        """
        if upload.outcome not in self._allowed(upload):
            raise AssertionError(f"{upload.path} of {upload.at:%d %H:%M:%S} has the outcome {upload.outcome}:\n{self}")

    def _allowed(self, upload: ModelUpload) -> set[tuple[str, str]]:
        if upload.copied:
            return self._allowed_copy(upload)
        allowed = {("available", "available")} if upload.sent else set()
        if upload.listed:
            allowed.add(("skipped", "unchanged_copy"))
        allowed |= self._allowed_after_list(upload)
        if upload.action == "replace":
            return allowed | self._allowed_list(upload)
        opposite = "remove" if upload.action == "append" else "append"
        later = (
            each.rows
            for each in self.uploads
            if each.at > upload.at and each.applied and each.action in {opposite, "replace"}
        )
        if upload.rows <= frozenset().union(*later):
            allowed.add(("skipped", "overtaken"))
        if upload.withdrawable and upload.deleted:
            allowed.add(("skipped", "withdrawn"))
        if upload.action == "remove":
            allowed.add(("rejected", "nothing_to_remove_from"))
        if upload.action == "append" and self._next_version_within(upload, QUIET):
            allowed |= {("skipped", "superseded"), ("skipped", "overtaken")}
        return allowed

    def _allowed_after_list(self, upload: ModelUpload) -> set[tuple[str, str]]:
        """Return the outcomes that a newer list allows for an older upload."""
        allowed = set()
        newer = [each for each in self.exports() if each.sent and each.time >= upload.at and upload not in each.files]
        if any(file.outcome == ("available", "available") for export in newer for file in export.files):
            allowed.add(("skipped", "superseded"))
        if any(export.sent and upload.registered and export.sent <= upload.registered for export in newer):
            allowed.add(("rejected", "out_of_order"))
        return allowed

    def _allowed_list(self, upload: ModelUpload) -> set[tuple[str, str]]:
        export = self.export_of(upload)
        allowed = set()
        if upload not in export.current:
            allowed |= {("skipped", "superseded"), ("skipped", "overtaken"), ("skipped", "withdrawn")}
        if any(file.deleted for file in export.files):
            allowed.add(("skipped", "withdrawn"))
        if any(_within_an_hour(export, other) for other in self.exports() if other.files != export.files):
            allowed.add(("rejected", "ambiguous_replace"))
        appended = [each for each in self._with_actions("append") if each.sent and each.at > export.files[0].at]
        if (
            appended
            and upload.registered
            and any(each.sent and each.sent <= upload.registered + QUIET for each in appended)
        ):
            allowed.add(("rejected", "out_of_order"))
        removed = (each.rows for each in self._with_actions("remove") if each.at > export.time and each.applied)
        if upload.rows <= frozenset().union(*removed):
            allowed.add(("skipped", "overtaken"))
        return allowed

    def _allowed_copy(self, upload: ModelUpload) -> set[tuple[str, str]]:
        allowed = {("skipped", "unchanged_copy")} | self._allowed_after_list(upload)
        if self._repeats_applied(upload):
            return allowed
        # If the rows were never applied, the copy may apply them, or share the outcome of the file that it copies.
        own_ends = {("available", "available"), ("skipped", "withdrawn"), ("rejected", "ambiguous_replace")}
        source = self._source(upload)
        in_old_place = self._allowed_after_list(replace(source, registered=upload.registered))
        return allowed | own_ends | in_old_place | {source.outcome}

    def _repeats_applied(self, copy: ModelUpload) -> bool:
        """Return true if the rows of a copy were already applied."""
        return self._source(copy).applied

    def _source(self, copy: ModelUpload) -> ModelUpload:
        """Return the version whose rows a copy repeats, skipping other unchanged copies."""
        older = [each for each in self.uploads if each.path == copy.path and each.at < copy.at]
        return [each for each in older if each.outcome != ("skipped", "unchanged_copy") or not each.copied][-1]

    def _next_version_within(self, upload: ModelUpload, gap: timedelta) -> bool:
        versions = [
            each for each in self._with_actions(upload.action) if each.path == upload.path and each.at > upload.at
        ]
        return bool(versions) and versions[0].at - upload.at < gap


def _all_deleted(export: ModelExport, before: datetime) -> bool:
    return all(file.deleted and file.deleted <= before for file in export.current)


def _within_an_hour(one: ModelExport, other: ModelExport) -> bool:
    """Return true if two lists were uploaded within an hour of each other."""
    return any(abs(file.at - each.at) < LIST_QUIET for file in one.files for each in other.files)
