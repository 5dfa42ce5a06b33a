"""A file from the browser: its beginning shows the columns, then all of it is hashed, checked and sent on the way."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import chain
from queue import Queue
from threading import Thread
from typing import Any

from console.errors import ConsoleError, Exit
from console.function import Verdict, judge
from console.hashing.columns import InputColumn, candidates
from console.hashing.layout import detect
from console.hashing.plans import MULTIPLE_TYPES, Wishes, prepare
from console.hashing.sources import read_text
from console.hashing.to_file import result
from console.hashing.values import Kind
from console.preparing import refuse_lost
from console.results import hashed_json, verdict_json
from console.stack import Connector
from console.uploading import object_keys, upload
from handler.model import Action

_QUEUED = 4  # chunks between the browser and the hashing, and between that and the check


@dataclass(frozen=True)
class FileRequest:
    """The user's wishes for a file."""

    wishes: Wishes
    audience: str
    action: str
    file_name: str

    @classmethod
    def read(cls, given: Any) -> FileRequest:
        """Read a request from the page's JSON.

        Raises:
            ConsoleError: something is missing or not of its kind.
        """
        if not isinstance(given, dict):
            raise ConsoleError("The page sent a request that cannot be read. Reload it.", Exit.USAGE)
        text = {name: str(given.get(name) or "").strip() for name in ("type", "audience", "action", "country", "file")}
        columns = tuple(str(each) for each in given.get("columns") or ())
        if text["action"] not in set(Action) or not text["type"] or not columns:
            raise ConsoleError("Choose what to upload, at least one column, and what it does.", Exit.USAGE)
        wishes = Wishes(text["type"], columns, text["country"].upper() or None, not given.get("without_plus"))
        return cls(wishes, text["audience"], text["action"], text["file"] or "upload.csv")


def look(head: bytes) -> dict[str, Any]:
    """Return what the first bytes of a file show: its layout and its columns with counts, never a value.

    Raises:
        ConsoleError: it is no text, or empty.
    """
    text = read_text([head])
    layout = detect(text.head, text.encoding, complete=False)
    if not layout.sample:
        raise ConsoleError("The file has no rows. Export the list again.", Exit.NOT_ACCEPTED)
    found: dict[Kind, list[InputColumn]] = {kind: candidates(layout, kind) for kind in Kind}
    return {
        "encoding": text.original,
        "delimiter": layout.delimiter,
        "header": layout.header is not None,
        "rows_seen": len(layout.sample),
        "columns": [
            {
                "number": index + 1,
                "name": layout.name(index),
                "filled": sum(bool(index < len(record) and record[index].strip()) for record in layout.sample),
                "kinds": [
                    kind.value for kind, columns in found.items() if any(each.index == index for each in columns)
                ],
            }
            for index in range(layout.width)
        ],
        "type": _suggestion(found),
    }


def _suggestion(found: dict[Kind, list[InputColumn]]) -> str:
    kinds = [kind for kind, columns in found.items() if columns]
    if len(kinds) > 1:
        return MULTIPLE_TYPES
    return {Kind.PHONE: "phone_sha256", Kind.DEVICE_ID: "first_sha256"}.get(
        kinds[0] if kinds else Kind.EMAIL, "email_sha256"
    )


def chunks_of(stream: AsyncIterator[bytes], loop: asyncio.AbstractEventLoop) -> Iterator[bytes]:
    """Yield the chunks of a request's body in a thread, as they arrive."""

    async def following() -> bytes:
        async for chunk in stream:
            if chunk:
                return chunk
        return b""

    while chunk := asyncio.run_coroutine_threadsafe(following(), loop).result():
        yield chunk


def receive(connector: Connector, request: FileRequest, chunks: Iterator[bytes]) -> dict[str, Any]:
    """Hash, check and upload a file in one pass, in constant memory and without a temporary file.

    S3 shows nothing of an upload until it is complete, and it is completed only if the function would accept it.

    Returns:
        Counts and the verdict for the page, with `key` and `version_id` if the file was uploaded.

    Raises:
        ConsoleError: the file cannot be read, or AWS refuses.
    """
    (key,) = object_keys(
        [request.file_name], request.audience, request.wishes.identifier_type, request.action, datetime.now(UTC)
    )
    prepared = prepare(read_text(chunks), request.wishes)
    hashing = prepared.hashing()
    witness = _Witness(lambda rows: judge(rows, request.wishes.identifier_type, request.action))
    rows = chain([prepared.header_row], hashing.rows(prepared.text.chunks))
    answer: dict[str, Any] = {"key": None, "version_id": None}

    def confirm() -> None:
        if refuse_lost(witness.verdict(), hashing.counts).code:
            raise _NotAcceptedError

    try:
        answer |= {"version_id": upload(connector, key, witness.watched(rows), confirm=confirm), "key": key}
    except _NotAcceptedError:
        pass
    finally:
        witness.close()
    verdict = refuse_lost(witness.verdict(), hashing.counts)
    hashed = hashed_json(request.file_name, None, result(prepared, hashing.counts))
    return {**answer, "hashed": hashed, "verdict": verdict_json(verdict), "bucket": connector.bucket}


class _NotAcceptedError(Exception):
    """The function would reject the file."""


class _Witness:
    """Lets the function's code read what is uploaded, at the same time."""

    def __init__(self, judgement: Callable[[Iterator[bytes]], Verdict]) -> None:
        self._queue: Queue[bytes | None] = Queue(_QUEUED)
        self._verdict: Verdict | None = None
        self._closed = False
        self._thread = Thread(target=self._judge, args=(judgement,), daemon=True)
        self._thread.start()

    def watched(self, chunks: Iterator[bytes]) -> Iterator[bytes]:
        """Yield the same chunks, each shown to the judge as well."""
        for chunk in chunks:
            if chunk:
                self._queue.put(chunk)
                yield chunk

    def close(self) -> None:
        """End the judge's reading."""
        if not self._closed:
            self._closed = True
            self._queue.put(None)
        self._thread.join()

    def verdict(self) -> Verdict:
        """Wait for the judgement of all chunks, and return it."""
        self.close()
        return self._verdict or Verdict(
            "rejected", "not_text", "The file cannot be read. Export the list again as CSV."
        )

    def _judge(self, judgement: Callable[[Iterator[bytes]], Verdict]) -> None:
        chunks = self._chunks()
        try:
            self._verdict = judgement(chunks)
        finally:
            for _ in chunks:  # a fault at the beginning must not block the thread that adds chunks
                pass

    def _chunks(self) -> Iterator[bytes]:
        while (chunk := self._queue.get()) is not None:
            yield chunk
