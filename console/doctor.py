"""Health checks of one connector. Each problem comes with a command to run or an instruction."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Literal

from console import queues
from console.errors import ConsoleError
from console.function_log import last_errors, last_sweep
from console.reports import Report, ReportReader, parse_time
from console.stack import Connector

Health = Literal["fine", "problem", "unknown"]
_DAY_SECONDS = 86_400.0
_MAX_SWEEP_AGE_SECONDS = 3600.0  # the longest interval that can be configured for the schedule
_STUCK_AFTER = timedelta(days=3)  # TikTok's two days for a change, and one day of margin
_MAX_MESSAGE_AGE = timedelta(hours=2)  # same limit as the alarm `oldest-message`
_MAX_REPORTS = 500
# Code of an upload that waits for a person -> the command to run, or what to do.
_MANUAL_FIXES = {
    "token_refused": "tiktok-activation credentials {advertiser}",
    "permission_refused": "tiktok-activation credentials {advertiser} --check",
    "secret_unusable": "tiktok-activation credentials {advertiser}",
    "terms_not_accepted": "accept the Custom Audience Terms in TikTok Ads Manager",
    "audience_expired": "tiktok-activation audiences {advertiser} --delete '{audience}' --type {type}",
    "audience_too_small": "tiktok-activation audiences {advertiser} --delete '{audience}' --type {type}",
    "audience_limit_reached": "tiktok-activation audiences {advertiser}",
    "shrinks_too_much": "tiktok-activation confirm '{key}' --advertiser {advertiser}",
}


@dataclass(frozen=True)
class Finding:
    """The result of one check.

    Attributes:
        name: the name of the check.
        health: `unknown` if the check could not run. If the credentials cannot be tested, it is `problem`.
        found: the result in a sentence.
        fix: a command to run or an instruction; empty if no action is needed.
    """

    name: str
    health: Health
    found: str
    fix: str = ""


def run_checks(connector: Connector, check_stored_credentials: Callable[[], str | None]) -> list[Finding]:
    """Run all checks and return their findings. A check that cannot run does not stop the others.

    Args:
        connector: the connector to check.
        check_stored_credentials: returns an error message if TikTok refuses the stored credentials, otherwise None.
    """
    now = datetime.now(UTC)
    checks: list[Finding] = []
    every: dict[str, Callable[[], list[Finding]]] = {
        "credentials": lambda: _credentials(connector, check_stored_credentials),
        "queue": lambda: _queue(connector),
        "oldest message": lambda: [oldest_message(queues.oldest_age(connector))],
        "dead letters": lambda: _dead_letters(connector),
        "last sweep": lambda: _sweep(connector),
        "errors": lambda: _errors(connector),
        "waiting files": lambda: waiting_files(connector, ReportReader(connector).newest(_MAX_REPORTS)[0], now),
    }
    for name, check in every.items():
        try:
            checks += check()
        except ConsoleError as error:
            checks.append(Finding(name, "unknown", str(error)))
    return checks


def _credentials(connector: Connector, check_stored_credentials: Callable[[], str | None]) -> list[Finding]:
    try:
        problem = check_stored_credentials()
    except ConsoleError as error:
        problem = str(error)
    if problem:
        return [Finding("credentials", "problem", problem, f"tiktok-activation credentials {connector.label}")]
    return [Finding("credentials", "fine", "TikTok accepts the credentials.")]


def _queue(connector: Connector) -> list[Finding]:
    depth = queues.depths(connector, "queue_url")
    total = sum(depth.values())
    text = f"{depth['waiting']:,} waiting, {depth['in_flight']:,} in flight, {depth['delayed']:,} delayed."
    return [Finding("queue", "fine", text if total else "The queue is empty.")]


def oldest_message(age: timedelta | None) -> Finding:
    """Check the age of the oldest message on the queue. The age is None if CloudWatch has no figure."""
    if age is None:
        return Finding("oldest message", "fine", "CloudWatch has no figure for the last 15 minutes.")
    minutes = int(age.total_seconds() / 60)
    text = f"It has waited for {minutes:,} min." if minutes else "No message has waited for a minute."
    if age <= _MAX_MESSAGE_AGE:
        return Finding("oldest message", "fine", text)
    return Finding(
        "oldest message",
        "problem",
        f"{text} The function does not receive it, or fails on it repeatedly.",
        "check that the event source mapping and the function are enabled; `pulumi up --refresh` restores them",
    )


def _dead_letters(connector: Connector) -> list[Finding]:
    letters = queues.dead_letters(connector)
    if not letters:
        return [Finding("dead letters", "fine", "There are no dead letters.")]
    fix = f"tiktok-activation redrive {connector.label}"
    shown = [Finding("dead letters", "problem", f"{each.about}: {each.cause}", fix) for each in letters[:5]]
    if len(letters) > len(shown):
        shown.append(Finding("dead letters", "problem", f"There are {len(letters) - len(shown)} more.", fix))
    return shown


def _sweep(connector: Connector) -> list[Finding]:
    swept = last_sweep(connector, _MAX_SWEEP_AGE_SECONDS)
    if swept:
        return [Finding("last sweep", "fine", f"{swept:%Y-%m-%d %H:%M:%S} UTC.")]
    return [
        Finding(
            "last sweep",
            "problem",
            "There was no sweep in the last hour, so waiting uploads are not processed.",
            "check that the schedule and the function exist and are enabled; `pulumi up --refresh` restores them",
        )
    ]


def _errors(connector: Connector) -> list[Finding]:
    errors = last_errors(connector, _DAY_SECONDS, 5)
    if not errors:
        return [Finding("errors", "fine", "The function's log has no errors in the last 24 hours.")]
    fix = f"aws logs tail {connector.output('log_group_name')} --since 1d"
    return [Finding("errors", "problem", f"{line.at:%Y-%m-%d %H:%M} UTC: {line.message}", fix) for line in errors]


def waiting_files(connector: Connector, reports: Sequence[Report], now: datetime) -> list[Finding]:
    """Return a finding for each file that waits for a person or has waited for too long, or one `fine` finding."""
    pending = [report for report in reports if report["status"] in {"waiting", "submitted"}]
    checks = []
    for report in pending:
        audience = report["audience"] or {}
        key = report["file"]["key"]
        if report["code"] in _MANUAL_FIXES:
            fix = _MANUAL_FIXES[report["code"]].format(
                advertiser=connector.label,
                audience=audience.get("name", ""),
                type=audience.get("identifier_type", ""),
                key=key,
            )
            checks.append(Finding("waiting files", "problem", f"{key}: {report['reason']}", fix))
        elif now - parse_time(report["received_at"]) > _STUCK_AFTER:
            fix = f"tiktok-activation report '{key}' --advertiser {connector.label}"
            found = f"{key} did not reach a final status within three days ({report['code']})."
            checks.append(Finding("waiting files", "problem", found, fix))
    if not checks:
        found = f"{len(pending):,} files are waiting or being processed, none for too long."
        checks.append(Finding("waiting files", "fine", found))
    return checks
