"""From a file's head and the user's wishes to a plan: which columns are hashed, and how."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from console.errors import ConsoleError, Exit
from console.hashing.blocks import Plan
from console.hashing.columns import (
    MAX_COLUMNS_PER_KIND,
    InputColumn,
    candidates,
    choices,
    find_column,
    kind_of_column,
)
from console.hashing.engine import Hashing
from console.hashing.layout import FileLayout, detect
from console.hashing.sources import Text
from console.hashing.values import KINDS, Kind, Rules

MULTIPLE_TYPES = "multiple_types"
TYPES = (*(each.value for each in KINDS), MULTIPLE_TYPES)
# TikTok's headers for a file of several identifiers, all SHA-256 here.
_HEADERS = {Kind.EMAIL: "email_SHA256", Kind.PHONE: "phone_SHA256", Kind.DEVICE_ID: "MAID_SHA256"}

Choose = Callable[[Kind, list[InputColumn]], InputColumn]


@dataclass(frozen=True)
class Wishes:
    """The user's choices.

    Attributes:
        identifier_type: one of `TYPES`.
        columns: names or numbers; none: they are guessed.
        country: ISO 3166 code for phone numbers without a country code.
        plus: phone numbers are hashed with their `+`.
    """

    identifier_type: str
    columns: tuple[str, ...] = ()
    country: str | None = None
    plus: bool = True


@dataclass(frozen=True)
class Prepared:
    """A file that is ready to be hashed.

    Attributes:
        text: the file.
        layout: as detected.
        plan: which columns are hashed, and how.
        header_row: of the output; empty for a single identifier type.
    """

    text: Text
    layout: FileLayout
    plan: Plan
    header_row: bytes

    def hashing(self) -> Hashing:
        """Return a pass over the file."""
        return Hashing(
            self.plan,
            header=self.layout.header is not None,
            skipped_bytes=self.layout.skipped_bytes,
            small=self.text.complete,
        )


def refuse_to_choose(kind: Kind, found: list[InputColumn]) -> InputColumn:
    """Choose a column where nobody can be asked.

    Raises:
        ConsoleError: there is more than one.
    """
    numbers = (str(column.index + 1) for column in found)
    names = ", ".join(
        number if column.name == f"column {number}" else f"{column.name} ({number})"
        for number, column in zip(numbers, found, strict=True)
    )
    raise ConsoleError(
        f"The file has {len(found)} columns that could hold the {kind}: {names}. "
        "Give the name or number of one with --column.",
        Exit.USAGE,
    )


def prepare(text: Text, wishes: Wishes, choose: Choose = refuse_to_choose) -> Prepared:
    """Decide how a file is hashed.

    Args:
        text: the file.
        wishes: the user's choices.
        choose: asks for a column where several fit.

    Raises:
        ConsoleError: the file is empty, has no such column, or several fit and nobody is there to choose.
    """
    check_country(wishes.country)
    layout = detect(text.head, text.encoding, complete=text.complete)
    if not layout.sample and not text.complete:
        raise ConsoleError(
            "The first row is longer than a megabyte. Check the file's line ends and quotes, and export it again.",
            Exit.NOT_ACCEPTED,
        )
    if not layout.sample:
        raise ConsoleError("The file has no rows. Export the list again.", Exit.NOT_ACCEPTED)
    rules = Rules(wishes.country, wishes.plus, "md5" if wishes.identifier_type.endswith("md5") else "sha256")
    columns = _columns(layout, wishes, rules.digits, choose)
    header_row = ""
    if wishes.identifier_type == MULTIPLE_TYPES:
        header_row = ",".join(_HEADERS[column.kind] for column in columns) + "\n"
    plan = Plan(tuple(columns), rules, layout.delimiter, text.encoding)
    return Prepared(text, layout, plan, header_row.encode())


def check_country(country: str | None) -> None:
    """Refuse a country code that does not exist.

    Raises:
        ConsoleError: there is no such country.
    """
    if country is None:
        return
    import phonenumbers  # noqa: PLC0415 - its metadata takes a fifth of a second

    if country not in phonenumbers.SUPPORTED_REGIONS:
        raise ConsoleError("There is no such country. Give --country two letters, such as US, GB or DE.", Exit.USAGE)


def _columns(layout: FileLayout, wishes: Wishes, digits: int, choose: Choose) -> Sequence[InputColumn]:
    if wishes.identifier_type != MULTIPLE_TYPES:
        kind = KINDS[wishes.identifier_type]  # type: ignore[index]  # a StrEnum equals its value
        if len(wishes.columns) > 1:
            raise ConsoleError(
                "A file of one identifier type has one --column. Use --type multiple_types for several.", Exit.USAGE
            )
        if wishes.columns:
            index = find_column(layout, wishes.columns[0])
            return [InputColumn(index, kind, layout.name(index))]
        found = candidates(layout, kind, digits)
        if not found and layout.width == 1:
            return [InputColumn(0, kind, layout.name(0))]  # each line then says what is wrong with it
        if not found:
            raise ConsoleError(
                f"No column looks like it holds the {kind}. Name it with --column: {choices(layout)}.", Exit.USAGE
            )
        return [found[0] if len(found) == 1 else choose(kind, found)]
    if wishes.columns:
        indexes = [find_column(layout, wanted) for wanted in wishes.columns]
        columns = [InputColumn(index, kind_of_column(layout, index), layout.name(index)) for index in indexes]
        for kind in Kind:
            if sum(column.kind is kind for column in columns) > MAX_COLUMNS_PER_KIND:
                raise ConsoleError(f"TikTok takes at most three columns with the {kind}. Leave some out.", Exit.USAGE)
        return columns
    guessed = [
        found[0] if len(found) == 1 else choose(kind, found)
        for kind in Kind
        if (found := candidates(layout, kind, weak=False))
    ]
    if not guessed:
        raise ConsoleError(
            f"No column looks like it holds an email, a phone number or a device id. Name them with --column: "
            f"{choices(layout)}.",
            Exit.USAGE,
        )
    return guessed
