"""The demo's output for people: the progress of the files, reasons, a report, the audiences, an alarm and a summary.

The output fits in 80 columns. Rich writes colors only to a terminal.
"""

from __future__ import annotations

import json
import shlex
import textwrap
from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import groupby

from rich.console import Console, Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from sandbox.aws.alarms import is_firing, printed_metrics
from sandbox.aws.stack import CREDENTIALS
from sandbox.demo.connectors import PROCESSING_SECONDS, SETTLE_SECONDS, Connectors, RunningAdvertiser
from sandbox.demo.samples import Sample
from sandbox.demo.scenario import Plan
from sandbox.demo.watch import Report, Watch

INTRODUCTION = (
    "The complete connector on this machine: the stack's real program, the function's real package, an embedded AWS "
    "(moto), an emulated TikTok, and synthetic data. Time is compressed: TikTok processes a change in "
    f"{PROCESSING_SECONDS:.0f} seconds instead of up to 48 hours, and uploads settle in {SETTLE_SECONDS} seconds "
    "instead of five minutes. IAM permissions are not enforced here."
)
_MAX_PARTS = 2  # the action and the file
_COLORS = {"available": "green", "rejected": "red", "failed": "red", "skipped": "cyan"}


def files(watch: Watch, plan: Plan) -> RenderableType:
    """Return a table for each advertiser with the status of every sample file, grouped by audience."""
    tables: list[RenderableType] = []
    for name, samples in plan.items():
        table = Table(title=name, title_justify="left", title_style="bold", expand=True, box=None, pad_edge=False)
        table.collapse_padding = True  # to fit in 80 columns
        table.add_column("file", ratio=1, no_wrap=True, overflow="ellipsis")
        table.add_column("status", no_wrap=True, min_width=33)
        table.add_column("rows", justify="right", min_width=5)
        table.add_column("invalid", justify="right")
        for (audience, identifier_type), group in groupby(sorted(samples, key=_sort_key), lambda each: each.audience):
            table.add_row(Text(audience, style="bold"), Text(identifier_type, style="dim"))
            for sample in group:
                table.add_row(f"  {_name(sample.key)}", *_cells(watch.reports.get((name, sample.key)), sample))
        tables += [table, Text()]
    return Group(*tables)


def result(console: Console, connectors: Connectors, watch: Watch, plan: Plan, seconds: float) -> None:
    """Print everything that comes after the table of files."""
    _heading(console, "Why")
    for file, reason in _reasons(watch, plan):
        console.print(Padding(Text.assemble((f"{file}: ", "bold"), reason), (0, 0, 0, 2)))
    name, samples = next(iter(plan.items()))
    report = next(report for sample in samples if (report := watch.reports.get((name, sample.key))) and _faulty(report))
    _heading(console, "One report in full")
    console.print(Text("\n".join(_json_lines(report, console.width))))
    _heading(console, "The audiences as TikTok sees them")
    console.print(_audiences(connectors))
    _heading(console, "An alarm that the operator would receive by email")
    console.print(Padding(next(_firing(connectors), "No alarm is firing."), (0, 0, 0, 2)))
    _heading(console, "Result")
    console.print(f"{summary(plan)} It took {seconds:.0f} seconds. Every audience has exactly the people in its files.")


def _json_lines(report: Report, width: int) -> Iterator[str]:
    """Yield the lines of a report as JSON, with one entry per line. A long entry continues on indented lines."""
    yield "  {"
    for number, (entry, value) in enumerate(report.items(), 1):
        comma = "," if number < len(report) else ""
        text = f"{json.dumps(entry)}: {json.dumps(value)}{comma}"
        yield from textwrap.wrap(
            text,
            width,
            initial_indent=" " * 4,
            subsequent_indent=" " * 8,
            break_long_words=False,
            break_on_hyphens=False,
        )
    yield "  }"


def summary(plan: Plan) -> str:
    """Return a sentence with the number of files in each status, for a run with the expected results."""
    expected = Counter(sample.status for samples in plan.values() for sample in samples if sample.status)
    skipped, rejected, failed = (f"{expected[status]} {status}" for status in ("skipped", "rejected", "failed"))
    return f"{expected['available']} of {expected.total()} available; {skipped}, {rejected} and {failed} on purpose."


