"""The stored list of a replace, in `audiences/<identifier type>/<name>/<digest of the list>.json`.

The object contains the list's files, rows, uploads, progress and status. Each folder, or pattern of numbered file
names, has one object, which describes the newest export that the connector has started to process.
"""

from __future__ import annotations

from typing import Any, TypedDict, cast

from handler.errors import Missing
from handler.model import AudienceKey
from handler.report_codes import Status
from handler.state.audience_state import AUDIENCES, FileRef
from handler.state.objects import ObjectStore
from handler.state.reports import Report, UploadEntry

SCHEMA = 2


class ListFile(TypedDict):
    """One file of a list.

    Attributes:
        counts: the counts of its rows, see `handler.cleaning.counts`; None until the file has been read completely.
    """

    key: str
    version_id: str
    uploaded_at: str
    counts: dict[str, Any] | None


class ListProgress(TypedDict):
    """The position where reading continues.

    Attributes:
        file: the index of the file.
        next_byte, next_line: the position in the file.
        counts: the counts of the file's rows before that position.
    """

    file: int
    next_byte: int
    next_line: int
    counts: dict[str, Any]


class StoredList(TypedDict):
    """The full content of one replace.

    Attributes:
        first_uploaded_at: the upload time of the first file, which determines the list's place in the order.
        last_uploaded_at: the upload time of the newest file.
        status, code: the status and code that the list last got; None if it has none yet.
        faulty_key: the key of the file whose fault caused the outcome of the list; None if there is none.
        outdated: older versions, and files that the manifest does not name. They are superseded when the list becomes
            available; otherwise, they get the outcome of the list.
        rows: the number of accepted rows; None until they are counted.
        uploads: the parts at TikTok.
        progress: None if no part or the complete list is uploaded.
        waiting_since: the time when the list started to wait for a confirmation; None if it does not wait for one.
    """

    schema: int
    digest: str
    first_uploaded_at: str
    last_uploaded_at: str
    status: Status | None
    code: str | None
    faulty_key: str | None
    files: list[ListFile]
    outdated: list[FileRef]
    rows: int | None
    uploads: list[UploadEntry]
    progress: ListProgress | None
    waiting_since: str | None


def list_file(report: Report) -> ListFile:
    """Return the entry for an upload in the `files` of a list."""
    file = report["file"]
    return {"key": file["key"], "version_id": file["version_id"], "uploaded_at": file["uploaded_at"], "counts": None}


def new_list(digest: str, first_uploaded_at: str, last_uploaded_at: str) -> StoredList:
    """Return a list without files and without a status."""
    return {
        "schema": SCHEMA,
        "digest": digest,
        "first_uploaded_at": first_uploaded_at,
        "last_uploaded_at": last_uploaded_at,
        "status": None,
        "code": None,
        "faulty_key": None,
        "files": [],
        "outdated": [],
        "rows": None,
        "uploads": [],
        "progress": None,
        "waiting_since": None,
    }


def read_list(store: ObjectStore, audience: AudienceKey, digest: str) -> StoredList | None:
    """Return a stored list, or None if it does not exist.

    Raises:
        Damaged: the list object is not valid JSON.
    """
    try:
        return cast("StoredList", store.read(_key(audience, digest)).content)
    except Missing:
        return None


def write_list(store: ObjectStore, audience: AudienceKey, stored: StoredList) -> None:
    """Write a list. Only the holder of the audience's lease may call this."""
    store.put(_key(audience, stored["digest"]), stored)


def _key(audience: AudienceKey, digest: str) -> str:
    return f"{AUDIENCES}{audience.path}/{digest}.json"
