"""`credentials`."""

from __future__ import annotations

import json
import re
import sys
from typing import Annotated, Any

import typer

from console import aws
from console.commands import options
from console.errors import ConsoleError, Exit
from console.output import print_json, say
from console.stack import Connector, Source, find_connector
from console.tiktok import stored_credentials
from console.trials import attempt
from handler.tiktok.credentials import Credentials

_ADVERTISER_ID = re.compile(r"[0-9]{5,25}")
_TOKEN = re.compile(r"[!-~]{8,512}")


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(credentials)


def credentials(
    advertiser: options.AdvertiserArgument = None,
    *,
    check: Annotated[bool, typer.Option("--check", help="Only try what is stored; ask and write nothing.")] = False,
    advertiser_id: Annotated[
        str, typer.Option(help="TikTok's advertiser id; asked for if it is not given. It is no secret.")
    ] = "",
    as_json: options.Json = False,
    outputs: options.Outputs = None,
    stack: options.Stack = None,
) -> None:
    """Ask for TikTok's access token and advertiser id, try them at TikTok, and store them in the connector's secret.

    They are tried with a listing, and with the upload of one made-up hash, which creates no audience. The token is
    not shown while it is typed; without a terminal it is the first line of standard input, and the id the second.
    """
    connector = find_connector(Source(None, outputs, stack), advertiser)
    given = stored_credentials(connector, advertiser_id) if check else _ask(advertiser_id)
    who = {"advertiser": connector.label, "advertiser_id": given.advertiser_id}
    result: dict[str, Any] = {**who, **attempt(connector, given)}
    if result["problem"]:
        if as_json:
            print_json({**result, "stored": False})
        else:
            say(result["problem"], "red")
            if not check:
                say("Nothing was stored.")
        raise typer.Exit(int(Exit.NOT_ACCEPTED))
    if not check:
        _store(connector, given)
    if as_json:
        print_json({**result, "stored": not check})
        return
    say(f"TikTok accepts them: {result['audiences']} audiences listed, and a trial upload went through.", "green")
    if not check:
        say(f"Stored for {connector.label}. Files that waited for them go through at the next sweep.")


def _ask(advertiser_id: str) -> Credentials:
    if sys.stdin.isatty():
        token = typer.prompt("TikTok access token (not shown)", hide_input=True, err=True)
        advertiser_id = advertiser_id or typer.prompt("TikTok advertiser id", err=True)
    else:
        token = sys.stdin.readline()
        advertiser_id = advertiser_id or sys.stdin.readline()
    token, advertiser_id = token.strip(), advertiser_id.strip()
    if not _TOKEN.fullmatch(token):
        raise ConsoleError(
            "The access token has spaces, line ends or other characters that a token cannot have, or is too short. "
            "Copy it again.",
            Exit.USAGE,
        )
    if not _ADVERTISER_ID.fullmatch(advertiser_id):
        raise ConsoleError(
            "The advertiser id has to be digits only, as in TikTok Ads Manager's address after aadvid=. Copy it again.",
            Exit.USAGE,
        )
    return Credentials(token, advertiser_id)


def _store(connector: Connector, given: Credentials) -> None:
    value = json.dumps({"ACCESS_TOKEN": given.access_token, "ADVERTISER_ID": given.advertiser_id})
    with aws.explained("write the secret", connector):
        aws.secrets(connector).put_secret_value(SecretId=connector.output("secret_name"), SecretString=value)
