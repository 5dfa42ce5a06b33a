"""The function's environment variables, validated once per cold start."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TypeVar
from urllib.parse import urlsplit

from handler.errors import SettingsError

# TikTok's newer documents allow 250 MB per file, its older ones 50 MB. 50 MB satisfies both.
DEFAULT_PART_BYTES = 50_000_000
PART_BYTES = (1_000, 250_000_000)  # the smallest and the largest value of MAX_PART_BYTES

Number = TypeVar("Number", int, float)


@dataclass(frozen=True)
class Settings:
    """The function's settings, one for each environment variable.

    Attributes:
        bucket: the connector's bucket.
        secret_arn: the ARN of the secret with ACCESS_TOKEN and, if `advertiser_id` is empty, ADVERTISER_ID.
        queue_url: the connector's queue.
        advertiser: the connector's label in logs and metrics, `<advertiser>/<stack>`.
        advertiser_id: the advertiser's id at TikTok; empty if the secret contains it.
        tiktok_url: base address of TikTok's API for Business, without a trailing slash.
        max_part_bytes: the maximum size of a part uploaded to TikTok, in bytes.
        max_rejected_ratio: the share, 0 to 1, of faulty rows, or of faulty cells in a column, above which a file is
            rejected.
        settle_seconds: seconds without a new upload until an audience has settled; 0 turns settling off.
        max_shrink: the share, 0 to 1, by which a new list may be shorter than the last one without a confirmation.
        file_retention_days: days until the bucket's lifecycle rule expires an upload.
        create_grace_seconds: seconds to wait for TikTok to show a create or replace whose outcome is unknown.
        outcome_events: true to send an event to the account's default event bus for each final status.
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
    """Return the settings from the environment variables.

    Raises:
        SettingsError: a variable is missing or malformed; the message names the first one.
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
        raise SettingsError(f"The environment variable {name} must be a TikTok advertiser id, which has only digits.")
    return value


def _flag(environment: Mapping[str, str], name: str) -> bool:
    value = environment.get(name, "").strip().lower()
    if value not in {"", "true", "false"}:
        raise SettingsError(f"The environment variable {name} must be true or false.")
    return value == "true"


def _required(environment: Mapping[str, str], name: str) -> str:
    value = environment.get(name, "").strip()
    if not value:
        raise SettingsError(f"The environment variable {name} is missing or empty. Deploy the stack again to set it.")
    return value


def _url(environment: Mapping[str, str], name: str, default: str) -> str:
    value = environment.get(name, "").strip() or default
    parts = urlsplit(value)
    if parts.scheme not in {"http", "https"} or not parts.netloc:
        raise SettingsError(f"The environment variable {name} must be a URL such as {default}.")
    return value.rstrip("/")


def _number(
    environment: Mapping[str, str],
    name: str,
    kind: Callable[[str], Number],
    default: Number,
    limits: tuple[float, float],
) -> Number:
    text = environment.get(name, "").strip()
    described = "an integer" if kind is int else "a number"
    error = SettingsError(f"The environment variable {name} must be {described} from {limits[0]} to {limits[1]}.")
    try:
        value = kind(text) if text else default
    except ValueError:
        raise error from None
    if not limits[0] <= value <= limits[1]:  # also raises for NaN
        raise error
    return value
