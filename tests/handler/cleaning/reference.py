"""A reference implementation of cleaning: it reads an entire file line by line, without regard to speed or memory."""

from __future__ import annotations

import hashlib
import re
from bisect import bisect_right
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import accumulate

from handler.cleaning.counts import Progress
from handler.cleaning.parts import Part
from handler.cleaning.rows import Block
from handler.model import IdentifierType

LINE = re.compile(rb"[^\r\n]*(?:\r\n|\r|\n)|[^\r\n]+")
BYTE_ORDER_MARK = b"\xef\xbb\xbf"
SPACES = b" \t\x0b\x0c"
DELIMITERS = [b",", b";", b"\t", b"|", b"\x01"]
INVISIBLE = ["\u200b", "\u200c", "\u200d", "\u200e", "\u200f", "\u202a", "\u202e", "\u2060", "\ufeff", "\u00ad"]
WIDE_SPACES = ["\u00a0", "\u2000", "\u200a", "\u202f", "\u205f", "\u3000"]
NULLS = [b"\\n", b"null", b"none", b"nan", b"n/a", b"na", b"nil", b"undefined", b"nat", b"(null)", b"<na>"]
EMPTY_VALUES = [
    *("", " ", "\n", "\\N", "NULL", "null", "Null", "None", "none", "NONE", "nan", "NaN", "NAN", "N/A", "n/a", "<NA>"),
    *("email", "Email", "EMAIL", "phone", "email_sha256", "_col0", "f0_", "?column?", "(No column name)"),
    *("0" * 32, "00000000-0000-0000-0000-000000000000", "0", "-", "\r", "\r\n", "\u00a0", "unknown", "UNKNOWN"),
    *("(blank)", "+", "+nan", "+NaN", "+None", "+null", "+NULL", "E-Mail", "Email Address", "Phone Number", "_c0"),
]
EMPTY_VALUE_HASHES = {
    digits: [*(hashlib.new(name, value.encode()).hexdigest().encode() for value in EMPTY_VALUES), b"0" * digits]
    for digits, name in ((64, "sha256"), (32, "md5"))
}
NOT_TEXT_SIGNATURES = (
    *(b"\xff\xfe", b"\xfe\xff", b"%PDF", b"\x89PNG", b"PAR1", b"ORC", b"Obj\x01", b"PK\x03\x04", b"PK\x05\x06"),
    *(b"\xd0\xcf\x11\xe0", b"\x28\xb5\x2f\xfd", b"7z\xbc\xaf\x27\x1c", b"Rar!\x1a\x07", b"\xfd7zXZ\0", b"\xff\xd8\xff"),
)
COMPRESSED = (b"\x1f\x8b", b"BZh91AY&SY")


@dataclass(frozen=True)
class Line:
    """The expected result for one line. It has a row or a reason, or neither if the line is not a row.

    Attributes:
        end: the position of its end in the file.
        row: its clean row.
        reason: the reason why its row is rejected.
        digits: the number of its digits if that is the reason.
        null: true for a NULL marker.
    """

    end: int
    row: bytes | None = None
    reason: str | None = None
    digits: int | None = None
    null: bool = False


def is_not_text(file: bytes) -> bool:
    """Return True if the file is rejected because of its first bytes."""
    text = file.removeprefix(BYTE_ORDER_MARK).lstrip()
    control = [byte for byte in file[: 1 << 16] if byte < 32 and byte not in b"\0\t\n\x0b\x0c\r\x1a"]
    binary = len(set(control)) >= 8 and len(control) >= len(file[: 1 << 16]) / 50
    return file.startswith(NOT_TEXT_SIGNATURES + COMPRESSED) or b"\0" in file[:8] or text[:1] == b"{" or binary


def read_lines(file: bytes, identifier_type: IdentifierType) -> list[Line]:
    """Return the result for every line of a file."""
    digits = 64 if identifier_type.name.endswith("SHA256") else 32
    found: list[Line] = []
    header_possible = True
    columns_named = False  # the header names more than one column
    header = underline = b""
    end = 0
    lines = LINE.findall(file)
    for number, with_end in enumerate(lines, 1):
        line = with_end.rstrip(b"\r\n")
        end += len(with_end)
        if len(line) > 512:
            line = line.rstrip(SPACES)
        text = unwrap(line, keep_delimiters=columns_named)
        if len(line) > 512 and header_possible and is_header(text) and has_delimiter(text):
            columns_named = True
            found.append(Line(end))
        elif len(line) > 512:
            columns = has_delimiter(line[:512].strip(SPACES))
            found.append(Line(end, reason="more_than_one_column" if columns else "too_long"))
        elif not text:
            found.append(Line(end))
            continue
        elif len(text) != digits and text.lower() in NULLS:
            found.append(Line(end, null=True))
            continue
        elif header_possible and re.fullmatch(rb"sep=[,;\t|]?", text.lower()):
            found.append(Line(end))
            continue
        elif header_possible and is_header(text):
            columns_named = has_delimiter(text)
            header = unwrap(line, keep_delimiters=columns_named) if end < 65536 else b""
            underline = underline_after(lines[number : number + 1], keep_delimiters=columns_named) if header else b""
            found.append(Line(end))
        elif re.fullmatch(rb"\([0-9]+ rows?( affected)?\)", text) or text in {
            underline,
            header if row_seen(found) else b"",
        }:
            found.append(Line(end))
        else:
            last = number == len(lines) and with_end == line
            found.append(classify(line, text, digits, end, last=last and row_seen(found)))
        header_possible = False
    return found


