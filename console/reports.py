"""Reports in a connector's bucket: found, read, and put into order."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
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
AT_END = frozenset({"available", "skipped", "rejected", "failed"})
_READERS = 16
_MAX_SETTLE = timedelta(hours=1)  # 12 times the default of settleSeconds
_MAX_PROCESSING = timedelta(hours=48)  # TikTok's own figure
_CONFIRM_WITHIN = timedelta(hours=24)


@dataclass(frozen=True)
class ReportPlace:
    """A report in the bucket: the object's key, the version, and when the report was written."""

    key: str
    version_id: str
    written_at: datetime


class ReportReader:
    """Reads the reports of one connector."""

    def __init__(self, connector: Connector, client: S3Client | None = None) -> None:
        self._connector = connector
        self._client = client or aws.s3(connector)

    def places(self, prefix: str = "") -> list[ReportPlace]:
        """Return where the reports are of all uploads whose key begins with `prefix`, the newest first."""
        found = []
        with aws.explained("list the reports", self._connector):
            pages = self._client.get_paginator("list_objects_v2").paginate(
                Bucket=self._connector.bucket, Prefix=REPORTS + prefix
            )
            for page in pages:
                for entry in page.get("Contents", ()):
                    key, _, name = entry["Key"].removeprefix(REPORTS).rpartition("/")
                    if key and name.endswith(".json"):
                        found.append(ReportPlace(key, name.removesuffix(".json"), entry["LastModified"]))
        return sorted(found, key=lambda each: each.written_at, reverse=True)

    def read(self, key: str, version_id: str) -> Report | None:
        """Return one report, or None if there is none."""
        report_key = f"{REPORTS}{key}/{version_id}.json"
        with aws.explained("read a report", self._connector):
            try:
                answer = self._client.get_object(Bucket=self._connector.bucket, Key=report_key)
            except ClientError as error:
                # Without the right to list the whole bucket S3 does not say that an object is missing.
                if aws.code(error) in aws.ABSENT or (aws.is_denied(error) and not self._is_listed(report_key)):
                    return None
                raise
            content = json.loads(answer["Body"].read())
        return content if isinstance(content, dict) else None

    def _is_listed(self, report_key: str) -> bool:
        answer = self._client.list_objects_v2(Bucket=self._connector.bucket, Prefix=report_key, MaxKeys=1)
        return bool(answer.get("Contents"))

    def read_all(self, places: Iterable[ReportPlace]) -> list[Report]:
        """Return the reports at some places, in their order; what is gone meanwhile is left out."""
        with ThreadPoolExecutor(_READERS) as readers:
            found = readers.map(lambda place: self.read(place.key, place.version_id), places)
            return [report for report in found if report is not None]

    def versions(self, key: str) -> list[Report]:
        """Return the reports of every version of one object, the newest upload first."""
        found = self.read_all(place for place in self.places(key + "/") if place.key == key)
        return sorted(found, key=lambda report: str(report["file"]["uploaded_at"]), reverse=True)

    def newest(self, limit: int) -> tuple[list[Report], int]:
        """Return the newest state of each file, the last changed first, and how many files there are.

        Args:
            limit: maximum number of files; 0 for all.
        """
        by_key: dict[str, list[ReportPlace]] = {}
        for place in self.places():
            by_key.setdefault(place.key, []).append(place)
        wanted = list(by_key.items())[: limit or None]
        reports = self.read_all(place for _, places in wanted for place in places)
        return latest_of_each(reports), len(by_key)


def latest_of_each(reports: Iterable[Report]) -> list[Report]:
    """Return for each file the report of its newest upload, in the order in which the files come first."""
    latest: dict[str, Report] = {}
    for report in reports:
        key = str(report["file"]["key"])
        if key not in latest or report["file"]["uploaded_at"] > latest[key]["file"]["uploaded_at"]:
            latest[key] = report
    return list(latest.values())


def find_report(readers: Mapping[str, ReportReader], key: str) -> tuple[str, list[Report]]:
    """Return the advertiser and the reports of a key's versions.

    Args:
        readers: by advertiser.
        key: of the uploaded object.

    Raises:
        ConsoleError: nobody has a report of it, or several do.
    """
    found = {name: reports for name, reader in readers.items() if (reports := reader.versions(key))}
    if not found:
        raise ConsoleError(
            f"There is no report of {key}. Check the key with `status`; a report is there seconds after the upload."
        )
    if len(found) > 1:
        raise ConsoleError(
            f"Several advertisers have a report of {key}: {', '.join(found)}. Name one with --advertiser."
        )
    return next(iter(found.items()))


def waits_until(report: Report) -> datetime | None:
    """Return until when a file that is not at its end waits at most, as far as its report says; None if it does not."""
    if report["status"] in AT_END:
        return None
    updated = moment(report["updated_at"])
    if report["status"] == "submitted":
        return updated + _MAX_PROCESSING
    match report["code"]:
        case "settling":
            return moment(report["received_at"]) + _MAX_SETTLE
        case "audience_processing":
            return updated + _MAX_PROCESSING
        case "shrinks_too_much":
            return updated + _CONFIRM_WITHIN
        case "replaced_today":
            return datetime.combine(updated.date() + timedelta(days=1), datetime.min.time(), UTC)
    return None


def moment(text: str) -> datetime:
    """Return a report's time."""
    return datetime.strptime(text, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC)


def matched_by_audience(reports: Iterable[Report]) -> dict[tuple[str, str], list[tuple[str, int]]]:
    """Return for each audience (name, identifier type) its matched users over time, oldest first."""
    found: dict[tuple[str, str], list[tuple[str, int]]] = {}
    for report in reports:
        audience, matched = report["audience"], report["tiktok"]["matched"]
        if audience and matched is not None and report["status"] == "available":
            found.setdefault((audience["name"], audience["identifier_type"]), []).append(
                (report["updated_at"], matched)
            )
    return {audience: sorted(points) for audience, points in sorted(found.items())}


def is_at_end(report: Report) -> bool:
    """Return whether nothing more happens to the upload."""
    return report["status"] in AT_END


Tell = Callable[[Report], None]


def file_json(report: Report) -> dict[str, Any]:
    """Return a file's state for machines."""
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
