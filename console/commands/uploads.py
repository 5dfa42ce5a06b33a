"""The commands `upload`, `status` and `report`."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import typer

from console.commands import options
from console.commands.offline import looks_raw, show_hashed, show_verdict
from console.commands.prompts import choose_column, confirm_columns, is_interactive
from console.commands.show import show_files, show_report
from console.errors import ConsoleError, Exit
from console.follow import FollowedUpload, exit_code, follow
from console.function import DEFAULT_MAX_REJECTED_RATIO
from console.hashing.plans import HashOptions, reject_ambiguous_columns
from console.output import print_json, print_text, progress_bar
from console.preparing import CheckedFile, CheckOptions, check_file, hash_and_check
from console.reports import UPLOADS, Report, ReportReader, file_json, find_report, matched_by_audience
from console.results import hashed_json, verdict_json
from console.stack import Connector, Source, find_connector, find_connectors
from console.uploading import object_keys, upload
from handler.model import Action

# The connector makes these checks on an entire list, so one file with such a code does not reject a larger list.
_LIST_CODES = {"too_many_rejected", "empty_file"}


def register(app: typer.Typer) -> None:
    """Add the commands to the application."""
    app.command(name="upload")(upload_)
    app.command()(status)
    app.command()(report)


def upload_(
    files: Annotated[list[str], typer.Argument(help="The files to upload; several files become one run.")],
    *,
    advertiser: options.Advertiser = None,
    audience: Annotated[
        str, typer.Option(help="The audience's name at TikTok. append and replace create the audience if necessary.")
    ],
    identifier_type: options.FileType,
    action: Annotated[
        Action,
        typer.Option(
            help="append adds the people in the files, remove takes them out, and replace makes them the only members."
        ),
    ] = Action.APPEND,
    hash_first: Annotated[
        bool, typer.Option("--hash", help="Hash the files first, because they hold raw data.")
    ] = False,
    column: options.Columns = None,
    country: options.Country = None,
    without_plus: options.WithoutPlus = False,
    max_rejected_ratio: options.MaxRejectedRatio = DEFAULT_MAX_REJECTED_RATIO,
    wait: Annotated[bool, typer.Option("--wait", help="Wait until the files reach a final status.")] = False,
    timeout: options.Timeout = None,
    yes: options.Yes = False,
    as_json: options.Json = False,
    bucket: options.Bucket = None,
    outputs: options.Outputs = None,
    stack: options.Stack = None,
) -> None:
    """Check files (hash them first with --hash) and upload them. With --wait, wait for their final status.

    Nothing is uploaded if the connector would not accept a file, or if too many
    raw rows cannot be hashed. With --hash, raw data stays on this machine, and
    only hashes are sent.
    """
    if "-" in files:  # every file is read twice: once for the check, once for the upload
        raise ConsoleError("Standard input cannot be uploaded. Write it to a file, and upload the file.", Exit.USAGE)
    connector = find_connector(Source(bucket, outputs, stack), advertiser)
    keys = object_keys(
        [Path(file).name for file in files], audience, identifier_type.value, action.value, datetime.now(UTC)
    )
    ask = is_interactive() and not yes and not as_json
    hash_options = HashOptions(identifier_type.value, tuple(column or ()), country, not without_plus)
    check_options = CheckOptions(action.value, max_rejected_ratio)
    ready: list[CheckedFile] = []
    for file in files:
        with progress_bar(f"Checking {Path(file).name}", _size(file), shown=not as_json) as advance:
            if hash_first:
                choose = choose_column if ask else reject_ambiguous_columns
                confirm = confirm_columns if ask and not column else None
                ready.append(hash_and_check(file, hash_options, check_options, advance, choose=choose, confirm=confirm))
            else:
                ready.append(check_file(file, identifier_type.value, check_options, advance))
    _stop_if_rejected(ready, action.value, max_rejected_ratio, as_json=as_json)
    sent = _send(connector, ready, keys, as_json=as_json)
    result: dict[str, Any] = {
        "advertiser": connector.label,
        "bucket": connector.bucket,
        "files": [
            {"file": each.path, "key": one.key, "version_id": one.version_id, **verdict_json(each.verdict)}
            for each, one in zip(ready, sent, strict=True)
        ],
    }
    code = Exit.DONE
    if wait:
        reports = _follow(connector, sent, timeout, as_json=as_json)
        code = exit_code(sent, reports)
        result["reports"] = [reports.get(one) for one in sent]
    if as_json:
        print_json(result)
    elif not wait:
        selection = f"--bucket {connector.bucket}" if connector.name is None else connector.name
        print_text(f"To see the status, run: tiktok-activation status {selection}")
    raise typer.Exit(int(code))


def status(
    advertiser: options.AdvertiserArgument = None,
    *,
    limit: Annotated[
        int, typer.Option(min=0, help="Maximum number of files, most recently changed first; 0 for all.")
    ] = 50,
    as_json: options.Json = False,
    bucket: options.Bucket = None,
    outputs: options.Outputs = None,
    stack: options.Stack = None,
) -> None:
    """Show the status of each file, the latest time until which it waits, and each audience's matched users."""
    source = Source(bucket, outputs, stack)
    if advertiser or bucket:
        connectors = [find_connector(source, advertiser)]
    else:
        connectors = list(find_connectors(source).values())
    result: dict[str, Any] = {}
    for connector in connectors:
        reports, total = ReportReader(connector).newest(limit)
        result[connector.label] = {
            "bucket": connector.bucket,
            "files": [file_json(each) for each in reports],
            "files_total": total,
            "audiences": [
                {"name": name, "identifier_type": kind, "matched": points[-1][1], "at": points[-1][0]}
                for (name, kind), points in matched_by_audience(reports).items()
            ],
        }
    if as_json:
        print_json({"advertisers": result})
        return
    for name, each in result.items():
        show_files(name, each)


