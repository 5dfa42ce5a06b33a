"""Random files and keys for a given time: `python -m tests.handler.cleaning.fuzz --seconds 60 --seed 1`.

Files, plain, compressed and damaged, are cleaned in chunks of any size and compared with the plain reference. Object
keys are parsed, and the keys of their reports and pointers checked. Any exception but the project's own, a disagreement
or growing memory ends it with an exit code other than 0.
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
from handler.state.pointers import pointer_key
from handler.state.reports import new_report
from tests.handler.cleaning.reference import BYTE_ORDER_MARK, NOTHING, Reading, is_no_text, must

MOST_GROWTH = 20 << 20
WARM_UP = 200  # rounds, after which allocator and caches are as large as they get
NOW = datetime(2026, 1, 31, 12, tzinfo=UTC)
BUCKET = "acme-uploads"

COMPRESSIONS: list[Callable[[bytes], bytes]] = [gzip.compress, bz2.compress]
SCRAPS = [
    b"", b" ", b'"', b'""', b",", b";", b"\t", b"|", b"@", b"+49 30 123456", b"jane@example.com", b"\0", b"\xe9",
    b"email_sha256", b"PHONE", b"user id", b"6D92078A-8246-4BA4-AE5B-76104861E7DC", b" " * 511, b"f" * 513, b"x" * 5000,
    b"NULL", b"\\N", b"0x", b"'", *NOTHING[64], *NOTHING[32], b"\xc2\xa0", b"\x1a", b"email,phone",
    b"\x0b", b"\x85", b"PK\x03\x04", b"PAR1", b"\x1f\x8b", b"\xff\xfe", BYTE_ORDER_MARK,
]  # fmt: skip
ENDS = [b"\n", b"\r\n", b"\r", b"\n\r", b""]
NAMES = [
    "tiktok", "vip", "email_sha256", "IDFA_MD5", "gaid_sha256", "append", "Remove", "replace", "a.csv", "b.TXT.GZ", "",
    " ", "..", ".", "a\0b", "é", "\ud800", "x" * 128, "ü" * 129, "a+b 100%", "{}", "a.csv/", "\u2028", "reports",
]  # fmt: skip


def make_file(source: random.Random, digits: int) -> bytes:
    """A file of mostly one way of writing, with faults, sometimes damaged."""
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
    """A file in chunks of about one size."""
    size = source.choice([1, 7, 600, 1 << 14, 1 << 18])
    at = 0
    while at < len(file):
        step = source.randint(1, 2 * size) if size > 1 and len(file) < size << 10 else max(size, len(file) >> 10)
        yield file[at : at + step]
        at += step


def pack(source: random.Random, file: bytes) -> bytes:
    """Leave a file as it is, or compress it in one or two pieces."""
    compress = source.choice([None, None, *COMPRESSIONS])
    if compress is None:
        return file
    at = source.randint(0, len(file))
    return b"".join([compress(file[:at]), bytes(source.choice([0, 0, 9])), compress(file[at:])])


def fuzz_file(source: random.Random) -> str:
    """Clean one file and compare it with the reference; return what became of it."""
    identifier_type = source.choice([each for each in IdentifierType if each.digits])
    file = make_file(source, identifier_type.digits)
    most = source.choice([1000, 5000, 300_000])
    smallest = most - block_size(most) - MAX_BLOCK_GROWTH
    stored = pack(source, file)
    if is_no_text(file):
        try:
            list(parts(lambda first: pieces(source, stored[first:]), identifier_type, most))
        except Rejected:
            return "no text"
        must(False, "a file that is not text was accepted")
    reading = Reading(file, identifier_type)
    start = Progress()
    for part in parts(lambda first: pieces(source, stored[first:]), identifier_type, most):
        if source.random() < 0.1 and not part.last:
            start = part.progress
            break
    else:
        reading.check_parts(parts(lambda first: pieces(source, stored[first:]), identifier_type, most), most, smallest)
    reading.check_parts(
        parts(lambda first: pieces(source, stored[first:]), identifier_type, most, start=start), most, smallest, start
    )
    return "cleaned"


def fuzz_columns(source: random.Random) -> str:
    """Clean a file with columns twice, in other chunks and from the border of a part; the parts are the same."""
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
    most = source.choice([4000, 50_000])

    def read(start: Progress | None = None) -> list[tuple[bytes, bytes, Progress]]:
        found = parts(lambda first: pieces(source, file[first:]), IdentifierType.MULTIPLE_TYPES, most, start=start)
        return [(part.header, b"".join(part.chunks), part.progress) for part in found]

    try:
        whole = read()
    except Rejected:
        return "columns refused"
    must(whole == read(), "other chunks, other parts")
    at = source.randrange(len(whole))
    must(at == len(whole) - 1 or whole[at + 1 :] == read(whole[at][2]), "other parts after a stop")
    for header, content, _ in whole:
        must(len(content) <= most, "a part is too large")
        must(not content or content.startswith(header), "a part without the header")
        rows = content.removeprefix(header).splitlines()
        must(all(row.count(b",") == header.count(b",") and row.strip(b",") for row in rows), "a row of another form")
        must(not b"".join(rows).translate(None, b"0123456789abcdef,"), "a row that is not hashed")
    return "columns"


def fuzz_packed(source: random.Random) -> str:
    """Compress, damage and read one file: it comes out as it went in, or it is refused."""
    file = make_file(source, 64)
    if is_no_text(file):
        return "cleaned"
    compress: Callable[[bytes], bytes] = source.choice(COMPRESSIONS)
    at = source.randint(0, len(file))
    packed = compress(file[:at]) + bytes(source.choice([0, 0, 9])) + compress(file[at:])
    damaged = bytearray(packed)
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
        must(bytes(damaged) != packed, f"refused with {refused.code}")
        return "damage refused"
    wanted = [Reading(content, IdentifierType.EMAIL_SHA256) for content in (file, file[:at], b"")]
    # A change in a member's header may mean nothing, and a cut between two members cannot be seen. A damaged beginning
    # makes it another kind of file, without a row.
    expected = [reading.rows(0, len(reading.lines)) for reading in wanted]
    must(out in (expected if damage != "none" else expected[:1]), "another content came out")
    return "unpacked"


def fuzz_key(source: random.Random) -> str:
    """Send one key through message, grammar, report and pointer."""
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
        return "message refused"
    must(parsed == file, "another file came back from its own message")
    if is_ignored(file.key):
        return "ignored"
    place = report_key(file.key, file.version_id)
    must(
        place.removeprefix("reports/").rsplit("/", 1) == [file.key, f"{file.version_id}.json"],
        "report in a wrong place",
    )
    must(len(place.encode()) < 1024, "no room for a report")
    try:
        target = parse_key(file.key)
    except Rejected as refused:
        must("\n" not in refused.reason, "a reason of several lines")
        must(pointer_key(new_report(file, BUCKET, None, NOW)) is None, "a wrong key may wait")
        return "key refused"
    report = json.loads(json.dumps(new_report(file, BUCKET, target, NOW)))
    pointer = pointer_key(report) or ""
    prefix, type_name, name, entry = pointer.split("/")
    must(
        (prefix, type_name, name) == ("pending", target.audience.identifier_type, target.audience.name), "lost pointer"
    )
    must(
        entry.startswith("2026-01-31T12:00:00Z_2026-01-31T12:00:00Z_") and len(pointer.encode()) <= 1024, "lost pointer"
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
    """Go on for so many rounds or seconds; return what became of them and how much memory grew in bytes.

    Every round has a seed of its own, which is printed if it fails.
    """
    end = time.monotonic() + seconds if seconds is not None else None
    seen: Counter[str] = Counter()
    done = before = 0
    while done != rounds and not (end and time.monotonic() >= end):
        source = random.Random(f"{seed}/{done}")  # noqa: S311 - reproducible is what it has to be
        try:
            seen[
                source.choice([fuzz_file, fuzz_file, fuzz_columns, fuzz_packed, fuzz_key, fuzz_key, fuzz_key])(source)
            ] += 1
        except BaseException:
            print(f"seed {seed}, round {done} failed", file=sys.stderr)
            raise
        done += 1
        if done == WARM_UP:
            before = resident()
    return seen, resident() - before if before else 0


def resident() -> int:
    """Memory of this process that is in use now."""
    gc.collect()
    return int(Path("/proc/self/statm").read_text().split()[1]) * 4096


def main() -> int:
    """Run from the command line."""
    parser = argparse.ArgumentParser(description="Fuzz the cleaner and the key grammar.")
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    seen, growth = fuzz(options.seed, seconds=options.seconds)
    what = ", ".join(f"{count:,} {name}" for name, count in sorted(seen.items()))
    print(f"{seen.total():,} rounds in {options.seconds:g} s ({what}); memory grew by {growth / 2**20:.1f} MiB")
    return int(growth > MOST_GROWTH)


if __name__ == "__main__":
    sys.exit(main())
