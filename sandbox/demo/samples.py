"""The demo's sample files with synthetic hashes, and the expected final status of each."""

from __future__ import annotations

import gzip
import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

# The two lines of the sample file in AWS's original guidance for TikTok, which have the same phone number.
_FOODIES = ["3d562b4ba5680ddba530ca888ec699e921b74fcbf5b89e34868d2c9afcd82fb9"] * 2
_JOB = "9f2c1f5e-6a0d-4a5e-8f3b-7d4c2b1a0e9d"
_ACTIONS = {"append", "remove", "replace"}


@dataclass(frozen=True)
class Sample:
    """A file to upload, and its expected result.

    Attributes:
        status: the expected final status; None for files that are not data and get no report.
        code: the expected final code.
        rows: the expected numbers of accepted and rejected rows; None to accept any numbers.
        people: the identifiers or rows that TikTok applies, in the emulator's format.
        after: the key of another sample, and the status or code that it must reach before this file is uploaded.
        passes_through: a code that the report must have before the final one.
        deleted: whether the file is deleted right after the upload.
        matches: whether TikTok matches the people.
    """

    key: str
    content: bytes
    status: str | None = "available"
    code: str = "available"
    rows: tuple[int, int] | None = None
    people: frozenset[str] = frozenset()
    after: tuple[str, str] | None = None
    passes_through: str | None = None
    deleted: bool = False
    matches: bool = True

    @property
    def audience(self) -> tuple[str, str]:
        """The name and the identifier type in the key."""
        _, name, identifier_type, *_ = self.key.split("/")
        return name, identifier_type.lower()

    @property
    def action(self) -> str:
        """The action in the key."""
        folder = self.key.split("/")[3].lower()
        return folder if folder in _ACTIONS else "append"


def samples(advertiser: str, max_rejected_ratio: float = 0.1) -> list[Sample]:
    """Return the sample files in upload order. The ratio decides if the file with mistakes is rejected."""
    return [
        *_newsletter(advertiser),
        *_lists(advertiser),
        *_several_types(advertiser),
        _with_mistakes(_people(advertiser, "member", 0, 2000), max_rejected_ratio),
        *_rejected_and_failed(advertiser),
    ]


def other_samples(advertiser: str) -> list[Sample]:
    """Return the file of the second advertiser. One of the first advertiser's audiences has the same name."""
    return [_clean("tiktok/newsletter/email_sha256/newsletter.csv", _people(advertiser, "reader", 0, 1500))]


def expected_audiences(plan: Iterable[Sample]) -> dict[tuple[str, str], set[str]]:
    """Return the expected people in each audience: (name, identifier type) -> identifiers or rows."""
    expected: dict[tuple[str, str], set[str]] = {}
    lists: dict[tuple[str, str], str] = {}  # the folder of the last list of each audience
    for sample in plan:
        if sample.people:
            members = expected.setdefault(sample.audience, set())
            folder = sample.key.rsplit("/", 1)[0]
            if sample.action == "replace" and lists.get(sample.audience) != folder:
                lists[sample.audience] = folder
                members.clear()
            if sample.action == "remove":
                members -= sample.people
            else:
                members |= sample.people
    return expected


def _newsletter(advertiser: str) -> list[Sample]:
    """Return appends and removes for one audience. Some wait, because TikTok processes one change at a time."""
    folder = "tiktok/newsletter/email_sha256"
    first = (f"{folder}/newsletter.csv", "submitted")
    others = _people(advertiser, "somebody else", 0, 1500)
    return [
        _clean(first[0], _people(advertiser, "reader", 0, 3000)),
        _clean(f"{folder}/append/since-then.csv", _people(advertiser, "reader", 2500, 4000), after=first),
        _clean(f"{folder}/remove/unsubscribed.csv", _people(advertiser, "reader", 0, 400), after=first),
        Sample(f"{folder}/remove/unsubscribed-today.csv", b"email_sha256\n", "skipped", "empty_file"),
        Sample(f"{folder}/wrong-list.csv", _lines(others), "skipped", "withdrawn", deleted=True),
    ]


