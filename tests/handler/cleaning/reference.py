"""What cleaning has to do, in the plainest way: a whole file at once, line by line, no care for speed or memory."""

from __future__ import annotations

import hashlib
import re
from bisect import bisect_right
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import accumulate

from handler.cleaning.counts import Progress
from handler.cleaning.parts import Part
from handler.cleaning.rows import Block
from handler.model import IdentifierType

LINE = re.compile(rb"[^\r\n]*(?:\r\n|\r|\n)|[^\r\n]+")
BYTE_ORDER_MARK = b"\xef\xbb\xbf"
BLANKS = b" \t\x0b\x0c"
NAME_PARTS = (
    b"mail phone telefon mobile handy correo idfa gaid aaid adid hash ident device advertis column value".split()
)
NAME_WORDS = {*b"sha maid hem tel cell id ids uid first user userid customer customerid".split()}
NO_NAME_PARTS = (b"(at)", b" at ")
NO_NAME_ENDS = (b".com", b".net", b".org")
NO_TEXT = (
    b"\xff\xfe",
    b"\xfe\xff",
    b"%PDF",
    b"\x89PNG",
    b"PAR1",
    b"PK\x03\x04",
    b"PK\x05\x06",
    b"\xd0\xcf\x11\xe0",
    b"\x1f\x8b",
)


@dataclass(frozen=True)
class Line:
    """One line: where it ends in the file, and its row or the reason why it has none; neither if it is no row."""

    end: int
    row: bytes | None = None
    reason: str | None = None
    digits: int | None = None


def is_no_text(file: bytes) -> bool:
    """Whether the whole file is refused for the way it begins."""
    return file.startswith(NO_TEXT) or b"\0" in file[:8]


def read_lines(file: bytes, identifier_type: IdentifierType) -> list[Line]:
    """Judge every line of a file."""
    found: list[Line] = []
    end = 0
    header_possible = True
    for with_end in LINE.findall(file):
        line = with_end.rstrip(b"\r\n")
        if end == 0:
            line = line.removeprefix(BYTE_ORDER_MARK)
        end += len(with_end)
        bare = unwrap(line)
        if len(line) > 512:
            found.append(Line(end, reason="too_long"))
        elif not bare:
            found.append(Line(end))
            continue
        elif header_possible and is_name(bare):
            found.append(Line(end))
        else:
            found.append(judge(bare, identifier_type, end))
        header_possible = False
    return found


def unwrap(line: bytes) -> bytes:
    line = line.strip(BLANKS)
    return line[1:-1].strip(BLANKS) if len(line) > 1 and line[:1] == line[-1:] == b'"' else line


def is_name(text: bytes) -> bool:
    text = text.lower()
    letters = {*b"abcdefghijklmnopqrstuvwxyz", *range(0x80, 0x100)}
    if not (
        len(text) <= 64
        and set(text) <= letters | set(b"0123456789 _.:()/'$#[]-")
        and set(text[:1]) <= letters | set(b"_$#'[")
    ):
        return False
    number = any(text[at : at + 5].isdigit() for at in range(len(text) - 4))
    if number or any(part in text for part in NO_NAME_PARTS) or text.endswith(NO_NAME_ENDS):
        return False
    words = re.findall(rb"[a-z]+", text)
    digit = b"md5" in re.findall(rb"(?<![a-z])md5(?![a-z])", text)
    return digit or any(part in text.replace(b"mailto", b"") for part in NAME_PARTS) or not NAME_WORDS.isdisjoint(words)


def judge(text: bytes, identifier_type: IdentifierType, end: int) -> Line:
    text = text.lower()
    digits = 64 if identifier_type.name.endswith("SHA256") else 32
    if len(text) == digits and is_hex(text):
        return Line(end, row=text)
    if is_phone(text) or is_device(text):
        return Line(end, reason="not_hashed")
    if is_hex(text):
        return Line(end, reason="wrong_length", digits=len(text))
    if any(separator in text for separator in (b",", b";", b"\t", b"|")):
        return Line(end, reason="more_than_one_column")
    return Line(end, reason="not_hashed" if b"@" in text else "not_hex")


