"""The ledger: every report in the bucket, and the pointers to what is pending.

A report, `reports/<object key>/<version id>.json`, is written first on the condition that there is none, then only on
the condition that nobody wrote since it was read. A status never goes back.
A pointer, `pending/<identifier type>/<audience>/<upload time>-<digest>.json`, leads to the report of a file that is
not at its end.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator
from copy import deepcopy
from dataclasses import dataclass
from datetime import datetime
from typing import cast

from handler.clock import iso, parse_iso
from handler.errors import Conflict, Damaged, Missing
from handler.model import AudienceKey, IdentifierType
from handler.state.objects import ObjectStore, Stored
from handler.state.reports import RANK, Report, at_end

REPORTS = "reports/"
PENDING = "pending/"
_TRIES = 8  # another function's write in between costs one; more than a few means something is wrong


@dataclass(frozen=True)
class Pointer:
    """An entry under `pending/`: its key, and when the file it leads to was uploaded."""

    key: str
    uploaded_at: datetime


def report_key(key: str, version_id: str) -> str:
    """Where the report of an object version lies."""
    return f"{REPORTS}{key}/{version_id}.json"


class Ledger:
    """The reports and pointers of one connector's bucket, for one invocation.

    What was read or written is remembered with its ETag, so that a change costs one conditional write; a report that
    another function has changed meanwhile is read again then.
    """

    def __init__(self, store: ObjectStore, now: Callable[[], datetime]) -> None:
        self._store = store
        self._now = now
        self._known: dict[str, Stored] = {}
        self._places: dict[str, tuple[str, str]] = {}

    def open(self, report: Report) -> Report:
        """Write a file's first report, or return the one it has.

        The pointer follows the report, and is written again on every delivery until the file is at its end: a
        function killed between the two leaves a message that comes back.
        """
        file = report["file"]
        place = (file["key"], file["version_id"])
        key = report_key(*place)
        try:
            self._known[key] = Stored(report, self._store.write(key, report, etag=None))
        except Conflict:
            report = self._read(key)
        if not at_end(report) and (pointer := pointer_key(report)):
            self._store.put(pointer, {"key": place[0], "version_id": place[1]})
            self._places[pointer] = place
        return report

    def latest(self, key: str, version_id: str) -> Report:
        """The report of an object version as this invocation knows it.

        Raises:
            Missing: there is none.
            Damaged: it cannot be read.
        """
        stored = self._known.get(report_key(key, version_id))
        return cast("Report", stored.content) if stored else self._read(report_key(key, version_id))

    def _read(self, key: str) -> Report:
        stored = self._store.read(key)
        if not Report.__required_keys__ <= stored.content.keys():
            raise Damaged(f"{key} is not a report.")
        self._known[key] = stored
        return cast("Report", stored.content)

    def update(self, report: Report, change: Callable[[Report], None]) -> tuple[Report, bool]:
        """Apply `change` to the newest version of a report; what now stands, and whether it stands otherwise by this.

        A change that would take the status back is dropped. When the file is at its end its pointer goes.

        Raises:
            Conflict: others kept writing.
        """
        key = report_key(report["file"]["key"], report["file"]["version_id"])
        current = self.latest(report["file"]["key"], report["file"]["version_id"])
        stands_otherwise = False
        for _ in range(_TRIES):
            wanted = deepcopy(current)
            change(wanted)
            if RANK[wanted["status"]] < RANK[current["status"]] or at_end(current) or wanted == current:
                break
            wanted["updated_at"] = iso(self._now())
            try:
                self._known[key] = Stored(wanted, self._store.write(key, wanted, etag=self._known[key].etag))
            except Conflict:
                current = self._read(key)
                continue
            stands_otherwise = (wanted["status"], wanted["code"]) != (current["status"], current["code"])
            current = wanted
            break
        else:
            raise Conflict(f"The report {key} is being written by others.")
        if at_end(current):
            self.forget(current)
        return current, stands_otherwise

    def forget(self, report: Report) -> None:
        """Remove the pointer of a file that is at its end."""
        if pointer := pointer_key(report):
            self._store.delete(pointer)

    def pointers(self, audience: AudienceKey) -> list[Pointer]:
        """The pointers of one audience, oldest upload first."""
        return [pointer for _, pointer in self._list(f"{PENDING}{audience.path}/")]

    def pending_audiences(self) -> dict[AudienceKey, list[Pointer]]:
        """Everything that is pending, by audience."""
        found: dict[AudienceKey, list[Pointer]] = {}
        for audience, pointer in self._list(PENDING):
            found.setdefault(audience, []).append(pointer)
        return found

    def follow(self, pointer: Pointer) -> Report | None:
        """The report a pointer leads to; None if the pointer is gone or its file is at its end by now.

        Raises:
            Missing: there is no such report.
            Damaged: the pointer or the report cannot be read.
        """
        if pointer.key not in self._places:
            try:
                place = self._store.read(pointer.key).content
            except Missing:
                return None
            try:
                self._places[pointer.key] = (place["key"], place["version_id"])
            except KeyError:
                raise Damaged(f"{pointer.key} is not a pointer.") from None
        report = self.latest(*self._places[pointer.key])
        if at_end(report):
            self._store.delete(pointer.key)
            return None
        return report

    def _list(self, prefix: str) -> Iterator[tuple[AudienceKey, Pointer]]:
        for key in self._store.keys(prefix):
            try:
                _, type_name, name, entry = key.split("/")
                audience = AudienceKey(IdentifierType(type_name), name)
                uploaded_at = parse_iso(entry.partition("Z-")[0] + "Z")
            except ValueError:
                continue  # something that a person put there
            yield audience, Pointer(key, uploaded_at)


def pointer_key(report: Report) -> str | None:
    """Where the pointer to a report lies; None if the file's key is wrong, so that it never waits."""
    audience, file = report["audience"], report["file"]
    if audience is None:
        return None
    digest = hashlib.sha256(json.dumps([file["key"], file["version_id"]]).encode()).hexdigest()[:24]
    return f"{PENDING}{audience['identifier_type']}/{audience['name']}/{file['uploaded_at']}-{digest}.json"
