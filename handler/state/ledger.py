"""The ledger: every report in the bucket, and the pending pointers to those that are not at their end.

A report, `reports/<object key>/<version id>.json`, is created on the condition that there is none, then changed only
on the condition that nobody else wrote since it was read. A status never goes back, except when a list is made anew.

A pending pointer, `pending/<identifier type>/<audience>/<name>.json`, leads to a report. Its name carries what a sweep
needs to decide what goes next, so that a sweep lists names and reads no reports:
`<upload time>_<registration time>_<action>[+copy]_<bytes>_<digest of the list>_<digest of key and version>`.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from copy import deepcopy
from dataclasses import dataclass, replace
from datetime import datetime
from typing import cast

from handler.clock import iso, parse_iso
from handler.errors import Conflict, Damaged, Missing
from handler.events.keys import list_id, parse_key
from handler.model import Action, AudienceKey, IdentifierType
from handler.report_codes import Code
from handler.state.objects import ObjectStore, Stored
from handler.state.reports import RANK, Report, action_of, at_end, forget_uploads, identity, set_status, upgraded

REPORTS = "reports/"
PENDING = "pending/"
# Each conflict costs one try. More conflicts than this in a row mean that something is wrong.
MAX_TRIES = 8
KEY_DIGEST_LENGTH = 12
_NO_LIST = "-"
_COPY_MARK = "+copy"
_COPY_REASONS = {"CopyObject"}
# The AWS CLI copies files over 8 MB as multipart uploads. A remove is never a copy of that kind: see `is_copy`.
_MULTIPART_REASON = "CompleteMultipartUpload"


@dataclass(frozen=True)
class Pointer:
    """A pending pointer, as its name tells.

    Attributes:
        key: the pointer's own object key.
        is_copy: true if the upload may be a copy of the key's previous version.
        size: bytes of the object; 0 if unknown.
        list_digest: identifies the list of a replace; None for append and remove.
        digest: identifies the object version.
    """

    key: str
    uploaded_at: datetime
    registered_at: datetime
    action: Action
    is_copy: bool
    size: int
    list_digest: str | None
    digest: str

    @property
    def key_digest(self) -> str:
        """The digest of the object's key: equal for all versions of one key."""
        return self.digest[:KEY_DIGEST_LENGTH]


def report_key(key: str, version_id: str) -> str:
    """Return the key of the report on an object version."""
    return f"{REPORTS}{key}/{version_id}.json"


def upload_digest(key: str, version_id: str) -> str:
    """Return the digest that identifies an object version in names and states: that of its key, then of its version."""
    return f"{key_digest(key)}{_sha256(version_id)[:12]}"


def key_digest(key: str) -> str:
    """Return the digest that identifies an object key in names."""
    return _sha256(key)[:KEY_DIGEST_LENGTH]


