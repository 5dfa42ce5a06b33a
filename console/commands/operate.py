"""The commands `doctor`, `redrive`, `again`, `confirm` and `withdraw`."""

from __future__ import annotations

from dataclasses import asdict
from datetime import UTC, datetime
from typing import Annotated, Any

import typer
from rich.text import Text

from console import queues, withdrawing
from console.commands import options
from console.commands.prompts import confirmed
from console.commands.uploads import resolve_key
from console.credential_check import credentials_problem
from console.doctor import Finding, run_checks
from console.errors import ConsoleError, Exit
from console.objects import confirmation_key, put_marker, reupload
from console.output import print_json, print_table, print_text
from console.reports import UPLOADS, Report, ReportReader
from console.stack import Connector, Source, find_connector

_COLORS = {"fine": "green", "problem": "red", "unknown": "yellow"}
Key = Annotated[str, typer.Argument(help="The uploaded object: tiktok/<audience>/..., or s3://<bucket>/tiktok/...")]


def register(app: typer.Typer) -> None:
    """Add the commands to the application."""
    for command in (doctor, redrive, again, confirm, withdraw):
        app.command()(command)


def doctor(
    advertiser: options.AdvertiserArgument = None,
    *,
    as_json: options.Json = False,
    outputs: options.Outputs = None,
    stack: options.Stack = None,
) -> None:
    """Check a connector: credentials, queue, oldest message, dead letters, last sweep, errors, stuck files.

    For each problem, the command says how to fix it. The exit code is 3 if
    there is a problem.
    """
    connector = find_connector(Source(None, outputs, stack), advertiser)
    checks = run_checks(connector, lambda: credentials_problem(connector))
    if as_json:
        print_json({"advertiser": connector.label, "checks": [check_json(check) for check in checks]})
    else:
        print_table(
            ["check", "", "found"],
            [[check.name, Text(check.health, style=_COLORS[check.health]), check.found] for check in checks],
        )
        fixes = dict.fromkeys(check.fix for check in checks if check.fix)
        if fixes:
            print_text("\nWhat to do", "bold")
            for fix in fixes:
                print_text(f"  {fix}")
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
    """Show the messages on the dead-letter queue with their causes, and move them back to the queue."""
    connector = find_connector(Source(None, outputs, stack), advertiser)
    letters = queues.dead_letters(connector)
    if not as_json and letters:
        print_table(
            ["about", "cause", "receives", "sent"],
            [[each.about, each.cause, str(each.receives), _format_time(each.sent_at)] for each in letters],
            numbers=(2,),
        )
    if letters and not confirmed("Move them back to the queue?", yes=yes):
        raise ConsoleError("Nothing was moved. Use --yes to move the messages without confirmation.", Exit.USAGE)
    moved = queues.redrive(connector) if letters else 0
    if as_json:
        print_json({"advertiser": connector.label, "moved": moved, "messages": [each.about for each in letters]})
    else:
        print_text(f"{moved:,} messages moved back to the queue." if moved else "There are no dead letters.", "green")


def again(
    key: Key,
    *,
    advertiser: options.Advertiser = None,
    as_json: options.Json = False,
    bucket: options.Bucket = None,
    outputs: options.Outputs = None,
    stack: options.Stack = None,
) -> None:
    """Upload a file of at most 5 GB again, as a new version with the same content."""
    connector, reports = resolve_key(key, Source(bucket, outputs, stack), advertiser)
    object_key = reports[0]["file"]["key"]
    version = reupload(connector, object_key)
    if as_json:
        print_json({"advertiser": connector.label, "key": object_key, "version_id": version})
    else:
        print_text(f"Uploaded again: {object_key}. Run `tiktok-activation status` to see its status.", "green")


def confirm(
    key: Key,
    *,
    advertiser: options.Advertiser = None,
    as_json: options.Json = False,
    bucket: options.Bucket = None,
    outputs: options.Outputs = None,
    stack: options.Stack = None,
) -> None:
    """Confirm a list that waits because it has far fewer rows than the last one (shrinks_too_much)."""
    connector, reports = resolve_key(key, Source(bucket, outputs, stack), advertiser)
    report = reports[0]
    if report["code"] != "shrinks_too_much":
        raise ConsoleError(
            f"The file is not waiting for a confirmation. Its status is {report['status']} ({report['code']}). "
            f"{report['reason']}",
            Exit.NOT_ACCEPTED,
        )
    if report["status"] != "waiting":
        raise ConsoleError(
            "The list waited for 24 hours without a confirmation and was rejected. Upload the list again.",
            Exit.NOT_ACCEPTED,
        )
    marker = confirmation_key(report["file"]["key"])
    put_marker(connector, marker)
    if as_json:
        print_json({"advertiser": connector.label, "key": report["file"]["key"], "marker": marker})
    else:
        print_text("Confirmed. The next sweep sends the list.", "green")


def withdraw(
    key: Annotated[str, typer.Argument(help="The uploaded object, or the folder of a run with a slash at the end.")],
    *,
    advertiser: options.Advertiser = None,
    yes: options.Yes = False,
    as_json: options.Json = False,
    bucket: options.Bucket = None,
    outputs: options.Outputs = None,
    stack: options.Stack = None,
) -> None:
    """Withdraw a waiting upload or run. For a file under replace/, the entire list is withdrawn.

    Deleting the object is not enough: the connector still applies removes, and
    appends that belong to a run or have a counter in the file name.
    """
    connector, waiting = _waiting(key, Source(bucket, outputs, stack), advertiser)
    if not as_json:
        print_table(["file", "status"], [[each["file"]["key"], each["code"]] for each in waiting])
    if not confirmed(f"Withdraw {len(waiting):,} uploads?", yes=yes):
        raise ConsoleError("Nothing was withdrawn. Use --yes to withdraw without confirmation.", Exit.USAGE)
    done = withdrawing.withdraw(connector, waiting)
    refused = [each for each in done if each.refused]
    if as_json:
        print_json({"advertiser": connector.label, "withdrawn": [asdict(each) for each in done]})
    else:
        print_text(f"{len(done) - len(refused):,} uploads withdrawn.", "green")
        for each in refused:
            print_text(
                f"Not withdrawn: {each.key}, because {each.refused}. To undo an append, upload a remove.",
                "yellow",
            )
    if refused:
        raise typer.Exit(int(Exit.NOT_ACCEPTED))


def _waiting(key: str, source: Source, advertiser: str | None) -> tuple[Connector, list[Report]]:
    """Return the connector and the uploads of a key that have not reached a final status.

    Raises:
        ConsoleError: every upload of the key has a final status, or no connector has a report for the key.
    """
    if key.endswith("/"):
        connector = find_connector(source, advertiser)
        key = UPLOADS + key.removeprefix(f"s3://{connector.bucket}/").removeprefix(UPLOADS)
    else:
        connector, reports = resolve_key(key, source, advertiser)
        key = str(reports[0]["file"]["key"])
    found = withdrawing.find_waiting(ReportReader(connector), key)
    if not found:
        raise withdrawing.nothing_to_withdraw(key)
    return connector, found


def check_json(check: Finding) -> dict[str, Any]:
    """Return the result of a check as a JSON object."""
    return {"check": check.name, "health": check.health, "found": check.found, "fix": check.fix or None}


def _format_time(seconds: float) -> str:
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%d %H:%M} UTC"
