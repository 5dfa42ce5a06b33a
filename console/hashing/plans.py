"""Preparation of hashing: turns the head of a file and the user's options into a plan."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from console.errors import ConsoleError, Exit
from console.hashing.blocks import Plan
from console.hashing.columns import (
    MAX_COLUMNS_PER_KIND,
    InputColumn,
    candidates,
    describe_columns,
    find_column,
    kind_of_column,
)
from console.hashing.engine import Hashing
from console.hashing.layout import FileLayout, detect
from console.hashing.sources import Text
from console.hashing.values import KINDS, Kind, Rules

MULTIPLE_TYPES = "multiple_types"
TYPES = (*(each.value for each in KINDS), MULTIPLE_TYPES)
# TikTok's column headers for a `multiple_types` file. The console hashes all columns with SHA-256.
_HEADERS = {Kind.EMAIL: "email_SHA256", Kind.PHONE: "phone_SHA256", Kind.DEVICE_ID: "MAID_SHA256"}

ChooseColumn = Callable[[Kind, list[InputColumn]], InputColumn]


@dataclass(frozen=True)
class HashOptions:
    """The user's options for hashing a file.

    Attributes:
        identifier_type: one of `TYPES`.
        columns: names or numbers of the columns to hash; empty to detect them.
        country: the ISO 3166 country code for phone numbers without a country code.
        plus: True if phone numbers are hashed with their `+`.
    """

    identifier_type: str
    columns: tuple[str, ...] = ()
    country: str | None = None
    plus: bool = True


@dataclass(frozen=True)
class PreparedFile:
    """A file that is ready to be hashed.

    Attributes:
        text: the text of the file.
        layout: the detected layout.
        plan: the hashing plan.
        header_row: the header of the output; empty for a single identifier type.
    """

    text: Text
    layout: FileLayout
    plan: Plan
    header_row: bytes

    def hashing(self) -> Hashing:
        """Return a `Hashing` for the file."""
        return Hashing(
            self.plan,
            header=self.layout.header is not None,
            skipped_bytes=self.layout.skipped_bytes,
            small=self.text.complete,
        )


def reject_ambiguous_columns(kind: Kind, found: list[InputColumn]) -> InputColumn:
    """Raise an error that names the columns that fit, for use without a terminal.

    Raises:
        ConsoleError: always.
    """
    numbers = (str(column.index + 1) for column in found)
    names = ", ".join(
        number if column.name == f"column {number}" else f"{column.name} ({number})"
        for number, column in zip(numbers, found, strict=True)
    )
    raise ConsoleError(
        f"The file has {len(found)} columns that may hold {kind.plural}: {names}. "
        "Choose one by its name or number with --column.",
        Exit.USAGE,
    )


def prepare(text: Text, hash_options: HashOptions, choose: ChooseColumn = reject_ambiguous_columns) -> PreparedFile:
    """Detect the layout of a file and select the columns to hash.

    Args:
        text: the text of the file.
        hash_options: the user's options.
        choose: called to choose a column if several fit.

    Raises:
        ConsoleError: the country code does not exist, the file has no rows, its first row is too long, or the columns
            to hash cannot be selected.
    """
    check_country(hash_options.country)
    layout = detect(text.head, text.encoding, complete=text.complete)
    if not layout.sample and not text.complete:
        raise ConsoleError(
            "The first row is longer than 1 MB. Check the file's line ends and quotes, and export it again.",
            Exit.NOT_ACCEPTED,
        )
    if not layout.sample:
        raise ConsoleError("The file has no rows. Export the list again.", Exit.NOT_ACCEPTED)
    rules = Rules(
        hash_options.country, hash_options.plus, "md5" if hash_options.identifier_type.endswith("md5") else "sha256"
    )
    columns = _columns(layout, hash_options, rules.digits, choose)
    header_row = ""
    if hash_options.identifier_type == MULTIPLE_TYPES:
        header_row = ",".join(_HEADERS[column.kind] for column in columns) + "\n"
    plan = Plan(tuple(columns), rules, layout.delimiter, text.encoding)
    return PreparedFile(text, layout, plan, header_row.encode())


def check_country(country: str | None) -> None:
    """Check that a country code exists. None means that the user gave none.

    Raises:
        ConsoleError: the country code does not exist.
    """
    if country is None:
        return
    import phonenumbers  # noqa: PLC0415 - importing its metadata takes 0.2 seconds

    if country not in phonenumbers.SUPPORTED_REGIONS:
        raise ConsoleError(
            "The country code does not exist. Give a two-letter country code, such as US, GB or DE.", Exit.USAGE
        )


def _columns(layout: FileLayout, hash_options: HashOptions, digits: int, choose: ChooseColumn) -> Sequence[InputColumn]:
    if hash_options.identifier_type != MULTIPLE_TYPES:
        kind = KINDS[hash_options.identifier_type]  # type: ignore[index]  # a StrEnum equals its value
        if len(hash_options.columns) > 1:
            raise ConsoleError(
                "This identifier type allows only one column. Use the type multiple_types for several columns.",
                Exit.USAGE,
            )
        if hash_options.columns:
            index = find_column(layout, hash_options.columns[0])
            return [InputColumn(index, kind, layout.name(index))]
        found = candidates(layout, kind, digits)
        if not found and layout.width == 1:
            return [InputColumn(0, kind, layout.name(0))]  # hashing then reports a fault for each line
        if not found:
            raise ConsoleError(
                f"No column seems to hold {kind.plural}. Choose one with --column: {describe_columns(layout)}.",
                Exit.USAGE,
            )
        return [found[0] if len(found) == 1 else choose(kind, found)]
    if hash_options.columns:
        indexes = [find_column(layout, wanted) for wanted in hash_options.columns]
        columns = [InputColumn(index, kind_of_column(layout, index), layout.name(index)) for index in indexes]
        for kind in Kind:
            if sum(column.kind is kind for column in columns) > MAX_COLUMNS_PER_KIND:
                raise ConsoleError(
                    f"TikTok accepts at most {MAX_COLUMNS_PER_KIND} columns with {kind.plural}. Leave some out.",
                    Exit.USAGE,
                )
        return columns
    detected = [
        found[0] if len(found) == 1 else choose(kind, found)
        for kind in Kind
        if (found := candidates(layout, kind, weak=False))
    ]
    if not detected:
        raise ConsoleError(
            "No column seems to hold email addresses, phone numbers or device ids. Choose columns with --column: "
            f"{describe_columns(layout)}.",
            Exit.USAGE,
        )
    return detected
