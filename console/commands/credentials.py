"""The `credentials` command."""

from __future__ import annotations

import json
import re
import sys
from typing import Annotated, Any

import typer

from console import aws
from console.commands import options
from console.credential_check import check_credentials
from console.errors import ConsoleError, Exit
from console.output import print_json, print_text
from console.stack import Connector, Source, find_connector
from console.tiktok import stored_credentials
from handler.tiktok.credentials import Credentials

_ADVERTISER_ID = re.compile(r"[0-9]{5,25}")
_TOKEN = re.compile(r"[!-~]{8,512}")


def register(app: typer.Typer) -> None:
    """Add the command to the application."""
    app.command()(credentials)


def credentials(
    advertiser: options.AdvertiserArgument = None,
    *,
    check: Annotated[
        bool, typer.Option("--check", help="Only test the stored credentials, and store nothing.")
    ] = False,
    advertiser_id: Annotated[
        str,
        typer.Option(
            help="The advertiser id at TikTok, which is not secret. Default: the option advertiserId if connectors "
            "share the secret. Otherwise, the command asks for the id; with --check, it uses the id in the secret."
        ),
    ] = "",
    as_json: options.Json = False,
    outputs: options.Outputs = None,
    stack: options.Stack = None,
) -> None:
    """Ask for TikTok's access token and advertiser id, test them, and store them in the connector's secret.

    The test lists the audiences and uploads one random hash, which creates no
    audience. The token is not shown while you type it. Without a terminal, the
    command reads the token from the first line of standard input and, if no
    advertiser id is given, the id from the second.
    """
    connector = find_connector(Source(None, outputs, stack), advertiser)
    given = stored_credentials(connector, advertiser_id) if check else _prompt(advertiser_id or connector.advertiser_id)
    names = {"advertiser": connector.label, "advertiser_id": given.advertiser_id}
    result: dict[str, Any] = {**names, **check_credentials(connector, given)}
    if result["problem"]:
        if as_json:
            print_json({**result, "stored": False})
        else:
            print_text(result["problem"], "red")
            if not check:
                print_text("Nothing was stored.")
        raise typer.Exit(int(Exit.NOT_ACCEPTED))
    if not check:
        _store(connector, given)
    if as_json:
        print_json({**result, "stored": not check})
        return
    print_text(
        f"TikTok accepts the credentials: it listed {result['audiences']} audiences and accepted a test upload.",
        "green",
    )
    if not check:
        print_text(f"Stored for {connector.label}. The next sweep continues the uploads that waited for credentials.")


def _prompt(advertiser_id: str) -> Credentials:
    if sys.stdin.isatty():
        token = typer.prompt("TikTok access token (not shown)", hide_input=True, err=True)
        advertiser_id = advertiser_id or typer.prompt("TikTok advertiser id", err=True)
    else:
        token = sys.stdin.readline()
        advertiser_id = advertiser_id or sys.stdin.readline()
    token, advertiser_id = token.strip(), advertiser_id.strip()
    if not _TOKEN.fullmatch(token):
        raise ConsoleError(
            "The access token must have 8 to 512 letters, digits or symbols, without spaces. Copy it again.",
            Exit.USAGE,
        )
    if not _ADVERTISER_ID.fullmatch(advertiser_id):
        raise ConsoleError(
            "The advertiser id must have 5 to 25 digits. Copy it from the URL of TikTok Ads Manager, after aadvid=.",
            Exit.USAGE,
        )
    return Credentials(token, advertiser_id)


def _store(connector: Connector, given: Credentials) -> None:
    value = json.dumps({"ACCESS_TOKEN": given.access_token, "ADVERTISER_ID": given.advertiser_id})
    with aws.translate_errors("write the secret", connector):
        aws.secrets(connector).put_secret_value(SecretId=connector.output("secret_name"), SecretString=value)
