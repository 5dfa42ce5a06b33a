"""`doctor`, `redrive`, `again`, `confirm` and `withdraw`."""

from __future__ import annotations

from dataclasses import asdict
from datetime import UTC, datetime
from typing import Annotated, Any

import typer
from rich.text import Text

from console import queues, withdrawing
from console.commands import options
from console.commands.ask import agreed
from console.commands.uploads import locate
from console.doctor import Finding, examine
from console.errors import ConsoleError, Exit
from console.objects import confirmation_key, put_again, put_marker
from console.output import print_json, print_table, say
from console.reports import UPLOADS, Report, ReportReader
from console.stack import Connector, Source, find_connector
from console.trials import credentials_problem

_COLORS = {"fine": "green", "problem": "red", "unknown": "yellow"}
Key = Annotated[str, typer.Argument(help="The uploaded object: tiktok/<audience>/..., or s3://<bucket>/tiktok/...")]


def register(app: typer.Typer) -> None:
    """Add the commands."""
    for command in (doctor, redrive, again, confirm, withdraw):
        app.command()(command)


def doctor(
    advertiser: options.AdvertiserArgument = None,
    *,
    as_json: options.Json = False,
    outputs: options.Outputs = None,
    stack: options.Stack = None,
) -> None:
    """Examine a connector: credentials, queue, oldest message, dead letters, last sweep, errors, stuck files.

    Each finding comes with the command that fixes it. The exit code is 3 if there is a problem.
    """
    connector = find_connector(Source(None, outputs, stack), advertiser)
    checks = examine(connector, lambda: credentials_problem(connector))
    if as_json:
        print_json({"advertiser": connector.label, "checks": [check_json(check) for check in checks]})
    else:
        print_table(
            ["check", "", "found"],
            [[check.name, Text(check.health, style=_COLORS[check.health]), check.found] for check in checks],
        )
        fixes = dict.fromkeys(check.fix for check in checks if check.fix)
        if fixes:
            say("\nWhat to do", "bold")
            for fix in fixes:
                say(f"  {fix}")
    if any(check.health == "problem" for check in checks):
        raise typer.Exit(int(Exit.NOT_ACCEPTED))


def redrive(
    advertiser: options.AdvertiserArgument = None,
    *,
    yes: options.Yes = False,
    as_json: options.Json = False,
    outputs: options.Outputs = None,
    stack: options.Stack = None,
) -> None:
    """Show the dead letters with their causes, and move them back to the queue."""
    connector = find_connector(Source(None, outputs, stack), advertiser)
    letters = queues.dead_letters(connector)
    if not as_json and letters:
        print_table(
            ["about", "cause", "receives", "sent"],
            [[each.about, each.cause, str(each.receives), _moment(each.sent_at)] for each in letters],
            numbers=(2,),
        )
    if letters and not agreed("Move them back to the queue?", yes=yes):
        raise ConsoleError("Nothing was moved. Give --yes to move them without a question.", Exit.USAGE)
    moved = queues.redrive(connector) if letters else 0
    if as_json:
        print_json({"advertiser": connector.label, "moved": moved, "messages": [each.about for each in letters]})
    else:
        say(f"{moved:,} moved back." if moved else "There are no dead letters.", "green")


def again(
    key: Key,
    *,
    advertiser: options.Advertiser = None,
    as_json: options.Json = False,
    bucket: options.Bucket = None,
    outputs: options.Outputs = None,
    stack: options.Stack = None,
) -> None:
    """Send a file again: the same bytes as a new version, by one upload of at most 5 GB."""
    connector, reports = locate(key, Source(bucket, outputs, stack), advertiser)
    object_key = reports[0]["file"]["key"]
    version = put_again(connector, object_key)
    if as_json:
        print_json({"advertiser": connector.label, "key": object_key, "version_id": version})
    else:
        say(f"Sent again: {object_key}. `report` shows what becomes of it.", "green")


def confirm(
    key: Key,
    *,
    advertiser: options.Advertiser = None,
    as_json: options.Json = False,
    bucket: options.Bucket = None,
    outputs: options.Outputs = None,
    stack: options.Stack = None,
) -> None:
    """Let a list go that waits because it has far fewer rows than the last one (shrinks_too_much)."""
    connector, reports = locate(key, Source(bucket, outputs, stack), advertiser)
    report = reports[0]
    if report["code"] != "shrinks_too_much":
        raise ConsoleError(
            f"The file waits for no confirmation: it is {report['status']} ({report['code']}). {report['reason']}",
            Exit.NOT_ACCEPTED,
        )
    if report["status"] != "waiting":
        raise ConsoleError("It waited for 24 hours and was rejected. Upload the list again.", Exit.NOT_ACCEPTED)
    marker = confirmation_key(report["file"]["key"])
    put_marker(connector, marker)
    if as_json:
        print_json({"advertiser": connector.label, "key": report["file"]["key"], "marker": marker})
    else:
        say("Confirmed. The list goes at the next sweep.", "green")


def withdraw(
    key: Annotated[str, typer.Argument(help="The uploaded object, or a run's folder with a slash at its end.")],
    *,
    advertiser: options.Advertiser = None,
    yes: options.Yes = False,
    as_json: options.Json = False,
    bucket: options.Bucket = None,
    outputs: options.Outputs = None,
    stack: options.Stack = None,
) -> None:
    """Take back an upload or a run that waits, removes included; a file under replace/ means its whole list.

    Deleting the object is not enough: a remove, and a file of a run, are applied all the same.
    """
    connector, waiting = _waiting(key, Source(bucket, outputs, stack), advertiser)
    if not as_json:
        print_table(["file", "status"], [[each["file"]["key"], each["code"]] for each in waiting])
    if not agreed(f"Withdraw {len(waiting):,} uploads?", yes=yes):
        raise ConsoleError("Nothing was withdrawn. Give --yes to withdraw without a question.", Exit.USAGE)
    done = withdrawing.withdraw(connector, waiting)
    refused = [each for each in done if each.refused]
    if as_json:
        print_json({"advertiser": connector.label, "withdrawn": [asdict(each) for each in done]})
    else:
        say(f"{len(done) - len(refused):,} withdrawn.", "green")
        for each in refused:
            say(
                f"Not withdrawn: {each.key}, because {each.refused}. Upload a remove to take those people out.",
                "yellow",
            )
    if refused:
        raise typer.Exit(int(Exit.NOT_ACCEPTED))


def _waiting(key: str, source: Source, advertiser: str | None) -> tuple[Connector, list[Report]]:
    """Return the waiting uploads of a key.

    Raises:
        ConsoleError: there are none.
    """
    if key.endswith("/"):
        connector = find_connector(source, advertiser)
        key = UPLOADS + key.removeprefix(f"s3://{connector.bucket}/").removeprefix(UPLOADS)
    else:
        connector, reports = locate(key, source, advertiser)
        key = str(reports[0]["file"]["key"])
    found = withdrawing.find_waiting(ReportReader(connector), key)
    if not found:
        raise withdrawing.nothing_to_withdraw(key)
    return connector, found


def check_json(check: Finding) -> dict[str, Any]:
    """Return a check for machines."""
    return {"check": check.name, "health": check.health, "found": check.found, "fix": check.fix or None}


def _moment(seconds: float) -> str:
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%d %H:%M} UTC"
