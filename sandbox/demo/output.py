"""What a person reads: progress, the table at the end, how to go on; and the same for machines."""

from __future__ import annotations

import json
import shlex
import textwrap
import time
from collections.abc import Mapping, Sequence
from typing import Any

from sandbox.aws.stack import CREDENTIALS
from sandbox.demo.connectors import BATCHING_WINDOW, PROCESSING_SECONDS, SCHEDULE_SPEED, Advertiser, Connectors
from sandbox.demo.watch import Report, Watch

_WIDTH = 110
_HEADINGS = ("file", "audience", "outcome", "accepted", "rejected", "matched")
_LOG_LINES = 20
_INDENT = " " * 19
_SELF_EVIDENT = {"received", "submitted"}

DIFFERENCES = textwrap.fill(
    "The whole connector on this machine: the stack's own program, AWS embedded (moto), TikTok emulated, all data "
    f"synthetic. What differs from the real ones: TikTok processes a change in {PROCESSING_SECONDS:.0f} seconds "
    f"(really: up to 48 hours), the schedule runs {SCHEDULE_SPEED} times as fast, so that a sweep comes every second "
    f"(in AWS: every 10 minutes unless told otherwise), a batch is waited for {BATCHING_WINDOW} seconds (in AWS: 5), "
    "and who may do what is not enforced, so that any credentials and any encryption will do.",
    _WIDTH,
)


class Progress:
    """Prints each change of a file's status with the time since the start.

    Args:
        out: a file to print to.
    """

    def __init__(self, out: Any) -> None:
        self.explain = False  # whether to give the reasons as well
        self._out = out
        self._begun = time.monotonic()

    @property
    def seconds(self) -> float:
        """Since the start."""
        return time.monotonic() - self._begun

    def say(self, text: str) -> None:
        """Print a line."""
        print(f"{self.seconds:5.1f} s  {text}", file=self._out, flush=True)

    def tell(self, advertiser: Advertiser, report: Report) -> None:
        """Print how a file stands."""
        code = "" if report["code"] == report["status"] else f" ({report['code']})"
        self.say(f"{advertiser.name:<8}  {report['status'] + code:<40}  {_path(report)}")
        if self.explain and report["code"] not in _SELF_EVIDENT:
            print(
                textwrap.fill(report["reason"], _WIDTH, initial_indent=_INDENT, subsequent_indent=_INDENT),
                file=self._out,
            )


def table(watch: Watch) -> str:
    """Every file with its outcome, and why if it is not available."""
    lines = []
    for name, reports in _by_advertiser(watch).items():
        rows = [_HEADINGS, *(_row(report) for report in reports)]
        widths = [max(len(row[column]) for row in rows) for column in range(len(_HEADINGS))]
        lines += ["", name]
        for row in rows:
            texts = [cell.ljust(width) for cell, width in zip(row[:3], widths[:3], strict=True)]
            numbers = [cell.rjust(width) for cell, width in zip(row[3:], widths[3:], strict=True)]
            lines.append("  " + "  ".join([*texts, *numbers]).rstrip())
    why: dict[str, str] = {}
    for reports in _by_advertiser(watch).values():
        why |= {_file(report): report["reason"] for report in reports if report["status"] != "available"}
        why |= {
            _file(report): _mistakes(report) for report in reports if report["rejections"] and _file(report) not in why
        }
    if why:
        lines += ["", "Why"]
        for file, reason in why.items():
            lines += textwrap.wrap(f"{file}: {reason}", _WIDTH, initial_indent="  ", subsequent_indent="    ")
    return "\n".join(lines)


