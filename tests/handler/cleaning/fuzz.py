"""A fuzzer for files and object keys.

    python -m tests.handler.cleaning.fuzz --seconds 60 --seed 1

It cleans plain, compressed and damaged files in chunks of any size and compares the result with the reference. It
parses object keys and checks the keys of their reports and pointers. An unexpected exception, a difference from the
reference, or growing memory makes the exit code nonzero.
"""

from __future__ import annotations

import argparse
import bz2
import gc
import gzip
import json
import random
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

from handler.cleaning.counts import Progress
from handler.cleaning.parts import block_size, parts
from handler.cleaning.rows import MAX_BLOCK_GROWTH
from handler.errors import MessageError, Rejected
from handler.events.keys import is_ignored, parse_key
from handler.events.messages import parse_message
from handler.model import IdentifierType, Upload
from handler.state.ledger import report_key
from handler.state.pending_pointers import pointer_key
from handler.state.reports import new_report
from tests.handler.cleaning.reference import BYTE_ORDER_MARK, EMPTY_VALUE_HASHES, Reading, is_not_text, require

MAX_GROWTH_BYTES = 20 << 20
WARM_UP = 200  # rounds after which the allocator and caches no longer grow
NOW = datetime(2026, 1, 31, 12, tzinfo=UTC)
BUCKET = "acme-uploads"

COMPRESSIONS: list[Callable[[bytes], bytes]] = [gzip.compress, bz2.compress]
SCRAPS = [
    b"", b" ", b'"', b'""', b",", b";", b"\t", b"|", b"@", b"+49 30 123456", b"jane@example.com", b"\0", b"\xe9",
    b"email_sha256", b"PHONE", b"user id", b"6D92078A-8246-4BA4-AE5B-76104861E7DC", b" " * 511, b"f" * 513, b"x" * 5000,
    b"NULL", b"\\N", b"0x", b"'", *EMPTY_VALUE_HASHES[64], *EMPTY_VALUE_HASHES[32], b"\xc2\xa0", b"\x1a",
    b"email,phone",
    b"\x0b", b"\x85", b"PK\x03\x04", b"PAR1", b"\x1f\x8b", b"\xff\xfe", BYTE_ORDER_MARK,
]  # fmt: skip
ENDS = [b"\n", b"\r\n", b"\r", b"\n\r", b""]
NAMES = [
    "tiktok", "vip", "email_sha256", "IDFA_MD5", "gaid_sha256", "append", "Remove", "replace", "a.csv", "b.TXT.GZ", "",
    " ", "..", ".", "a\0b", "é", "\ud800", "x" * 128, "ü" * 129, "a+b 100%", "{}", "a.csv/", "\u2028", "reports",
]  # fmt: skip


def make_file(source: random.Random, digits: int) -> bytes:
    """Return a random file of rows in one format. A random share of the rows is faulty, and some files are damaged."""
    end, quote = source.choice(ENDS[:3]), source.choice([b"", b"", b'"'])
    faults = source.choice([0, 0.01, 0.1, 0.5, 1])
    mix = source.random() < 0.2
    lines = []
    for _ in range(source.choice([0, 1, 2, 10, 300, 300, 6000])):
        row = b"%0*x" % (digits, source.getrandbits(4 * digits))
        clean_row = quote + (row.upper() if faults else row) + quote
        row = make_fault(source, row) if source.random() < faults else clean_row
        lines += [row, source.choice(ENDS) if mix else end]
    file = bytearray(b"".join(lines[: len(lines) - source.randint(0, 1)]))
    if source.random() < 0.1:
        file[:0] = source.choice(SCRAPS)
    for _ in range(source.choice([0, 0, 0, 1, 5])):
        at = source.randint(0, len(file))
        file[at : at + source.choice([0, 1, 1, 100])] = source.choice([source.randbytes(1), *SCRAPS, *ENDS])
    return bytes(file)


def make_fault(source: random.Random, row: bytes) -> bytes:
    at = source.randint(0, len(row))
    scrap = source.choice(SCRAPS)
    return source.choice(
        [scrap, row[:at], row[:at] + scrap + row[at:], row[:at] + scrap + row[at + 1 :], row + row[:at]]
    )


def pieces(source: random.Random, file: bytes) -> Iterator[bytes]:
    """Yield a file in chunks of one size or of random sizes."""
    size = source.choice([1, 7, 600, 1 << 14, 1 << 18])
    at = 0
    while at < len(file):
        step = source.randint(1, 2 * size) if size > 1 and len(file) < size << 10 else max(size, len(file) >> 10)
        yield file[at : at + step]
        at += step


