"""The dashboard of a stack, with a row of charts for every advertiser."""

import hashlib
import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pulumi
from pulumi_aws import cloudwatch

from .aws_location import AwsLocation
from .names import NAMESPACE

# A dashboard can have 500 widgets: four for each of 124 advertisers, and one note.
# https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/cloudwatch_limits.html
MAX_ADVERTISERS = 124
_WIDTH, _HEIGHT, _PERIOD = 6, 6, 3600
_CONSOLES = {"aws": "aws.amazon.com", "aws-cn": "amazonaws.cn", "aws-us-gov": "amazonaws-us-gov.com"}


@dataclass(frozen=True)
class Signals:
    """The properties of one connector that the dashboard needs. `label` is the value of the dimension `Advertiser`."""

    advertiser: str
    label: str
    queue_arn: pulumi.Output[str]
    dead_letter_queue: pulumi.Output[str]
    function: pulumi.Output[str]
    log_group: pulumi.Output[str]


def make_dashboard(connectors: Sequence[Signals], name: str = "dashboard") -> pulumi.Output[str]:
    """Create a dashboard with a row of charts for each connector, and return its URL in the AWS console.

    Args:
        connectors: the `signals` of one or more connectors, in any region.
        name: the logical name of the dashboard, unique within the stack.
    """
    rows = [
        {
            "advertiser": connector.advertiser,
            "label": connector.label,
            "region": connector.queue_arn.apply(lambda arn: AwsLocation.of(arn).region),
            "dead_letter_queue": connector.dead_letter_queue,
            "function": connector.function,
            "log_group": connector.log_group,
        }
        for connector in connectors
    ]
    stack = pulumi.get_stack() if name == "dashboard" else f"{pulumi.get_stack()}-{name}"
    dashboard = cloudwatch.Dashboard(
        name,
        dashboard_name=dashboard_name(pulumi.get_organization(), pulumi.get_project(), stack),
        dashboard_body=pulumi.Output.all(*rows).apply(lambda known: json.dumps(dashboard_body(known))),
    )
    return pulumi.Output.all(arn=connectors[0].queue_arn, name=dashboard.dashboard_name).apply(
        lambda known: console_url(AwsLocation.of(known["arn"]), known["name"])
    )


def dashboard_name(organization: str, project: str, stack: str) -> str:
    """Return a unique name for the dashboard of a stack.

    Neither Pulumi nor CloudWatch generates names for dashboards. CloudWatch allows letters, digits, hyphens and
    underscores.
    """
    readable = re.sub(r"[^A-Za-z0-9_-]", "-", f"{project}-{stack}")
    return f"{readable}-{hashlib.sha256(f'{organization}/{project}/{stack}'.encode()).hexdigest()[:8]}"


def console_url(location: AwsLocation, name: str) -> str:
    """Return the URL of a dashboard in the AWS console of its partition."""
    console = _CONSOLES.get(location.partition, _CONSOLES["aws"])
    region = location.region
    return f"https://{region}.console.{console}/cloudwatch/home?region={region}#dashboards/dashboard/{name}"


def dashboard_body(rows: Sequence[dict[str, str]]) -> dict[str, Any]:
    """Return the body of a dashboard.

    Args:
        rows: the advertiser, label, region, function, dead_letter_queue and log_group of each connector.
    """
    shown, left_out = rows[:MAX_ADVERTISERS], rows[MAX_ADVERTISERS:]
    widgets = [widget for number, row in enumerate(shown) for widget in _row(row, number * _HEIGHT)]
    if left_out:
        note = f"Not shown, because a dashboard can show up to {MAX_ADVERTISERS} advertisers: "
        note += ", ".join(row["advertiser"] for row in left_out)
        widgets.append(
            {"type": "text", "x": 0, "y": len(shown) * _HEIGHT, "width": 24, "height": 3}
            | {"properties": {"markdown": note}}
        )
    return {"widgets": widgets}


def _row(row: dict[str, str], top: int) -> list[dict[str, Any]]:
    name = row["advertiser"]

    def metric(metric_name: str, label: str, **options: Any) -> list[Any]:
        return [NAMESPACE, metric_name, "Advertiser", row["label"], {"label": label, **options}]

    def chart(column: int, title: str, *metrics: list[Any], left: str | None = None) -> dict[str, Any]:
        properties: dict[str, Any] = {
            "title": f"{name}: {title}",
            "region": row["region"],
            "stat": "Sum",
            "period": _PERIOD,
            "metrics": list(metrics),
        }
        if left:
            properties["yAxis"] = {"left": {"label": left, "showUnits": False}}
        return _widget("metric", column, top, properties)

    return [
        chart(
            0,
            "files",
            metric("FilesAvailable", "available"),
            metric("FilesSubmitted", "submitted"),
            metric("FilesWaiting", "waiting"),
            metric("FilesRejected", "rejected"),
            metric("FilesFailed", "failed"),
            metric("FilesSkipped", "skipped"),
        ),
        chart(
            1,
            "rows and people",
            metric("RowsAccepted", "rows accepted"),
            metric("RowsRejected", "rows rejected"),
            metric("UsersMatched", "users matched"),
        ),
        chart(
            2,
            "waiting, running, dead letters",
            metric("WaitingSeconds", "longest wait", stat="Maximum"),
            [
                "AWS/Lambda",
                "Duration",
                "FunctionName",
                row["function"],
                {"id": "ms", "visible": False, "stat": "Maximum"},
            ],
            [{"expression": "ms / 1000", "label": "longest run"}],
            [
                "AWS/SQS",
                "ApproximateNumberOfMessagesVisible",
                "QueueName",
                row["dead_letter_queue"],
                {"label": "dead letters", "stat": "Maximum", "yAxis": "right"},
            ],
            left="seconds",
        ),
        # Lambda has no metric for memory usage. The last log line of each invocation has the value.
        _widget(
            "log",
            3,
            top,
            {
                "title": f"{name}: memory",
                "region": row["region"],
                "view": "timeSeries",
                "query": f"SOURCE '{row['log_group']}' | filter type = 'platform.report' "
                "| stats max(record.metrics.maxMemoryUsedMB) as MB by bin(1h)",
            },
        ),
    ]


def _widget(kind: str, column: int, top: int, properties: dict[str, Any]) -> dict[str, Any]:
    return {
        "type": kind,
        "x": column * _WIDTH,
        "y": top,
        "width": _WIDTH,
        "height": _HEIGHT,
        "properties": properties,
    }
