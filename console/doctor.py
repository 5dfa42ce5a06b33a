"""The health of one connector: each check with what it found and the command that puts it right."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Literal

from console import queues
from console.errors import ConsoleError
from console.function_log import last_errors, last_sweep
from console.reports import Report, ReportReader, moment
from console.stack import Connector

Health = Literal["fine", "problem", "unknown"]
_DAY = 86_400.0
_SWEEP_WITHIN = 3600.0  # the schedule's longest interval
_STUCK_AFTER = timedelta(days=3)  # TikTok's two days for a change, and one more
_MAX_MESSAGE_AGE = timedelta(hours=2)  # the alarm `oldest-message` has the same limit
_READ_REPORTS = 500
# Codes of uploads that wait for a person -> what that person does.
_PERSON = {
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
    """One check.

    Attributes:
        name: what is checked.
        health: `unknown` if it could not be looked at.
        found: a sentence.
        fix: a command or what to do; empty if nothing is to be done.
    """

    name: str
    health: Health
    found: str
    fix: str = ""


def examine(connector: Connector, try_credentials: Callable[[], str | None]) -> list[Finding]:
    """Make all checks; one that fails does not stop the others.

    Args:
        connector: to be examined.
        try_credentials: returns a sentence if TikTok refuses them.
    """
    now = datetime.now(UTC)
    checks: list[Finding] = []
    every: dict[str, Callable[[], list[Finding]]] = {
        "credentials": lambda: _credentials(connector, try_credentials),
        "queue": lambda: _queue(connector),
        "oldest message": lambda: [oldest_message(queues.oldest_age(connector))],
        "dead letters": lambda: _dead_letters(connector),
        "last sweep": lambda: _sweep(connector),
        "errors": lambda: _errors(connector),
        "waiting files": lambda: waiting(connector, ReportReader(connector).newest(_READ_REPORTS)[0], now),
    }
    for name, check in every.items():
        try:
            checks += check()
        except ConsoleError as error:
            checks.append(Finding(name, "unknown", str(error)))
    return checks


def _credentials(connector: Connector, try_credentials: Callable[[], str | None]) -> list[Finding]:
    try:
        problem = try_credentials()
    except ConsoleError as error:
        problem = str(error)
    if problem:
        return [Finding("credentials", "problem", problem, f"tiktok-activation credentials {connector.label}")]
    return [Finding("credentials", "fine", "TikTok accepts them.")]


def _queue(connector: Connector) -> list[Finding]:
    depth = queues.depths(connector, "queue_url")
    total = sum(depth.values())
    text = f"{depth['waiting']:,} waiting, {depth['in_flight']:,} in flight, {depth['delayed']:,} delayed."
    return [Finding("queue", "fine", text if total else "It is empty.")]


def oldest_message(age: timedelta | None) -> Finding:
    """Check the age of the oldest message on the queue; None if CloudWatch has not measured it."""
    if age is None:
        return Finding("oldest message", "fine", "CloudWatch has measured none in the last 15 minutes.")
    minutes = int(age.total_seconds() / 60)
    text = f"It has waited for {minutes:,} min." if minutes else "None has waited for a minute."
    if age <= _MAX_MESSAGE_AGE:
        return Finding("oldest message", "fine", text)
    return Finding(
        "oldest message",
        "problem",
        f"{text} The function does not take it, or fails with it again and again.",
        "see that the event source mapping and the function are enabled; `pulumi up --refresh` puts them back",
    )


def _dead_letters(connector: Connector) -> list[Finding]:
    letters = queues.dead_letters(connector)
    if not letters:
        return [Finding("dead letters", "fine", "There are none.")]
    fix = f"tiktok-activation redrive {connector.label}"
    shown = [Finding("dead letters", "problem", f"{each.about}: {each.cause}", fix) for each in letters[:5]]
    if len(letters) > len(shown):
        shown.append(Finding("dead letters", "problem", f"{len(letters) - len(shown)} more.", fix))
    return shown


def _sweep(connector: Connector) -> list[Finding]:
    swept = last_sweep(connector, _SWEEP_WITHIN)
    if swept:
        return [Finding("last sweep", "fine", f"{swept:%Y-%m-%d %H:%M:%S} UTC.")]
    return [
        Finding(
            "last sweep",
            "problem",
            "There was none in the last hour, so no waiting upload is processed.",
            "see that the schedule and the function exist and are enabled; `pulumi up --refresh` puts them back",
        )
    ]


def _errors(connector: Connector) -> list[Finding]:
    errors = last_errors(connector, _DAY, 5)
    if not errors:
        return [Finding("errors", "fine", "The function's log has none in the last 24 hours.")]
    fix = f"aws logs tail {connector.output('log_group_name')} --since 1d"
    return [Finding("errors", "problem", f"{line.at:%Y-%m-%d %H:%M} UTC: {line.message}", fix) for line in errors]


def waiting(connector: Connector, reports: Sequence[Report], now: datetime) -> list[Finding]:
    """Check the files that wait: for a person, or for too long."""
    pending = [report for report in reports if report["status"] in {"waiting", "submitted"}]
    checks = []
    for report in pending:
        audience = report["audience"] or {}
        key = report["file"]["key"]
        if report["code"] in _PERSON:
            fix = _PERSON[report["code"]].format(
                advertiser=connector.label,
                audience=audience.get("name", ""),
                type=audience.get("identifier_type", ""),
                key=key,
            )
            checks.append(Finding("waiting files", "problem", f"{key}: {report['reason']}", fix))
        elif now - moment(report["received_at"]) > _STUCK_AFTER:
            fix = f"tiktok-activation report '{key}' --advertiser {connector.label}"
            found = f"{key} has not ended for three days ({report['code']})."
            checks.append(Finding("waiting files", "problem", found, fix))
    if not checks:
        checks.append(Finding("waiting files", "fine", f"{len(pending):,} wait or are processed, none for too long."))
    return checks
