"""Hashing of a file as a stream, in parallel worker processes and in constant memory."""

from __future__ import annotations

import os
import pickle
import subprocess
import sys
from collections import deque
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import IO, BinaryIO, cast

from console.errors import ConsoleError
from console.hashing.blocks import Counts, Plan, cut_at_records, hash_block
from console.hashing.worker import receive, send

MAX_WORKERS = 9
PIPE_BYTES = 1 << 20  # large enough for a block and its rows, so that writing does not block (Linux only)
_ROOT = Path(__file__).parents[2]


class Hashing:
    """Hashes one file block by block, and counts its rows.

    Args:
        plan: the hashing plan for the file.
        header: True if the first record names the columns.
        skipped_bytes: the length of the line to skip before the first record; 0 if there is none.
        small: True to hash the file in this process, without worker processes.

    Attributes:
        counts: the counts of the blocks hashed so far; complete when `rows` is exhausted.
    """

    def __init__(self, plan: Plan, *, header: bool, skipped_bytes: int = 0, small: bool = False) -> None:
        self.counts = Counts(lines=1 if skipped_bytes else 0)
        self._plan = plan
        self._header = header
        self._skipped_bytes = skipped_bytes
        self._small = small

    def rows(self, chunks: Iterable[bytes]) -> Iterator[bytes]:
        """Yield the hashed rows in the order of the file, one chunk per block.

        Raises:
            ConsoleError: a worker process ended unexpectedly.
        """
        blocks = cut_at_records(_skip_bytes(chunks, self._skipped_bytes), self._plan.delimiter)
        # The first block may start with the header, and many files have only one block.
        first = next(blocks, b"")
        rows, counts = hash_block(first, self._plan, header=self._header)
        del first
        self.counts.add(counts)
        yield rows
        if self._small:
            for block in blocks:
                rows, counts = hash_block(block, self._plan)
                self.counts.add(counts)
                yield rows
            return
        for rows, counts in _in_order(blocks, self._plan):
            self.counts.add(counts)
            yield rows


def _in_order(blocks: Iterator[bytes], plan: Plan) -> Iterator[tuple[bytes, Counts]]:
    """Hash blocks in worker processes and yield the results in the order of the blocks.

    There is one worker more than there are cores, but at most nine, so that no core is idle while a worker waits for a
    pipe. Each worker has one block at a time, so that the two ends of a pipe never wait for each other.
    """
    block = next(blocks, None)
    if block is None:
        return
    with ExitStack() as exits:
        workers = min(MAX_WORKERS, (os.cpu_count() or 1) + 1)
        idle: deque[subprocess.Popen[bytes]] = deque()
        busy: deque[subprocess.Popen[bytes]] = deque()
        while block is not None:
            if len(busy) == workers:
                worker = busy.popleft()
                yield _receive_result(worker)
                idle.append(worker)
            worker = idle.popleft() if idle else exits.enter_context(_worker(plan))
            _send_block(worker, block)
            busy.append(worker)
            block = next(blocks, None)
        while busy:
            yield _receive_result(busy.popleft())


@contextmanager
def _worker(plan: Plan) -> Iterator[subprocess.Popen[bytes]]:
    process = subprocess.Popen(
        [sys.executable, "-m", "console.hashing.worker"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,  # a traceback could contain a raw value
        cwd=_ROOT,
        pipesize=PIPE_BYTES,
    )
    try:
        send(_pipe(process.stdin), pickle.dumps(plan))
        yield process
    finally:
        process.kill()
        process.communicate()


def _send_block(worker: subprocess.Popen[bytes], block: bytes) -> None:
    try:
        send(_pipe(worker.stdin), block)
    except OSError:
        raise _worker_failed() from None


def _receive_result(worker: subprocess.Popen[bytes]) -> tuple[bytes, Counts]:
    rows, counts = receive(_pipe(worker.stdout)), receive(_pipe(worker.stdout))
    if rows is None or counts is None:
        raise _worker_failed()
    return rows, pickle.loads(counts)  # noqa: S301 - the data comes from a child process


def _worker_failed() -> ConsoleError:
    return ConsoleError(
        "A hashing process ended unexpectedly, so the file was not hashed. Free some memory and try again."
    )


def _pipe(pipe: IO[bytes] | None) -> BinaryIO:
    return cast("BinaryIO", pipe)  # never None, because every worker is started with pipes


def _skip_bytes(chunks: Iterable[bytes], skipped: int) -> Iterator[bytes]:
    for chunk in chunks:
        yield chunk[skipped:] if skipped else chunk
        skipped = 0
