"""The sandbox's sample files, made of synthetic hashes, and how each ends."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain

# The two-line file that the first guidance for TikTok on AWS came with: the same phone number twice.
_FOODIES = b"3d562b4ba5680ddba530ca888ec699e921b74fcbf5b89e34868d2c9afcd82fb9\n" * 2


@dataclass(frozen=True)
class Sample:
    """A file to upload and how it ends.

    Attributes:
        people: the identifiers in it that are to be in its audience at the end.
        waits_for: the key of a file that TikTok has to be processing when this one is uploaded; it is then `waiting`.
    """

    key: str
    content: bytes
    status: str
    code: str
    people: frozenset[str] = frozenset()
    accepted: int | None = None
    rejected: int | None = None
    waits_for: str | None = None

    @property
    def audience(self) -> tuple[str, str]:
        """Name and identifier type, as the key says."""
        _, name, identifier_type, *_ = self.key.split("/")
        return name, identifier_type.lower()


def samples(advertiser: str, max_rejected_ratio: float = 0.1) -> list[Sample]:
    """The sample files of one advertiser; no two advertisers have a person in common but one.

    Args:
        advertiser: its name.
        max_rejected_ratio: the share of bad rows above which it has a whole file refused.
    """
    newsletter = "tiktok/newsletter/email_sha256/newsletter.csv"
    return [
        Sample(
            "tiktok/foodies-custom-audience/phone_sha256/test_foodies_phone_sha256_audience.csv",
            _FOODIES,
            "failed",
            "audience_too_small",
            people=frozenset(_FOODIES.decode().split()),
            accepted=2,
            rejected=0,
        ),
        _good(newsletter, _people(advertiser, "reader", 0, 3000)),
        _good("tiktok/sms club/PHONE_SHA256/sms-club.csv", _people(advertiser, "phone", 0, 2500)),
        _good("tiktok/ios players/idfa_sha256/ios.txt", _people(advertiser, "idfa", 0, 2000)),
        _good("tiktok/android players/gaid_sha256/android.txt", _people(advertiser, "gaid", 0, 2000)),
        _good("tiktok/all players/first_sha256/players.csv", _people(advertiser, "device", 0, 4000)),
        _good(
            "tiktok/newsletter/email_sha256/newsletter-since-then.csv",
            _people(advertiser, "reader", 2500, 4000),
            waits_for=newsletter,
        ),
        _with_mistakes(
            "tiktok/loyalty/email_sha256/loyalty-with-mistakes.csv",
            _people(advertiser, "member", 0, 2000),
            max_rejected_ratio,
        ),
        Sample(
            "tiktok/prospects/email_sha256/plain-addresses.csv",
            "".join(f"person{number}@example.com\n" for number in range(1000)).encode(),
            "rejected",
            "no_valid_row",
            accepted=0,
            rejected=1000,
        ),
        Sample(
            "tiktok/prospects/emails/wrong-folder.csv",
            _lines(_people(advertiser, "prospect", 0, 1000)),
            "rejected",
            "unknown_identifier_type",
        ),
    ]


def _people(advertiser: str, kind: str, first: int, end: int) -> list[str]:
    return [hashlib.sha256(f"{advertiser} {kind} {number}".encode()).hexdigest() for number in range(first, end)]


def _lines(identifiers: Sequence[str], end: str = "\n") -> bytes:
    return "".join(chain.from_iterable((identifier, end) for identifier in identifiers)).encode()


def _good(key: str, people: Sequence[str], waits_for: str | None = None) -> Sample:
    return Sample(
        key,
        _lines(people),
        "available",
        "available",
        people=frozenset(people),
        accepted=len(people),
        rejected=0,
        waits_for=waits_for,
    )


def _with_mistakes(key: str, people: Sequence[str], max_rejected_ratio: float) -> Sample:
    """As a person exports it: a header, Windows line ends, upper case, quotes, and a few rows that are no hashes."""
    bad = ["jane.doe@example.com", "+49 170 1234567", people[0][:40], people[0][:-1] + "x", f"{people[0]},Jane"]
    good = [f'"{people[0].upper()}"', *people[1:]]
    rows = ["email_sha256", *good[:1000], *bad, "", *good[1000:]]
    content, refused = _lines(rows, "\r\n"), len(bad) > max_rejected_ratio * (len(people) + len(bad))
    return Sample(
        key,
        content,
        "rejected" if refused else "available",
        "too_many_rejected" if refused else "available",
        people=frozenset() if refused else frozenset(people),
        accepted=len(people),
        rejected=len(bad),
    )
