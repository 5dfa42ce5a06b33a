"""Files from the browser: detects the columns, then hashes, checks and uploads the file as a stream."""

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
from console.function import Verdict, evaluate_file
from console.hashing.columns import InputColumn, candidates
from console.hashing.layout import detect
from console.hashing.plans import MULTIPLE_TYPES, HashOptions, prepare
from console.hashing.sources import read_text
from console.hashing.to_file import hash_result
from console.hashing.values import Kind
from console.preparing import reject_unhashable
from console.results import hashed_json, verdict_json
from console.stack import Connector
from console.uploading import object_keys, upload
from handler.model import Action

_MAX_QUEUED_CHUNKS = 4  # between the upload and the check


@dataclass(frozen=True)
class FileRequest:
    """The user's options for uploading a file."""

    hash_options: HashOptions
    audience: str
    action: str
    file_name: str

    @classmethod
    def read(cls, given: Any) -> FileRequest:
        """Parse the options that the page sends as JSON.

        Raises:
            ConsoleError: an option is missing or invalid.
        """
        if not isinstance(given, dict):
            raise ConsoleError("The page sent an invalid request. Reload the page and try again.", Exit.USAGE)
        text = {name: str(given.get(name) or "").strip() for name in ("type", "audience", "action", "country", "file")}
        columns = tuple(str(each) for each in given.get("columns") or ())
        if text["action"] not in set(Action) or not text["type"] or not columns:
            raise ConsoleError("Choose an identifier type, an action and at least one column.", Exit.USAGE)
        hash_options = HashOptions(
            text["type"], columns, text["country"].upper() or None, not given.get("without_plus")
        )
        return cls(hash_options, text["audience"], text["action"], text["file"] or "upload.csv")


def detect_columns(head: bytes) -> dict[str, Any]:
    """Return the layout and the columns of a file, detected from its first bytes. The result contains no values.

    Raises:
        ConsoleError: the file is not a text file, it is damaged, or it has no rows.
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


def read_body(stream: AsyncIterator[bytes], loop: asyncio.AbstractEventLoop) -> Iterator[bytes]:
    """Yield the chunks of a request body as they arrive, for use in a thread outside the event loop."""

    async def next_chunk() -> bytes:
        async for chunk in stream:
            if chunk:
                return chunk
        return b""

    while chunk := asyncio.run_coroutine_threadsafe(next_chunk(), loop).result():
        yield chunk


def receive_file(connector: Connector, request: FileRequest, chunks: Iterator[bytes]) -> dict[str, Any]:
    """Hash, check and upload a file in one pass, in constant memory and without a temporary file.

    An upload is not visible in S3 until it is completed, and it is completed only if the connector would accept
    the file and enough of its rows can be hashed.

    Returns:
        The counts, the verdict and the bucket for the page, and `key` and `version_id`, which are None if the file was
        not uploaded.

    Raises:
        ConsoleError: an option is invalid, the file cannot be read or hashed, or AWS returned an error.
    """
    (key,) = object_keys(
        [request.file_name], request.audience, request.hash_options.identifier_type, request.action, datetime.now(UTC)
    )
    prepared = prepare(read_text(chunks), request.hash_options)
    hashing = prepared.hashing()
    check = _ConcurrentCheck(lambda rows: evaluate_file(rows, request.hash_options.identifier_type, request.action))
    rows = chain([prepared.header_row], hashing.rows(prepared.text.chunks))
    result: dict[str, Any] = {"key": None, "version_id": None}

    def confirm() -> None:
        if reject_unhashable(check.verdict(), hashing.counts).code:
            raise _NotAcceptedError

    try:
        result |= {"version_id": upload(connector, key, check.watched(rows), confirm=confirm), "key": key}
    except _NotAcceptedError:
        pass
    finally:
        check.close()
    verdict = reject_unhashable(check.verdict(), hashing.counts)
    hashed = hashed_json(request.file_name, None, hash_result(prepared, hashing.counts))
    return {**result, "hashed": hashed, "verdict": verdict_json(verdict), "bucket": connector.bucket}


class _NotAcceptedError(Exception):
    """The file would not be accepted, so the upload must be canceled."""


class _ConcurrentCheck:
    """A check that runs in a thread while the same chunks are uploaded."""

    def __init__(self, evaluate: Callable[[Iterator[bytes]], Verdict]) -> None:
        self._queue: Queue[bytes | None] = Queue(_MAX_QUEUED_CHUNKS)
        self._verdict: Verdict | None = None
        self._closed = False
        self._thread = Thread(target=self._run, args=(evaluate,), daemon=True)
        self._thread.start()

    def watched(self, chunks: Iterator[bytes]) -> Iterator[bytes]:
        """Yield the chunks, and pass each of them to the check."""
        for chunk in chunks:
            if chunk:
                self._queue.put(chunk)
                yield chunk

    def close(self) -> None:
        """Signal the end of the chunks, and wait until the check has finished."""
        if not self._closed:
            self._closed = True
            self._queue.put(None)
        self._thread.join()

    def verdict(self) -> Verdict:
        """Wait for the verdict on all chunks, and return it."""
        self.close()
        return self._verdict or Verdict(
            "rejected", "not_text", "The file cannot be read. Export the list again as CSV."
        )

    def _run(self, evaluate: Callable[[Iterator[bytes]], Verdict]) -> None:
        chunks = self._chunks()
        try:
            self._verdict = evaluate(chunks)
        finally:
            for _ in chunks:  # after an early end, read the rest so that the uploading thread is not blocked
                pass

    def _chunks(self) -> Iterator[bytes]:
        while (chunk := self._queue.get()) is not None:
            yield chunk
