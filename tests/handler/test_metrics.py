"""Tests of the metrics: names, dimension, and the values that an invocation prints."""

from __future__ import annotations

import json
from typing import Any, get_args

import pytest

from handler.metrics import Metric, Metrics
from handler.report_codes import Status

# Alarms, dashboards and the documentation rely on these names.
NAMES = {
    "FilesAvailable", "FilesSubmitted", "FilesSkipped", "FilesRejected", "FilesFailed", "FilesWaiting",
    "WaitingSeconds", "CredentialsRejected", "RowsAccepted", "RowsRejected", "TikTokCalls", "TikTokThrottled",
    "UsersMatched", "MessagesFailed", "Sweeps", "AudiencesUnmatched", "AudiencesExpiring", "Audiences",
}  # fmt: skip


def printed(capsys: pytest.CaptureFixture[str]) -> dict[str, Any]:
    line: dict[str, Any] = json.loads(capsys.readouterr().out)
    return line


def test_names_and_dimension_are_as_documented(capsys: pytest.CaptureFixture[str]) -> None:
    metrics = Metrics("acme/dev")
    for metric in Metric:
        if metric is not Metric.WAITING_SECONDS:
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


def test_every_status_of_a_report_has_a_metric() -> None:
    assert {f"Files{status.capitalize()}" for status in get_args(Status)} < {*Metric}


def test_sums_add_up_and_the_longest_wait_is_printed(capsys: pytest.CaptureFixture[str]) -> None:
    metrics = Metrics("acme/dev")
    for value in (7, 5):
        metrics.add(Metric.FILES_SKIPPED, value)
        metrics.record_wait(value)
    metrics.flush()
    line = printed(capsys)
    assert (line["FilesSkipped"], line["WaitingSeconds"]) == ([12], [7])


def test_zeros_are_left_out(capsys: pytest.CaptureFixture[str]) -> None:
    metrics = Metrics("acme/dev")
    metrics.add(Metric.MESSAGES_FAILED, 0)
    metrics.flush()
    assert capsys.readouterr().out == ""
    metrics.add(Metric.SWEEPS)
    metrics.flush()
    line = printed(capsys)
    assert line["Sweeps"] == [1]
    assert "MessagesFailed" not in line