def _lists(advertiser: str) -> list[Sample]:
    """Return two lists of one audience: the output of a Spark job, then a file with less than half the people."""
    folder = "tiktok/customers/email_sha256/replace"
    parts = [f"{folder}/2026-01-31/part-{number:05}-{_JOB}-c000.csv" for number in range(4)]
    customers = _people(advertiser, "customer", 0, 3600)
    shrunk = f"{folder}/2026-02-01/customers.csv"
    return [
        *(_clean(key, customers[number * 1200 :][:1200]) for number, key in enumerate(parts[:3])),
        Sample(parts[3], b"", "skipped", "empty_file"),  # an empty partition
        Sample(f"{folder}/2026-01-31/_SUCCESS", b"", None),
        _clean(shrunk, customers[:1400], after=(parts[0], "available"), passes_through="shrinks_too_much"),
        Sample(f"{folder}/2026-02-01/_CONFIRMED", b"", None, after=(shrunk, "shrinks_too_much")),
    ]


def _several_types(advertiser: str) -> list[Sample]:
    players = _people(advertiser, "device", 0, 2000)
    return [
        _clean("tiktok/sms club/PHONE_SHA256/sms-club.csv", _people(advertiser, "phone", 0, 2500)),
        replace(
            _clean("tiktok/players/first_sha256/players.csv.gz", players),
            content=gzip.compress(_lines(players), mtime=0),
        ),
        _columns(advertiser),
    ]


def _columns(advertiser: str) -> Sample:
    """Return a file with three identifiers per person, in which every third person has no phone number."""
    names = ("email_sha256", "phone_sha256", "maid_sha256")
    emails, phones, devices = (_people(advertiser, name, 0, 1800) for name in names)
    phones = [phone if number % 3 else "" for number, phone in enumerate(phones)]
    table = [*zip(emails, phones, devices, strict=True)]
    rows = [[f"{name}={value}" for name, value in zip(names, row, strict=True) if value] for row in table]
    return Sample(
        "tiktok/crm/multiple_types/crm-export.csv",
        _lines(["Email SHA256;Phone SHA256;MAID SHA256", *map(";".join, table)]),
        rows=(len(table), 0),
        people=frozenset(",".join(sorted(row)) for row in rows),
    )


def _rejected_and_failed(advertiser: str) -> list[Sample]:
    """Return files that are rejected or fail."""
    addresses = _lines(f"person{number}@example.com" for number in range(1000))
    prospects = _lines(_people(advertiser, "prospect", 0, 1000))
    foodies = "tiktok/foodies-custom-audience/phone_sha256/test_foodies_phone_sha256_audience.csv"
    upper_case = _people(advertiser, "SHOUTED ADDRESS", 0, 2000)
    too_small = {"status": "failed", "code": "audience_too_small"}
    return [
        Sample("tiktok/prospects/email_sha256/plain-addresses.csv", addresses, "rejected", "no_valid_row", (0, 1000)),
        Sample("tiktok/prospects/emails/wrong-folder.csv", prospects, "rejected", "unknown_identifier_type"),
        _clean(foodies, _FOODIES, **too_small),
        _clean("tiktok/shop/email_sha256/hashed-in-upper-case.csv", upper_case, **too_small, matches=False),
    ]


def _people(advertiser: str, kind: str, first: int, end: int) -> list[str]:
    return [hashlib.sha256(f"{advertiser} {kind} {number}".encode()).hexdigest() for number in range(first, end)]


def _lines(identifiers: Iterable[str], end: str = "\n") -> bytes:
    return "".join(f"{identifier}{end}" for identifier in identifiers).encode()


def _clean(key: str, people: Sequence[str], **expected: Any) -> Sample:
    """Return a file in which every row is valid."""
    return Sample(key, _lines(people), rows=(len(people), 0), people=frozenset(people), **expected)


def _with_mistakes(people: Sequence[str], max_rejected_ratio: float) -> Sample:
    """Return a file like a manual export: a header row, CRLF, upper case, quotes, and a few invalid rows."""
    faulty = ["jane.doe@example.com", "+49 170 1234567", people[0][:40], people[0][:-1] + "x", f"{people[0]},Jane"]
    good = [f'"{people[0].upper()}"', *people[1:]]
    key = "tiktok/loyalty/email_sha256/loyalty-with-mistakes.csv"
    content = _lines(["email_sha256", *good[:1000], *faulty, "", *good[1000:]], "\r\n")
    rows = (len(people), len(faulty))
    if len(faulty) > max_rejected_ratio * sum(rows):
        return Sample(key, content, "rejected", "too_many_rejected", rows)
    return Sample(key, content, rows=rows, people=frozenset(people))
