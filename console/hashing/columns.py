"""Detection of the columns to hash, from the names in the header and the first rows."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from dataclasses import dataclass

from console.errors import ConsoleError, Exit
from console.hashing.layout import FileLayout
from console.hashing.values import DEVICE_ID, Kind, extract_email, extract_hash, extract_phone, is_empty_value, stripped

MIN_SHARE = 0.5  # minimum share of a column's non-empty cells that look like the kind
MAX_COLUMNS_PER_KIND = 3  # TikTok's limit for columns with the same header in a `multiple_types` file
WEAK_SCORE = 1  # the score of hashes in a column with an unknown name, and of an empty column with a matching name
MIN_PHONE_DIGITS, MAX_PHONE_DIGITS = 7, 15  # E.164 allows up to 15 digits
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
    """A column to hash: its index, its kind of identifier, and its name for messages."""

    index: int
    kind: Kind
    name: str


def candidates(layout: FileLayout, kind: Kind, digits: int = 64, *, weak: bool = True) -> list[InputColumn]:
    """Return the columns that most likely hold a kind of identifier: those with the highest score.

    A column scores highest if both its name and its cells match the kind. Other numbers can look like phone numbers. So
    in a column without a matching name, only international phone numbers count, unless it is the file's only column.

    Args:
        layout: the layout of the file.
        kind: the kind of identifier.
        digits: the number of digits in a hash, to detect columns that already hold hashes.
        weak: True to accept a weak match if there is no better one: hashes in a column with an unknown name, or an
            empty column with a matching name.
    """
    scores: dict[int, int] = {}
    for index in range(layout.width):
        cells = _filled(layout, index)
        named = header_kind(layout, index)
        scores[index] = _score(cells, kind, digits, layout, named=named) if cells else WEAK_SCORE * (named is kind)
    best = max(scores.values(), default=0)
    if not best or (best == WEAK_SCORE and not weak):
        return []
    return [InputColumn(index, kind, layout.name(index)) for index, score in scores.items() if score == best]


def _score(cells: list[str], kind: Kind, digits: int, layout: FileLayout, *, named: Kind | None) -> int:
    """Return the score of a column with the given non-empty cells.

    4: the name and the cells match. 3: the name matches, and the cells are hashes. 2: the cells match.
    1: the cells are hashes, and the name indicates no kind. 0: the column does not match.
    """
    only_column = layout.width == 1
    if _share(cells, kind, allow_excel_notation=only_column or named is kind) >= MIN_SHARE:
        if named is kind:
            return 4
        if kind is not Kind.PHONE or only_column or _is_international(cells):
            return 2
    if sum(len(extract_hash(cell)) == digits for cell in cells) >= MIN_SHARE * len(cells):
        return 3 if named is kind else WEAK_SCORE * (named is None)
    return 0


def header_kind(layout: FileLayout, index: int) -> Kind | None:
    """Return the kind of identifier that the header gives for a column; None if it gives none."""
    return named_kind(layout.header[index]) if layout.header and index < len(layout.header) else None


def named_kind(name: str) -> Kind | None:
    """Return the kind of identifier that a column's name indicates; None if it indicates none."""
    # Remove accents, because a name may be written without them or with combining characters.
    name = "".join(each for each in unicodedata.normalize("NFKD", name) if not unicodedata.combining(each))
    name = unicodedata.normalize("NFC", name)
    # Check device ids first: "mobile ad id" would also match the pattern for phone numbers.
    for kind in (Kind.DEVICE_ID, Kind.EMAIL, Kind.PHONE):
        if _NAMES[kind].search(name):
            return kind
    return None


def find_column(layout: FileLayout, wanted: str) -> int:
    """Return the index (from 0) of the column that the user gave by name or by number (from 1).

    Raises:
        ConsoleError: no column matches, or more than one column has this name.
    """
    names = [name.casefold() for name in layout.header or ()]
    matches = [index for index, name in enumerate(names) if name == wanted.strip().casefold()]
    if len(matches) == 1:
        return matches[0]
    if not matches and wanted.isascii() and wanted.isdigit() and 1 <= int(wanted) <= layout.width:
        return int(wanted) - 1
    what = "has more than one column" if matches else "has no column"
    raise ConsoleError(
        f"The file {what} {wanted!r}. Give one of these with --column: {describe_columns(layout)}.", Exit.USAGE
    )


def kind_of_column(layout: FileLayout, index: int) -> Kind:
    """Return the kind of identifier in a column of a `multiple_types` file.

    Raises:
        ConsoleError: neither the name nor the cells indicate a kind.
    """
    if kind := header_kind(layout, index):
        return kind
    cells = _filled(layout, index)
    for kind in (Kind.EMAIL, Kind.DEVICE_ID, Kind.PHONE):
        if cells and _share(cells, kind, allow_excel_notation=True) >= MIN_SHARE:
            return kind
    raise ConsoleError(
        f"It is not clear which identifiers the column {layout.name(index)!r} holds. "
        "Name it email, phone or device_id in the header, or leave it out.",
        Exit.USAGE,
    )


def describe_columns(layout: FileLayout) -> str:
    """Return the columns for a message: each by its name, or by its number if the name is missing or not unique."""
    if layout.header:
        times = Counter(name.casefold() for name in layout.header if name)
        return ", ".join(
            name if times[name.casefold()] == 1 else str(number) for number, name in enumerate(layout.header, 1)
        )
    return f"1 to {layout.width}" if layout.width > 1 else "1"


def _filled(layout: FileLayout, index: int) -> list[str]:
    cells = (stripped(record[index]) for record in layout.sample if index < len(record))
    return [cell for cell in cells if not is_empty_value(cell)]


def _share(cells: list[str], kind: Kind, *, allow_excel_notation: bool) -> float:
    return sum(_looks_like(cell, kind, allow_excel_notation=allow_excel_notation) for cell in cells) / len(cells)


def _looks_like(cell: str, kind: Kind, *, allow_excel_notation: bool) -> bool:
    match kind:
        case Kind.EMAIL:
            return bool(extract_email(cell))
        case Kind.DEVICE_ID:
            return bool(DEVICE_ID.fullmatch(cell.lower()))
        case Kind.PHONE:
            digits = sum(character.isdigit() for character in extract_phone(cell))
            return (MIN_PHONE_DIGITS <= digits <= MAX_PHONE_DIGITS and not _DATE.fullmatch(cell)) or (
                allow_excel_notation and "E+" in cell.upper()
            )


def _is_international(cells: list[str]) -> bool:
    return sum(bool(_INTERNATIONAL.match(extract_phone(cell))) for cell in cells) >= MIN_SHARE * len(cells)
