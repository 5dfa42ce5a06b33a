"""Clients of AWS under the caller's credentials, and AWS's errors as sentences."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, cast

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError, NoCredentialsError, NoRegionError

from console.errors import ConsoleError
from console.stack import Connector

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_secretsmanager import SecretsManagerClient
    from mypy_boto3_sqs import SQSClient

ABSENT = {"NoSuchKey", "NoSuchVersion", "404"}
_DENIED = {"AccessDenied", "AccessDeniedException", "403", "UnauthorizedOperation", "KMS.AccessDeniedException"}
_EXPIRED = {
    "ExpiredToken",
    "ExpiredTokenException",
    "InvalidClientTokenId",
    "InvalidAccessKeyId",
    "SignatureDoesNotMatch",
}


def s3(connector: Connector) -> S3Client:
    """Return a client of S3."""
    return cast("S3Client", _client(connector, "s3"))


def sqs(connector: Connector) -> SQSClient:
    """Return a client of SQS."""
    return cast("SQSClient", _client(connector, "sqs"))


def secrets(connector: Connector) -> SecretsManagerClient:
    """Return a client of Secrets Manager."""
    return cast("SecretsManagerClient", _client(connector, "secretsmanager"))


def logs(connector: Connector) -> Any:
    """Return a client of CloudWatch Logs."""
    return _client(connector, "logs")


def cloudwatch(connector: Connector) -> Any:
    """Return a client of CloudWatch."""
    return _client(connector, "cloudwatch")


def _client(connector: Connector, service: str) -> Any:
    place = connector.place
    config = Config(connect_timeout=10, read_timeout=60, retries={"mode": "standard", "max_attempts": 4})
    try:
        session = boto3.Session(
            region_name=connector.region,
            aws_access_key_id=place.environment.get("aws_access_key_id"),
            aws_secret_access_key=place.environment.get("aws_secret_access_key"),
        )
        return session.client(service, endpoint_url=place.aws_url, config=config)  # type: ignore[call-overload]
    except NoRegionError:
        raise ConsoleError("No AWS region is known. Set AWS_REGION to the region of the stack.") from None


def code(error: ClientError) -> str:
    """Return AWS's code of an error."""
    return str(error.response.get("Error", {}).get("Code", ""))


def is_denied(error: ClientError) -> bool:
    """Return whether AWS refused for a missing permission."""
    return code(error) in _DENIED


@contextmanager
def explained(action: str, connector: Connector) -> Iterator[None]:
    """Turn AWS's errors into sentences.

    Args:
        action: what is done, such as "read the reports".
        connector: of whom.

    Raises:
        ConsoleError: AWS refused, or cannot be reached.
    """
    try:
        yield
    except NoCredentialsError:
        raise ConsoleError(
            f"There are no AWS credentials to {action} of {connector.label}. Run `aws configure`, or set AWS_PROFILE."
        ) from None
    except ClientError as error:
        why = code(error)
        if why in _DENIED:
            advice = "docs/permissions.md lists the permissions that each command needs: ask whoever runs the stack."
        elif why in _EXPIRED:
            advice = "Your AWS credentials are expired or wrong: log in again."
        elif why in {"NoSuchBucket", "ResourceNotFoundException", "AWS.SimpleQueueService.NonExistentQueue"}:
            advice = "It does not exist: check the names, the region and the account."
        else:
            advice = "Try again in a minute."
        raise ConsoleError(f"AWS refused to {action} of {connector.label} ({why}). {advice}") from None
    except BotoCoreError as error:
        raise ConsoleError(
            f"AWS cannot be reached to {action} of {connector.label} ({type(error).__name__}). "
            "Check the network and the region, and try again."
        ) from None
