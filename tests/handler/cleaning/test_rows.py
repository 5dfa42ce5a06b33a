"""Cleaning of files with one identifier per line, compared with the reference for any lines, line ends and chunks."""

from __future__ import annotations

import hashlib
import tracemalloc
from collections.abc import Callable, Iterator
from functools import lru_cache
from itertools import chain, product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from handler.cleaning.counts import Rejection, RejectionReason
from handler.cleaning.file_types import check_file_type
from handler.cleaning.lines import BLOCK_BYTES
from handler.cleaning.parts import Part, block_size, parts
from handler.cleaning.row_repair import find_header
from handler.cleaning.rows import MAX_BLOCK_GROWTH, Block, clean
from handler.errors import Rejected
from handler.model import IdentifierType
from tests.handler.cleaning.reference import BYTE_ORDER_MARK, EMPTY_VALUE_HASHES, NULLS, Reading, is_not_text

examples = settings(derandomize=True, database=None, deadline=None, max_examples=60)

TYPES = {64: IdentifierType.EMAIL_SHA256, 32: IdentifierType.IDFA_MD5}
BYTE_VALUES = [bytes([value]) for value in range(256)]


def hashed(number: int, digits: int) -> bytes:
    return hashlib.sha256(f"person {number}".encode()).hexdigest()[:digits].encode()


def line_kinds(digits: int) -> list[bytes]:
    """Return lines of every kind, valid and faulty."""
    good = hashed(0, digits)
    words = [
        b"email_sha256", b"hashed email", b"PHONE", b"User-ID", b"Email (SHA-256)", b"idem", b"first", b"id" * 40,
        b"HEM", b"$email", b"Customer's email", b"Email:SHA256", b"[maid]", "Téléphone".encode(), b"Telefon", b"sha256",
        b"Joshua Sharp", b"natasha", b"mailto jane", b"mail jane at example", b"mail.example.com", b"jane(at)gmail.com",
        b"user123456", b"user_1", b"email,", b"email,phone", b",email", b"phone;+49 30 1234567", "電話".encode(),
        b"a" * 15 + b"-" + b"b" * 15, b"a" * 16 + b"-", b"dead", b"12 345",
    ]  # fmt: skip
    repaired = [
        good.upper(), b'"' + good + b'"', b' "' + good + b'" ', b'" ' + good.upper() + b'"', b"\t" + good + b"\x0b\x0c",
        good + b" " * (512 - digits), b"0x" + good, b"0X" + good.upper(), b"\\x" + good, b"\\\\X" + good,
        b"'" + good + b"'",
        b"\"'0x" + good + b"'\"", good + b",", good + b";", b'"' + good + b'",', good + b",,;| ,", b'"' + good + b',"',
        b"\xc2\xa0" + good + b"\xc2\xa0", b"\xa0" + good, b"\xe2\x80\x8b" + good[:5] + b"\xe2\x80\x8d" + good[5:],
        BYTE_ORDER_MARK + good, good + BYTE_ORDER_MARK + b" ", b'""' + good + b'""', good + b"\x1a", good + b"\x1a\x1a",
        b"\xe3\x80\x80'" + good + b"\xc2\xad'",
    ]  # fmt: skip
    empty_values = [
        *EMPTY_VALUE_HASHES[digits],
        EMPTY_VALUE_HASHES[digits][0].upper(),
        b'"' + EMPTY_VALUE_HASHES[digits][5] + b'"',
        b"0x" + EMPTY_VALUE_HASHES[digits][-1],
    ]
    null = [
        *NULLS,
        b"\\N",
        b"NULL",
        b'"NULL"',
        b"'NaN'",
        b" None ",
        b"n/a,",
        b"NaN;",
        b"\x1a",
        b"\xc2\xa0",
        b",",
        b",,;",
    ]
    not_hashed = [
        b"jane@example.com", b"JANE@EXAMPLE.COM", b'"jane@example.com"', b"+49 (30) 123-456", b"(030) 123456",
        b"004930123456", b"6D92078A-8246-4BA4-AE5B-76104861E7DC",
    ]  # fmt: skip
    wrong_length = [good[:-1], good + b"0", good * 2, good[:40], b"abc", b"a" * 512]
    not_hex = [
        good[:-1] + b"g", b"\xe9" + good[1:], good[:-1] + b"\0", b'"' + good, good + b'"', b'"',
        b'""' + good + b'"', "Größe".encode(), b"\x1c", b"\x85", b"'" + good, b"0x", b"\\x", b"0xg", b"\\",
        good + b"\x1c" + good, good[:9] + b" " + good[9:],
        good[:9] + b'"' + good[9:] + b'"', b'"' + good[:9] + b'"' + good[9:],
    ]  # fmt: skip
    columns = [
        good + b",1",
        b"jane@example.com;" + good,
        b"," + good,
        good + b"\t" + good,
        b"0," + good,
        b"7\x01" + good,
    ]
    long = [
        *(b"a" * length for length in (513, 514, 515, 516, 517, 2000)), good + b" " * (513 - digits), b" " * 513,
        b" " * 600 + b"email", b"email" + b" " * 600, b"email" + b" " * 508, good + b" " * 936,
        *(good + b" " * (length - digits) + b"x" for length in (511, 512, 513, 515, 516, 517, 900)),
        b"email," + b"column name," * 60, good + b",x" * 300, b"x" * 520 + b"," + good, b"x" * 505 + b",\t" + good,
    ]  # fmt: skip
    around = [
        b"-----",
        b"(0 rows)",
        b"(1 row)",
        b"(12 rows affected)",
        b" email_sha256 ",
        b"hashed email",
        b"email,phone",
    ]
    rejected = [*around, *empty_values, *null, *not_hashed, *wrong_length, *not_hex, *columns, *long]
    return [good, b"", b" ", b'""', b' "\t" ', *words, *repaired, *rejected]