def row_seen(found: list[Line]) -> bool:
    """Return True if one of the lines is a complete row."""
    return any(each.row or each.reason == "hash_of_nothing" for each in found)


def underline_after(following: list[bytes], *, keep_delimiters: bool) -> bytes:
    """Return the line of dashes below a header; empty if there is none."""
    text = unwrap(following[0].rstrip(b"\r\n"), keep_delimiters=keep_delimiters) if following else b""
    dashes = len(text) > 1 and text[:2] == b"--" and text[-1:] == b"-"
    return text if dashes and set(text) <= set(b"-+ |,;\t") else b""


def unwrap(line: bytes, *, keep_delimiters: bool = False) -> bytes:
    """Remove everything that may surround an identifier."""
    line = plain(line)
    while True:
        before = line
        line = line.strip(SPACES)
        while not keep_delimiters and line[-1:] in {*DELIMITERS, b" ", b"\x0b", b"\x0c"}:
            line = line[:-1]
        for quote in (b'"', b"'"):
            if len(line) > 1 and line[:1] == line[-1:] == quote:
                line = line[1:-1]
                break
        if line == before:
            break
    for prefix in (b"0x", b"0X", b"\\x", b"\\X", b"\\\\x", b"\\\\X"):
        if line.startswith(prefix) and is_hex(line[len(prefix) : len(prefix) + 1] or b"-"):
            return line[len(prefix) :]
    return line


def plain(line: bytes) -> bytes:
    """Remove invisible characters and surrounding Ctrl-Z characters, and replace Unicode spaces with plain spaces."""
    for character in INVISIBLE:
        line = line.replace(character.encode(), b"")
    for character in WIDE_SPACES:
        line = line.replace(character.encode(), b" ")
    if any(byte > 127 for byte in line):
        line = line.strip(SPACES + b"\xa0")
    return line.strip(b"\x1a")


def is_header(text: bytes) -> bool:
    """Return True if a first line is a header: it does not resemble an identifier."""
    if text == b"0":
        return True
    if b"@" in text or is_hex(text) or any(is_hex(text[at : at + 16]) for at in range(len(text) - 15)):
        return False
    fields = re.split(rb"[,;\t|\x01]", text)
    return not any(is_phone(unwrap(field)) or is_device(unwrap(field)) for field in [text, *fields])


def classify(line: bytes, text: bytes, digits: int, end: int, *, last: bool) -> Line:
    """Return the result for a line that is neither empty nor a header."""
    row = text.lower()
    if len(row) == digits and is_hex(row):
        return Line(end, reason="hash_of_nothing") if row in EMPTY_VALUE_HASHES[digits] else Line(end, row=row)
    if last and is_beginning(line, digits):
        return Line(end, reason="cut_off")
    if is_phone(text) or is_device(text):
        return Line(end, reason="not_hashed")
    if is_hex(text):
        return Line(end, reason="wrong_length", digits=len(text))
    if has_delimiter(text):
        return Line(end, reason="more_than_one_column")
    return Line(end, reason="not_hashed" if b"@" in text else "not_hex")


def is_beginning(line: bytes, digits: int) -> bool:
    """Return True if the line can be the beginning of a row."""
    line = plain(line).strip(SPACES)
    quoted = line[:1] in {b'"', b"'"}
    text = line[1:].lower() if quoted else line.lower()
    for prefix in (b"\\\\x", b"\\\\", b"\\x", b"\\", b"0x", b""):
        rest = text.removeprefix(prefix)
        if text.startswith(prefix) and is_hex(rest):
            return len(rest) < digits or (quoted and len(rest) == digits)
    return False


def has_delimiter(text: bytes) -> bool:
    """Return True if the text has a delimiter."""
    return any(delimiter in text for delimiter in DELIMITERS)


def is_hex(text: bytes) -> bool:
    """Return True if the text has only hexadecimal digits."""
    return set(text.lower()) <= set(b"0123456789abcdef")