def pack(source: random.Random, file: bytes) -> bytes:
    """Return a file unchanged, or compressed in two members."""
    compress = source.choice([None, None, *COMPRESSIONS])
    if compress is None:
        return file
    at = source.randint(0, len(file))
    return b"".join([compress(file[:at]), bytes(source.choice([0, 0, 9])), compress(file[at:])])


def fuzz_file(source: random.Random) -> str:
    """Clean one file and compare it with the reference. Return the outcome."""
    identifier_type = source.choice([each for each in IdentifierType if each.digits])
    file = make_file(source, identifier_type.digits)
    max_part_bytes = source.choice([1000, 5000, 300_000])
    smallest = max_part_bytes - block_size(max_part_bytes) - MAX_BLOCK_GROWTH
    stored = pack(source, file)
    if is_not_text(file):
        try:
            list(parts(lambda first: pieces(source, stored[first:]), identifier_type, max_part_bytes))
        except Rejected:
            return "not text"
        require(False, "a file that is not text was accepted")
    reading = Reading(file, identifier_type)
    start = Progress()
    for part in parts(lambda first: pieces(source, stored[first:]), identifier_type, max_part_bytes):
        if source.random() < 0.1 and not part.last:
            start = part.progress
            break
    else:
        reading.check_parts(
            parts(lambda first: pieces(source, stored[first:]), identifier_type, max_part_bytes),
            max_part_bytes,
            smallest,
        )
    reading.check_parts(
        parts(lambda first: pieces(source, stored[first:]), identifier_type, max_part_bytes, start=start),
        max_part_bytes,
        smallest,
        start,
    )
    return "cleaned"


def fuzz_columns(source: random.Random) -> str:
    """Clean a file with columns twice in different chunks, and again from the end of a part, and compare the parts."""
    delimiter = source.choice([b",", b";", b"\t", b"|"])
    names = [
        source.choice([b"email_sha256", b"Hashed Phone", b"maid_md5", *[b"name"] * 5, b"action"])
        for _ in range(source.randint(1, 4))
    ]
    lines = [delimiter.join([b"idfa_sha256", *names])]
    for _ in range(source.choice([0, 1, 10, 1000])):
        digits = [source.choice([32, 64, 64]) for _ in range(source.choice([len(names) + 1] * 9 + [0, 1, 2]))]
        cells = [b"%0*x" % (each, source.getrandbits(4 * each)) for each in digits]
        if cells and source.random() < 0.2:
            cells[source.randrange(len(cells))] = source.choice([*SCRAPS, b'"', b'"x', b'"a\nb"', b'""', b'x"'])
        lines.append(delimiter.join(cells))
    file = source.choice(ENDS[:3]).join([*lines, b""])
    max_part_bytes = source.choice([4000, 50_000])

    def read(start: Progress | None = None) -> list[tuple[bytes, bytes, Progress]]:
        found = parts(
            lambda first: pieces(source, file[first:]), IdentifierType.MULTIPLE_TYPES, max_part_bytes, start=start
        )
        return [(part.header, b"".join(part.chunks), part.progress) for part in found]

    try:
        whole = read()
    except Rejected:
        return "columns rejected"
    require(whole == read(), "different chunks give different parts")
    at = source.randrange(len(whole))
    require(at == len(whole) - 1 or whole[at + 1 :] == read(whole[at][2]), "different parts after a stop")
    for header, content, _ in whole:
        require(len(content) <= max_part_bytes, "a part is too large")
        require(not content or content.startswith(header), "a part without the header")
        rows = content.removeprefix(header).splitlines()
        require(
            all(row.count(b",") == header.count(b",") and row.strip(b",") for row in rows), "a row has another format"
        )
        require(not b"".join(rows).translate(None, b"0123456789abcdef,"), "a row is not hashed")
    return "columns"


def fuzz_compressed(source: random.Random) -> str:
    """Compress a file, possibly damage it, and read it. A damaged file may be rejected or lose its last rows."""
    file = make_file(source, 64)
    if is_not_text(file):
        return "cleaned"
    compress: Callable[[bytes], bytes] = source.choice(COMPRESSIONS)
    at = source.randint(0, len(file))
    compressed = compress(file[:at]) + bytes(source.choice([0, 0, 9])) + compress(file[at:])
    damaged = bytearray(compressed)
    damage = source.choice(["none", "none", "cut", "change", "garbage"])
    if damage == "cut":
        del damaged[source.randint(0, len(damaged)) :]
    elif damage == "change":
        damaged[source.randrange(len(damaged))] ^= 1 << source.randrange(8)
    elif damage == "garbage":
        damaged += source.randbytes(9)
    out = b""
    try:
        for part in parts(lambda first: pieces(source, bytes(damaged)[first:]), IdentifierType.EMAIL_SHA256, 300_000):
            out += b"".join(part.chunks)
    except Rejected as refused:
        require(bytes(damaged) != compressed, f"refused with {refused.code}")
        return "damage rejected"
    wanted = [Reading(content, IdentifierType.EMAIL_SHA256) for content in (file, file[:at], b"")]
    # A change in a member's header can have no effect, and a cut between two members cannot be detected. A damaged
    # beginning makes it a file of another type, without rows.
    expected = [reading.rows(0, len(reading.lines)) for reading in wanted]
    require(out in (expected if damage != "none" else expected[:1]), "different content")
    return "decompressed"