def next_steps(connectors: Connectors, *, stays: bool) -> str:
    """Return a text with the next commands to try."""
    if not stays:
        return (
            "Now try\n"
            "  make console       opens the console's web page with this sandbox\n"
            "  README.md, Deploy  explains how to deploy the same stack in your AWS account"
        )
    advertiser = next(iter(connectors.advertisers.values()))
    location = f"{advertiser.outputs['upload_location']}my audience/email_sha256/my-file.csv"
    settings = " ".join(f"{name.upper()}={value}" for name, value in CREDENTIALS.items())
    return "\n".join(
        [
            "The sandbox runs until you press Ctrl-C, and shows every new status of a file.",
            f"  AWS     {connectors.cloud.url}",
            f"  TikTok  {connectors.tiktok_url}/_emulator/audiences",
            "",
            "Now try to upload your own file, with one hash per line for at least 1,200 people.",
            f"  export {settings} AWS_DEFAULT_REGION={connectors.cloud.region}",
            f"  export AWS_ENDPOINT_URL={connectors.cloud.url}",
            f"  aws s3 cp my-file.csv {shlex.quote(location)}",
            "  .venv/bin/tiktok-activation status",
        ]
    )


def outcome(console: Console, advertiser: RunningAdvertiser, report: Report) -> None:
    """Print the changed report of a file that the user has uploaded."""
    status = Text(report["status"], style=_COLORS.get(report["status"], ""))
    console.print(Text.assemble(f"{advertiser.name}  ", status, f"  {_name(report['file']['key'])}"))
    console.print(Padding(report["reason"], (0, 0, 0, 2)))


def _heading(console: Console, text: str) -> None:
    console.print()
    console.print(Text(text, style="bold"))


def _sort_key(sample: Sample) -> tuple[tuple[str, str], str]:
    return sample.audience, sample.key


def _name(key: str) -> str:
    """Return a key without `tiktok/`, audience, identifier type and run, so that the file name fits in the column."""
    parts = key.split("/")[3:]
    return "/".join(parts if len(parts) <= _MAX_PARTS else [parts[0], "…", parts[-1]])


def _cells(report: Report | None, sample: Sample) -> tuple[RenderableType, ...]:
    if report is None:
        return (Text("not data, ignored" if sample.status is None else "", style="dim"),)
    status, code, rows = report["status"], report["code"], report["rows"]
    text = status if code == status else f"{status}: {code.replace('_', ' ')}"
    numbers = (f"{rows[name]:,}" if rows[name] else "" for name in ("accepted", "rejected"))
    return Text(text, style=_COLORS.get(status, "yellow")), *numbers


def _faulty(report: Report) -> bool:
    return report["status"] == "available" and bool(report["rejections"])


def _reasons(watch: Watch, plan: Plan) -> Iterator[tuple[str, str]]:
    """Yield the first file and the reason of each code that needs an explanation."""
    shown: set[str] = set()
    for name, samples in plan.items():
        for sample in samples:
            report = watch.reports.get((name, sample.key))
            if report is None:
                continue
            file = sample.key.rsplit("/", 1)[-1]
            reasons = []
            if sample.passes_through and (reason := watch.history[name, sample.key].get(sample.passes_through)):
                reasons.append((f"{file}, while it waited", sample.passes_through, reason))
            if report["status"] != "available" or _faulty(report):
                reasons.append((file, report["code"], report["reason"]))
            for heading, code, reason in reasons:
                if code not in shown:
                    shown.add(code)
                    yield heading, reason


def _audiences(connectors: Connectors) -> Table:
    table = Table(box=None, pad_edge=False, padding=(0, 1))
    for column in ("advertiser", "audience", "type"):
        table.add_column(column, no_wrap=True, overflow="ellipsis", max_width=26)
    for column in ("people", "matched"):
        table.add_column(column, justify="right", no_wrap=True)
    table.add_column("valid")
    for name, advertiser in connectors.advertisers.items():
        for each in connectors.audiences(advertiser):
            numbers = (f"{each['members']:,}", f"{each['matched']:,}", "yes" if each["is_valid"] else "no")
            table.add_row(name, each["name"], each["calculate_type"].lower(), *numbers)
    return table


def _firing(connectors: Connectors) -> Iterator[Text]:
    """Yield the alarms that are firing."""
    lines: Sequence[str] = [line for each in connectors.advertisers.values() for line in list(each.log.lines)]
    metrics = printed_metrics(lines)
    for alarm in connectors.cloud.of_kind(":MetricAlarm"):
        if is_firing(alarm.inputs, metrics):
            yield Text.assemble((f"{alarm.name}: ", "bold red"), alarm.inputs["alarmDescription"])
