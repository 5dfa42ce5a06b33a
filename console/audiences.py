"""Comparison of the audiences at TikTok with those that the connector has registered."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from console import aws
from console.stack import Connector
from handler.tiktok.responses import Audience

MIN_MATCHED = 1000  # TikTok's minimum for targeting, and for keeping an audience
_EXPIRES_SOON = timedelta(days=30)
STATE = "audiences/"


@dataclass(frozen=True)
class RegisteredAudience:
    """An audience in the connector's state.

    Attributes:
        name: the name in object keys.
        identifier_type: in lower case.
        audience_id: TikTok's id; None if the audience has not been created.
    """

    name: str
    identifier_type: str
    audience_id: str | None


@dataclass(frozen=True)
class AudienceRow:
    """One audience in the comparison.

    Attributes:
        name: the name in object keys if the audience is registered, otherwise its name at TikTok.
        identifier_type: in lower case; empty if TikTok does not return it.
        id: TikTok's audience id; None if the audience does not exist at TikTok.
        matched: number of matched users; None if the audience does not exist at TikTok.
        findings: remarks for the operator.
        registered: True if the connector uploads to it.
    """

    name: str
    identifier_type: str
    id: str | None
    matched: int | None
    findings: tuple[str, ...]
    registered: bool


def compare(
    registered: Sequence[RegisteredAudience], listed: Iterable[Audience], now: datetime | None = None
) -> list[AudienceRow]:
    """Compare TikTok's listing with the connector's state.

    Args:
        registered: the audiences in the connector's state.
        listed: the advertiser's audiences at TikTok; only customer-file audiences are compared.
        now: the time of the comparison in UTC; None for the current time.

    Returns:
        A row for each registered audience, followed by a row for each other customer-file audience at TikTok.
    """
    now = now or datetime.now(UTC)
    own = {audience.id: audience for audience in listed if audience.is_customer_file}
    ids = {each.audience_id for each in registered}
    rows = []
    for each in sorted(registered, key=lambda one: (one.name, one.identifier_type)):
        audience = own.get(each.audience_id or "")
        findings = []
        if audience is None:
            finding = (
                "deleted at TikTok; the next append or replace creates it again"
                if each.audience_id
                else "not created yet"
            )
            rows.append(AudienceRow(each.name, each.identifier_type, None, None, (finding,), registered=True))
            continue
        if audience.name.strip() != each.name:
            findings.append(f"renamed at TikTok to {audience.name!r}; uploads still go to it")
        rows.append(
            AudienceRow(
                each.name,
                each.identifier_type,
                audience.id,
                audience.matched,
                (*findings, *problems(audience, now)),
                registered=True,
            )
        )
    names = {(each.name, each.identifier_type) for each in registered}
    for audience in sorted(own.values(), key=lambda one: one.name):
        if audience.id in ids:
            continue
        kind = (audience.calculate_type or "").lower()
        duplicate = (audience.name.strip(), kind) in names
        finding = (
            "duplicate of a registered audience; uploads do not change it"
            if duplicate
            else "not managed by the connector"
        )
        rows.append(
            AudienceRow(
                audience.name,
                kind,
                audience.id,
                audience.matched,
                (finding, *problems(audience, now)),
                registered=False,
            )
        )
    return rows


def problems(audience: Audience, now: datetime) -> list[str]:
    """Return the problems of an audience at TikTok as remarks for the operator; empty if there are none."""
    findings = []
    if audience.is_valid is False:
        findings.append("not editable now: TikTok is processing it, or it is too small")
    elif audience.matched < MIN_MATCHED:
        findings.append(f"too small: fewer than {MIN_MATCHED:,} matched users")
    if audience.expires_at and audience.expires_at < now:
        findings.append("expired: it cannot be changed, only deleted")
    elif audience.is_expiring or (audience.expires_at and audience.expires_at < now + _EXPIRES_SOON):
        findings.append("expires soon: any upload extends it")
    return findings


def read_registered(connector: Connector) -> list[RegisteredAudience]:
    """Return the audiences in the connector's state.

    Raises:
        ConsoleError: the bucket cannot be read.
    """
    client = aws.s3(connector)
    found = []
    with aws.translate_errors("read the audiences", connector):
        pages = client.get_paginator("list_objects_v2").paginate(Bucket=connector.bucket, Prefix=STATE)
        keys = [entry["Key"] for page in pages for entry in page.get("Contents", ()) if entry["Key"].endswith(".json")]
        for key in keys:
            kind, _, name = key.removeprefix(STATE).removesuffix(".json").partition("/")
            if not name:
                continue
            state = json.loads(client.get_object(Bucket=connector.bucket, Key=key)["Body"].read())
            if isinstance(state, dict) and "audience_id" in state:
                found.append(RegisteredAudience(str(state.get("name") or name), kind, state["audience_id"]))
    return found
