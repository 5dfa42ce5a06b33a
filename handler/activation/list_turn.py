"""A list that is about to be sent: its files, the checks of the files, and the outcome of the list."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import timedelta

from botocore.exceptions import ClientError

from handler import reasons
from handler.activation.exports import Export
from handler.activation.invocation import Invocation
from handler.activation.manifests import describes, entries
from handler.activation.order import EXPORT_GAP
from handler.activation.prepare import outcome_after_refusals
from handler.activation.turn import MAX_WAIT, Turn
from handler.activation.versions import Versions
from handler.cleaning.counts import Tally
from handler.clock import iso, parse_iso
from handler.errors import Damaged, Missing, Outcome, Waiting
from handler.events.keys import list_folder
from handler.model import AudienceKey
from handler.state.audience_state import FileRef
from handler.state.lists import ListFile, StoredList, list_file, new_list, write_list
from handler.state.objects import Version
from handler.state.pending_pointers import upload_digest
from handler.state.reports import Report, identity


@dataclass
class ListTurn:
    """One list during a turn: its list object and the reports of its files.

    Attributes:
        stored: the list object. Its files are the newest versions of the list's keys.
        reports: the reports of its files, in the order of `stored["files"]`. Reports that someone deleted or
            damaged are left out.
        outdated: the reports of older versions, and of files that the manifest does not name.
        tallies: by index, the counts of files read in this invocation. They are more detailed than the stored counts.
        cut_off: the key and outcome of a file whose last row is cut off. Only this file gets that outcome.
    """

    audience: AudienceKey
    stored: StoredList
    reports: list[Report]
    outdated: list[Report] = field(default_factory=list)
    tallies: dict[int, Tally] = field(default_factory=dict)
    cut_off: tuple[str, Outcome] | None = None


def open_list(turn: Turn, export: Export) -> ListTurn | None:
    """Return the list of an export; None if the list was withdrawn or rejected.

    Raises:
        Waiting: files are missing, a job is still writing them, or a manifest is older than a file. The list is
            rejected instead if this is still the case 24 hours after its last file was uploaded.
    """
    run, versions = turn.run, turn.versions
    opened = gather_list(turn, export)
    try:
        check_deleted(opened, versions)
        if versions.is_being_written(opened.reports):
            raise reasons.list_being_written()
        if manifests := [each for each in versions.manifests(opened.reports) if describes(each, opened.reports)]:
            _apply_manifests(turn, opened, manifests)
        elif run.settle:
            _check_refused_names(opened, versions, EXPORT_GAP * run.settle)
    except Waiting as missing:
        if run.now() - export.last < MAX_WAIT:
            for report in (*opened.reports, *opened.outdated):
                if report["status"] == "waiting":
                    run.set_outcome(report, missing)
            raise
        set_list_outcome(run, opened, reasons.incomplete_list())
        return None
    except Outcome as outcome:
        set_list_outcome(run, opened, outcome)
        return None
    previous = export.joined
    if previous and previous["status"] == "waiting" and _identities(previous) == _identities(opened.stored):
        opened.stored = {**previous, "outdated": opened.stored["outdated"]}
    return opened


def gather_list(turn: Turn, export: Export) -> ListTurn:
    """Return the list of an export.

    It contains the waiting files and, if the list was sent or finished before, the earlier files that still exist.
    """
    run, versions = turn.run, turn.versions
    waiting = [report for pointer in export.pointers if (report := run.report(pointer))]
    earlier: list[Report] = []
    if export.joined and export.joined["status"] not in {None, "waiting"}:
        reports = reports_of(run, export.joined["files"])
        earlier = [report for report in reports if versions.current(report["file"]["key"])]
    by_key: dict[str, Report] = {}
    outdated = []
    for report in sorted([*earlier, *waiting], key=versions.sort_key):
        older = by_key.get(report["file"]["key"])
        if older and identity(older) != identity(report):
            outdated.append(older)
        by_key[report["file"]["key"]] = report
    opened = ListTurn(turn.lease.audience, new_list(export.digest, iso(export.first), iso(export.last)), [])
    _set_files(opened, by_key.values(), outdated)
    return opened


def reports_of(run: Invocation, files: Iterable[FileRef | ListFile]) -> list[Report]:
    """Return the reports of some files, except reports that someone deleted or damaged."""
    reports = []
    for file in files:
        try:
            reports.append(run.ledger.latest(file["key"], file["version_id"]))
        except (Missing, Damaged):
            run.logger.exception("report unreadable", extra={"key": file["key"]})
    return reports


def set_list_outcome(run: Invocation, opened: ListTurn, outcome: Outcome) -> None:
    """Write an outcome into a list object and the reports of all its files."""
    stored = opened.stored
    stored["status"], stored["code"] = outcome.status, outcome.code.value
    stored["uploads"], stored["progress"] = [], None
    write_list(run.store, opened.audience, stored)
    for report in [*opened.reports, *opened.outdated]:
        is_cut_off = opened.cut_off and opened.cut_off[0] == report["file"]["key"]
        run.set_outcome(report, opened.cut_off[1] if opened.cut_off and is_cut_off else outcome)


def _set_files(opened: ListTurn, files: Iterable[Report], outdated: Sequence[Report]) -> None:
    opened.reports = sorted(files, key=lambda report: report["file"]["key"])
    opened.outdated = list(outdated)
    stored = opened.stored
    stored["files"] = [list_file(report) for report in opened.reports]
    stored["outdated"] = [
        {"key": report["file"]["key"], "version_id": report["file"]["version_id"]} for report in opened.outdated
    ]
    if times := [file["uploaded_at"] for file in stored["files"]]:
        stored["first_uploaded_at"], stored["last_uploaded_at"] = min(times), max(times)


def _identities(stored: StoredList) -> list[tuple[str, str]]:
    return [(file["key"], file["version_id"]) for file in stored["files"]]


def check_deleted(opened: ListTurn, versions: Versions) -> None:
    """Check that none of a list's files was deleted.

    Raises:
        Skipped: a file was deleted, so the list is withdrawn.
    """
    if any(versions.is_deleted(report) or not versions.exists(report) for report in opened.reports):
        raise reasons.list_withdrawn() if len(opened.reports) > 1 else reasons.withdrawn()


def _check_refused_names(opened: ListTurn, versions: Versions, gap: timedelta) -> None:
    """Check that no file of the list's run was rejected because of its name.

    Raises:
        Rejected: there is such a file. Without it, the people in the file would be missing from the audience.
    """
    times = [parse_iso(report["file"]["uploaded_at"]) for report in opened.reports]
    if refused := versions.refused_by_name(opened.reports, min(times) - gap, max(times) + gap):
        raise reasons.list_rejected(*refused, reasons.DELETE_FILE)


def _apply_manifests(turn: Turn, opened: ListTurn, manifests: Sequence[Version]) -> None:
    """Set the files of a list to the entries of its manifests.

    Raises:
        Waiting: a file that a manifest names is missing or has no readable report, or a manifest is older than a file
            that it names.
        Rejected: a manifest cannot be used.
    """
    by_key = {report["file"]["key"]: report for report in opened.reports}
    folders = {list_folder(key) for key in by_key}
    named = set().union(*(_entries(turn, opened, manifest, folders) for manifest in manifests))
    for key in sorted(named - by_key.keys()):
        current = turn.versions.current(key)
        report = turn.run.ledger.find(key, current.version_id) if current else None
        if report is None:
            raise reasons.list_lacks_files()
        by_key[key] = report
    newest = max((by_key[key]["file"]["uploaded_at"] for key in named), default="")
    if newest and min(each.modified_at for each in manifests) < parse_iso(newest):
        raise reasons.manifest_is_older()
    unnamed = [report for key, report in by_key.items() if key not in named]
    _set_files(opened, [by_key[key] for key in named], [*opened.outdated, *unnamed])


def _entries(turn: Turn, opened: ListTurn, manifest: Version, folders: set[str]) -> set[str]:
    try:
        return entries(turn.run, manifest, folders)
    except ClientError as error:
        if outcome_after_refusals(turn.run, turn.lease, upload_digest(*identity(opened.reports[0])), error):
            raise reasons.manifest_unreadable(manifest.key) from None
        raise