ENDS = [b"\n", b"\r\n", b"\r"]


def lines(digits: int) -> st.SearchStrategy[bytes]:
    """Return a strategy for files of any lines and line ends, with repeated lines and any text at the end."""
    kinds = line_kinds(digits)
    line = st.builds(
        lambda text, end, times: (text + end) * times,
        st.sampled_from(kinds),
        st.sampled_from(ENDS),
        st.sampled_from([1, 1, 1, 1, 1, 2, 140]),
    )
    return st.builds(
        lambda mark, body, rest: mark + b"".join(body) + rest,
        st.sampled_from([b"", b"", BYTE_ORDER_MARK]),
        st.lists(line, max_size=12),
        st.sampled_from([b"", b"", *kinds]),
    )


def tokens(digits: int) -> st.SearchStrategy[bytes]:
    """Return a strategy for files of random tokens, for lines that `line_kinds` does not list."""
    good = hashed(1, digits)
    pieces = [
        good,
        good[:7],
        good.upper(),
        b" ",
        b'"',
        b"\n",
        b"\r",
        b"\r\n",
        b",",
        b"@",
        b"+",
        b"1234567",
        b"-",
        b"id",
        b"_",
    ]
    return st.lists(st.sampled_from([*pieces, b"\0", BYTE_ORDER_MARK, b"g", b" " * 510]), max_size=40).map(b"".join)


