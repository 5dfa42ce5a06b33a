"""The metrics are those of the contract: names, the one dimension, and which value of an invocation counts."""

from __future__ import annotations

import json
from typing import Any

import pytest

from handler.metrics import Metric, Metrics

# The contract with alarms and dashboards, in README and docs.
NAMES = {
    "FilesAvailable", "FilesSubmitted", "FilesSkipped", "FilesRejected", "FilesFailed", "FilesWaiting",
    "WaitingSeconds", "CredentialsRejected", "RowsAccepted", "RowsRejected", "TikTokCalls", "TikTokThrottled",
    "UsersMatched", "MessagesFailed", "Sweeps", "AudiencesUnmatched", "AudiencesExpiring", "Audiences",
}  # fmt: skip
GAUGES = {Metric.AUDIENCES, Metric.AUDIENCES_EXPIRING}


def printed(capsys: pytest.CaptureFixture[str]) -> dict[str, Any]:
    line: dict[str, Any] = json.loads(capsys.readouterr().out)
    return line


def test_names_and_dimension_are_those_of_the_contract(capsys: pytest.CaptureFixture[str]) -> None:
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


def test_sums_are_added_the_longest_wait_and_the_last_level_count(capsys: pytest.CaptureFixture[str]) -> None:
    metrics = Metrics("acme/dev")
    for value in (7, 5):
        metrics.add(Metric.FILES_SKIPPED, value)
        metrics.set_gauge(Metric.AUDIENCES, value)
        metrics.record_wait(value)
    metrics.flush()
    line = printed(capsys)
    assert (line["FilesSkipped"], line["Audiences"], line["WaitingSeconds"]) == ([12], [5], [7])


def test_zeros_are_left_out_and_nothing_is_printed_twice(capsys: pytest.CaptureFixture[str]) -> None:
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
