"""Blocks of whole records: cut from the stream in one process, hashed in another."""

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
    HASHES_OF_NOTHING,
    FaultError,
    Kind,
    Rules,
    ValueFault,
    bare,
    hash_in,
    is_nothing,
    normalize,
)

BLOCK_BYTES = 1 << 16  # its hashes stay in the processor's cache
MAX_LISTED_FAULTS = 100


@dataclass(frozen=True)
class Plan:
    """All that a worker needs to know.

    Attributes:
        columns: to hash; several make a `multiple_types` file, whose cells stay in this order.
        rules: how values are normalized and hashed.
        delimiter: None for a file of one column.
        encoding: of the blocks, `utf-8` or `cp1252`.
    """

    columns: tuple[InputColumn, ...]
    rules: Rules
    delimiter: str | None
    encoding: str


@dataclass
class Counts:
    """Counts of one block, or of a whole file.

    Attributes:
        lines: line ends.
        rows: records with anything in them.
        written: rows of the output.
        passed: values that were hashes already.
        empty: rows without a value: empty, NULL markers, hashes of nothing, all-zero device ids.
        faults: cells that cannot be hashed, by reason.
        listed: line, column and reason of the first faults.
    """

    lines: int = 0
    rows: int = 0
    written: int = 0
    passed: int = 0
    empty: int = 0
    faults: Counter[str] = field(default_factory=Counter)
    listed: list[tuple[int, str, str]] = field(default_factory=list)

    @property
    def lost(self) -> int:
        """Rows with values of which none can be hashed."""
        return self.rows - self.written - self.empty

    def add(self, other: Counts) -> None:
        """Add the counts of the block that follows."""
        room = MAX_LISTED_FAULTS - len(self.listed)
        self.listed += [(line + self.lines, column, reason) for line, column, reason in other.listed[:room]]
        self.lines += other.lines
        self.rows += other.rows
        self.written += other.written
        self.passed += other.passed
        self.empty += other.empty
        self.faults.update(other.faults)


def cut_at_records(chunks: Iterable[bytes], delimiter: str | None, block_bytes: int = BLOCK_BYTES) -> Iterator[bytes]:
    """Cut a stream into blocks of whole records, about 64 KiB each. Memory: a chunk and a block."""
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
    while rest:  # a quote that is still open at the end is a stray one: it must not swallow the lines below it
        end = _record_end(rest, mark, quoted=delimiter is not None) or rest.find(b"\n") + 1 or len(rest)
        yield rest[:end]
        rest = rest[end:]


def _record_end(data: bytes, mark: bytes, *, quoted: bool) -> int:
    if quoted:
        return last_record_end(data, mark)
    return data.rfind(b"\n") + 1 or data.rfind(b"\r", 0, len(data) - 1) + 1


def hash_block(block: bytes, plan: Plan, *, header: bool = False) -> tuple[bytes, Counts]:
    """Hash one block of whole records.

    Args:
        block: the records.
        plan: the choices for the file.
        header: the block begins with the header, which is left out.

    Returns:
        The rows of the output, each with a line feed, and the counts.
    """
    alone = len(plan.columns) == 1 and plan.columns[0].kind is Kind.EMAIL
    if alone and not header and (quick := _quick(block, plan)):
        return quick
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


_EMAIL_SHAPE = re.compile(rb"(?:[.+']*+@\.++\n)*+")


def _quick(block: bytes, plan: Plan) -> tuple[bytes, Counts] | None:
    """Hash a block whose every row has one plain address; None if it is not sure that they all do.

    A few looks at the whole block cost a tenth of what a look at each row would.
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
        # These are rare: a look at the marks alone costs a fifth.
        or (b".." in marks and b".." in text)
        or (b"'" in marks and b"\n'" in text)
    ):
        return None
    new = _digest(plan.rules.algorithm)
    empty = new(b"")
    # Each hash object is gone before the next one is made; a list of them would not fit the processor's cache.
    digests = b"".join(map(type(empty).digest, map(new, values)))
    return digests.hex("\n", empty.digest_size).encode() + b"\n", Counts(
        lines=lines, rows=len(values), written=len(values)
    )


class _Hasher:
    """Hashes records one by one, and counts."""

    def __init__(self, plan: Plan, counts: Counts) -> None:
        self._plan = plan
        self._counts = counts
        self._digest = _digest(plan.rules.algorithm)

    def row(self, line: int, record: list[str]) -> str:
        """Return the output's row with its line feed, or an empty string for a record without a usable value."""
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
                if len(self._counts.listed) < MAX_LISTED_FAULTS:
                    self._counts.listed.append((line + 1, column.name, error.fault.value))
        if any(cells):
            return ",".join(cells) + "\n"
        self._counts.empty += not faulty
        return ""

    def _cell(self, record: list[str], column: InputColumn) -> str:
        if column.index >= len(record):
            raise FaultError(ValueFault.MISSING_COLUMN)
        value = bare(record[column.index])
        if is_nothing(value):
            return ""
        if hashed := hash_in(value):
            if len(hashed) != self._plan.rules.digits:
                raise FaultError(ValueFault.OTHER_HASH)
            self._counts.passed += 1
        elif text := normalize(column.kind, value, self._plan.rules):
            hashed = self._digest(text.encode()).hexdigest()
        return "" if hashed in HASHES_OF_NOTHING else hashed


def _records(block: bytes, plan: Plan) -> Iterator[tuple[int, list[str]]]:
    """Yield each record of a block with the number of the line that it begins in, from 0."""
    try:
        text = block.decode(plan.encoding)
    except UnicodeDecodeError:  # beyond the head the file turned out to be of another encoding
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