@st.composite
def mostly_clean(draw: st.DrawFn, digits: int) -> bytes:
    """Return a file of up to about three blocks in which all but a few rows have the same format."""
    count = draw(st.integers(0, 3 * BLOCK_BYTES // (digits + 1)))
    end = draw(st.sampled_from(ENDS))
    rows = [hashed(number, digits) for number in range(97)]
    if draw(st.booleans()):
        rows = [row.upper() for row in rows]
    quote = draw(st.sampled_from([b"", b"", b'"']))
    rows = [quote + row + quote + end for row in rows]
    whole = b"".join(rows)
    body = whole * (count // 97) + b"".join(rows[: count % 97])
    for _ in range(draw(st.integers(0, 6))):
        at = draw(st.integers(0, len(body)))
        other = draw(st.sampled_from(line_kinds(digits))) + draw(st.sampled_from([end, end, end, *ENDS, b""]))
        if draw(st.booleans()):
            at -= at % len(rows[0])
        body = body[:at] + other + body[at + draw(st.sampled_from([0, 0, len(other)])) :]
    return body


chunk_sizes = st.one_of(st.integers(1, 3), st.integers(4, 1200), st.sampled_from([1 << 16, 1 << 18, 1 << 30]))
block_sizes = st.one_of(st.integers(520, 1500), st.sampled_from([BLOCK_BYTES]))


def pieces(file: bytes, size: int) -> Iterator[bytes]:
    return (file[at : at + size] for at in range(0, len(file), size))


def blocks_of(file: bytes, digits: int, chunk: int, block: int) -> Iterator[Block]:
    """Clean a file without cutting it into parts."""
    check_file_type(file)
    return clean(pieces(file, chunk), TYPES[digits], block_bytes=block, header=find_header(file))


reading = lru_cache(maxsize=4)(Reading)  # the reference is slow, and a file is read with many chunk sizes


def check(file: bytes, digits: int, chunk: int, block: int) -> None:
    """Compare blocks with the reference, or check that a file that is not text is rejected."""
    if is_not_text(file):
        with pytest.raises(Rejected):
            blocks_of(file, digits, chunk, block)
    else:
        reading(file, TYPES[digits]).check_blocks(blocks_of(file, digits, chunk, block))


@pytest.mark.parametrize("digits", TYPES)
@examples
@given(data=st.data(), chunk=chunk_sizes, block=block_sizes)
def test_any_lines_are_cleaned_as_in_the_reference(digits: int, data: st.DataObject, chunk: int, block: int) -> None:
    check(data.draw(lines(digits)), digits, chunk, block)


@pytest.mark.parametrize("digits", TYPES)
@examples
@given(data=st.data(), chunk=chunk_sizes, block=block_sizes)
def test_any_sequence_of_tokens_is_cleaned_as_in_the_reference(
    digits: int, data: st.DataObject, chunk: int, block: int
) -> None:
    check(data.draw(tokens(digits)), digits, chunk, block)


@pytest.mark.processes
@pytest.mark.parametrize("digits", TYPES)
@settings(examples, max_examples=25)
@given(data=st.data(), chunk=st.sampled_from([1 << 16, 1 << 18, (1 << 18) + 7, 1 << 30]))
def test_large_files_with_few_faults_are_cleaned_as_in_the_reference(
    digits: int, data: st.DataObject, chunk: int
) -> None:
    check(data.draw(mostly_clean(digits)), digits, chunk, BLOCK_BYTES)


@pytest.mark.processes
@pytest.mark.parametrize("digits", TYPES)
@pytest.mark.parametrize("end", [b"\n", b"\r\n", b"\r", b"\n\r", b"\r\r\n"])
def test_every_kind_of_line_is_cleaned_with_every_line_end(digits: int, end: bytes) -> None:
    kinds = line_kinds(digits)
    for chunk, block in product([1, 2, *range(512, 518), 1 << 20], [520, 521, BLOCK_BYTES]):
        check(end.join(kinds), digits, chunk, block)
        check(
            BYTE_ORDER_MARK + end.join(chain.from_iterable(zip(kinds, reversed(kinds), strict=True))),
            digits,
            chunk,
            block,
        )


@pytest.mark.parametrize("digits", TYPES)
def test_a_row_with_any_byte_inserted_or_replaced_is_cleaned_as_in_the_reference(digits: int) -> None:
    good = hashed(2, digits)
    changed = [good[:5] + value + good[6:] for value in BYTE_VALUES] + [
        good[:5] + value + good[5:] for value in BYTE_VALUES
    ]
    check(b"\n".join([good, *changed, good]), digits, 1 << 20, BLOCK_BYTES)
    check(b"\r\n".join([good, *changed, good]), digits, 1 << 20, BLOCK_BYTES)


@pytest.mark.parametrize("digits", TYPES)
@pytest.mark.parametrize("end", [b"\n", b"\r\n"])
@pytest.mark.parametrize("quote", [b"", b'"'])
def test_every_byte_of_a_frame_must_be_in_its_place(quote: bytes, end: bytes, digits: int) -> None:
    framed = quote + hashed(3, digits) + quote + end
    for at in {0, len(quote) + digits, len(framed) - 2, len(framed) - 1}:
        rest = framed[:at] + framed[at + 1 :]
        for place in range(len(framed)):
            moved = rest[:place] + framed[at : at + 1] + rest[place:]
            check(framed * 3 + moved + framed * 3, digits, 1 << 20, BLOCK_BYTES)


@pytest.mark.parametrize("kind", [lines, tokens])
@pytest.mark.parametrize("digits", TYPES)
@examples
@given(data=st.data(), chunk=chunk_sizes, part_bytes=st.integers(600, 4000))
def test_reading_that_continues_after_a_part_gives_the_same_parts(
    kind: Callable[[int], st.SearchStrategy[bytes]],
    digits: int,
    data: st.DataObject,
    chunk: int,
    part_bytes: int,
) -> None:
    file = data.draw(kind(digits))
    if is_not_text(file):
        return
    whole = reading(file, TYPES[digits])
    smallest = part_bytes - block_size(part_bytes) - MAX_BLOCK_GROWTH
    found = [
        part._replace(chunks=[*part.chunks])
        for part in parts(lambda first: pieces(file[first:], chunk), TYPES[digits], part_bytes)
    ]
    whole.check_parts(found, part_bytes, smallest)
    at = data.draw(st.integers(0, len(found) - 1))
    start, size = found[at].progress, data.draw(chunk_sizes)
    if found[at].last:
        return
    rest = [
        part._replace(chunks=[*part.chunks])
        for part in parts(lambda first: pieces(file[first:], size), TYPES[digits], part_bytes, start=start)
    ]
    whole.check_parts(rest, part_bytes, smallest, start)
    assert [without_hints(part) for part in rest] == [without_hints(part) for part in found[at + 1 :]]


def without_hints(part: Part) -> Part:
    """Return a part without column hints, which are not stored and are collected again when reading continues."""
    tally = part.progress.tally._replace(column_hints=None)
    return part._replace(progress=part.progress._replace(tally=tally))


@pytest.mark.parametrize(
    ("line", "is_header"),
    [
        *((name, True) for name in ("email_sha256", "hashed email", "PHONE", "Hashed_Phone_Number", "E-Mail", "hem")),
        *((name, True) for name in ("MAID", '"Email (SHA256)"', "Téléphone", "電話番号", "Электронная почта", "_col0")),
        *((name, True) for name in ("?column?", "(No column name)", "email,", "Adresse (gehasht)", "0")),
        *((name, True) for name in ("sep=;", "SEP=,\nemail", '"sep=;"\r\nemail;')),
        *((name, False) for name in ("00", "1", "sep=;\nsep=;\nemail\nemail")),
        *((name, False) for name in ("jane@example.com", "+49 30 123456", "abc", "ab" * 32 + "x", "dead", "12345")),
        *((name, False) for name in ("6D92078A-8246-4BA4-AE5B-76104861E7DC", "x" + "ab" * 8, "Jane,+49 30 123456")),
    ],
)
def test_a_header_does_not_resemble_an_identifier(line: str, is_header: bool) -> None:
    (block,) = clean([f"{line}\n{'ab' * 32}\n".encode()], IdentifierType.EMAIL_SHA256)
    assert block.progress.tally.total == (1 if is_header else 2)


def test_each_rejection_has_its_line_and_reason() -> None:
    rows = [
        b"hashed email",
        b"",
        b"jane@example.com",
        b"ab" * 16,
        b"ab" * 32 + b",x",
        b"Miller",
        b"AB" * 32,
        b"-" * 600,
    ]
    *_, block = blocks = [*clean([BYTE_ORDER_MARK + b"\r\n".join(rows)], IdentifierType.EMAIL_SHA256)]
    assert b"".join(each.rows for each in blocks) == b"ab" * 32 + b"\n"
    tally = block.progress.tally
    assert (tally.total, tally.accepted, tally.rejected) == (6, 1, 5)
    assert [(each.line, each.reason, each.digits) for each in tally.rejections] == [
        (3, RejectionReason.NOT_HASHED, None),
        (4, RejectionReason.WRONG_LENGTH, 32),
        (5, RejectionReason.MORE_THAN_ONE_COLUMN, None),
        (6, RejectionReason.NOT_HEX, None),
        (8, RejectionReason.TOO_LONG, None),
    ]


@pytest.mark.parametrize("end", [b"\n", b"\r\n", b"\r"])
def test_a_line_of_any_length_is_read_in_bounded_memory(end: bytes) -> None:
    chunk = b"x" * (1 << 18)
    tracemalloc.start()
    try:
        blocks = list(clean(chain([b"a" * 64 + end], [chunk] * 256, [end + b"b" * 64]), IdentifierType.EMAIL_SHA256))
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert b"".join(block.rows for block in blocks) == b"a" * 64 + b"\n" + b"b" * 64 + b"\n"
    progress = blocks[-1].progress
    assert progress.tally.rejections == (Rejection(2, RejectionReason.TOO_LONG),)
    assert (progress.next_byte, progress.next_line) == (128 + 2 * len(end) + (64 << 20), 4)
    assert peak < 2 << 20


@pytest.mark.processes
def test_rejections_that_are_only_counted_take_no_memory() -> None:
    rows = b"n@\n" * (1 << 16)
    tracemalloc.start()
    try:
        *_, block = clean(pieces(rows, 1 << 18), IdentifierType.EMAIL_SHA256)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert block.progress.tally.rejected == 1 << 16
    assert len(block.progress.tally.rejections) == 100
    assert peak < 2 << 20
