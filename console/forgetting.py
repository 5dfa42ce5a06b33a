"""Removal of one person from every audience, with a small remove file for each audience."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from console.audiences import RegisteredAudience
from console.hashing.values import FaultError, Kind, Rules, ValueFault, normalize, stripped

# The column headers of a `multiple_types` file, and the kind of value in each column.
_COLUMNS = {
    "email_SHA256": Kind.EMAIL,
    "phone_SHA256": Kind.PHONE,
    "MAID_SHA256": Kind.DEVICE_ID,
    "MAID_MD5": Kind.DEVICE_ID,
}


@dataclass(frozen=True)
class Removal:
    """A remove file for one audience. Its key contains no information about the person."""

    audience: RegisteredAudience
    key: str
    content: bytes


def hash_all_forms(values: Mapping[Kind, str], country: str | None) -> dict[tuple[Kind, str], list[str]]:
    """Return the hashes of every form of a person's identifiers, by kind and algorithm.

    A phone number is hashed with and without its `+`. A device id is hashed in lower and in upper case, with
    SHA-256 and MD5.

    Args:
        values: the raw identifiers.
        country: the country of a phone number without a country code; None if the user gave none.

    Raises:
        FaultError: a value is not a valid identifier of its kind, or it identifies no one.
    """
    texts: dict[Kind, list[str]] = {}
    for kind, value in values.items():
        text = normalize(kind, stripped(value), Rules(country))
        if not text:
            raise FaultError(_FAULTS[kind])
        texts[kind] = {Kind.EMAIL: [text], Kind.PHONE: [text, text[1:]], Kind.DEVICE_ID: [text, text.upper()]}[kind]
    return {
        (kind, algorithm): [_hash(text, algorithm) for text in variants]
        for kind, variants in texts.items()
        for algorithm in (("sha256", "md5") if kind is Kind.DEVICE_ID else ("sha256",))
    }


def build_removals(
    hashes: Mapping[tuple[Kind, str], list[str]], audiences: list[RegisteredAudience], now: datetime
) -> tuple[list[Removal], list[RegisteredAudience]]:
    """Return the remove files, and the audiences without one because there is no hash of their identifier type."""
    reached, unreached = [], []
    for audience in audiences:
        if content := _content(hashes, audience.identifier_type):
            key = f"tiktok/{audience.name}/{audience.identifier_type}/remove/forget-{now:%Y-%m-%dT%H-%M-%SZ}.csv"
            reached.append(Removal(audience, key, content))
        else:
            unreached.append(audience)
    return reached, unreached


def _content(hashes: Mapping[tuple[Kind, str], list[str]], identifier_type: str) -> bytes:
    if identifier_type == "multiple_types":
        return _columns(hashes)
    family, _, algorithm = identifier_type.rpartition("_")
    kind = {"email": Kind.EMAIL, "phone": Kind.PHONE}.get(family, Kind.DEVICE_ID)
    return "".join(f"{each}\n" for each in hashes.get((kind, algorithm), ())).encode()


def _columns(hashes: Mapping[tuple[Kind, str], list[str]]) -> bytes:
    columns = {
        header: found
        for header, kind in _COLUMNS.items()
        if (found := hashes.get((kind, "md5" if header.endswith("MD5") else "sha256")))
    }
    if not columns:
        return b""
    # One row per hash, so that TikTok matches each form separately.
    rows = [
        ",".join(each if header == column else "" for header in columns)
        for column, found in columns.items()
        for each in found
    ]
    return "".join(f"{line}\n" for line in [",".join(columns), *rows]).encode()


def _hash(text: str, algorithm: str) -> str:
    return hashlib.new(algorithm, text.encode(), usedforsecurity=False).hexdigest()


_FAULTS = {
    Kind.EMAIL: ValueFault.NOT_AN_EMAIL,
    Kind.PHONE: ValueFault.NOT_A_PHONE_NUMBER,
    Kind.DEVICE_ID: ValueFault.NOT_A_DEVICE_ID,
}