def fuzz_key(source: random.Random) -> str:
    """Parse one object key as part of a message and on its own, and check the keys of its report and pointer."""
    names = [source.choice(NAMES) for _ in range(source.randint(0, 6))]
    if source.random() < 0.7:
        names = [
            "tiktok",
            *names[:1],
            source.choice([*IdentifierType]),
            *names[1:2],
            source.choice(["a.csv", "b.txt.gz", "folder/"]),
        ]
    key = list("/".join(names))
    if key and source.random() < 0.3:
        key[source.randrange(len(key))] = chr(
            source.choice([0, 10, 47, 127, 0x2028, 0xD800, 0x1F600, source.randrange(0x110000)])
        )
    file = Upload("".join(key), f"v{source.randrange(9)}", None, source.choice([None, 0, 7]), NOW)
    try:
        parsed = parse_message(_event(file), BUCKET)
    except MessageError:
        return "message rejected"
    require(parsed == file, "the parsed message has a different upload")
    if is_ignored(file.key):
        return "ignored"
    location = report_key(file.key, file.version_id)
    require(
        location.removeprefix("reports/").rsplit("/", 1) == [file.key, f"{file.version_id}.json"],
        "the report has a wrong key",
    )
    require(len(location.encode()) < 1024, "the report's key is too long")
    try:
        target = parse_key(file.key)
    except Rejected as refused:
        require("\n" not in refused.reason, "a reason has several lines")
        require(pointer_key(new_report(file, BUCKET, None, NOW)) is None, "an upload with a wrong key has a pointer")
        return "key rejected"
    report = json.loads(json.dumps(new_report(file, BUCKET, target, NOW)))
    pointer = pointer_key(report) or ""
    prefix, type_name, name, entry = pointer.split("/")
    require(
        (prefix, type_name, name) == ("pending", target.audience.identifier_type, target.audience.name),
        "the pointer has a wrong key",
    )
    require(
        entry.startswith("2026-01-31T12:00:00Z_2026-01-31T12:00:00Z_") and len(pointer.encode()) <= 1024,
        "the pointer has a wrong key",
    )
    return "key"


def _event(file: Upload) -> str:
    s3_object = {"key": file.key, "version-id": file.version_id, "etag": file.etag, "size": file.size}
    return json.dumps(
        {
            "detail-type": "Object Created",
            "time": file.uploaded_at.isoformat(),
            "detail": {"bucket": {"name": BUCKET}, "object": s3_object},
        }
    )


def fuzz(seed: int, *, rounds: int | None = None, seconds: float | None = None) -> tuple[Counter[str], int]:
    """Run for a number of rounds or seconds. Return the number of each outcome and the growth of memory in bytes.

    Every round has its own seed, which is printed if the round fails.
    """
    end = time.monotonic() + seconds if seconds is not None else None
    seen: Counter[str] = Counter()
    done = before = 0
    while done != rounds and not (end and time.monotonic() >= end):
        source = random.Random(f"{seed}/{done}")  # noqa: S311 - must be reproducible
        try:
            seen[
                source.choice([fuzz_file, fuzz_file, fuzz_columns, fuzz_compressed, fuzz_key, fuzz_key, fuzz_key])(
                    source
                )
            ] += 1
        except BaseException:
            print(f"seed {seed}, round {done} failed", file=sys.stderr)
            raise
        done += 1
        if done == WARM_UP:
            before = resident()
    return seen, resident() - before if before else 0


def resident() -> int:
    """Return the resident memory of this process in bytes."""
    gc.collect()
    return int(Path("/proc/self/statm").read_text().split()[1]) * 4096


def main() -> int:
    """Run the fuzzer from the command line."""
    parser = argparse.ArgumentParser(description="Fuzz the cleaning of files and the parsing of object keys.")
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    seen, growth = fuzz(options.seed, seconds=options.seconds)
    what = ", ".join(f"{count:,} {name}" for name, count in sorted(seen.items()))
    print(f"{seen.total():,} rounds in {options.seconds:g} s ({what}); memory grew by {growth / 2**20:.1f} MiB")
    return int(growth > MAX_GROWTH_BYTES)


if __name__ == "__main__":
    sys.exit(main())
