"""The advertiser's TikTok credentials: read once per warm function, again when TikTok refuses them, never written."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

from handler.errors import CredentialsRefused
from handler.report_codes import Code

if TYPE_CHECKING:
    from mypy_boto3_secretsmanager import SecretsManagerClient

_WHAT_TO_DO = 'Put {"ACCESS_TOKEN": "...", "ADVERTISER_ID": "..."} in it; the file goes through by itself afterwards.'


@dataclass(frozen=True)
class Credentials:
    """An access token and the advertiser it is for."""

    access_token: str = field(repr=False)
    advertiser_id: str


class CredentialsStore:
    """The connector's secret."""

    def __init__(self, client: SecretsManagerClient, secret_arn: str) -> None:
        self._client = client
        self._secret_arn = secret_arn
        self._cached: Credentials | None = None

    def get(self) -> Credentials:
        """The credentials as last read.

        Raises:
            CredentialsRefused: the secret is empty or malformed.
        """
        if self._cached is None:
            self._cached = self._read()
        return self._cached

    def read_again(self) -> bool:
        """Read the secret anew; whether it has changed."""
        before, self._cached = self._cached, None
        return self.get() != before

    def _read(self) -> Credentials:
        try:
            text = self._client.get_secret_value(SecretId=self._secret_arn)["SecretString"]
        except KeyError:
            raise _unusable("The secret holds binary data.") from None
        except ClientError as error:
            # A secret that was never given a value answers like one that does not exist.
            if error.response.get("Error", {}).get("Code") == "ResourceNotFoundException":
                raise _unusable("The secret has no value yet.") from None
            raise
        return _parse(text)


def _parse(text: str) -> Credentials:
    if not text.strip():
        raise _unusable("The secret is empty.")
    try:
        secret = json.loads(text)
    except ValueError:
        raise _unusable("The secret is not JSON.") from None
    if not isinstance(secret, dict):
        raise _unusable("The secret is not a JSON object.")
    token, advertiser_id = secret.get("ACCESS_TOKEN"), secret.get("ADVERTISER_ID")
    if isinstance(advertiser_id, int) and not isinstance(advertiser_id, bool):
        advertiser_id = str(advertiser_id)  # TikTok's ids are digits: easily written as a number
    for name, value in (("ACCESS_TOKEN", token), ("ADVERTISER_ID", advertiser_id)):
        if value is None:
            raise _unusable(f"The secret has no {name}.")
        if not isinstance(value, str) or not value.strip():
            raise _unusable(f"The secret's {name} is not a text, or is empty.")
        if not value.strip().isprintable() or not value.strip().isascii():
            raise _unusable(f"The secret's {name} has characters that a header cannot hold.")
    return Credentials(str(token).strip(), str(advertiser_id).strip())


def _unusable(what: str) -> CredentialsRefused:
    return CredentialsRefused(Code.SECRET_UNUSABLE, f"{what} {_WHAT_TO_DO}")
