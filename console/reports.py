"""Access to the reports in a connector's bucket: find, read and sort them."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from console import aws
from console.errors import ConsoleError
from console.stack import Connector

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

Report = Mapping[str, Any]
REPORTS = "reports/"
UPLOADS = "tiktok/"
FINAL_STATUSES = frozenset({"available", "skipped", "rejected", "failed"})
_READERS = 16
# 12 and 72 times the default of settleSeconds
_MAX_SETTLE, _MAX_REPLACE_SETTLE = timedelta(hours=1), timedelta(hours=6)
_MAX_PROCESSING = timedelta(hours=48)  # documented by TikTok
_CONFIRM_WITHIN = timedelta(hours=24)


@dataclass(frozen=True)
class ReportLocation:
    """The location of a report: the key and version of the uploaded object, and when the report was last written."""

    key: str
    version_id: str
    written_at: datetime


class ReportReader:
    """Reads the reports of one connector. The methods raise `ConsoleError` if the bucket cannot be read."""

    def __init__(self, connector: Connector, client: S3Client | None = None) -> None:
        self._connector = connector
        self._client = client or aws.s3(connector)

    def locations(self, prefix: str = "") -> list[ReportLocation]:
        """Return the locations of the reports of all uploads whose key starts with `prefix`, newest first."""
        found = []
        with aws.translate_errors("list the reports", self._connector):
            pages = self._client.get_paginator("list_objects_v2").paginate(
                Bucket=self._connector.bucket, Prefix=REPORTS + prefix
            )
            for page in pages:
                for entry in page.get("Contents", ()):
                    key, _, name = entry["Key"].removeprefix(REPORTS).rpartition("/")
                    if key and name.endswith(".json"):
                        found.append(ReportLocation(key, name.removesuffix(".json"), entry["LastModified"]))
        return sorted(found, key=lambda each: each.written_at, reverse=True)

    def read(self, key: str, version_id: str) -> Report | None:
        """Return one report, or None if it does not exist."""
        report_key = f"{REPORTS}{key}/{version_id}.json"
        with aws.translate_errors("read a report", self._connector):
            try:
                response = self._client.get_object(Bucket=self._connector.bucket, Key=report_key)
            except ClientError as error:
                # Without permission to list the entire bucket, S3 returns AccessDenied for a missing object.
                if aws.code(error) in aws.ABSENT or (aws.is_denied(error) and not self._is_listed(report_key)):
                    return None
                raise
            content = json.loads(response["Body"].read())
        return content if isinstance(content, dict) else None

    def _is_listed(self, report_key: str) -> bool:
        response = self._client.list_objects_v2(Bucket=self._connector.bucket, Prefix=report_key, MaxKeys=1)
        return bool(response.get("Contents"))

    def read_all(self, locations: Iterable[ReportLocation]) -> list[Report]:
        """Return the reports at the given locations, in the same order, without those that no longer exist."""
        with ThreadPoolExecutor(_READERS) as readers:
            found = readers.map(lambda location: self.read(location.key, location.version_id), locations)
            return [report for report in found if report is not None]

    def versions(self, key: str) -> list[Report]:
        """Return the reports of all versions of one object, newest upload first."""
        found = self.read_all(location for location in self.locations(key + "/") if location.key == key)
        return sorted(found, key=lambda report: str(report["file"]["uploaded_at"]), reverse=True)

    def newest(self, limit: int) -> tuple[list[Report], int]:
        """Return the newest upload's report for each file, most recently written first, and the total number of files.

        Args:
            limit: maximum number of reports to return; 0 for no limit.
        """
        by_key: dict[str, list[ReportLocation]] = {}
        for location in self.locations():
            by_key.setdefault(location.key, []).append(location)
        wanted = list(by_key.items())[: limit or None]
        reports = self.read_all(location for _, locations in wanted for location in locations)
        return latest_of_each(reports), len(by_key)


def latest_of_each(reports: Iterable[Report]) -> list[Report]:
    """Return the report of the newest upload of each file, in the order in which the files first appear."""
    latest: dict[str, Report] = {}
    for report in reports:
        key = str(report["file"]["key"])
        if key not in latest or report["file"]["uploaded_at"] > latest[key]["file"]["uploaded_at"]:
            latest[key] = report
    return list(latest.values())


def find_report(readers: Mapping[str, ReportReader], key: str) -> tuple[str, list[Report]]:
    """Return the advertiser that has a report for a key, and the reports of the key's versions.

    Args:
        readers: the report readers by advertiser.
        key: the key of the uploaded object.

    Raises:
        ConsoleError: no advertiser or more than one advertiser has a report for the key.
    """
    found = {name: reports for name, reader in readers.items() if (reports := reader.versions(key))}
    if not found:
        raise ConsoleError(
            f"There is no report for {key}. Run `tiktok-activation status` to check the key. "
            "If the file was just uploaded, try again in a few seconds."
        )
    if len(found) > 1:
        raise ConsoleError(
            f"Several advertisers have a report for {key}: {', '.join(found)}. Name one with --advertiser."
        )
    return next(iter(found.items()))


def waits_until(report: Report) -> datetime | None:
    """Return the latest time until which an upload waits; None if it has a final status or the time is unknown.

    For `settling`, this is the limit with the default of `settleSeconds`.
    """
    if report["status"] in FINAL_STATUSES:
        return None
    updated = parse_time(report["updated_at"])
    if report["status"] == "submitted":
        return updated + _MAX_PROCESSING
    match report["code"]:
        case "settling":
            is_replace = report["audience"]["action"] == "replace"
            return parse_time(report["received_at"]) + (_MAX_REPLACE_SETTLE if is_replace else _MAX_SETTLE)
        case "audience_processing":
            return updated + _MAX_PROCESSING
        case "shrinks_too_much":
            return updated + _CONFIRM_WITHIN
        case "replaced_today":
            return datetime.combine(updated.date() + timedelta(days=1), datetime.min.time(), UTC)
    return None


def parse_time(text: str) -> datetime:
    """Parse a time in the format of a report."""
    return datetime.strptime(text, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC)


def matched_by_audience(reports: Iterable[Report]) -> dict[tuple[str, str], list[tuple[str, int]]]:
    """Return the matched users over time, oldest first, for each audience (name and identifier type)."""
    found: dict[tuple[str, str], list[tuple[str, int]]] = {}
    for report in reports:
        audience, matched = report["audience"], report["tiktok"]["matched"]
        if audience and matched is not None and report["status"] == "available":
            found.setdefault((audience["name"], audience["identifier_type"]), []).append(
                (report["updated_at"], matched)
            )
    return {audience: sorted(points) for audience, points in sorted(found.items())}


def is_final(report: Report) -> bool:
    """Return whether the upload has reached a final status."""
    return report["status"] in FINAL_STATUSES


def file_json(report: Report) -> dict[str, Any]:
    """Return the status of a file as a JSON object."""
    audience = report["audience"] or {}
    until = waits_until(report)
    return {
        "key": report["file"]["key"],
        "version_id": report["file"]["version_id"],
        "status": report["status"],
        "code": report["code"],
        "reason": report["reason"],
        "audience": audience.get("name"),
        "identifier_type": audience.get("identifier_type"),
        "action": audience.get("action"),
        "accepted": report["rows"]["accepted"],
        "rejected": report["rows"]["rejected"],
        "matched": report["tiktok"]["matched"],
        "uploaded_at": report["file"]["uploaded_at"],
        "updated_at": report["updated_at"],
        "waits_until": f"{until:%Y-%m-%dT%H:%M:%SZ}" if until else None,
    }
