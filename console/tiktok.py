"""TikTok API calls for operators, made with the function's client: list, test upload, ad groups, delete."""

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

_TIMEOUT_SECONDS = 120.0
_TIKTOK_CODE = re.compile(r"\(code [^()]*\)")
_ADVICE = {
    Code.TOKEN_REFUSED: "The access token is wrong or revoked. Authorize the app again, and store the new token.",
    Code.PERMISSION_REFUSED: (
        "Check the advertiser id. Then authorize the app for audience management, as a user with the role Operator or "
        "Admin for this advertiser."
    ),
    Code.TERMS_NOT_ACCEPTED: "Accept the Custom Audience Terms in TikTok Ads Manager.",
    Code.TIKTOK_UNAVAILABLE: "TikTok is busy or cannot be reached. Try again in a few minutes.",
    Code.TIKTOK_THROTTLED: "TikTok's rate limit is reached. Try again in five minutes.",
}


class RefusedError(ConsoleError):
    """TikTok refused a call, or cannot be reached.

    Attributes:
        code: the report code of the failure.
    """

    def __init__(self, action: str, outcome: Outcome) -> None:
        self.code = outcome.code
        found = _TIKTOK_CODE.search(outcome.reason)
        tiktok_code = f" {found.group()}" if found else ""
        super().__init__(f"TikTok did not {action}{tiktok_code}. {_ADVICE.get(outcome.code, outcome.reason)}")


class FixedCredentials:
    """Credentials that are not in a secret, with the interface of `CredentialsStore`."""

    def __init__(self, credentials: Credentials) -> None:
        self._credentials = credentials

    def get(self) -> Credentials:
        """Return the credentials."""
        return self._credentials

    def reload(self) -> bool:
        """Return false, because the credentials never change."""
        return False


class TikTok:
    """The TikTok account of one advertiser."""

    def __init__(self, connector: Connector, credentials: Credentials) -> None:
        self._url = connector.location.tiktok_url
        self._store = cast("CredentialsStore", FixedCredentials(credentials))
        self._client = self._connect()

    def _connect(self) -> TikTokClient:
        logger = Logger(service="console", level="CRITICAL")  # the console prints errors itself
        return TikTokClient(requests.Session(), self._url, self._store, Deadline(_TIMEOUT_SECONDS), logger)

    def audiences(self) -> list[Audience]:
        """Return all audiences of the advertiser, of every kind.

        Raises:
            RefusedError: TikTok refused the call or cannot be reached.
        """
        with _translate_errors("list the audiences"):
            return self._client.list_audiences()

    def upload_test_file(self) -> None:
        """Upload a file with one random hash, which creates no audience.

        Listing audiences is not a sufficient test: some roles are allowed to list but not to upload.

        Raises:
            RefusedError: TikTok refused the call or cannot be reached.
        """
        row = hashlib.sha256(uuid.uuid4().bytes).hexdigest().encode() + b"\n"
        part = SimpleNamespace(chunks=[row], md5=hashlib.md5(row, usedforsecurity=False).hexdigest())
        with _translate_errors("accept a test upload"):
            self._client.upload(cast("Part", part), IdentifierType.EMAIL_SHA256)

    def ad_groups(self, audience_id: str) -> list[AdGroup] | None:
        """Return the ad groups that an audience was applied to; None if TikTok does not return them."""
        try:
            # A separate client, because a client makes no further calls after its permission was refused.
            return self._connect().applied_ad_groups(audience_id)
        except Outcome:
            return None

    def delete(self, audience_id: str) -> None:
        """Delete an audience.

        Raises:
            RefusedError: TikTok refused the call or cannot be reached.
        """
        with _translate_errors("delete the audience"):
            self._client.delete_audiences([audience_id])


@contextmanager
def _translate_errors(action: str) -> Iterator[None]:
    try:
        yield
    except Outcome as outcome:
        raise RefusedError(action, outcome) from None


def stored_credentials(connector: Connector, advertiser_id: str = "") -> Credentials:
    """Return the credentials in the connector's secret.

    Args:
        connector: the connector that owns the secret.
        advertiser_id: the advertiser's id at TikTok; empty to use the one in the stack outputs or in the secret.

    Raises:
        ConsoleError: the secret has no credentials, or cannot be read.
    """
    advertiser_id = advertiser_id or connector.advertiser_id
    with aws.translate_errors("read the secret", connector):
        try:
            return CredentialsStore(aws.secrets(connector), connector.output("secret_name"), advertiser_id).get()
        except CredentialsRefused as refused:
            fault = str(refused).partition(".")[0].partition(":")[0]
            raise ConsoleError(
                f"{fault}. Run `tiktok-activation credentials {connector.label}` to store the credentials."
            ) from None