def is_hex(text: bytes) -> bool:
    return set(text) <= set(b"0123456789abcdef")


def is_phone(text: bytes) -> bool:
    number = text.removeprefix(b"+").removeprefix(b"(")
    return 6 <= len(number) <= 25 and number[:1].isdigit() and set(number) <= set(b"0123456789 ()./-")


def is_device(text: bytes) -> bool:
    groups = text.split(b"-")
    return [len(group) for group in groups] == [8, 4, 4, 4, 12] and all(is_hex(group) for group in groups)


class DisagreementError(AssertionError):
    """The shipped code and this one do not say the same."""


def must(agree: bool, what: str) -> None:
    """Raise unless they agree: a plain assertion would print identifiers by the page."""
    if not agree:
        raise DisagreementError(what)


class Reading:
    """A file as it should be read, to hold blocks and parts of the shipped code against."""

    def __init__(self, file: bytes, identifier_type: IdentifierType) -> None:
        self.lines = read_lines(file, identifier_type)
        self.ends = [line.end for line in self.lines]
        self.faults = [(n, line.reason, line.digits) for n, line in enumerate(self.lines, 1) if line.reason]
        self.accepted = list(accumulate((line.row is not None for line in self.lines), initial=0))

    def rows(self, first: int, end: int) -> bytes:
        """The clean rows of some lines."""
        return b"".join(line.row + b"\n" for line in self.lines[first:end] if line.row is not None)

    def check_progress(self, progress: Progress) -> int:
        """Check where reading goes on and what was counted until there; return how many lines that is."""
        done = bisect_right(self.ends, progress.next_byte)
        must(progress.next_byte == (self.ends[done - 1] if done else 0), f"no line ends at {progress.next_byte}")
        must(progress.next_line == done + 1, f"line {progress.next_line} instead of {done + 1}")
        faults = self.faults[: bisect_right(self.faults, done, key=lambda fault: fault[0])]
        counts = (self.accepted[done] + len(faults), self.accepted[done], len(faults))
        tally = progress.tally
        must((tally.total, tally.accepted, tally.rejected) == counts, f"rows other than {counts} before line {done}")
        rejections = [(each.line, each.reason.value, each.digits) for each in tally.rejections]
        must(rejections == faults[:100], f"{rejections[-3:]} instead of {faults[:100][-3:]}")
        return done

    def check_blocks(self, blocks: Iterable[Block]) -> None:
        """Check clean blocks from the beginning of the file to its end."""
        done = 0
        for block in blocks:
            first, done = done, self.check_progress(block.progress)
            must(block.count == self.accepted[done] - self.accepted[first], f"{block.count} rows in a block")
            must(block.rows == self.rows(first, done), f"other rows in lines {first + 1} to {done}")
        must(done == len(self.lines), f"{done} of {len(self.lines)} lines were read")

    def check_parts(self, parts: Iterable[Part], largest: int, smallest: int, start: Progress | None = None) -> None:
        """Check parts from `start` to the end of the file: no larger than allowed, none but the last smaller."""
        done = self.check_progress(start or Progress())
        last = False
        for part in parts:
            must(not last, "a part after the last")
            first, done, last = done, self.check_progress(part.progress), part.last
            content = b"".join(part.chunks)
            must(content == self.rows(first, done), f"other rows in lines {first + 1} to {done}")
            must(part.rows == self.accepted[done] - self.accepted[first], f"{part.rows} rows in a part")
            must(part.bytes == len(content), f"{part.bytes} bytes instead of {len(content)}")
            must(part.md5 == hashlib.md5(content).hexdigest(), "another MD5")  # noqa: S324 - what TikTok asks for
            must(len(content) <= largest, f"{len(content)} bytes are more than {largest}")
            must(last or len(content) >= smallest, f"{len(content)} bytes are less than {smallest}")
        must(last and done == len(self.lines), f"{done} of {len(self.lines)} lines were read")
