"""Waiting uploads taken back: their reports are set to `withdrawn`, under the lease on their audience.

Deleting the object is not enough: a remove, and a file of a run, are applied all the same.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from console import aws
from console.errors import ConsoleError, Exit
from console.reports import Report, ReportReader
from console.stack import Connector
from handler.clock import utc_now
from handler.events.keys import list_id, parse_key
from handler.model import Action, AudienceKey, IdentifierType
from handler.report_codes import Code
from handler.state.audience_state import Change
from handler.state.lease import Lease, lease_on
from handler.state.ledger import Ledger
from handler.state.lists import SCHEMA, StoredList, read_list, write_list
from handler.state.objects import ObjectStore
from handler.state.pointers import list_digest
from handler.state.reports import Report as StoredReport
from handler.state.reports import set_status

REASON = "A person withdrew the file before its turn, so it was not sent. If that was not intended, upload it again."
_LEASE_SECONDS = 60.0
_LEASE_TRIES, _LEASE_PAUSE = 20, 1.5  # a turn of the function takes seconds, rarely minutes


@dataclass(frozen=True)
class Withdrawal:
    """The result for one upload: its key, its version, and why it was not withdrawn; None if it was."""

    key: str
    version_id: str
    refused: str | None


def find_waiting(reader: ReportReader, key: str) -> list[Report]:
    """Return the uploads that a key means and that are not at their end: a file's, or a folder's if it ends in a slash.

    A file under `replace/` means its whole list.
    """
    if key.endswith("/"):
        return _waiting(reader.read_all(reader.places(key)))
    found = _waiting(reader.versions(key))
    if any(_action(report) is Action.REPLACE for report in found):
        wanted = {list_id(parse_key(report["file"]["key"])) for report in found}
        folder = "/".join(key.split("/")[:4]) + "/"
        others = [each for each in _waiting(reader.read_all(reader.places(folder))) if _action(each) is Action.REPLACE]
        return [each for each in others if list_id(parse_key(each["file"]["key"])) in wanted]
    return found


def withdraw(
    connector: Connector, reports: Sequence[Report], sleep: Callable[[float], None] = time.sleep
) -> list[Withdrawal]:
    """Withdraw waiting uploads.

    What TikTok is receiving or has received is not withdrawn: a later remove takes those people out.

    Raises:
        ConsoleError: the function holds the lease all the time, or the bucket may not be written.
    """
    store = ObjectStore(aws.s3(connector), connector.bucket)
    by_audience: dict[AudienceKey, list[Report]] = {}
    for report in reports:
        audience = report["audience"]
        if audience:
            key = AudienceKey(IdentifierType(audience["identifier_type"]), audience["name"])
            by_audience.setdefault(key, []).append(report)
    done: list[Withdrawal] = []
    with aws.explained("withdraw the files", connector):
        for key, some in by_audience.items():
            for attempt in range(_LEASE_TRIES):
                if attempt:
                    sleep(_LEASE_PAUSE)
                with lease_on(store, key, "console", _LEASE_SECONDS, utc_now) as lease:
                    if lease:
                        done += withdraw_under_lease(store, lease, some)
                        break
            else:
                raise ConsoleError(f"The connector is busy with the audience {key.name!r}. Try again in a minute.")
    return done


def withdraw_under_lease(store: ObjectStore, lease: Lease, reports: Sequence[Report]) -> list[Withdrawal]:
    """Withdraw waiting uploads of one audience.

    Raises:
        ClientError: S3 failed.
    """
    ledger = Ledger(store, utc_now, lambda _: None)
    calls = [call for call in (lease.state["intent"], lease.state["change"]) if call]
    lists_in_calls = {call["list"] for call in calls}
    sending = _in_calls(store, lease.audience, calls)
    done = []
    lists: dict[str, list[StoredReport]] = {}
    for each in reports:
        identity = (str(each["file"]["key"]), str(each["file"]["version_id"]))
        report = ledger.latest(*identity)
        if report["status"] != "waiting":
            done.append(Withdrawal(*identity, f"it is {report['status']} already"))
        elif identity in sending:
            done.append(Withdrawal(*identity, "TikTok is receiving it"))
        else:
            ledger.update(report, lambda current: set_status(current, "skipped", Code.WITHDRAWN, REASON))
            done.append(Withdrawal(*identity, None))
            if (digest := list_digest(report)) and digest not in lists_in_calls:
                lists.setdefault(digest, []).append(report)
    for digest, files in lists.items():
        write_list(store, lease.audience, _ended_list(read_list(store, lease.audience, digest), digest, files))
    return done


def _in_calls(store: ObjectStore, audience: AudienceKey, calls: Sequence[Change]) -> set[tuple[str, str]]:
    """Return the object versions in a call to TikTok that has begun; those of a list are in its object."""
    files = [file for call in calls for file in call["files"]]
    for call in calls:
        if call["list"] and (stored := read_list(store, audience, call["list"])):
            files += stored["files"]
    return {(file["key"], file["version_id"]) for file in files}


def _ended_list(stored: StoredList | None, digest: str, files: Sequence[StoredReport]) -> StoredList:
    """Return a list object that says that the list is withdrawn: a file that arrives later gets the same outcome."""
    times = sorted(report["file"]["uploaded_at"] for report in files)
    entries = [
        {
            "key": report["file"]["key"],
            "version_id": report["file"]["version_id"],
            "uploaded_at": report["file"]["uploaded_at"],
            "counts": None,
        }
        for report in sorted(files, key=lambda report: report["file"]["key"])
    ]
    return {
        "schema": SCHEMA,
        "digest": digest,
        "first_uploaded_at": times[0],
        "last_uploaded_at": times[-1],
        "status": "skipped",
        "code": Code.WITHDRAWN.value,
        "faulty_key": None,
        "files": entries,  # type: ignore[typeddict-item]  # as written above
        "outdated": stored["outdated"] if stored else [],
        "rows": None,
        "uploads": [],
        "progress": None,
        "waiting_since": None,
    }


def _waiting(reports: Sequence[Report]) -> list[Report]:
    return [report for report in reports if report["status"] in {"waiting", "submitted"}]


def _action(report: Report) -> Action | None:
    return Action(report["audience"]["action"]) if report["audience"] else None


def nothing_to_withdraw(key: str) -> ConsoleError:
    """Return the error for a key of which nothing waits."""
    return ConsoleError(
        f"Nothing of {key} waits, so nothing can be withdrawn. `report` shows how it ended.", Exit.NOT_ACCEPTED
    )
