"""Options that several commands share."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from console.hashing.plans import TYPES

WHERE = "Where the connectors are (default: the running sandbox, else Pulumi)"

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
Bucket = Annotated[
    str | None,
    typer.Option(
        "--bucket",
        help="Only the bucket, where Pulumi's outputs are not at hand. Enough to upload and follow.",
        rich_help_panel=WHERE,
    ),
]
Outputs = Annotated[
    Path | None,
    typer.Option(
        "--outputs",
        help="A file with what `pulumi stack output --json` prints.",
        envvar="TIKTOK_ACTIVATION_OUTPUTS",
        rich_help_panel=WHERE,
    ),
]
Stack = Annotated[
    str | None, typer.Option("--stack", help="Pulumi's stack, if it is not the selected one.", rich_help_panel=WHERE)
]
Advertiser = Annotated[
    str | None, typer.Option("--advertiser", "-a", help="The advertiser; not needed if there is only one.")
]
AdvertiserArgument = Annotated[
    str | None, typer.Argument(help="The advertiser; not needed if there is only one.", show_default=False)
]
Timeout = Annotated[
    float | None, typer.Option("--timeout", min=0, help="Seconds to wait at most; then the exit code is 4.")
]
MaxRejectedRatio = Annotated[
    float, typer.Option(min=0, max=1, help="The connector's option: share of faulty rows that rejects a file.")
]
