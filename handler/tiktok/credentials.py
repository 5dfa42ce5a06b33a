"""The advertiser's TikTok credentials, read once per warm function and again if TikTok refuses them."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

from handler import reasons
from handler.errors import CredentialsRefused

if TYPE_CHECKING:
    from mypy_boto3_secretsmanager import SecretsManagerClient


@dataclass(frozen=True)
class Credentials:
    """An access token and the advertiser it is used for."""

    access_token: str = field(repr=False)
    advertiser_id: str


class CredentialsStore:
    """The cached credentials from the connector's secret."""

    def __init__(self, client: SecretsManagerClient, secret_arn: str, advertiser_id: str = "") -> None:
        """Create the store without reading the secret.

        Args:
            client: the Secrets Manager client.
            secret_arn: the ARN of the secret.
            advertiser_id: the configured advertiser id. It takes precedence over the one in the secret, so that several
                connectors can share a secret. If it is empty, the secret must contain one.
        """
        self._client = client
        self._secret_arn = secret_arn
        self._advertiser_id = advertiser_id
        self._cached: Credentials | None = None

    def get(self) -> Credentials:
        """Return the cached credentials; the first call reads the secret.

        Raises:
            CredentialsRefused: the secret does not exist, is empty, or is malformed.
            ClientError: Secrets Manager denies access or fails.
        """
        if self._cached is None:
            self._cached = self._read()
        return self._cached

    def reload(self) -> bool:
        """Read the secret again, because the token may have been rotated, and return true if the credentials changed.

        Raises:
            CredentialsRefused, ClientError: as for `get`.
        """
        before, self._cached = self._cached, None
        return self.get() != before

    def _read(self) -> Credentials:
        try:
            text = self._client.get_secret_value(SecretId=self._secret_arn)["SecretString"]
        except KeyError:
            raise self._unusable("The secret holds binary data") from None
        except ClientError as error:
            # Secrets Manager returns the same error for a secret without a value and for one that does not exist.
            if error.response.get("Error", {}).get("Code") == "ResourceNotFoundException":
                raise self._unusable("The secret has no value yet") from None
            raise
        return self._parse(text)

    def _parse(self, text: str) -> Credentials:
        if not text.strip():
            raise self._unusable("The secret is empty")
        try:
            secret = json.loads(text)
        except ValueError:
            raise self._unusable("The secret is not valid JSON") from None
        if not isinstance(secret, dict):
            raise self._unusable("The secret is not a JSON object")
        token = self._value("ACCESS_TOKEN", secret.get("ACCESS_TOKEN"))
        if self._advertiser_id:
            return Credentials(token, self._advertiser_id)
        advertiser_id = secret.get("ADVERTISER_ID")
        if isinstance(advertiser_id, int) and not isinstance(advertiser_id, bool):
            advertiser_id = str(advertiser_id)  # an id has only digits, so people write it as a JSON number
        advertiser_id = self._value("ADVERTISER_ID", advertiser_id)
        if not advertiser_id.isdigit():  # reports show the id, so a token stored here by mistake must not pass
            raise self._unusable("The secret's ADVERTISER_ID is not a number")
        return Credentials(token, advertiser_id)

    def _value(self, name: str, value: object) -> str:
        if value is None:
            raise self._unusable(f"The secret has no {name}")
        if not isinstance(value, str) or not value.strip():
            raise self._unusable(f"The secret's {name} is empty or is not a string")
        if not value.strip().isprintable() or not value.strip().isascii():
            raise self._unusable(f"The secret's {name} has characters that are not allowed in an HTTP header")
        return value.strip()

    def _unusable(self, fault: str) -> CredentialsRefused:
        return reasons.secret_unusable(fault, needs_advertiser_id=not self._advertiser_id)
