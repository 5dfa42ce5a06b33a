"""The stored list of a replace: its files, rows, uploads, progress and status, in an object beside the state.

`audiences/<identifier type>/<name>/<digest of the list>.json`. One folder, or one pattern of numbered file names, has
one such object. It describes the newest export whose turn has come.
"""

from __future__ import annotations

from typing import Any, TypedDict, cast

from handler.errors import Missing
from handler.model import AudienceKey
from handler.report_codes import Status
from handler.state.audience_state import AUDIENCES, FileRef
from handler.state.objects import ObjectStore
from handler.state.reports import UploadEntry

SCHEMA = 2


class ListFile(TypedDict):
    """One file of a list.

    Attributes:
        counts: the counts of its rows, see `handler.cleaning.counts`; None until the file was read to its end.
    """

    key: str
    version_id: str
    uploaded_at: str
    counts: dict[str, Any] | None


class ListProgress(TypedDict):
    """The place where reading continues: the index of the file, and the place in it with the counts up to there."""

    file: int
    next_byte: int
    next_line: int
    counts: dict[str, Any]


class StoredList(TypedDict):
    """The full content of one replace.

    Attributes:
        first_uploaded_at: upload time of the first file: the list's place in the order.
        last_uploaded_at: upload time of the newest file.
        status, code: None until its turn has come; otherwise as in the reports of its files.
        faulty_key: the key of the file that made the list `rejected`.
        outdated: older versions and other files that share the list's end.
        rows: accepted rows.
        uploads: its parts at TikTok.
        progress: None when nothing or everything is uploaded.
        waiting_since: the time since when it waits because it shrank; None if it does not.
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


def read_list(store: ObjectStore, audience: AudienceKey, digest: str) -> StoredList | None:
    """Return a stored list, or None if there is none."""
    try:
        return cast("StoredList", store.read(_key(audience, digest)).content)
    except Missing:
        return None


def write_list(store: ObjectStore, audience: AudienceKey, stored: StoredList) -> None:
    """Write a list. Only the holder of the audience's lease does so."""
    store.put(_key(audience, stored["digest"]), stored)


def _key(audience: AudienceKey, digest: str) -> str:
    return f"{AUDIENCES}{audience.path}/{digest}.json"
