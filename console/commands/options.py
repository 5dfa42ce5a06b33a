"""Options that are shared by several commands."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from console.hashing.plans import TYPES

WHERE = "Location of the connectors (default: the running sandbox, else the Pulumi stack)"

Type = StrEnum("Type", {name: name for name in TYPES})  # type: ignore[misc]  # the members are known only at run time

FileType = Annotated[
    Type, typer.Option("--type", "-t", help="The identifier type, which is also the name of a folder in the bucket.")
]
Columns = Annotated[
    list[str] | None,
    typer.Option(
        "--column",
        "-c",
        help="The name or number (from 1) of the column with the identifiers. With multiple_types, repeat the option.",
    ),
]
Country = Annotated[
    str | None,
    typer.Option(
        "--country",
        help="The country of phone numbers without a country code, as two letters such as US.",
        callback=lambda value: value.upper() if value else value,
    ),
]
WithoutPlus = Annotated[
    bool,
    typer.Option(
        "--without-plus", help="Hash phone numbers without the +, as in TikTok's example. TikTok accepts both forms."
    ),
]
Json = Annotated[bool, typer.Option("--json", help="Print the result as one JSON object.")]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask for confirmation.")]
Bucket = Annotated[
    str | None,
    typer.Option(
        "--bucket",
        help="The bucket's name, if Pulumi's outputs are not available. With it, you can upload and follow files.",
        rich_help_panel=WHERE,
    ),
]
Outputs = Annotated[
    Path | None,
    typer.Option(
        "--outputs",
        help="A file with the output of `pulumi stack output --json`.",
        envvar="TIKTOK_ACTIVATION_OUTPUTS",
        rich_help_panel=WHERE,
    ),
]
Stack = Annotated[
    str | None, typer.Option("--stack", help="The Pulumi stack, if it is not the selected one.", rich_help_panel=WHERE)
]
Advertiser = Annotated[
    str | None, typer.Option("--advertiser", "-a", help="The advertiser; not needed if there is only one.")
]
AdvertiserArgument = Annotated[
    str | None, typer.Argument(help="The advertiser; not needed if there is only one.", show_default=False)
]
Timeout = Annotated[
    float | None,
    typer.Option(
        "--timeout",
        min=0,
        help="Maximum number of seconds to wait with --wait. If a file has no final status then, the exit code is 4.",
    ),
]
MaxRejectedRatio = Annotated[
    float,
    typer.Option(
        min=0,
        max=1,
        help="Maximum share of invalid rows in a file, 0 to 1. Give the value of the connector's maxRejectedRatio.",
    ),
]
