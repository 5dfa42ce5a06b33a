"""The demo's output for people: the files as they go on, reasons, one report, audiences, one alarm, a summary.

Everything fits into 80 columns. Rich writes colors only to a terminal.
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
    "The whole connector on this machine: the stack's own program, the function's own package, AWS embedded (moto), "
    "TikTok emulated, all data synthetic. Time is compressed: TikTok processes a change in "
    f"{PROCESSING_SECONDS:.0f} seconds instead of up to 48 hours, uploads settle in {SETTLE_SECONDS} seconds instead "
    "of five minutes. IAM is not enforced here."
)
_MAX_PARTS = 2  # action and file
_COLORS = {"available": "green", "rejected": "red", "failed": "red", "skipped": "cyan"}


def files(watch: Watch, plan: Plan) -> RenderableType:
    """Return a table for each advertiser: every sample file with its status, grouped by audience."""
    tables: list[RenderableType] = []
    for name, some in plan.items():
        table = Table(title=name, title_justify="left", title_style="bold", expand=True, box=None, pad_edge=False)
        table.collapse_padding = True  # 80 columns are few
        table.add_column("file", ratio=1, no_wrap=True, overflow="ellipsis")
        table.add_column("status", no_wrap=True, min_width=33)
        table.add_column("rows", justify="right", min_width=5)
        table.add_column("faulty", justify="right")
        for (audience, identifier_type), group in groupby(sorted(some, key=_place), lambda each: each.audience):
            table.add_row(Text(audience, style="bold"), Text(identifier_type, style="dim"))
            for sample in group:
                table.add_row(f"  {_name(sample.key)}", *_cells(watch.reports.get((name, sample.key)), sample))
        tables += [table, Text()]
    return Group(*tables)


def result(console: Console, connectors: Connectors, watch: Watch, plan: Plan, seconds: float) -> None:
    """Print everything that follows the table of files."""
    _heading(console, "Why")
    for file, reason in _reasons(watch, plan):
        console.print(Padding(Text.assemble((f"{file}: ", "bold"), reason), (0, 0, 0, 2)))
    name, some = next(iter(plan.items()))
    report = next(report for sample in some if (report := watch.reports.get((name, sample.key))) and _faulty(report))
    _heading(console, "One report in full")
    console.print(Text("\n".join(_json_lines(report, console.width))))
    _heading(console, "The audiences as TikTok sees them")
    console.print(_audiences(connectors))
    _heading(console, "An alarm that would mail the operator")
    console.print(Padding(next(_firing(connectors), "No alarm is firing."), (0, 0, 0, 2)))
    _heading(console, "Result")
    console.print(f"{summary(plan)} In {seconds:.0f} seconds; every audience has exactly the people of its files.")


def _json_lines(report: Report, width: int) -> Iterator[str]:
    """Yield a report as JSON, an entry a line; what is longer goes on indented."""
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
    """Return the sentence that says what was expected, and has happened."""
    expected = Counter(sample.status for some in plan.values() for sample in some if sample.status)
    skipped, rejected, failed = (f"{expected[status]} {status}" for status in ("skipped", "rejected", "failed"))
    return f"{expected['available']} of {expected.total()} available; {skipped}, {rejected} and {failed} on purpose."


def now_try(connectors: Connectors, *, stays: bool) -> str:
    """Return commands to go on with."""
    if not stays:
        return (
            "Now try\n"
            "  make console       the page and the commands, with this sandbox behind them\n"
            "  README.md, Deploy  the same stack in your AWS account"
        )
    advertiser = next(iter(connectors.advertisers.values()))
    location = f"{advertiser.outputs['upload_location']}my audience/email_sha256/my-file.csv"
    settings = " ".join(f"{name.upper()}={value}" for name, value in CREDENTIALS.items())
    return "\n".join(
        [
            "The sandbox stays up until Ctrl-C; from now on every outcome is shown.",
            f"  AWS     {connectors.cloud.url}",
            f"  TikTok  {connectors.tiktok_url}/_emulator/audiences",
            "",
            "Now try: upload a file of your own, one hash per line, 1,200 people or more.",
            f"  export {settings} AWS_DEFAULT_REGION={connectors.cloud.region}",
            f"  export AWS_ENDPOINT_URL={connectors.cloud.url}",
            f"  aws s3 cp my-file.csv {shlex.quote(location)}",
            "  .venv/bin/tiktok-activation status",
        ]
    )


def outcome(console: Console, advertiser: RunningAdvertiser, report: Report) -> None:
    """Print a changed report of a file of the user's own."""
    status = Text(report["status"], style=_COLORS.get(report["status"], ""))
    console.print(Text.assemble(f"{advertiser.name}  ", status, f"  {_name(report['file']['key'])}"))
    console.print(Padding(report["reason"], (0, 0, 0, 2)))


def _heading(console: Console, text: str) -> None:
    console.print()
    console.print(Text(text, style="bold"))


def _place(sample: Sample) -> tuple[tuple[str, str], str]:
    return sample.audience, sample.key


def _name(key: str) -> str:
    """Return a key without `tiktok/`, audience, identifier type and run, so that part numbers fit into the column."""
    parts = key.split("/")[3:]
    return "/".join(parts if len(parts) <= _MAX_PARTS else [parts[0], "…", parts[-1]])


def _cells(report: Report | None, sample: Sample) -> tuple[RenderableType, ...]:
    if report is None:
        return (Text("no data, ignored" if sample.status is None else "", style="dim"),)
    status, code, rows = report["status"], report["code"], report["rows"]
    text = status if code == status else f"{status}: {code.replace('_', ' ')}"
    numbers = (f"{rows[name]:,}" if rows[name] else "" for name in ("accepted", "rejected"))
    return Text(text, style=_COLORS.get(status, "yellow")), *numbers


def _faulty(report: Report) -> bool:
    return report["status"] == "available" and bool(report["rejections"])


def _reasons(watch: Watch, plan: Plan) -> Iterator[tuple[str, str]]:
    """Yield the first file of each code that needs a reason, and the reason."""
    shown: set[str] = set()
    for name, some in plan.items():
        for sample in some:
            report = watch.reports.get((name, sample.key))
            if report is None:
                continue
            file = sample.key.rsplit("/", 1)[-1]
            reasons = []
            if sample.seen and (reason := watch.history[name, sample.key].get(sample.seen)):
                reasons.append((f"{file}, while it waited", sample.seen, reason))
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
