"""Withdrawal of waiting uploads: sets their reports to `skipped` while holding the lease on their audience.

Deleting the object is not enough: the connector still applies removes, and appends that belong to a run or have a
counter in the file name.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from console import aws
from console.errors import ConsoleError, Exit
from console.reports import Report, ReportReader
from console.stack import Connector
from handler.clock import utc_now
from handler.errors import Conflict, Damaged, Missing
from handler.events.keys import list_id, parse_key
from handler.model import Action, AudienceKey, IdentifierType
from handler.report_codes import Code
from handler.state.audience_state import Change
from handler.state.lease import Lease, lease_on
from handler.state.ledger import Ledger
from handler.state.lists import StoredList, list_file, new_list, read_list, write_list
from handler.state.objects import ObjectStore
from handler.state.pending_pointers import list_digest
from handler.state.reports import Report as StoredReport
from handler.state.reports import set_status

REASON = "Someone withdrew the file before it was sent. If that was not intended, upload it again."
_LEASE_SECONDS = 60.0
_LEASE_TRIES, _LEASE_PAUSE = 20, 1.5  # the function holds a lease for seconds, rarely for minutes


@dataclass(frozen=True)
class Withdrawal:
    """The result for one upload. `refused` is the reason why it was not withdrawn, or None if it was withdrawn."""

    key: str
    version_id: str
    refused: str | None


def find_waiting(reader: ReportReader, key: str) -> list[Report]:
    """Return the uploads of a key that have not reached a final status.

    A key that ends in a slash selects all uploads in the folder. A file under `replace/` selects its entire list.
    """
    if key.endswith("/"):
        return _waiting(reader.read_all(reader.locations(key)))
    found = _waiting(reader.versions(key))
    if any(_action(report) is Action.REPLACE for report in found):
        wanted = {list_id(parse_key(report["file"]["key"])) for report in found}
        folder = "/".join(key.split("/")[:4]) + "/"
        others = [
            each for each in _waiting(reader.read_all(reader.locations(folder))) if _action(each) is Action.REPLACE
        ]
        return [each for each in others if list_id(parse_key(each["file"]["key"])) in wanted]
    return found


def withdraw(
    connector: Connector, reports: Sequence[Report], sleep: Callable[[float], None] = time.sleep
) -> list[Withdrawal]:
    """Withdraw waiting uploads.

    An upload that was sent to TikTok, or is being sent, is not withdrawn. Undo it with another upload.

    Raises:
        ConsoleError: the function does not release the lease, the bucket cannot be written to, or a report or the
            audience's state is missing, damaged, or changed by another function.
    """
    store = ObjectStore(aws.s3(connector), connector.bucket)
    by_audience: dict[AudienceKey, list[Report]] = {}
    for report in reports:
        audience = report["audience"]
        if audience:
            key = AudienceKey(IdentifierType(audience["identifier_type"]), audience["name"])
            by_audience.setdefault(key, []).append(report)
    done: list[Withdrawal] = []
    with aws.translate_errors("withdraw the files", connector), _translate_state_errors(connector):
        for key, uploads in by_audience.items():
            for attempt in range(_LEASE_TRIES):
                if attempt:
                    sleep(_LEASE_PAUSE)
                with lease_on(store, key, "console", _LEASE_SECONDS, utc_now) as lease:
                    if lease:
                        done += withdraw_under_lease(store, lease, uploads)
                        break
            else:
                raise ConsoleError(f"The connector is busy with the audience {key.name!r}. Try again in a minute.")
    return done


@contextmanager
def _translate_state_errors(connector: Connector) -> Iterator[None]:
    try:
        yield
    except (Conflict, Damaged, Missing) as error:
        raise ConsoleError(
            f"The console could not withdraw all files for {connector.label}. {error} "
            "Run `tiktok-activation status` to see which files still wait, and try again."
        ) from None


def withdraw_under_lease(store: ObjectStore, lease: Lease, reports: Sequence[Report]) -> list[Withdrawal]:
    """Withdraw waiting uploads of one audience.

    Raises:
        ClientError: S3 failed.
        Missing, Damaged, Conflict: as for `Ledger.latest` and `Ledger.update`.
    """
    ledger = Ledger(store, utc_now, lambda _: None)
    calls = [call for call in (lease.state["intent"], lease.state["change"]) if call]
    lists_in_calls = {call["list"] for call in calls}
    sending = _files_in_calls(store, lease.audience, calls)
    done = []
    lists: dict[str, list[StoredReport]] = {}
    for each in reports:
        identity = (str(each["file"]["key"]), str(each["file"]["version_id"]))
        report = ledger.latest(*identity)
        if report["status"] != "waiting":
            done.append(Withdrawal(*identity, f"its status is {report['status']}"))
        elif identity in sending:
            done.append(Withdrawal(*identity, "it is being sent to TikTok"))
        else:
            ledger.update(report, lambda current: set_status(current, "skipped", Code.WITHDRAWN, REASON))
            done.append(Withdrawal(*identity, None))
            if (digest := list_digest(report)) and digest not in lists_in_calls:
                lists.setdefault(digest, []).append(report)
    for digest, files in lists.items():
        write_list(store, lease.audience, _withdrawn_list(read_list(store, lease.audience, digest), digest, files))
    return done


def _files_in_calls(store: ObjectStore, audience: AudienceKey, calls: Sequence[Change]) -> set[tuple[str, str]]:
    """Return the object versions in calls to TikTok that have started. The files of a list are in its list object."""
    files = [file for call in calls for file in call["files"]]
    for call in calls:
        if call["list"] and (stored := read_list(store, audience, call["list"])):
            files += stored["files"]
    return {(file["key"], file["version_id"]) for file in files}


def _withdrawn_list(stored: StoredList | None, digest: str, files: Sequence[StoredReport]) -> StoredList:
    """Return a list object with the code `withdrawn`, so that a file that arrives later gets the same outcome."""
    times = sorted(report["file"]["uploaded_at"] for report in files)
    withdrawn = new_list(digest, times[0], times[-1])
    withdrawn["status"], withdrawn["code"] = "skipped", Code.WITHDRAWN.value
    withdrawn["files"] = [list_file(report) for report in sorted(files, key=lambda report: report["file"]["key"])]
    withdrawn["outdated"] = stored["outdated"] if stored else []
    return withdrawn


def _waiting(reports: Sequence[Report]) -> list[Report]:
    return [report for report in reports if report["status"] in {"waiting", "submitted"}]


def _action(report: Report) -> Action | None:
    return Action(report["audience"]["action"]) if report["audience"] else None


def nothing_to_withdraw(key: str) -> ConsoleError:
    """Return the error for a key that has no waiting upload."""
    return ConsoleError(
        f"There is no waiting upload for {key}, so nothing can be withdrawn. "
        "Run `tiktok-activation status` to see the status of each file.",
        Exit.NOT_ACCEPTED,
    )