def _sha256(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def list_digest(report: Report) -> str | None:
    """Return the digest of the list that an upload under `replace/` belongs to; None for other actions."""
    if action_of(report) is not Action.REPLACE:
        return None
    return _sha256(list_id(parse_key(report["file"]["key"])))[:12]


def is_copy(report: Report) -> bool:
    """Return true if an upload may be a copy of the key's previous version, as S3's event says."""
    reason = report["file"]["event_reason"]
    return reason in _COPY_REASONS or (reason == _MULTIPART_REASON and action_of(report) is not Action.REMOVE)


class Ledger:
    """The reports and pending pointers of one connector's bucket, for one invocation.

    Reports are kept with their ETags, so that a change costs one conditional write. A report that another function
    has changed meanwhile is read again.

    Args:
        store: the bucket.
        now: the time, UTC.
        publish: called with a report at its end, before its pointer is deleted. It may be called again.
    """

    def __init__(self, store: ObjectStore, now: Callable[[], datetime], publish: Callable[[Report], None]) -> None:
        self._store = store
        self._now = now
        self._publish = publish
        self._known: dict[str, Stored] = {}
        self._identities: dict[str, tuple[str, str]] = {}
        self._finished: set[str] = set()

    def open(self, report: Report) -> tuple[Report, bool]:
        """Write an upload's first report, or find the one it has.

        The pointer is written after the report, and again on every delivery until the upload is at its end: a
        function killed between the two leaves a message that comes back.

        Returns:
            The report, and true if it is new.
        """
        key = report_key(*identity(report))
        is_new = True
        try:
            self._known[key] = Stored(report, self._store.write(key, report, etag=None))
        except Conflict:
            report = self._read(key)
            is_new = False
        if report["audience"]:
            if not at_end(report):
                self._point_to(report)
        elif at_end(report):  # without an audience it has no pointer that could keep what is still to be published
            self._publish(report)
        return report, is_new

    def _point_to(self, report: Report) -> None:
        if pointer := pointer_key(report):
            key, version_id = identity(report)
            self._finished.discard(pointer)
            self._store.put(pointer, {"key": key, "version_id": version_id})
            self._identities[pointer] = (key, version_id)

    def latest(self, key: str, version_id: str) -> Report:
        """Return the report on an object version, as this invocation knows it.

        Raises:
            Missing: there is none.
            Damaged: it cannot be read.
        """
        stored = self._known.get(report_key(key, version_id))
        return cast("Report", stored.content) if stored else self._read(report_key(key, version_id))

    def _read(self, key: str) -> Report:
        stored = self._store.read(key)
        report = upgraded(stored.content)
        if report is None:
            raise Damaged(f"{key} is not a report.")
        self._known[key] = Stored(report, stored.etag)
        return report

    def update(self, report: Report, change: Callable[[Report], None], *, reopen: bool = False) -> tuple[Report, bool]:
        """Apply `change` to the newest version of a report. A change that would take the status back is dropped.

        At its end an upload is published and its pointer is deleted.

        Args:
            report: the upload's report, maybe outdated.
            change: changes a report in place. It may be called several times.
            reopen: allows a status to go back.

        Returns:
            The stored report, and true if its status or code changed.

        Raises:
            Conflict: others kept writing.
        """
        key = report_key(*identity(report))
        current = self.latest(*identity(report))
        changed = False
        for _ in range(MAX_TRIES):
            wanted = deepcopy(current)
            change(wanted)
            goes_back = RANK[wanted["status"]] < RANK[current["status"]] or at_end(current)
            if (goes_back and not reopen) or wanted == current:
                break
            wanted["updated_at"] = iso(self._now())
            try:
                self._known[key] = Stored(wanted, self._store.write(key, wanted, etag=self._known[key].etag))
            except Conflict:
                current = self._read(key)
                continue
            changed = (wanted["status"], wanted["code"]) != (current["status"], current["code"])
            current = wanted
            break
        else:
            raise Conflict(f"Other functions keep writing the report {key}.")
        if at_end(current):
            self._finish(current)
        return current, changed

    def reopen(self, report: Report, code: Code, reason: str) -> Report:
        """Make an upload wait again, because the list it belongs to is made anew."""

        def waiting(current: Report) -> None:
            set_status(current, "waiting", code, reason)
            forget_uploads(current)

        self._point_to(report)
        return self.update(report, waiting, reopen=True)[0]

    def _finish(self, report: Report) -> None:
        self._publish(report)
        if pointer := pointer_key(report):
            self._store.delete(pointer)
            self._finished.add(pointer)

    def is_finished(self, pointer: Pointer) -> bool:
        """Return true if this invocation has seen the end of the pointer's upload."""
        return pointer.key in self._finished

    def pending(self, audience: AudienceKey) -> list[Pointer]:
        """Return the pending pointers of one audience, oldest upload first."""
        return [pointer for _, pointer in self._list(f"{PENDING}{audience.path}/")]

    def pending_audiences(self) -> dict[AudienceKey, list[Pointer]]:
        """Return all pending pointers by audience, oldest upload first."""
        found: dict[AudienceKey, list[Pointer]] = {}
        for audience, pointer in self._list(PENDING):
            found.setdefault(audience, []).append(pointer)
        return found

    def follow(self, pointer: Pointer) -> Report | None:
        """Return the report that a pointer leads to; None if the pointer is gone or its upload is at its end.

        Raises:
            Missing: there is no such report.
            Damaged: the pointer or the report cannot be read.
        """
        if pointer.key not in self._identities:
            try:
                content = self._store.read(pointer.key).content
            except Missing:
                self._finished.add(pointer.key)
                return None
            try:
                self._identities[pointer.key] = (content["key"], content["version_id"])
            except KeyError:
                raise Damaged(f"{pointer.key} is not a pointer.") from None
        report = self.latest(*self._identities[pointer.key])
        if at_end(report):
            self._publish(report)
            self._store.delete(pointer.key)
            self._finished.add(pointer.key)
            return None
        return report

    def _list(self, prefix: str) -> Iterator[tuple[AudienceKey, Pointer]]:
        for key in self._store.keys(prefix):
            try:
                _, type_name, name, entry = key.split("/")
                audience = AudienceKey(IdentifierType(type_name), name)
                pointer = _parse_pointer(key, entry) or self._pointer_of_schema_1(key)
            except (ValueError, Missing, Damaged):
                continue  # an object that a person put there
            if pointer:
                yield audience, pointer

    def _pointer_of_schema_1(self, key: str) -> Pointer | None:
        """Return a pointer whose name, `<upload time>-<digest>.json`, does not tell enough: its report does."""
        entry = key.rpartition("/")[2]
        uploaded_at = parse_iso(entry.partition("Z-")[0] + "Z")
        digest = entry.partition("Z-")[2].removesuffix(".json")
        pointer = Pointer(key, uploaded_at, uploaded_at, Action.APPEND, False, 0, None, digest)
        report = self.follow(pointer)
        if report is None:
            return None
        return replace(
            pointer,
            registered_at=parse_iso(report["received_at"]),
            action=action_of(report),
            size=report["file"]["size"] or 0,
            list_digest=list_digest(report),
        )


def _parse_pointer(key: str, entry: str) -> Pointer | None:
    parts = entry.removesuffix(".json").split("_")
    if len(parts) != len(("uploaded", "registered", "action", "size", "list", "version")):
        return None
    uploaded_at, registered_at, action, size, digest_of_list, digest = parts
    return Pointer(
        key,
        parse_iso(uploaded_at),
        parse_iso(registered_at),
        Action(action.removesuffix(_COPY_MARK)),
        is_copy=action.endswith(_COPY_MARK),
        size=int(size),
        list_digest=None if digest_of_list == _NO_LIST else digest_of_list,
        digest=digest,
    )


def pointer_key(report: Report) -> str | None:
    """Return the key of the pending pointer to a report; None if the upload's key is wrong, so that it never waits."""
    audience = report["audience"]
    if audience is None:
        return None
    digest = upload_digest(*identity(report))
    uploaded_at = report["file"]["uploaded_at"]
    folder = f"{PENDING}{audience['identifier_type']}/{audience['name']}/"
    if report["schema"] == 1:
        return f"{folder}{uploaded_at}-{digest}.json"
    action = audience["action"] + (_COPY_MARK if is_copy(report) else "")
    size = report["file"]["size"] or 0
    name = f"{uploaded_at}_{report['received_at']}_{action}_{size}_{list_digest(report) or _NO_LIST}_{digest}"
    return f"{folder}{name}.json"