def report(
    key: Annotated[str, typer.Argument(help="The uploaded object: tiktok/<audience>/..., or s3://<bucket>/tiktok/...")],
    *,
    advertiser: options.Advertiser = None,
    versions: Annotated[
        bool, typer.Option("--versions", help="Show the reports of all versions of the object, not only of the newest.")
    ] = False,
    as_json: options.Json = False,
    bucket: options.Bucket = None,
    outputs: options.Outputs = None,
    stack: options.Stack = None,
) -> None:
    """Show the report of one file in readable form, or with --json in its stored form."""
    _, found = resolve_key(key, Source(bucket, outputs, stack), advertiser)
    shown = found if versions else found[:1]
    if as_json:
        print_json({"reports": shown} if versions else dict(shown[0]))
        return
    for each in shown:
        show_report(each)


def resolve_key(key: str, source: Source, advertiser: str | None) -> tuple[Connector, list[Report]]:
    """Return the connector that has an uploaded object, and the reports of its versions, newest upload first.

    Args:
        key: the object's S3 URL, or its key with or without `tiktok/`.
        source: the options that select where to find connectors.
        advertiser: the advertiser; None to search all of them.

    Raises:
        ConsoleError: no connector matches, there is no report for the key, or several advertisers have one.
    """
    found = find_connectors(source)
    if key.startswith("s3://"):
        bucket, _, key = key.removeprefix("s3://").partition("/")
        found = {name: each for name, each in found.items() if each.bucket == bucket}
        if not found:
            raise ConsoleError(f"No advertiser has the bucket {bucket}. Check the key.", Exit.USAGE)
    if advertiser:
        found = {advertiser: find_connector(source, advertiser)}
    if not key.startswith(UPLOADS):
        key = UPLOADS + key.lstrip("/")
    name, reports = find_report({name: ReportReader(each) for name, each in found.items()}, key)
    return found[name], reports


def _size(file: str) -> int | None:
    return Path(file).stat().st_size if Path(file).is_file() else None


def _stop_if_rejected(ready: list[CheckedFile], action: str, max_rejected_ratio: float, *, as_json: bool) -> None:
    """Print the results of the checks, and exit if the files would not be accepted.

    With `as_json`, print the results only if the files would not be accepted.

    Raises:
        Exit: the connector would not accept the files, or too many raw rows cannot be hashed.
    """
    codes = {each.verdict.code for each in ready if each.verdict.code}
    if action == "replace" and len(ready) > 1 and codes <= _LIST_CODES:
        total, rejected = (sum(counts) for counts in zip(*(each.rows for each in ready), strict=True))
        if total and rejected <= max_rejected_ratio * total:
            codes = set()
    if not as_json:
        for each in ready:
            if each.hashed:
                show_hashed(each.path, None, each.hashed)
                if each.verdict.reason and each.verdict.code in codes:
                    print_text(each.verdict.reason, "red")
            else:
                show_verdict(each.path, each.verdict)
    if not codes:
        return
    if as_json:
        files = [
            {
                **verdict_json(each.verdict),
                **({"hashed": hashed_json(each.path, None, each.hashed)} if each.hashed else {}),
            }
            for each in ready
        ]
        print_json({"error": "Nothing was uploaded. The entries in `files` give the reasons.", "files": files})
    else:
        print_text("Nothing was uploaded.", "red")
        if any(each.hashed is None and looks_raw(each.verdict) for each in ready):
            print_text("If the files hold raw data, add --hash to hash them here first.")
    raise typer.Exit(int(Exit.NOT_ACCEPTED))


def _send(connector: Connector, ready: list[CheckedFile], keys: list[str], *, as_json: bool) -> list[FollowedUpload]:
    sent = []
    for each, key in zip(ready, keys, strict=True):
        with (
            progress_bar(f"Uploading {Path(each.path).name}", _size(each.path), shown=not as_json) as advance,
            each.chunks(advance) as chunks,
        ):
            version = upload(connector, key, chunks)
        sent.append(FollowedUpload(key, version))
        if not as_json:
            print_text(f"Uploaded to s3://{connector.bucket}/{key}")
    return sent


def _follow(
    connector: Connector, sent: list[FollowedUpload], timeout: float | None, *, as_json: bool
) -> dict[FollowedUpload, Report]:
    started = time.monotonic()

    def on_change(one: FollowedUpload, report: Report) -> None:
        if not as_json:
            name = one.key.rsplit("/", 1)[-1]
            seconds = time.monotonic() - started
            print_text(f"{seconds:6.0f} s  {name}: {report['status']} ({report['code']}). {report['reason']}")

    return follow(ReportReader(connector), sent, on_change, timeout)
