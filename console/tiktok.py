"""TikTok as operators need it, through the function's own client: listing, a trial upload, ad groups, deletion."""

from __future__ import annotations

import hashlib
import re
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from types import SimpleNamespace
from typing import cast

import requests
from aws_lambda_powertools import Logger

from console import aws
from console.errors import ConsoleError
from console.stack import Connector
from handler.cleaning.parts import Part
from handler.clock import Deadline
from handler.errors import CredentialsRefused, Outcome
from handler.model import IdentifierType
from handler.report_codes import Code
from handler.tiktok.client import TikTokClient
from handler.tiktok.credentials import Credentials, CredentialsStore
from handler.tiktok.responses import AdGroup, Audience

_PATIENCE_SECONDS = 120.0
_QUOTE = re.compile(r"\(code [^()]*\)")
_ADVICE = {
    Code.TOKEN_REFUSED: "The access token is wrong or revoked: authorize the app again, and store the new token.",
    Code.PERMISSION_REFUSED: (
        "Check the advertiser id, and grant the app audience management for it with a user whose role is Operator or "
        "Admin."
    ),
    Code.TERMS_NOT_ACCEPTED: "Accept the Custom Audience Terms in TikTok Ads Manager.",
    Code.TIKTOK_UNAVAILABLE: "TikTok is busy or cannot be reached: try again in a few minutes.",
    Code.TIKTOK_THROTTLED: "TikTok's rate limit is reached: try again in five minutes.",
}


class RefusedError(ConsoleError):
    """TikTok refused a call, or cannot be reached.

    Attributes:
        code: the report code for it.
    """

    def __init__(self, action: str, outcome: Outcome) -> None:
        self.code = outcome.code
        quote = _QUOTE.search(outcome.reason)
        said = f" {quote.group()}" if quote else ""
        super().__init__(f"TikTok refused to {action}{said}. {_ADVICE.get(outcome.code, outcome.reason)}")


class Given:
    """Credentials that are in no secret yet, in the form that the client reads."""

    def __init__(self, credentials: Credentials) -> None:
        self._credentials = credentials

    def get(self) -> Credentials:
        """Return them."""
        return self._credentials

    def reload(self) -> bool:
        """Return false: they do not change."""
        return False


class TikTok:
    """One advertiser's account."""

    def __init__(self, connector: Connector, credentials: Credentials) -> None:
        self._url = connector.place.tiktok_url
        self._store = cast("CredentialsStore", Given(credentials))
        self._client = self._connect()

    def _connect(self) -> TikTokClient:
        logger = Logger(service="console", level="CRITICAL")  # the console prints what matters
        return TikTokClient(requests.Session(), self._url, self._store, Deadline(_PATIENCE_SECONDS), logger)

    def audiences(self) -> list[Audience]:
        """Return all audiences of the advertiser, of every kind.

        Raises:
            RefusedError: TikTok refuses or cannot be reached.
        """
        with _explained("list the audiences"):
            return self._client.list_audiences()

    def try_upload(self) -> None:
        """Upload a file with one made-up hash, which creates no audience: more roles may list than upload.

        Raises:
            RefusedError: TikTok refuses or cannot be reached.
        """
        row = hashlib.sha256(uuid.uuid4().bytes).hexdigest().encode() + b"\n"
        part = SimpleNamespace(chunks=[row], md5=hashlib.md5(row, usedforsecurity=False).hexdigest())
        with _explained("take a trial upload"):
            self._client.upload(cast("Part", part), IdentifierType.EMAIL_SHA256)

    def ad_groups(self, audience_id: str) -> list[AdGroup] | None:
        """Return the ad groups that an audience was applied to; None if TikTok does not say."""
        try:
            # A client of its own: after a refused permission a client makes no further call.
            return self._connect().applied_ad_groups(audience_id)
        except Outcome:
            return None

    def delete(self, audience_id: str) -> None:
        """Delete an audience.

        Raises:
            RefusedError: TikTok refuses or cannot be reached.
        """
        with _explained("delete the audience"):
            self._client.delete_audiences([audience_id])


@contextmanager
def _explained(action: str) -> Iterator[None]:
    try:
        yield
    except Outcome as outcome:
        raise RefusedError(action, outcome) from None


def stored_credentials(connector: Connector, advertiser_id: str = "") -> Credentials:
    """Return the credentials in the connector's secret.

    Args:
        connector: whose.
        advertiser_id: the id from the configuration if several connectors share the secret.

    Raises:
        ConsoleError: the secret has none, or may not be read.
    """
    with aws.explained("read the secret", connector):
        try:
            return CredentialsStore(aws.secrets(connector), connector.output("secret_name"), advertiser_id).get()
        except CredentialsRefused as refused:
            fault = str(refused).partition(".")[0].partition(":")[0]
            raise ConsoleError(
                f"{fault}. Run `tiktok-activation credentials {connector.label}` to put the credentials there."
            ) from None
