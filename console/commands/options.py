"""Options that several commands share."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import typer

from console.hashing.plans import TYPES

Type = StrEnum("Type", {name: name for name in TYPES})  # type: ignore[misc]  # the names are known at run time only

FileType = Annotated[
    Type, typer.Option("--type", "-t", help="Identifier type: the identifiers in the file, and the folder they go to.")
]
Columns = Annotated[
    list[str] | None,
    typer.Option(
        "--column",
        "-c",
        help="Column with the identifiers: its name, or its number from 1. Repeat it for multiple_types.",
    ),
]
Country = Annotated[
    str | None,
    typer.Option(
        "--country",
        help="Country of phone numbers that are written without a country code: two letters, such as US.",
        callback=lambda value: value.upper() if value else value,
    ),
]
WithoutPlus = Annotated[
    bool,
    typer.Option(
        "--without-plus", help="Hash phone numbers without their +, as in TikTok's own example. TikTok takes both."
    ),
]
Json = Annotated[bool, typer.Option("--json", help="Print one JSON object and nothing else.")]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Ask nothing.")]
