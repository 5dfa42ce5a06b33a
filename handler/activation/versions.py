"""The object versions of waiting uploads: deletions, previous versions, markers, and unregistered objects."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from handler.activation.invocation import Invocation
from handler.activation.register import register
from handler.clock import parse_iso
from handler.errors import Damaged, Missing, Rejected
from handler.events.keys import (
    MAX_KEY_BYTES,
    TEMPORARY_FOLDER,
    has_counter,
    is_ignored,
    is_manifest,
    list_folder,
    parse_key,
    type_folder,
)
from handler.model import Action, Upload
from handler.state.lists import ListFile
from handler.state.objects import Version
from handler.state.pending_pointers import upload_digest
from handler.state.reports import Report, action_of, identity

# An object without a report is registered unless it is older than this: S3 delivers events within minutes, and older
# objects were usually uploaded before the connector existed.
UNREGISTERED_AGE = timedelta(days=1)


@dataclass
class Versions:
    """Listings of object versions. Each identifier type folder is listed only once per instance."""

    run: Invocation
    _listed: dict[str, dict[str, list[Version]]] = field(default_factory=dict)

    def folder(self, prefix: str) -> dict[str, list[Version]]:
        """Return all versions and delete markers below a prefix, by key, newest first."""
        if prefix not in self._listed:
            by_key: dict[str, list[Version]] = {}
            for version in self.run.store.versions(prefix):
                by_key.setdefault(version.key, []).append(version)
            for versions in by_key.values():  # newest first; within a second, S3's order
                versions.sort(key=lambda each: each.modified_at, reverse=True)
            self._listed[prefix] = by_key
        return self._listed[prefix]

    def of_key(self, key: str) -> list[Version]:
        """Return all versions and delete markers of one key, newest first."""
        return self.folder(type_folder(key)).get(key, [])

    def sort_key(self, report: Report) -> tuple[str, int]:
        """Return a sort key that orders versions by upload time, and versions of the same second as S3 lists them."""
        key, version_id = identity(report)
        newest_first = [each.version_id for each in self.of_key(key)]
        index = newest_first.index(version_id) if version_id in newest_first else len(newest_first)
        return report["file"]["uploaded_at"], -index

    def current(self, key: str) -> Version | None:
        """Return the current version of a key, or None if the object does not exist or is deleted."""
        return next((each for each in self.of_key(key) if each.is_latest and not each.is_delete_marker), None)

    def is_deleted(self, report: Report) -> bool:
        """Return true if someone deleted the object of an upload before its turn."""
        return self.deleted_at(report) is not None

    def deleted_at(self, report: Report) -> datetime | None:
        """Return the time when someone deleted the object of an upload before its turn, else None.

        A delete marker after the version counts even if a newer version exists. A delete marker after the retention
        period does not count, because a lifecycle rule creates it. Delete markers on uploads of schema 1 do not count.
        """
        uploaded_at = parse_iso(report["file"]["uploaded_at"])
        expires_at = uploaded_at + timedelta(days=self.run.settings.file_retention_days)
        if report["schema"] == 1:
            return None
        times = [marker.modified_at for marker in self._later_markers(*identity(report), uploaded_at)]
        return min((at for at in times if at < expires_at), default=None)

    def _later_markers(self, key: str, version_id: str, uploaded_at: datetime) -> list[Version]:
        """Return the delete markers after a version of a key.

        S3's times have a resolution of one second. A delete marker of the same second counts only if it is the newest
        entry of the key, because tools delete an object before they write it again.
        """
        versions = self.of_key(key)
        if any(each.version_id == version_id and each.is_latest for each in versions):
            return []
        markers = [each for each in versions if each.is_delete_marker]
        return [
            each
            for each in markers
            if each.modified_at > uploaded_at or (each.is_latest and each.modified_at == uploaded_at)
        ]

    def exists(self, report: Report) -> bool:
        """Return true if the object version of an upload still exists."""
        return any(each.version_id == identity(report)[1] for each in self.of_key(report["file"]["key"]))

    def all_deleted_at(self, files: Iterable[tuple[str, str]]) -> datetime | None:
        """Return the time by which all versions, given as key and version id, were deleted; None if one was not.

        Permanently deleted versions are ignored.
        """
        last = datetime.min.replace(tzinfo=UTC)
        for key, version_id in files:
            own = next((each for each in self.of_key(key) if each.version_id == version_id), None)
            if own is None:  # permanently deleted, at an unknown time
                continue
            markers = self._later_markers(key, version_id, own.modified_at)
            if not markers:
                return None
            last = max(last, min(each.modified_at for each in markers))
        return last

    def previous(self, key: str, version_id: str) -> Version | None:
        """Return the version before this one; None if there is none or a delete marker is in between.

        An upload after a deletion is not a copy, because the deletion may have withdrawn the previous version.
        """
        newest_first = iter(self.of_key(key))
        if not any(each.version_id == version_id for each in newest_first):
            return None
        before = next(newest_first, None)
        return None if before is None or before.is_delete_marker else before

    def has_newer_marker(self, name: str, files: Sequence[ListFile]) -> bool:
        """Return true if the list's folder has the marker `name`, and the marker is not older than the list's files.

        Folders of Hive partitions belong to the list's folder.
        """
        newest = max(parse_iso(file["uploaded_at"]) for file in files)
        return any(
            each.key.endswith(f"/{name}") and list_folder(each.key) == folder and each.modified_at >= newest
            for folder, each in self._below({list_folder(file["key"]) for file in files})
        )

    def manifests(self, reports: Iterable[Report]) -> list[Version]:
        """Return the manifests in a list's folder, in their current versions."""
        below = self._below(_folders(reports))
        return [each for folder, each in below if "/" not in each.key[len(folder) :] and is_manifest(each.key)]

    def is_being_written(self, reports: Iterable[Report]) -> bool:
        """Return true if a list's folder has Hadoop's `_temporary/` folder."""
        below = self._below(_folders(reports))
        return any(each.key.startswith(f"{folder}{TEMPORARY_FOLDER}/") for folder, each in below)

    def _below(self, folders: Iterable[str]) -> Iterator[tuple[str, Version]]:
        """Yield the current versions below the folders of a list, each with its folder, sorted by key."""
        for folder in sorted(folders):
            for key in sorted(self.folder(type_folder(folder))):
                if key.startswith(folder) and (version := self.current(key)):
                    yield folder, version

    def refused_by_name(
        self, reports: Iterable[Report], after: datetime, before: datetime
    ) -> tuple[str, Rejected] | None:
        """Return the key and fault of a file in the list's run whose name is rejected, such as a workbook.

        Return None if there is no such file.

        Files directly under `replace/` are not in a run, and a file with another name there belongs to another list.

        Args:
            reports: the reports of the list's files.
            after: the start of the time range to search. A folder may be used again for a later list.
            before: the end of the time range to search.
        """
        in_runs = [report for report in reports if parse_key(report["file"]["key"]).run is not None]
        for folder, each in self._below(_folders(in_runs)):
            if list_folder(each.key) == folder and not is_ignored(each.key) and after < each.modified_at < before:
                try:
                    parse_key(each.key)
                except Rejected as fault:
                    return each.key, fault
        return None

    def register_unregistered(self, keys: Iterable[str], known: set[str]) -> bool:
        """Register objects of the last day that are not among the known uploads.

        S3 delivers some events late, and another function may have registered an upload after this function listed the
        pending pointers. An object younger than the settling time is not registered here, because its event, which
        also says whether the object is a copy, is probably on its way.

        Args:
            keys: the keys of uploads of the audience.
            known: the digests of the uploads that have a pointer or were applied.

        Returns:
            True if such an object is too young, or was registered for an audience, so that the turn has to wait.
        """
        now, found = self.run.now(), False
        for prefix in sorted({type_folder(key) for key in keys}):
            for versions in list(self.folder(prefix).values()):
                for each in versions:
                    age = now - each.modified_at
                    if each.is_delete_marker or age > UNREGISTERED_AGE or is_ignored(each.key):
                        continue
                    if len(each.key.encode()) > MAX_KEY_BYTES:  # the key of its report would be too long
                        continue
                    if upload_digest(each.key, each.version_id) in known or self._is_no_longer_waiting(each):
                        continue
                    if age < self.run.settle:
                        found = True
                        continue
                    upload = Upload(each.key, each.version_id, each.etag, each.size, each.modified_at)
                    report = register(self.run, upload)
                    found |= bool(report and report["audience"])
        return found

    def _is_no_longer_waiting(self, version: Version) -> bool:
        try:
            return self.run.ledger.latest(version.key, version.version_id)["status"] != "waiting"
        except Missing:
            return False
        except Damaged:  # a waiting upload has a pointer, so this turn would know it
            return True


def _folders(reports: Iterable[Report]) -> set[str]:
    return {list_folder(report["file"]["key"]) for report in reports}


def is_applied_when_deleted(report: Report) -> bool:
    """Return true if an upload is applied even if its object was deleted.

    This applies to removes, because an opt-out must not get lost, and to appends in a run or with a counter in the
    name, because tools delete the files that they wrote.
    """
    if action_of(report) is Action.REMOVE:
        return True
    target = parse_key(report["file"]["key"])
    return action_of(report) is Action.APPEND and (target.run is not None or has_counter(target.file_name))