def is_phone(text: bytes) -> bool:
    """Return True if the text looks like a phone number."""
    number = text.removeprefix(b"+").removeprefix(b"(")
    return 6 <= len(number) <= 25 and number[:1].isdigit() and set(number) <= set(b"0123456789 ()./-")


def is_device(text: bytes) -> bool:
    """Return True if the text is a device id with hyphens."""
    groups = text.split(b"-")
    return [len(group) for group in groups] == [8, 4, 4, 4, 12] and all(is_hex(group) for group in groups)


class DisagreementError(AssertionError):
    """The connector's code and the reference disagree."""


def require(agree: bool, what: str) -> None:
    """Raise a `DisagreementError` unless `agree` is true. A plain assertion would print pages of identifiers."""
    if not agree:
        raise DisagreementError(what)


class Reading:
    """The expected result of cleaning a file, with which blocks and parts are compared."""

    def __init__(self, file: bytes, identifier_type: IdentifierType) -> None:
        self.lines = read_lines(file, identifier_type)
        self.ends = [line.end for line in self.lines]
        self.faults = [(n, line.reason, line.digits) for n, line in enumerate(self.lines, 1) if line.reason]
        self.accepted = list(accumulate((line.row is not None for line in self.lines), initial=0))
        self.nulls = list(accumulate((line.null for line in self.lines), initial=0))

    def rows(self, first: int, end: int) -> bytes:
        """Return the clean rows of a range of lines."""
        return b"".join(line.row + b"\n" for line in self.lines[first:end] if line.row is not None)

    def check_progress(self, progress: Progress) -> int:
        """Check a position and the counts up to it. Return the number of lines before it."""
        done = bisect_right(self.ends, progress.next_byte)
        require(progress.next_byte == (self.ends[done - 1] if done else 0), f"no line ends at {progress.next_byte}")
        require(progress.next_line == done + 1, f"line {progress.next_line} instead of {done + 1}")
        faults = self.faults[: bisect_right(self.faults, done, key=lambda fault: fault[0])]
        counts = (self.accepted[done] + len(faults), self.accepted[done], len(faults), self.nulls[done])
        tally = progress.tally
        require(
            (tally.total, tally.accepted, tally.rejected, tally.null_markers) == counts,
            f"counts other than {counts} up to line {done}",
        )
        rejections = [(each.line, each.reason.value, each.digits) for each in tally.rejections]
        require(rejections == faults[:100], f"{rejections[-3:]} instead of {faults[:100][-3:]}")
        by_reason = Counter(reason for _, reason, _ in faults)
        require(Counter(tally.rejected_by_reason) == by_reason, f"{tally.rejected_by_reason} instead of {by_reason}")
        require(tally.cut_off == ("cut_off" in by_reason), "different results for a row cut off at the end")
        return done

    def check_blocks(self, blocks: Iterable[Block]) -> None:
        """Check the clean blocks of an entire file."""
        done = 0
        for block in blocks:
            first, done = done, self.check_progress(block.progress)
            require(block.accepted == self.accepted[done] - self.accepted[first], f"{block.accepted} rows in a block")
            require(block.rows == self.rows(first, done), f"different rows in lines {first + 1} to {done}")
        require(done == len(self.lines), f"{done} of {len(self.lines)} lines were read")

    def check_parts(self, parts: Iterable[Part], largest: int, smallest: int, start: Progress | None = None) -> None:
        """Check the parts from `start` to the end of the file. Only the last part can be smaller than `smallest`."""
        done = self.check_progress(start or Progress())
        chained = start.tally.md5 if start else ""
        last = False
        for part in parts:
            require(not last, "a part follows the last part")
            first, done, last = done, self.check_progress(part.progress), part.last
            content = b"".join(part.chunks)
            require(content == self.rows(first, done), f"different rows in lines {first + 1} to {done}")
            require(part.rows == self.accepted[done] - self.accepted[first], f"{part.rows} rows in a part")
            require(part.bytes == len(content), f"{part.bytes} bytes instead of {len(content)}")
            md5 = hashlib.md5(content).hexdigest()  # noqa: S324 - required by TikTok
            require(part.md5 == md5, "a different MD5")
            if content:
                chained = hashlib.md5((chained + md5).encode()).hexdigest()  # noqa: S324 - not used for security
            require(part.progress.tally.md5 == chained, "a different MD5 of all rows")
            require(len(content) <= largest, f"{len(content)} bytes are more than {largest}")
            require(last or len(content) >= smallest, f"{len(content)} bytes are less than {smallest}")
        require(last and done == len(self.lines), f"{done} of {len(self.lines)} lines were read")
