"""Hashing of a whole file as a stream, on all cores, in constant memory."""

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
PIPE_BYTES = 1 << 20  # Linux: a block and its rows fit, so that no process waits for the other to read
_ROOT = Path(__file__).parents[2]


class Hashing:
    """One pass over one file.

    Args:
        plan: the choices for the file.
        header: the first record names the columns.
        skipped_bytes: bytes before the first record, one line.
        small: the file is a single block, so that no process is started for it.

    Attributes:
        counts: of the blocks so far; complete when `rows` has ended.
    """

    def __init__(self, plan: Plan, *, header: bool, skipped_bytes: int = 0, small: bool = False) -> None:
        self.counts = Counts(lines=1 if skipped_bytes else 0)
        self._plan = plan
        self._header = header
        self._skipped_bytes = skipped_bytes
        self._small = small

    def rows(self, chunks: Iterable[bytes]) -> Iterator[bytes]:
        """Yield the hashed rows of a file, in its order, in pieces of some megabytes at most.

        Raises:
            ConsoleError: a worker process ended before its time.
        """
        blocks = cut_at_records(_without(chunks, self._skipped_bytes), self._plan.delimiter)
        # The first block may begin with the header, and for many files it is the only one.
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
    """Hash blocks in several processes; one more than cores, so that none of these waits for a pipe.

    Each worker has one block at a time: nobody writes to a process that is writing.
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
                yield _answer(worker)
                idle.append(worker)
            worker = idle.popleft() if idle else exits.enter_context(_worker(plan))
            _ask(worker, block)
            busy.append(worker)
            block = next(blocks, None)
        while busy:
            yield _answer(busy.popleft())


@contextmanager
def _worker(plan: Plan) -> Iterator[subprocess.Popen[bytes]]:
    process = subprocess.Popen(
        [sys.executable, "-m", "console.hashing.worker"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,  # a traceback could hold a value
        cwd=_ROOT,
        pipesize=PIPE_BYTES,
    )
    try:
        send(_pipe(process.stdin), pickle.dumps(plan))
        yield process
    finally:
        process.kill()
        process.communicate()


def _ask(worker: subprocess.Popen[bytes], block: bytes) -> None:
    try:
        send(_pipe(worker.stdin), block)
    except OSError:
        raise _ended() from None


def _answer(worker: subprocess.Popen[bytes]) -> tuple[bytes, Counts]:
    rows, counts = receive(_pipe(worker.stdout)), receive(_pipe(worker.stdout))
    if rows is None or counts is None:
        raise _ended()
    return rows, pickle.loads(counts)  # noqa: S301 - from a process that was started here


def _ended() -> ConsoleError:
    return ConsoleError(
        "A hashing process ended before its time, so nothing was written. Free some memory and try again."
    )


def _pipe(pipe: IO[bytes] | None) -> BinaryIO:
    return cast("BinaryIO", pipe)  # every worker is started with pipes


def _without(chunks: Iterable[bytes], skipped: int) -> Iterator[bytes]:
    for chunk in chunks:
        yield chunk[skipped:] if skipped else chunk
        skipped = 0
