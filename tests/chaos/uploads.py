"""Uploads: files of every kind, with the people in them and the ends that their content alone can have."""

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
EMAIL = "jane.doe.{number}@example.com"  # what must never get out

End = tuple[str, str]
EMPTY: frozenset[End] = frozenset({("skipped", "empty_file")})


def line(identifier_type: str, person: int) -> str:
    """Return the line of a person in a file: one hash, or two columns."""
    if identifier_type == MULTIPLE:
        return f"{_hash('sha256', f'e{person}')},{_hash('sha256', f'p{person}')}"
    return _hash("md5" if identifier_type.endswith("md5") else "sha256", f"{identifier_type} {person}")


def row(identifier_type: str, person: int) -> str:
    """Return a person as the emulator tells an audience's members."""
    if identifier_type == MULTIPLE:
        email, phone = line(identifier_type, person).split(",")
        return f"email_sha256={email},phone_sha256={phone}"
    return line(identifier_type, person)


def _hash(algorithm: str, text: str) -> str:
    return hashlib.new(algorithm, text.encode(), usedforsecurity=False).hexdigest()


@dataclass
class MadeFile:
    """A file.

    Attributes:
        kind: names it in messages.
        body: its content.
        people: those whom a correct reader finds in it.
        accepted: valid rows.
        rejected: faulty rows; None if that is not predicted.
        ends: what its content alone makes of it; empty if it is good.
    """

    kind: str
    body: bytes
    people: frozenset[int] = frozenset()
    accepted: int | None = None
    rejected: int | None = None
    ends: frozenset[End] = frozenset()


@dataclass
class Planned:
    """One version of one object.

    Attributes:
        audience: name and identifier type, None if the key is wrong or not data.
        folder: the run, with a slash at its end; empty directly under the action.
        marker: a person who is in no other upload; None if there is none.
        copy_of: the version it is a copy of.
        deleted: time of the first delete marker after it.
        events: when its events were or will be delivered.
        wrong_key: the ends that a wrong key has; None if there is to be no report.
    """

    number: int
    advertiser: str
    audience: tuple[str, str] | None
    action: str
    folder: str
    name: str
    key: str
    file: MadeFile
    at: datetime
    version_id: str
    marker: int | None = None
    copy_of: Planned | None = None
    deleted: datetime | None = None
    wrong_key: frozenset[End] | None = None
    events: list[datetime] = field(default_factory=list)

    def __str__(self) -> str:
        return f"{self.advertiser} {self.key} of {self.at:%d %H:%M:%S} ({self.file.kind})"


def good(random: Random, identifier_type: str, people: Sequence[int]) -> MadeFile:
    """Return a file without any fault, in one of the forms that tools write."""
    people = random.sample(people, len(people))
    lines = [line(identifier_type, person) for person in people]
    header = "email_sha256,phone_sha256" if identifier_type == MULTIPLE else random.choice([None, "hash", "Kunden"])
    if random.random() < 0.3:
        lines = [each.upper() for each in lines]
    ending = random.choice(["\n", "\r\n"])
    text = ending.join([*([header] if header else []), *lines]) + ending * random.randint(0, 2)
    body = random.choice(["", "", "\ufeff"]).encode() + text.encode()
    packs: list[Callable[[bytes], bytes]] = [_plain, _plain, _gzip, _two_members, bz2.compress]
    return MadeFile("good", random.choice(packs)(body), frozenset(people), len(people), 0)


def dirty(random: Random, identifier_type: str, people: Sequence[int]) -> MadeFile:
    """Return a file with a few faulty rows, as many as are allowed at most."""
    lines = [line(identifier_type, person) for person in people]
    faults = len(lines) // 12
    width = "," if identifier_type == MULTIPLE else ""
    for number in range(faults):
        bad = random.choice([EMAIL.format(number=number), "zz" * 16, "deadbeef"])
        lines.insert(random.randint(1, len(lines)), f"{bad}{width}")
    header = ["email_sha256,phone_sha256"] if identifier_type == MULTIPLE else []
    # A row of several identifiers is rejected as a whole or loses the faulty one: either way nobody is in it.
    return MadeFile("dirty", "\n".join([*header, *lines, ""]).encode(), frozenset(people), len(people), faults)


def hostile(random: Random) -> MadeFile:
    """Return a file that must not reach TikTok."""
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
    return MadeFile(name, body, ends=frozenset(ends))


def empty(random: Random, identifier_type: str) -> MadeFile:
    """Return a file that is legitimately empty."""
    header = "email_sha256,phone_sha256\n" if identifier_type == MULTIPLE else "email_sha256\n"
    return MadeFile("empty", random.choice([b"", header.encode(), b"\n\n"]), ends=EMPTY)


def mostly_faulty(identifier_type: str, people: Iterable[int]) -> MadeFile:
    """Return a file with more faulty rows than are allowed, in a list with other files, too."""
    lines = [*(line(identifier_type, person) for person in people), *["zz" * 16] * 200]
    if identifier_type == MULTIPLE:
        lines = ["email_sha256,phone_sha256", *(each if "," in each else f"{each},{each}" for each in lines)]
    return MadeFile("mostly faulty", "\n".join(lines).encode(), ends=frozenset({("rejected", "too_many_rejected")}))


def _plain(body: bytes) -> bytes:
    return body


def _gzip(body: bytes) -> bytes:
    return gzip.compress(body, mtime=0)


def _two_members(body: bytes) -> bytes:
    return _gzip(body[:100]) + _gzip(body[100:])
