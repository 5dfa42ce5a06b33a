"""`audiences`."""

from __future__ import annotations

from typing import Annotated

import typer

from console.audiences import AudienceRow, compare, registered
from console.commands import options
from console.commands.ask import agreed
from console.errors import ConsoleError, Exit
from console.output import number, print_json, print_table, say
from console.stack import Source, find_connector
from console.tiktok import TikTok
from console.trials import connected


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(audiences)


def audiences(
    advertiser: options.AdvertiserArgument = None,
    *,
    delete: Annotated[str | None, typer.Option("--delete", help="Delete the audience of this name at TikTok.")] = None,
    identifier_type: Annotated[
        options.Type | None, typer.Option("--type", "-t", help="With --delete: the audience's identifier type.")
    ] = None,
    yes: options.Yes = False,
    as_json: options.Json = False,
    outputs: options.Outputs = None,
    stack: options.Stack = None,
) -> None:
    """Compare TikTok's audiences with the registered ones: renamed, deleted, duplicate, too small, expiring.

    --delete shows the ad groups that the audience was applied to, asks, and deletes it at TikTok. The next upload to
    its folder creates a new one.
    """
    connector = find_connector(Source(None, outputs, stack), advertiser)
    tiktok = connected(connector)
    rows = compare(registered(connector), tiktok.audiences())
    if delete is not None:
        if identifier_type is None:
            raise ConsoleError("Give the audience's identifier type with --type.", Exit.USAGE)
        _delete(tiktok, rows, delete, identifier_type.value, yes=yes, as_json=as_json)
        return
    if as_json:
        print_json({"advertiser": connector.label, "audiences": [row_json(row) for row in rows]})
        return
    if not rows:
        say("There is no audience yet. Upload a file, and TikTok gets one.")
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
    """Return an audience for machines."""
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
    # Of duplicates the one that uploads do not reach goes first.
    matching.sort(key=lambda row: row.registered)
    if not matching:
        raise ConsoleError(f"TikTok has no audience {name!r} of the type {kind}. `audiences` lists all.", Exit.USAGE)
    row = matching[0]
    groups = tiktok.ad_groups(row.id or "")
    if not as_json:
        say(f"{row.name} ({row.identifier_type}), TikTok's id {row.id}, {row.matched or 0:,} matched users")
        if groups is None:
            say("TikTok does not say which ad groups it was applied to. Look in Ads Manager first.", "yellow")
        else:
            names = ", ".join(f"{each.name} ({each.id}, {each.usage})" for each in groups)
            say(f"Ad groups that it was applied to: {names or 'none'}.")
    if not agreed("Delete it at TikTok for good?", yes=yes):
        raise ConsoleError("Nothing was deleted. Give --yes to delete without a question.", Exit.USAGE)
    tiktok.delete(row.id or "")
    if as_json:
        shown = None if groups is None else [each._asdict() for each in groups]
        print_json({"deleted": row_json(row), "ad_groups": shown})
    else:
        say("Deleted.", "green")
