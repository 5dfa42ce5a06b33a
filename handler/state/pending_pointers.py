"""Pending pointers: the small objects under `pending/` that keep unfinished uploads visible.

`pending/<identifier type>/<audience>/<name>.json` leads to a report. The name contains everything that a sweep needs to
choose the next uploads, so that a sweep only lists names and reads no reports:
`<upload time>_<registration time>_<action>[+copy]_<bytes>_<digest of the list>_<digest of key and version>`.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from datetime import datetime
from typing import NamedTuple

from handler.clock import parse_iso
from handler.errors import Damaged, Missing
from handler.events.keys import list_id, parse_key
from handler.model import Action, AudienceKey, IdentifierType
from handler.state.objects import ObjectStore
from handler.state.reports import Report, action_of, identity

PENDING = "pending/"
KEY_DIGEST_LENGTH = 12
_NO_LIST = "-"
_COPY_MARK = "+copy"
# The AWS CLI copies files over 8 MB as multipart uploads. For a remove, a multipart upload never counts as a copy.
_MULTIPART_REASON = "CompleteMultipartUpload"


class Pointer(NamedTuple):
    """A pending pointer, parsed from its name.

    Attributes:
        key: the object key of the pointer itself.
        is_copy: true if the upload may be a copy of the key's previous version.
        size: the size of the upload in bytes; 0 if unknown.
        list_digest: the digest of the list of a replace; None for append and remove.
        digest: the digest of the object version.
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
        """The digest of the upload's object key, which all versions of the key share."""
        return self.digest[:KEY_DIGEST_LENGTH]


def upload_digest(key: str, version_id: str) -> str:
    """Return the digest of an object version for pointer names and states: the digests of its key and version id."""
    return f"{key_digest(key)}{_sha256(version_id)[:12]}"


def key_digest(key: str) -> str:
    """Return the digest of an object key, the first part of an upload digest."""
    return _sha256(key)[:KEY_DIGEST_LENGTH]


def _sha256(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def list_digest(report: Report) -> str | None:
    """Return the digest of the list that an upload under `replace/` belongs to; None for other actions."""
    if action_of(report) is not Action.REPLACE:
        return None
    return _sha256(list_id(parse_key(report["file"]["key"])))[:12]


def is_copy(report: Report) -> bool:
    """Return true if, according to the S3 event, an upload may be a copy of the key's previous version."""
    reason = report["file"]["event_reason"]
    return reason == "CopyObject" or (reason == _MULTIPART_REASON and action_of(report) is not Action.REMOVE)


def parse_pointer(key: str) -> Pointer | None:
    """Return the pointer with this object key.

    Return None if the name does not have the six parts of the current format, as in schema 1.

    Raises:
        ValueError: a part of the name is malformed.
    """
    entry = key.rpartition("/")[2]
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
    """Return the key of the pending pointer to a report.

    Return None if the upload's key is invalid, because such an upload never waits.
    """
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


class PendingPointers:
    """The pending pointers in one connector's bucket, for one invocation."""

    def __init__(self, store: ObjectStore) -> None:
        self._store = store
        self._targets: dict[str, tuple[str, str]] = {}
        self._deleted: set[str] = set()

    def write(self, report: Report) -> None:
        """Write the pointer to a report. An upload with an invalid key gets none."""
        if key := pointer_key(report):
            object_key, version_id = identity(report)
            self._deleted.discard(key)
            self._store.put(key, {"key": object_key, "version_id": version_id})
            self._targets[key] = (object_key, version_id)

    def exists(self, report: Report) -> bool:
        """Return true if the pointer to a report is stored, even if its content is damaged."""
        key = pointer_key(report)
        try:
            return key is not None and self._store.read(key) is not None
        except Missing:
            return False
        except Damaged:
            return True

    def delete(self, key: str) -> None:
        """Delete the pointer with this object key."""
        self._store.delete(key)
        self._deleted.add(key)

    def is_deleted(self, pointer: Pointer) -> bool:
        """Return true if this invocation deleted the pointer or found it deleted."""
        return pointer.key in self._deleted

    def target(self, pointer: Pointer) -> tuple[str, str] | None:
        """Return the object key and version id that a pointer contains; None if the pointer was deleted.

        Raises:
            Damaged: the pointer cannot be read.
        """
        if pointer.key not in self._targets:
            try:
                content = self._store.read(pointer.key).content
                self._targets[pointer.key] = (content["key"], content["version_id"])
            except Missing:
                self._deleted.add(pointer.key)
                return None
            except KeyError:
                raise Damaged(f"{pointer.key} is not a pointer.") from None
        return self._targets[pointer.key]

    def listed(self, audience: AudienceKey | None = None) -> Iterator[tuple[str, AudienceKey, Pointer | None]]:
        """Yield the pointers of one audience or of all audiences, for each audience the oldest upload first.

        Yields:
            The pointer's object key, its audience, and the parsed pointer, which is None for a pointer of schema 1.
        """
        for key in self._store.keys(f"{PENDING}{audience.path}/" if audience else PENDING):
            try:
                _, type_name, name, _ = key.split("/")
                found = AudienceKey(IdentifierType(type_name), name)
                pointer = parse_pointer(key)
            except ValueError:
                continue  # a person put this object there
            yield key, found, pointer
