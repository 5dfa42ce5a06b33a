"""The ledger: all reports in the bucket, and the pending pointers to those of unfinished uploads.

A report, `reports/<object key>/<version id>.json`, is created only if it does not exist yet, and changed only if no
other function has written it since it was read. A status never goes back, except when a list is sent again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from copy import deepcopy
from datetime import datetime, timedelta
from typing import cast

from handler import reasons
from handler.clock import iso, parse_iso
from handler.errors import Conflict, Damaged, Missing
from handler.model import Action, AudienceKey
from handler.report_codes import Code
from handler.state.objects import ObjectStore, Stored
from handler.state.pending_pointers import PendingPointers, Pointer, list_digest, pointer_key
from handler.state.reports import (
    RANK,
    Report,
    action_of,
    clear_uploads,
    identity,
    is_final,
    set_status,
    upgraded_report,
)

REPORTS = "reports/"
# Tries of a conditional write. If all of them conflict, something is wrong.
MAX_TRIES = 8
MAX_INVOCATION = timedelta(minutes=15)  # Lambda's longest timeout


def report_key(key: str, version_id: str) -> str:
    """Return the key of the report of an object version.

    Example:
        >>> report_key("tiktok/vip/email_sha256/a.csv", "3HL4k")
        'reports/tiktok/vip/email_sha256/a.csv/3HL4k.json'
    """
    return f"{REPORTS}{key}/{version_id}.json"


class Ledger:
    """The reports and pending pointers of one connector's bucket, for one invocation.

    The ledger caches reports with their ETags, so that a change needs one conditional write. If another function has
    changed the report in the meantime, the ledger reads it again.

    Args:
        store: the bucket.
        now: returns the current time in UTC.
        publish: called with a report whose status is final, before its pointer is deleted. It may be called again for
            the same report.
    """

    def __init__(self, store: ObjectStore, now: Callable[[], datetime], publish: Callable[[Report], None]) -> None:
        self._store = store
        self._now = now
        self._publish = publish
        self._known: dict[str, Stored] = {}
        self._pointers = PendingPointers(store)

    def open(self, report: Report) -> tuple[Report, bool]:
        """Write the first report of an upload, or read the existing one.

        The pointer is written after the report, and again on every delivery until the status is final. If the function
        is killed between the two writes, the message is delivered again.

        Returns:
            The report, and true if it is new.

        Raises:
            Damaged: the existing report cannot be read.
            Conflict: other functions kept writing the report.
        """
        key = report_key(*identity(report))
        is_new = True
        try:
            self._known[key] = Stored(report, self._store.write(key, report, etag=None))
        except Conflict:
            report = self._read(key)
            is_new = False
        if report["audience"]:
            if not is_final(report):
                if not is_new and self._lacks_pointer(report):
                    report, _ = self.update(report, self._receive_now)
                self._pointers.write(report)
        else:  # the status is final, and no pointer would remind a sweep to publish it
            self._publish(report)
        return report, is_new

    def _lacks_pointer(self, report: Report) -> bool:
        """Return true if the function that wrote the report ended before it wrote the pointer."""
        is_old = self._now() - parse_iso(report["received_at"]) > MAX_INVOCATION
        return is_old and not self._pointers.exists(report)

    def _receive_now(self, report: Report) -> None:
        """Set the registration time to now, because without a pointer no function has found the upload until now."""
        report["received_at"] = iso(self._now())

    def latest(self, key: str, version_id: str) -> Report:
        """Return the report of an object version, from the cache if possible.

        Raises:
            Missing: there is no report.
            Damaged: the report cannot be read.
        """
        stored = self._known.get(report_key(key, version_id))
        return cast("Report", stored.content) if stored else self._read(report_key(key, version_id))

    def find(self, key: str, version_id: str) -> Report | None:
        """Return the report of an object version as `latest` does, or None if it is missing or damaged."""
        try:
            return self.latest(key, version_id)
        except (Missing, Damaged):
            return None

    def read_again(self, key: str, version_id: str) -> Report:
        """Return the report of an object version as it is stored now.

        Raises:
            Missing, Damaged: as for `latest`.
        """
        return self._read(report_key(key, version_id))

    def _read(self, key: str) -> Report:
        stored = self._store.read(key)
        report = upgraded_report(stored.content)
        if report is None:
            raise Damaged(f"{key} is not a report.")
        self._known[key] = Stored(report, stored.etag)
        return report

    def update(self, report: Report, change: Callable[[Report], None], *, reopen: bool = False) -> tuple[Report, bool]:
        """Apply `change` to the newest version of a report.

        The change is dropped if it would set the status back, or if the status is already final. A report with a final
        status is published, and its pointer is deleted.

        Args:
            report: the upload's report, which may be outdated.
            change: changes a report in place. It may be called several times.
            reopen: true to change the report nevertheless.

        Returns:
            The stored report, and true if its status or code changed.

        Raises:
            Conflict: other functions kept writing the report.
            Missing, Damaged: as for `latest`.
        """
        key = report_key(*identity(report))
        current = self.latest(*identity(report))
        changed = False
        for _ in range(MAX_TRIES):
            updated = deepcopy(current)
            change(updated)
            goes_back = RANK[updated["status"]] < RANK[current["status"]] or is_final(current)
            if (goes_back and not reopen) or updated == current:
                break
            updated["updated_at"] = iso(self._now())
            try:
                self._known[key] = Stored(updated, self._store.write(key, updated, etag=self._known[key].etag))
            except Conflict:
                current = self._read(key)
                continue
            changed = (updated["status"], updated["code"]) != (current["status"], current["code"])
            current = updated
            break
        else:
            raise Conflict(f"Other functions keep writing the report {key}.")
        if is_final(current):
            self._finish(current, pointer_key(current))
        return current, changed

    def reopen(self, report: Report) -> Report:
        """Set an upload back to waiting, because its list is sent again."""

        def waiting(current: Report) -> None:
            set_status(current, "waiting", Code.SETTLING, reasons.LIST_SENT_AGAIN)
            clear_uploads(current)

        self._pointers.write(report)
        return self.update(report, waiting, reopen=True)[0]

    def _finish(self, report: Report, pointer: str | None) -> None:
        self._publish(report)
        if pointer:
            self._pointers.delete(pointer)

    def is_finished(self, pointer: Pointer) -> bool:
        """Return true if this invocation knows that the status of the pointer's upload is final."""
        return self._pointers.is_deleted(pointer)

    def pending(self, audience: AudienceKey) -> list[Pointer]:
        """Return the pending pointers of one audience, oldest upload first."""
        return [pointer for _, pointer in self._list(audience)]

    def pending_audiences(self) -> dict[AudienceKey, list[Pointer]]:
        """Return all pending pointers by audience, oldest upload first."""
        found: dict[AudienceKey, list[Pointer]] = {}
        for audience, pointer in self._list():
            found.setdefault(audience, []).append(pointer)
        return found

    def follow(self, pointer: Pointer) -> Report | None:
        """Return the report that a pointer leads to; None if the pointer was deleted or the upload's status is final.

        If the status is final, the report is published, and the pointer is deleted.

        Raises:
            Missing: the report does not exist.
            Damaged: the pointer or the report cannot be read.
        """
        target = self._pointers.target(pointer)
        if target is None:
            return None
        report = self.latest(*target)
        if is_final(report):
            self._finish(report, pointer.key)
            return None
        return report

    def _list(self, audience: AudienceKey | None = None) -> Iterator[tuple[AudienceKey, Pointer]]:
        for key, found, pointer in self._pointers.listed(audience):
            try:
                complete = pointer or self._pointer_of_schema_1(key)
            except (ValueError, Missing, Damaged):
                continue  # a person put this object there
            if complete:
                yield found, complete

    def _pointer_of_schema_1(self, key: str) -> Pointer | None:
        """Return the pointer with a schema 1 key, `<upload time>-<digest>.json`, completed from its report.

        Return None if the upload is finished.
        """
        entry = key.rpartition("/")[2]
        uploaded_at = parse_iso(entry.partition("Z-")[0] + "Z")
        digest = entry.partition("Z-")[2].removesuffix(".json")
        pointer = Pointer(key, uploaded_at, uploaded_at, Action.APPEND, False, 0, None, digest)
        report = self.follow(pointer)
        if report is None:
            return None
        return pointer._replace(
            registered_at=parse_iso(report["received_at"]),
            action=action_of(report),
            size=report["file"]["size"] or 0,
            list_digest=list_digest(report),
        )
