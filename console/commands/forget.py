"""`forget`."""

from __future__ import annotations

import sys
from datetime import UTC, datetime

import typer

from console.audiences import MIN_MATCHED, compare, registered
from console.commands import options
from console.commands.ask import agreed
from console.errors import ConsoleError, Exit
from console.forgetting import forms, removals
from console.hashing.plans import check_country
from console.hashing.values import FAULT_SENTENCES, FaultError, Kind
from console.output import print_json, print_table, say
from console.stack import Connector, Source, find_connector
from console.trials import connected
from console.uploading import upload

_QUESTIONS = {
    Kind.EMAIL: "Email (not shown; empty to skip)",
    Kind.PHONE: "Phone number (not shown; empty to skip)",
    Kind.DEVICE_ID: "Device id (not shown; empty to skip)",
}


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(forget)


def forget(
    advertiser: options.AdvertiserArgument = None,
    *,
    country: options.Country = None,
    yes: options.Yes = False,
    as_json: options.Json = False,
    outputs: options.Outputs = None,
    stack: options.Stack = None,
) -> None:
    """Remove one person from every audience: asks for their identifiers, hashes them in every form, uploads removals.

    What is typed is not shown and not kept. Without a terminal the first three lines of standard input are the email,
    the phone number and the device id; an empty line skips one.
    """
    connector = find_connector(Source(None, outputs, stack), advertiser)
    check_country(country)
    given = _ask()
    if not given:
        raise ConsoleError("No identifier was given, so nobody was removed.", Exit.USAGE)
    try:
        hashes = forms(given, country)
    except FaultError as error:
        raise ConsoleError(f"{FAULT_SENTENCES[error.fault]} Nobody was removed.", Exit.USAGE) from None
    audiences = registered(connector)
    files, unreached = removals(hashes, audiences, datetime.now(UTC))
    small = _too_small(connector)
    if not as_json and files:
        say(f"A removal goes to {len(files)} of {len(audiences)} audiences.")
    if files and not agreed("Upload the removals?", yes=yes):
        raise ConsoleError("Nobody was removed. Give --yes to remove without a question.", Exit.USAGE)
    for file in files:
        upload(connector, file.key, [file.content])
    rows = [
        (file.audience.name, file.audience.identifier_type, file.key, _remark(file.audience.audience_id, small))
        for file in files
    ]
    missed = [(each.name, each.identifier_type) for each in unreached]
    if as_json:
        print_json(
            {
                "advertiser": connector.label,
                "removals": [
                    {"audience": name, "identifier_type": kind, "key": key, "remark": remark}
                    for name, kind, key, remark in rows
                ],
                "unreached": [{"audience": name, "identifier_type": kind} for name, kind in missed],
            }
        )
        return
    if rows:
        print_table(["audience", "type", "uploaded to", "remark"], rows)
    if missed:
        say("\nNot reached, because they hold other identifiers than were given:", "yellow")
        print_table(["audience", "type"], missed)
    say("`status` shows when TikTok is done. Take the person out of the files you upload as well.")


def _ask() -> dict[Kind, str]:
    if sys.stdin.isatty():
        answers = {
            kind: typer.prompt(question, default="", hide_input=True, show_default=False, err=True)
            for kind, question in _QUESTIONS.items()
        }
    else:
        answers = {kind: sys.stdin.readline() for kind in _QUESTIONS}
    return {kind: answer.strip() for kind, answer in answers.items() if answer.strip()}


def _too_small(connector: Connector) -> set[str] | None:
    """Return the ids of audiences that TikTok may refuse to make smaller; None if TikTok cannot be asked."""
    try:
        rows = compare([], connected(connector).audiences())
    except ConsoleError:
        return None
    return {row.id for row in rows if row.id and (row.matched or 0) <= MIN_MATCHED}


def _remark(audience_id: str | None, small: set[str] | None) -> str:
    if small is not None and audience_id in small:
        return f"TikTok may refuse it: fewer than {MIN_MATCHED:,} people would remain; delete the audience then"
    return ""
