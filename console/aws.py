"""AWS clients with the caller's credentials, and AWS errors as messages for users."""

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
    """Return an S3 client for a connector.

    Raises:
        ConsoleError: the AWS configuration cannot be used.
    """
    return cast("S3Client", _client(connector, "s3"))


def sqs(connector: Connector) -> SQSClient:
    """Return an SQS client for a connector.

    Raises:
        ConsoleError: the AWS configuration cannot be used.
    """
    return cast("SQSClient", _client(connector, "sqs"))


def secrets(connector: Connector) -> SecretsManagerClient:
    """Return a Secrets Manager client for a connector.

    Raises:
        ConsoleError: the AWS configuration cannot be used.
    """
    return cast("SecretsManagerClient", _client(connector, "secretsmanager"))


def logs(connector: Connector) -> Any:
    """Return a CloudWatch Logs client for a connector.

    Raises:
        ConsoleError: the AWS configuration cannot be used.
    """
    return _client(connector, "logs")


def cloudwatch(connector: Connector) -> Any:
    """Return a CloudWatch client for a connector.

    Raises:
        ConsoleError: the AWS configuration cannot be used.
    """
    return _client(connector, "cloudwatch")


def _client(connector: Connector, service: str) -> Any:
    location = connector.location
    config = Config(connect_timeout=10, read_timeout=60, retries={"mode": "standard", "max_attempts": 4})
    try:
        session = boto3.Session(
            region_name=connector.region,
            aws_access_key_id=location.aws_credentials.get("aws_access_key_id"),
            aws_secret_access_key=location.aws_credentials.get("aws_secret_access_key"),
        )
        return session.client(service, endpoint_url=location.aws_url, config=config)  # type: ignore[call-overload]
    except NoRegionError:
        raise ConsoleError("No AWS region is configured. Set AWS_DEFAULT_REGION to the stack's region.") from None
    except BotoCoreError as error:
        raise ConsoleError(
            f"The console could not access AWS for {connector.label}, because your AWS configuration cannot be used: "
            f"{str(error).rstrip('.')}. Correct AWS_PROFILE and the other AWS environment variables, or the files "
            "~/.aws/config and ~/.aws/credentials."
        ) from None


def code(error: ClientError) -> str:
    """Return the AWS error code of an exception."""
    return str(error.response.get("Error", {}).get("Code", ""))


def is_denied(error: ClientError) -> bool:
    """Return whether AWS refused the call because a permission is missing."""
    return code(error) in _DENIED


@contextmanager
def translate_errors(action: str, connector: Connector) -> Iterator[None]:
    """Turn AWS errors into messages for users.

    Args:
        action: the operation for the message, such as "read the reports".
        connector: the connector for the message.

    Raises:
        ConsoleError: there are no AWS credentials, AWS returned an error, or the connection or configuration failed.
    """
    try:
        yield
    except NoCredentialsError:
        raise ConsoleError(
            f"The console could not {action} for {connector.label}, because there are no AWS credentials. "
            "Run `aws configure`, or set AWS_PROFILE."
        ) from None
    except ClientError as error:
        why = code(error)
        if why in _DENIED:
            advice = "Ask whoever runs the stack for the permissions that docs/permissions.md lists for this command."
        elif why in _EXPIRED:
            advice = "Your AWS credentials have expired or are not valid. Log in again, or correct them."
        elif why in {"NoSuchBucket", "ResourceNotFoundException", "AWS.SimpleQueueService.NonExistentQueue"}:
            advice = "The resource does not exist. Check the names, the region and the account."
        else:
            advice = "Try again in a minute."
        raise ConsoleError(
            f"The console could not {action} for {connector.label}: AWS returned {why}. {advice}"
        ) from None
    except BotoCoreError as error:
        raise ConsoleError(
            f"The console could not {action} for {connector.label}, because of a connection or "
            f"configuration error ({type(error).__name__}). Check the network, the region and your AWS credentials, "
            "and try again."
        ) from None
