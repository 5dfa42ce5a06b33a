"""Splitting of a stream into blocks of complete records, and hashing of a block."""

from __future__ import annotations

import csv
import hashlib
import io
import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field

from console.hashing.columns import InputColumn
from console.hashing.layout import last_record_end
from console.hashing.values import (
    EMAIL_CHARACTERS,
    EMPTY_VALUE_HASHES,
    FaultError,
    Kind,
    Rules,
    ValueFault,
    extract_hash,
    is_empty_value,
    normalize,
    stripped,
)

BLOCK_BYTES = 1 << 16  # small enough for the hashes of a block to fit into the CPU cache
MAX_LISTED_FAULTS = 100


@dataclass(frozen=True)
class Plan:
    """The hashing plan for a file, which is sent to the worker processes.

    Attributes:
        columns: the columns to hash, in the order of the output; more than one only for `multiple_types`.
        rules: the rules for normalizing and hashing values.
        delimiter: the delimiter; None for a file with one column.
        encoding: the encoding of the blocks: `utf-8` or `cp1252`.
    """

    columns: tuple[InputColumn, ...]
    rules: Rules
    delimiter: str | None
    encoding: str


@dataclass
class Counts:
    """The counts for a block or an entire file.

    Attributes:
        lines: number of line ends.
        rows: number of records that are not blank, without the header.
        written: number of rows in the output, without its header.
        already_hashed: number of values that were already hashes.
        empty: number of rows without a value: empty, NULL markers, hashes of empty values, all-zero device ids.
        faults: number of cells that cannot be hashed, by reason.
        listed_faults: line, column and reason of the first 100 faults.
    """

    lines: int = 0
    rows: int = 0
    written: int = 0
    already_hashed: int = 0
    empty: int = 0
    faults: Counter[str] = field(default_factory=Counter)
    listed_faults: list[tuple[int, str, str]] = field(default_factory=list)

    @property
    def unhashable(self) -> int:
        """The number of rows with at least one faulty cell and no value that can be hashed."""
        return self.rows - self.written - self.empty

    def add(self, other: Counts) -> None:
        """Add the counts of the next block."""
        room = MAX_LISTED_FAULTS - len(self.listed_faults)
        self.listed_faults += [
            (line + self.lines, column, reason) for line, column, reason in other.listed_faults[:room]
        ]
        self.lines += other.lines
        self.rows += other.rows
        self.written += other.written
        self.already_hashed += other.already_hashed
        self.empty += other.empty
        self.faults.update(other.faults)


def cut_at_records(chunks: Iterable[bytes], delimiter: str | None, block_bytes: int = BLOCK_BYTES) -> Iterator[bytes]:
    """Split a stream into blocks of complete records, by default of about 64 KiB.

    A longer record makes a longer block. At most one chunk and one block are in memory.
    """
    mark = (delimiter or "\n").encode()
    rest = b""
    for chunk in chunks:
        data = rest + chunk if rest else chunk
        at = 0
        while len(data) - at >= block_bytes:
            size = block_bytes
            while not (end := _record_end(data[at : at + size], mark, quoted=delimiter is not None)):
                if at + size >= len(data):
                    break
                size *= 2
            if not end:
                break
            yield data[at : at + end]
            at += end
        rest = data[at:]
    while rest:  # a quote that is never closed is a stray quote; the lines after it are still records
        end = _record_end(rest, mark, quoted=delimiter is not None) or rest.find(b"\n") + 1 or len(rest)
        yield rest[:end]
        rest = rest[end:]


def _record_end(data: bytes, mark: bytes, *, quoted: bool) -> int:
    if quoted:
        return last_record_end(data, mark)
    return data.rfind(b"\n") + 1 or data.rfind(b"\r", 0, len(data) - 1) + 1


def hash_block(block: bytes, plan: Plan, *, header: bool = False) -> tuple[bytes, Counts]:
    """Hash one block of complete records.

    Args:
        block: the records.
        plan: the hashing plan for the file.
        header: True if the block starts with the header, which is skipped.

    Returns:
        The rows of the output, each with a line feed, and the counts.
    """
    only_emails = len(plan.columns) == 1 and plan.columns[0].kind is Kind.EMAIL
    if only_emails and not header and (result := _hash_plain_emails(block, plan)):
        return result
    counts = Counts(lines=_line_ends(block))
    hasher = _Hasher(plan, counts)
    rows = []
    for line, record in _records(block, plan):
        if header:
            header = not any(record)
        elif row := hasher.row(line, record):
            rows.append(row)
    counts.written = len(rows)
    return "".join(rows).encode(), counts


