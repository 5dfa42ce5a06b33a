"""The choice of the columns to hash, guessed from the names in the header and from the first rows."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from dataclasses import dataclass

from console.errors import ConsoleError, Exit
from console.hashing.layout import FileLayout
from console.hashing.values import DEVICE_ID, Kind, bare, email_in, hash_in, is_nothing, phone_in

MIN_SHARE = 0.5  # of a column's filled cells that look like the kind
MAX_COLUMNS_PER_KIND = 3  # TikTok's limit on equal headers in a file of several identifiers
WEAK = 1  # the score of a column of hashes whose name does not say of what, and of one with a name and no cells
MIN_PHONE_DIGITS, MAX_PHONE_DIGITS = 7, 15  # E.164 allows 15
_NAMES = {
    Kind.EMAIL: re.compile(r"e-?mail|correo|courriel|(?<![a-z])(?:mail|hem)(?![a-z])", re.IGNORECASE),
    Kind.PHONE: re.compile(
        r"phone|mobil|handy|telefon|telemovel|celular|cellular|rufnummer|komork|msisdn|whatsapp|телефон|電話|携帯"
        r"|手机|手機|휴대폰|전화|(?<![a-z])(?:tel|cell|gsm|movil|portable|sms)(?![a-z])",
        re.IGNORECASE,
    ),
    Kind.DEVICE_ID: re.compile(
        r"(?<![a-z])(?:idfa|gaid|aaid|adid|maid|ifa)(?![a-z])|advertising.?id|device.?id|mobile.?ad", re.IGNORECASE
    ),
}
_INTERNATIONAL = re.compile(r"(?:\+ ?|00)[1-9]")
_DATE = re.compile(r"(?:[0-9]{4}([-./])[0-9]{1,2}\1|[0-9]{1,2}([-./])[0-9]{1,2}\2)[0-9]{1,4}")


@dataclass(frozen=True)
class InputColumn:
    """A column to hash: its number from 0, its kind of identifier, and its name for people."""

    index: int
    kind: Kind
    name: str


def candidates(layout: FileLayout, kind: Kind, digits: int = 64, *, weak: bool = True) -> list[InputColumn]:
    """Return the columns that look like a kind, the surest ones only.

    A column whose header names the kind and whose cells look like it is surer than one with either alone. Phone
    numbers look like any other number, so without a header's word only international ones count.

    Args:
        layout: the file.
        kind: of identifier.
        digits: of a hash, for columns that are hashed already.
        weak: where there is nothing better, hashes of nobody knows what count, and an empty column of the right name.
    """
    scores: dict[int, int] = {}
    for index in range(layout.width):
        cells = _filled(layout, index)
        named = layout_kind(layout, index)
        scores[index] = _score(cells, kind, digits, layout, named=named) if cells else WEAK * (named is kind)
    best = max(scores.values(), default=0)
    if not best or (best == WEAK and not weak):
        return []
    return [InputColumn(index, kind, layout.name(index)) for index, score in scores.items() if score == best]


def _score(cells: list[str], kind: Kind, digits: int, layout: FileLayout, *, named: Kind | None) -> int:
    """Return the score, 0 to 4, of a column with these filled cells for a kind."""
    alone = layout.width == 1
    if _share(cells, kind, alone=alone or named is kind) >= MIN_SHARE:
        if named is kind:
            return 4
        if kind is not Kind.PHONE or alone or _is_international(cells):
            return 2
    if sum(len(hash_in(cell)) == digits for cell in cells) >= MIN_SHARE * len(cells):
        return 3 if named is kind else WEAK * (named is None)
    return 0


def layout_kind(layout: FileLayout, index: int) -> Kind | None:
    """Return the kind that the header gives a column; None if it says nothing."""
    return named_kind(layout.header[index]) if layout.header and index < len(layout.header) else None


def named_kind(name: str) -> Kind | None:
    """Return the kind of identifier that a column's name says."""
    # Accents may be missing, or characters of their own.
    name = "".join(each for each in unicodedata.normalize("NFKD", name) if not unicodedata.combining(each))
    name = unicodedata.normalize("NFC", name)
    # A device id's column may be called "mobile ad id": it is asked first.
    for kind in (Kind.DEVICE_ID, Kind.EMAIL, Kind.PHONE):
        if _NAMES[kind].search(name):
            return kind
    return None


def find_column(layout: FileLayout, wanted: str) -> int:
    """Return the index of the column that a user named, by its header or its number from 1.

    Raises:
        ConsoleError: there is none, or more than one.
    """
    names = [name.casefold() for name in layout.header or ()]
    matches = [index for index, name in enumerate(names) if name == wanted.strip().casefold()]
    if len(matches) == 1:
        return matches[0]
    if not matches and wanted.isascii() and wanted.isdigit() and 1 <= int(wanted) <= layout.width:
        return int(wanted) - 1
    what = "has more than one column" if matches else "has no column"
    raise ConsoleError(f"The file {what} {wanted!r}. Give one of these with --column: {choices(layout)}.", Exit.USAGE)


def kind_of_column(layout: FileLayout, index: int) -> Kind:
    """Return the kind of a column for a file of several identifiers.

    Raises:
        ConsoleError: neither its name nor its cells say it.
    """
    if kind := layout_kind(layout, index):
        return kind
    cells = _filled(layout, index)
    for kind in (Kind.EMAIL, Kind.DEVICE_ID, Kind.PHONE):
        if cells and _share(cells, kind, alone=True) >= MIN_SHARE:
            return kind
    raise ConsoleError(
        f"The {layout.name(index)!r} column has no known kind of identifier. "
        "Name it email, phone or device_id in the header, or leave it out.",
        Exit.USAGE,
    )


def choices(layout: FileLayout) -> str:
    """Return the columns of a file for a message: names from the header, or numbers where a name says nothing."""
    if layout.header:
        times = Counter(name.casefold() for name in layout.header if name)
        return ", ".join(
            name if times[name.casefold()] == 1 else str(number) for number, name in enumerate(layout.header, 1)
        )
    return f"1 to {layout.width}" if layout.width > 1 else "1"


def _filled(layout: FileLayout, index: int) -> list[str]:
    cells = (bare(record[index]) for record in layout.sample if index < len(record))
    return [cell for cell in cells if not is_nothing(cell)]


def _share(cells: list[str], kind: Kind, *, alone: bool) -> float:
    return sum(_looks_like(cell, kind, alone=alone) for cell in cells) / len(cells)


def _looks_like(cell: str, kind: Kind, *, alone: bool) -> bool:
    match kind:
        case Kind.EMAIL:
            return bool(email_in(cell))
        case Kind.DEVICE_ID:
            return bool(DEVICE_ID.fullmatch(cell.lower()))
        case Kind.PHONE:
            digits = sum(character.isdigit() for character in phone_in(cell))
            return (MIN_PHONE_DIGITS <= digits <= MAX_PHONE_DIGITS and not _DATE.fullmatch(cell)) or (
                alone and "E+" in cell.upper()
            )


def _is_international(cells: list[str]) -> bool:
    return sum(bool(_INTERNATIONAL.match(phone_in(cell))) for cell in cells) >= MIN_SHARE * len(cells)
