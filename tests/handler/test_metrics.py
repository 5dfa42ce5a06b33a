"""Tests of the metrics: names, dimension, and the value that an invocation prints."""

from __future__ import annotations

import json
from typing import Any

import pytest

from handler.metrics import Metric, Metrics

# Alarms, dashboards and the documentation rely on these names.
NAMES = {
    "FilesAvailable", "FilesSubmitted", "FilesSkipped", "FilesRejected", "FilesFailed", "FilesWaiting",
    "WaitingSeconds", "CredentialsRejected", "RowsAccepted", "RowsRejected", "TikTokCalls", "TikTokThrottled",
    "UsersMatched", "MessagesFailed", "Sweeps", "AudiencesUnmatched", "AudiencesExpiring", "Audiences",
}  # fmt: skip
GAUGES = {Metric.AUDIENCES, Metric.AUDIENCES_EXPIRING}


def printed(capsys: pytest.CaptureFixture[str]) -> dict[str, Any]:
    line: dict[str, Any] = json.loads(capsys.readouterr().out)
    return line


def test_names_and_dimension_are_as_documented(capsys: pytest.CaptureFixture[str]) -> None:
    metrics = Metrics("acme/dev")
    for metric in Metric:
        if metric in GAUGES:
            metrics.set_gauge(metric, 1)
        elif metric is not Metric.WAITING_SECONDS:
            metrics.add(metric)
    metrics.record_wait(2.5)
    metrics.flush()

    line = printed(capsys)
    (directive,) = line["_aws"]["CloudWatchMetrics"]
    assert directive["Namespace"] == "TikTokActivation"
    assert directive["Dimensions"] == [["Advertiser"]]
    assert line["Advertiser"] == "acme/dev"
    assert {metric["Name"] for metric in directive["Metrics"]} == NAMES
    units = {metric["Name"]: metric["Unit"] for metric in directive["Metrics"]}
    assert units.pop("WaitingSeconds") == "Seconds"
    assert set(units.values()) == {"Count"}
    assert line.keys() - NAMES == {"_aws", "Advertiser"}


def test_sums_add_up_and_the_longest_wait_and_the_last_gauge_are_printed(capsys: pytest.CaptureFixture[str]) -> None:
    metrics = Metrics("acme/dev")
    for value in (7, 5):
        metrics.add(Metric.FILES_SKIPPED, value)
        metrics.set_gauge(Metric.AUDIENCES, value)
        metrics.record_wait(value)
    metrics.flush()
    line = printed(capsys)
    assert (line["FilesSkipped"], line["Audiences"], line["WaitingSeconds"]) == ([12], [5], [7])


def test_zeros_are_left_out_and_flushed_values_are_not_printed_again(capsys: pytest.CaptureFixture[str]) -> None:
    metrics = Metrics("acme/dev")
    metrics.add(Metric.MESSAGES_FAILED, 0)
    metrics.set_gauge(Metric.AUDIENCES_EXPIRING, 0)
    metrics.flush()
    assert capsys.readouterr().out == ""
    metrics.add(Metric.SWEEPS)
    metrics.flush()
    assert printed(capsys)["Sweeps"] == [1]
    metrics.flush()
    assert capsys.readouterr().out == ""
