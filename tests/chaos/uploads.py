"""Uploads: generated files, with the people in them and the final statuses that follow from their content."""

from __future__ import annotations

import bz2
import gzip
import hashlib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from random import Random

TYPES = (
    "email_sha256", "phone_sha256", "idfa_sha256", "gaid_sha256", "first_sha256",
    "idfa_md5", "gaid_md5", "first_md5", "multiple_types",
)  # fmt: skip
MULTIPLE = "multiple_types"
EMAIL = "jane.doe.{number}@example.com"  # must never be in any output

End = tuple[str, str]
EMPTY: frozenset[End] = frozenset({("skipped", "empty_file")})


def line(identifier_type: str, person: int) -> str:
    """Return the line for a person in a file: one hash, or two columns."""
    if identifier_type == MULTIPLE:
        return f"{_hash('sha256', f'e{person}')},{_hash('sha256', f'p{person}')}"
    return _hash("md5" if identifier_type.endswith("md5") else "sha256", f"{identifier_type} {person}")


def row(identifier_type: str, person: int) -> str:
    """Return a person in the format in which the emulator returns the members of an audience."""
    if identifier_type == MULTIPLE:
        email, phone = line(identifier_type, person).split(",")
        return f"email_sha256={email},phone_sha256={phone}"
    return line(identifier_type, person)


def _hash(algorithm: str, text: str) -> str:
    return hashlib.new(algorithm, text.encode(), usedforsecurity=False).hexdigest()


@dataclass
class GeneratedFile:
    """A generated file and the outcomes that its content may lead to.

    Attributes:
        kind: the description of the file in messages.
        body: its content.
        people: the people in its valid rows.
        accepted: the number of valid rows; None if the check does not compare it.
        rejected: the number of faulty rows; None if the check does not compare it.
        ends: the statuses and codes that its content may lead to; empty for a valid file with rows.
    """

    kind: str
    body: bytes
    people: frozenset[int] = frozenset()
    accepted: int | None = None
    rejected: int | None = None
    ends: frozenset[End] = frozenset()


@dataclass
class PlannedUpload:
    """One version of one object.

    Attributes:
        audience: name and identifier type; None if the key is wrong, or if the file is not data and gets no report.
        folder: the run, with a slash at its end; empty directly under the action.
        marker: a person who is in no other upload except copies of this one; None if there is none.
        copy_of: the upload of which it is a copy; None if it is not a copy.
        deleted: the time of the first delete marker after it.
        wrong_key: the allowed final statuses of an upload with a wrong key; None for all other uploads.
        events: the times at which its events are delivered.
    """

    number: int
    advertiser: str
    audience: tuple[str, str] | None
    action: str
    folder: str
    name: str
    key: str
    file: GeneratedFile
    at: datetime
    version_id: str
    marker: int | None = None
    copy_of: PlannedUpload | None = None
    deleted: datetime | None = None
    wrong_key: frozenset[End] | None = None
    events: list[datetime] = field(default_factory=list)

    def __str__(self) -> str:
        return f"{self.advertiser} {self.key} of {self.at:%d %H:%M:%S} ({self.file.kind})"


def good(random: Random, identifier_type: str, people: Sequence[int]) -> GeneratedFile:
    """Return a file without faulty rows, in one of the formats that tools write."""
    people = random.sample(people, len(people))
    lines = [line(identifier_type, person) for person in people]
    header = "email_sha256,phone_sha256" if identifier_type == MULTIPLE else random.choice([None, "hash", "Kunden"])
    if random.random() < 0.3:
        lines = [each.upper() for each in lines]
    ending = random.choice(["\n", "\r\n"])
    text = ending.join([*([header] if header else []), *lines]) + ending * random.randint(0, 2)
    body = random.choice(["", "", "\ufeff"]).encode() + text.encode()
    packs: list[Callable[[bytes], bytes]] = [_plain, _plain, _gzip, _two_members, bz2.compress]
    return GeneratedFile("good", random.choice(packs)(body), frozenset(people), len(people), 0)


def dirty(random: Random, identifier_type: str, people: Sequence[int]) -> GeneratedFile:
    """Return a file with faulty rows, but not more than are allowed."""
    lines = [line(identifier_type, person) for person in people]
    faults = len(lines) // 12
    width = "," if identifier_type == MULTIPLE else ""
    for number in range(faults):
        bad = random.choice([EMAIL.format(number=number), "zz" * 16, "deadbeef"])
        lines.insert(random.randint(1, len(lines)), f"{bad}{width}")
    header = ["email_sha256,phone_sha256"] if identifier_type == MULTIPLE else []
    # A row with several identifiers is rejected or loses the faulty one. Either way, it identifies no one.
    return GeneratedFile("dirty", "\n".join([*header, *lines, ""]).encode(), frozenset(people), len(people), faults)


def hostile(random: Random) -> GeneratedFile:
    """Return a file that must not be sent to TikTok."""
    emails = "".join(EMAIL.format(number=number) + "\n" for number in range(40)).encode()
    noise = random.randbytes(900)
    rejected = [
        ("email addresses", emails, {"not_hashed", "no_valid_row", "wrong_columns"}),
        ("no identifiers", b"a sentence\n" * 40, {"no_valid_row", "not_hashed", "wrong_columns"}),
        ("zip", b"PK\x03\x04" + noise, {"zip_archive", "excel_workbook"}),
        ("Parquet", b"PAR1" + noise + b"PAR1", {"parquet"}),
        ("PDF", b"%PDF-1.7\n" + noise, {"not_text"}),
        ("UTF-16", emails.decode().encode("utf-16"), {"utf16"}),
        ("cut-off gzip", gzip.compress(noise.hex().encode())[:-200], {"broken_gzip"}),
        ("bomb", gzip.compress(b"\n" * 30_000_000), {"gzip_bomb", "empty_file", "no_valid_row"}),
    ]
    name, body, codes = random.choice(rejected)
    ends = {("rejected", code) for code in codes} | (EMPTY if "empty_file" in codes else set())
    return GeneratedFile(name, body, ends=frozenset(ends))


def empty(random: Random, identifier_type: str) -> GeneratedFile:
    """Return a valid file without rows."""
    header = "email_sha256,phone_sha256\n" if identifier_type == MULTIPLE else "email_sha256\n"
    return GeneratedFile("empty", random.choice([b"", header.encode(), b"\n\n"]), ends=EMPTY)


def mostly_faulty(identifier_type: str, people: Iterable[int]) -> GeneratedFile:
    """Return a file with more faulty rows than are allowed, even as one of several files of a list."""
    lines = [*(line(identifier_type, person) for person in people), *["zz" * 16] * 200]
    if identifier_type == MULTIPLE:
        lines = ["email_sha256,phone_sha256", *(each if "," in each else f"{each},{each}" for each in lines)]
    return GeneratedFile(
        "mostly faulty", "\n".join(lines).encode(), ends=frozenset({("rejected", "too_many_rejected")})
    )


def _plain(body: bytes) -> bytes:
    return body


def _gzip(body: bytes) -> bytes:
    return gzip.compress(body, mtime=0)


def _two_members(body: bytes) -> bytes:
    return _gzip(body[:100]) + _gzip(body[100:])
