"""The `forget` command."""

from __future__ import annotations

import sys
from datetime import UTC, datetime

import typer

from console.audiences import MIN_MATCHED, compare, read_registered
from console.commands import options
from console.commands.prompts import confirmed
from console.credential_check import connect
from console.errors import ConsoleError, Exit
from console.forgetting import build_removals, hash_all_forms
from console.hashing.plans import check_country
from console.hashing.values import FAULT_SENTENCES, FaultError, Kind
from console.output import print_json, print_table, print_text
from console.stack import Connector, Source, find_connector
from console.uploading import upload

_QUESTIONS = {
    Kind.EMAIL: "Email (not shown; empty to skip)",
    Kind.PHONE: "Phone number (not shown; empty to skip)",
    Kind.DEVICE_ID: "Device id (not shown; empty to skip)",
}


def register(app: typer.Typer) -> None:
    """Add the command to the application."""
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
    """Ask for the identifiers of one person, hash them in every form, and remove the person from every audience.

    The identifiers are not shown while you type them, and they are not stored.
    Without a terminal, the command reads the email, the phone number and the
    device id from the first three lines of standard input. An empty line skips
    an identifier. Audiences of a type for which no identifier is given are
    listed, and the person is not removed from them.
    """
    connector = find_connector(Source(None, outputs, stack), advertiser)
    check_country(country)
    given = _prompt()
    if not given:
        raise ConsoleError("No one was removed, because no identifier was given. Give at least one.", Exit.USAGE)
    try:
        hashes = hash_all_forms(given, country)
    except FaultError as error:
        raise ConsoleError(f"No one was removed. {FAULT_SENTENCES[error.fault]}", Exit.USAGE) from None
    audiences = read_registered(connector)
    files, unreached = build_removals(hashes, audiences, datetime.now(UTC))
    small = _too_small(connector)
    if not as_json and files:
        print_text(f"Remove files will be uploaded for {len(files)} of {len(audiences)} audiences.")
    if files and not confirmed("Upload the remove files?", yes=yes):
        raise ConsoleError(
            "No one was removed, because the removal was not confirmed. Confirm it at the prompt, or use --yes.",
            Exit.USAGE,
        )
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
        print_text(
            "\nNo file was uploaded for these audiences, because no identifier of their type was given:", "yellow"
        )
        print_table(["audience", "type"], missed)
    print_text(
        "Run `tiktok-activation status` to see when TikTok has processed the removals. "
        "Also remove the person from the files that you upload."
    )


def _prompt() -> dict[Kind, str]:
    if sys.stdin.isatty():
        answers = {
            kind: typer.prompt(question, default="", hide_input=True, show_default=False, err=True)
            for kind, question in _QUESTIONS.items()
        }
    else:
        answers = {kind: sys.stdin.readline() for kind in _QUESTIONS}
    return {kind: answer.strip() for kind, answer in answers.items() if answer.strip()}


def _too_small(connector: Connector) -> set[str] | None:
    """Return the ids of audiences that TikTok may not allow to shrink; None if the audiences cannot be listed."""
    try:
        rows = compare([], connect(connector).audiences())
    except ConsoleError:
        return None
    return {row.id for row in rows if row.id and (row.matched or 0) <= MIN_MATCHED}


def _remark(audience_id: str | None, small: set[str] | None) -> str:
    if small is not None and audience_id in small:
        return (
            f"TikTok may refuse this removal, because fewer than {MIN_MATCHED:,} people would remain. "
            "If it does, delete the audience."
        )
    return ""