def as_json(connectors: Connectors, watch: Watch, seconds: float) -> dict[str, Any]:
    """The state of the sandbox for machines."""
    return {
        "resources": len(connectors.cloud.resources),
        "seconds": round(seconds, 1),
        "advertisers": {
            name: {
                "bucket": advertiser.outputs["bucket"],
                "queue_depth": connectors.depth(advertiser.outputs["queue_url"]),
                "dead_letter_depth": connectors.depth(advertiser.outputs["dead_letter_queue_url"]),
                "audiences": [
                    {
                        "id": each["id"],
                        "name": each["name"],
                        "identifier_type": each["calculate_type"].lower(),
                        "matched": each["matched"],
                        "is_valid": each["is_valid"],
                    }
                    for each in connectors.audiences(advertiser)
                ],
                "files": [
                    {
                        "key": report["file"]["key"],
                        "status": report["status"],
                        "code": report["code"],
                        "accepted": report["rows"]["accepted"],
                        "rejected": report["rows"]["rejected"],
                        "reason": report["reason"],
                    }
                    for report in _by_advertiser(watch).get(name, ())
                ],
            }
            for name, advertiser in connectors.advertisers.items()
        },
    }


def log_lines(connectors: Connectors) -> list[str]:
    """The last lines of each function's log that tell of trouble."""
    return [
        f"{name}: {line}"
        for name, advertiser in connectors.advertisers.items()
        for line in [line for line in list(advertiser.log.lines) if _is_trouble(line)][-_LOG_LINES:]
    ]


def how_to_go_on(connectors: Connectors) -> str:
    """Endpoints, and the commands for a file of one's own."""
    advertiser = next(iter(connectors.advertisers.values()))
    bucket, key = advertiser.outputs["bucket"], "tiktok/my audience/email_sha256/my-file.csv"
    settings = " ".join(f"{name.upper()}={value}" for name, value in CREDENTIALS.items())
    aws = f"aws --endpoint-url {connectors.cloud.url}"
    return "\n".join(
        [
            "",
            "The sandbox stays up until Ctrl-C; from now on every outcome is shown.",
            f"  AWS     {connectors.cloud.url}",
            f"  TikTok  {connectors.tiktok_url}   (its audiences: {connectors.tiktok_url}/_emulator/audiences)",
            "",
            "To upload a file of your own, one hash a line, and read its report:",
            f"  export {settings} AWS_DEFAULT_REGION={connectors.cloud.region}",
            f"  {aws} s3 cp my-file.csv {shlex.quote(f's3://{bucket}/{key}')}",
            f"  {aws} s3 cp --recursive {shlex.quote(f's3://{bucket}/reports/{key}/')} reports/ && cat reports/*",
            "",
            "A report is written again at every step: `submitted` after a second, the end some six seconds later. An",
            "audience needs 1,000 people. Any file under one of these will do:",
            *(f"  {each.outputs['upload_location']}" for each in connectors.advertisers.values()),
            "",
        ]
    )


def _by_advertiser(watch: Watch) -> Mapping[str, Sequence[Report]]:
    found: dict[str, list[Report]] = {}
    for (name, _), report in sorted(watch.reports.items()):
        found.setdefault(name, []).append(report)
    return found


def _row(report: Report) -> tuple[str, ...]:
    rows, matched = report["rows"], report["tiktok"]["matched"]
    return (
        _file(report),
        report["audience"]["name"] if report["audience"] else "-",
        report["status"],
        *(f"{number:,}" if number is not None else "-" for number in (rows["accepted"], rows["rejected"], matched)),
    )


def _path(report: Report) -> str:
    return str(report["file"]["key"]).removeprefix("tiktok/")


def _file(report: Report) -> str:
    return _path(report).rsplit("/", 1)[-1]


def _mistakes(report: Report) -> str:
    left_out = ", ".join(f"line {each['line']} ({each['reason']})" for each in report["rejections"])
    return f"{report['reason']} They are {left_out}."


def _is_trouble(line: str) -> bool:
    """A line that no logger made, or one that a logger made of trouble."""
    try:
        return json.loads(line).get("level") in {"WARNING", "ERROR", "CRITICAL"}
    except (ValueError, AttributeError):
        return True