# The characters of each line that are not in EMAIL_CHARACTERS: any of `.+'`, one `@`, and at least one dot.
_EMAIL_SHAPE = re.compile(rb"(?:[.+']*+@\.++\n)*+")


def _hash_plain_emails(block: bytes, plan: Plan) -> tuple[bytes, Counts] | None:
    """Hash a block in which every row has one plain email address; return None if any row may be different.

    Checking the entire block takes a tenth of the time of checking each row.
    """
    text = block.lower()
    lines = text.count(b"\n") if b"\r" not in text else _line_ends(text)
    if plan.delimiter is not None:
        if b'"' in text:
            return None
        mark, index = plan.delimiter.encode(), plan.columns[0].index
        try:
            values = [line.split(mark, index + 1)[index] for line in text.splitlines()]
        except IndexError:
            return None
        text = b"\n".join(values) + b"\n"
    else:
        if b"\r" in text:
            text = text.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
        if not text.endswith(b"\n"):
            text += b"\n"
        values = text.split(b"\n")
        values.pop()
    marks = text.translate(None, EMAIL_CHARACTERS)
    if (
        not _EMAIL_SHAPE.fullmatch(marks)
        or b"@." in text
        or b".\n" in text
        or b"\n@" in text
        or text.startswith((b"@", b"'"))
        # These characters are rare. Searching the short `marks` first takes a fifth of the time.
        or (b".." in marks and b".." in text)
        or (b"'" in marks and b"\n'" in text)
    ):
        return None
    new = _digest(plan.rules.algorithm)
    empty = new(b"")
    # Each hash object is freed before the next one is created. A list of them would not fit into the CPU cache.
    digests = b"".join(map(type(empty).digest, map(new, values)))
    return digests.hex("\n", empty.digest_size).encode() + b"\n", Counts(
        lines=lines, rows=len(values), written=len(values)
    )


class _Hasher:
    """Hashes records one by one and updates the counts."""

    def __init__(self, plan: Plan, counts: Counts) -> None:
        self._plan = plan
        self._counts = counts
        self._digest = _digest(plan.rules.algorithm)

    def row(self, line: int, record: list[str]) -> str:
        """Return the output row with its line feed, or an empty string for a record without a usable value."""
        if not any(map(str.strip, record)):
            return ""
        self._counts.rows += 1
        cells, faulty = [], False
        for column in self._plan.columns:
            try:
                cells.append(self._cell(record, column))
            except FaultError as error:
                faulty = True
                cells.append("")
                self._counts.faults[error.fault.value] += 1
                if len(self._counts.listed_faults) < MAX_LISTED_FAULTS:
                    self._counts.listed_faults.append((line + 1, column.name, error.fault.value))
        if any(cells):
            return ",".join(cells) + "\n"
        self._counts.empty += not faulty
        return ""

    def _cell(self, record: list[str], column: InputColumn) -> str:
        if column.index >= len(record):
            raise FaultError(ValueFault.MISSING_COLUMN)
        value = stripped(record[column.index])
        if is_empty_value(value):
            return ""
        if hashed := extract_hash(value):
            if len(hashed) != self._plan.rules.digits:
                raise FaultError(ValueFault.OTHER_HASH)
            self._counts.already_hashed += 1
        elif text := normalize(column.kind, value, self._plan.rules):
            hashed = self._digest(text.encode()).hexdigest()
        return "" if hashed in EMPTY_VALUE_HASHES else hashed


def _records(block: bytes, plan: Plan) -> Iterator[tuple[int, list[str]]]:
    """Yield each record of a block with the number of its first line, counted from 0."""
    try:
        text = block.decode(plan.encoding)
    except UnicodeDecodeError:  # the encoding was detected from the head of the file only
        text = block.decode("latin-1")
    if plan.delimiter is None:
        for line, value in enumerate(_LINE_END.split(text)):
            yield line, [value]
        return
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=plan.delimiter)
    line = 0
    for record in reader:
        yield line, record
        line = reader.line_num


_LINE_END = re.compile(r"\r\n|\r|\n")


def _line_ends(block: bytes) -> int:
    return block.count(b"\n") + block.count(b"\r") - block.count(b"\r\n")


def _digest(algorithm: str) -> Callable[[bytes], hashlib._Hash]:
    return hashlib.sha256 if algorithm == "sha256" else _md5


def _md5(data: bytes) -> hashlib._Hash:
    return hashlib.md5(data, usedforsecurity=False)
