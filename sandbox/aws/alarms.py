"""CloudWatch alarms: their states, calculated from the metrics that the functions have printed."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Any

Metric = tuple[str, str, str]


def printed_metrics(lines: Iterable[str]) -> dict[Metric, float]:
    """Return the sums of the metrics in log lines in embedded metric format: (namespace, metric, advertiser) -> sum."""
    sums: dict[Metric, float] = defaultdict(float)
    for line in lines:
        try:
            content = json.loads(line)
            directives = content["_aws"]["CloudWatchMetrics"]
        except (ValueError, KeyError, TypeError):
            continue
        for directive in directives:
            for metric in directive["Metrics"]:
                values = content[metric["Name"]]
                total = sum(values) if isinstance(values, list) else values
                sums[directive["Namespace"], metric["Name"], content["Advertiser"]] += total
    return sums


def is_firing(alarm: Mapping[str, Any], metrics: Mapping[Metric, float]) -> bool:
    """Return whether the sum of an alarm's metric exceeds its threshold. Alarms of other kinds never fire."""
    key = (alarm.get("namespace", ""), alarm.get("metricName", ""), alarm.get("dimensions", {}).get("Advertiser", ""))
    if (alarm["comparisonOperator"], alarm.get("statistic")) != ("GreaterThanThreshold", "Sum"):
        return False
    return metrics.get(key, 0) > float(alarm["threshold"])
