"""Worker process that hashes blocks: `python -m console.hashing.worker`, started by `console.hashing.engine`.

A message is its length in eight bytes, followed by its content. The first message on standard input is the pickled
plan, and every other message is a block. For each block, the worker writes two messages to standard output: the rows
and the pickled counts.
"""

from __future__ import annotations

import pickle
import signal
import struct
import sys
from typing import BinaryIO

from console.hashing.blocks import Plan, hash_block

_LENGTH = struct.Struct(">Q")


def send(pipe: BinaryIO, content: bytes) -> None:
    """Write one message."""
    pipe.write(_LENGTH.pack(len(content)))
    pipe.write(content)
    pipe.flush()


def receive(pipe: BinaryIO) -> bytes | None:
    """Read one message. Return None at the end of the stream."""
    length = pipe.read(_LENGTH.size)
    if len(length) < _LENGTH.size:
        return None
    return pipe.read(_LENGTH.unpack(length)[0])


def main() -> None:
    """Hash blocks until standard input ends."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # on Ctrl-C, the parent process ends its workers
    incoming, outgoing = sys.stdin.buffer, sys.stdout.buffer
    plan_message = receive(incoming)
    if plan_message is None:
        return
    plan: Plan = pickle.loads(plan_message)  # noqa: S301 - the data comes from the parent process
    while (block := receive(incoming)) is not None:
        rows, counts = hash_block(block, plan)
        del block
        send(outgoing, rows)
        send(outgoing, pickle.dumps(counts))


if __name__ == "__main__":
    main()
