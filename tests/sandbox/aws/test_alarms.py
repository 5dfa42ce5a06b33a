"""The states of alarms, calculated from the metrics that functions print."""

from __future__ import annotations

import json
from typing import Any

import pytest

from sandbox.aws.alarms import is_firing, printed_metrics


def line(name: str, value: object, advertiser: str = "acme/dev") -> str:
    directive = {"Namespace": "TikTokActivation", "Dimensions": [["Advertiser"]], "Metrics": [{"Name": name}]}
    return json.dumps({"_aws": {"CloudWatchMetrics": [directive]}, "Advertiser": advertiser, name: value})


LINES = [line("FilesRejected", [1.0]), line("FilesRejected", 2), line("FilesFailed", [0.0]), "no json", "[]", "{}"]
ALARM = {
    "namespace": "TikTokActivation",
    "metricName": "FilesRejected",
    "dimensions": {"Advertiser": "acme/dev"},
    "statistic": "Sum",
    "comparisonOperator": "GreaterThanThreshold",
    "threshold": 2.0,
}


def test_metrics_are_summed_over_log_lines() -> None:
    assert printed_metrics(LINES) == {
        ("TikTokActivation", "FilesRejected", "acme/dev"): 3,
        ("TikTokActivation", "FilesFailed", "acme/dev"): 0,
    }


@pytest.mark.parametrize(
    ("change", "fires"),
    [
        ({}, True),
        ({"threshold": 3.0}, False),
        ({"metricName": "FilesFailed"}, False),
        ({"namespace": "AWS/SQS"}, False),
        ({"dimensions": {"Advertiser": "globex/dev"}}, False),
        ({"comparisonOperator": "LessThanThreshold"}, False),
    ],
)
def test_an_alarm_fires_above_its_threshold(change: dict[str, Any], fires: bool) -> None:
    assert is_firing(ALARM | change, printed_metrics(LINES)) is fires
