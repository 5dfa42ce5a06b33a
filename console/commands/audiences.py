"""The `audiences` command, which lists audiences and deletes one at TikTok."""

from __future__ import annotations

from typing import Annotated

import typer

from console.audiences import AudienceRow, compare, read_registered
from console.commands import options
from console.commands.prompts import confirmed
from console.credential_check import connect
from console.errors import ConsoleError, Exit
from console.output import number, print_json, print_table, print_text
from console.stack import Source, find_connector
from console.tiktok import TikTok


def register(app: typer.Typer) -> None:
    """Add the command to the application."""
    app.command()(audiences)


def audiences(
    advertiser: options.AdvertiserArgument = None,
    *,
    delete: Annotated[
        str | None, typer.Option("--delete", help="Delete the audience with this name at TikTok.")
    ] = None,
    identifier_type: Annotated[
        options.Type | None, typer.Option("--type", "-t", help="With --delete: the audience's identifier type.")
    ] = None,
    yes: options.Yes = False,
    as_json: options.Json = False,
    outputs: options.Outputs = None,
    stack: options.Stack = None,
) -> None:
    """List the audiences, and show which are renamed, deleted, duplicate, too small or about to expire.

    With --delete, the command shows the ad groups that the audience was applied
    to, asks for confirmation, and deletes the audience at TikTok. The next
    append or replace in its folder creates a new audience.
    """
    connector = find_connector(Source(None, outputs, stack), advertiser)
    tiktok = connect(connector)
    rows = compare(read_registered(connector), tiktok.audiences())
    if delete is not None:
        if identifier_type is None:
            raise ConsoleError("--delete also needs the audience's identifier type. Give it with --type.", Exit.USAGE)
        _delete(tiktok, rows, delete, identifier_type.value, yes=yes, as_json=as_json)
        return
    if as_json:
        print_json({"advertiser": connector.label, "audiences": [row_json(row) for row in rows]})
        return
    if not rows:
        print_text("There are no audiences yet. Upload a file to create the first one.")
        return
    print_table(
        ["audience", "type", "TikTok's id", "matched users", "remarks"],
        [
            [row.name, row.identifier_type, row.id or "-", number(row.matched), "; ".join(row.findings) or "fine"]
            for row in rows
        ],
        numbers=(3,),
    )


def row_json(row: AudienceRow) -> dict[str, object]:
    """Return an audience as a JSON object."""
    return {
        "name": row.name,
        "identifier_type": row.identifier_type,
        "id": row.id,
        "matched": row.matched,
        "registered": row.registered,
        "findings": list(row.findings),
    }


def _delete(tiktok: TikTok, rows: list[AudienceRow], name: str, kind: str, *, yes: bool, as_json: bool) -> None:
    matching = [row for row in rows if row.id and (row.name, row.identifier_type) == (name, kind)]
    # If several audiences have this name, first delete one that uploads do not change.
    matching.sort(key=lambda row: row.registered)
    if not matching:
        raise ConsoleError(
            f"TikTok has no audience {name!r} of the type {kind}. Run `tiktok-activation audiences` to list them all.",
            Exit.USAGE,
        )
    row = matching[0]
    groups = tiktok.ad_groups(row.id or "")
    if not as_json:
        print_text(f"{row.name} ({row.identifier_type}), TikTok's id {row.id}, {row.matched or 0:,} matched users")
        if groups is None:
            print_text(
                "TikTok did not return the ad groups that the audience was applied to. "
                "Check them in Ads Manager first.",
                "yellow",
            )
        else:
            names = ", ".join(f"{each.name} ({each.id}, {each.usage})" for each in groups)
            print_text(f"Ad groups that the audience was applied to: {names or 'none'}.")
    if not confirmed("Permanently delete this audience from TikTok?", yes=yes):
        raise ConsoleError("Nothing was deleted. Use --yes to delete without confirmation.", Exit.USAGE)
    tiktok.delete(row.id or "")
    if as_json:
        shown = None if groups is None else [each._asdict() for each in groups]
        print_json({"deleted": row_json(row), "ad_groups": shown})
    else:
        print_text("Deleted.", "green")
