"""The function's environment as one checked object, read once per cold start."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TypeVar
from urllib.parse import urlsplit

from handler.errors import SettingsError

# TikTok takes 250 MB in newer documents and 50 MB in older ones: at 50 MB both hold.
DEFAULT_PART_BYTES = 50_000_000
PART_BYTES = (1_000, 250_000_000)

Number = TypeVar("Number", int, float)


@dataclass(frozen=True)
class Settings:
    """The function's environment.

    Attributes:
        bucket: the connector's bucket.
        secret_arn: the secret with ACCESS_TOKEN and ADVERTISER_ID.
        queue_url: the connector's queue.
        advertiser: the connector's label in logs and metrics, `<advertiser>/<stack>`.
        advertiser_id: TikTok's id of the advertiser; empty if the secret has it.
        tiktok_url: base address of TikTok's API for Business, without a trailing slash.
        max_part_bytes: largest file uploaded to TikTok, in bytes.
        max_rejected_ratio: the share of rejected rows, 0 to 1, above which a file is rejected.
        settle_seconds: seconds without a new upload after which an audience has settled; 0 turns settling off.
        max_shrink: the share of the last list's rows, 0 to 1, that a new list may lack without a confirmation.
        file_retention_days: days after which the bucket's lifecycle expires an upload.
        create_grace_seconds: seconds after a create of unknown outcome in which its audience is looked for.
        outcome_events: true if each final status is put on the account's default event bus.
    """

    bucket: str
    secret_arn: str
    queue_url: str
    advertiser: str
    advertiser_id: str = ""
    tiktok_url: str = "https://business-api.tiktok.com"
    max_part_bytes: int = DEFAULT_PART_BYTES
    max_rejected_ratio: float = 0.1
    settle_seconds: float = 300.0
    max_shrink: float = 0.5
    file_retention_days: int = 45
    create_grace_seconds: int = 900
    outcome_events: bool = False


def read_settings(environment: Mapping[str, str]) -> Settings:
    """Check the environment of the function.

    Raises:
        SettingsError: a variable is missing or malformed; the message names the first such.
    """
    return Settings(
        bucket=_required(environment, "BUCKET_NAME"),
        secret_arn=_required(environment, "CREDENTIALS_SECRET_ARN"),
        queue_url=_required(environment, "QUEUE_URL"),
        advertiser=_required(environment, "ADVERTISER"),
        advertiser_id=_digits(environment, "ADVERTISER_ID"),
        tiktok_url=_url(environment, "TIKTOK_API_URL", Settings.tiktok_url),
        max_part_bytes=_number(environment, "MAX_PART_BYTES", int, Settings.max_part_bytes, PART_BYTES),
        max_rejected_ratio=_number(environment, "MAX_REJECTED_RATIO", float, Settings.max_rejected_ratio, (0, 1)),
        settle_seconds=_number(environment, "SETTLE_SECONDS", float, Settings.settle_seconds, (0, 900)),
        max_shrink=_number(environment, "MAX_SHRINK", float, Settings.max_shrink, (0, 1)),
        file_retention_days=_number(environment, "FILE_RETENTION_DAYS", int, Settings.file_retention_days, (1, 36_500)),
        create_grace_seconds=_number(
            environment, "CREATE_GRACE_SECONDS", int, Settings.create_grace_seconds, (0, 172_800)
        ),
        outcome_events=_flag(environment, "OUTCOME_EVENTS"),
    )


def _digits(environment: Mapping[str, str], name: str) -> str:
    value = environment.get(name, "").strip()
    if value and not (value.isascii() and value.isdigit()):
        raise SettingsError(f"The environment variable {name} must be TikTok's advertiser id: digits only.")
    return value


def _flag(environment: Mapping[str, str], name: str) -> bool:
    value = environment.get(name, "").strip().lower()
    if value not in {"", "true", "false"}:
        raise SettingsError(f"The environment variable {name} must be true or false.")
    return value == "true"


def _required(environment: Mapping[str, str], name: str) -> str:
    value = environment.get(name, "").strip()
    if not value:
        raise SettingsError(f"The environment variable {name} is missing or empty; the connector sets it.")
    return value


def _url(environment: Mapping[str, str], name: str, default: str) -> str:
    value = environment.get(name, "").strip() or default
    parts = urlsplit(value)
    if parts.scheme not in {"http", "https"} or not parts.netloc:
        raise SettingsError(f"The environment variable {name} must be an address such as {default}.")
    return value.rstrip("/")


def _number(
    environment: Mapping[str, str],
    name: str,
    kind: Callable[[str], Number],
    default: Number,
    limits: tuple[float, float],
) -> Number:
    text = environment.get(name, "").strip()
    fault = SettingsError(f"The environment variable {name} must be a number from {limits[0]} to {limits[1]}.")
    try:
        value = kind(text) if text else default
    except ValueError:
        raise fault from None
    if not limits[0] <= value <= limits[1]:  # false for NaN as well
        raise fault
    return value
