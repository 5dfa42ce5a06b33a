"""The complete connector: the real program in the embedded AWS, with EventBridge and the packaged function."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator

import pytest

from sandbox.demo.connectors import OUTPUTS_FILE, Connectors, RunningAdvertiser
from sandbox.demo.samples import Sample, samples
from sandbox.demo.scenario import run_plan
from sandbox.demo.watch import Report, Watch
from sandbox.processes import ROOT
from tests.privacy import assert_nothing_personal


@pytest.fixture(scope="module")
def connectors() -> Iterator[Connectors]:
    with Connectors() as connectors:
        connectors.control("POST", "settings", processing_seconds=0.5)
        yield connectors
        for advertiser in connectors.advertisers.values():
            assert_nothing_personal(list(advertiser.log.lines), token=f"sandbox-token-of-{advertiser.name}")


def test_a_file_becomes_an_audience_and_an_unknown_message_stays_on_the_queue(connectors: Connectors) -> None:
    statuses: list[str] = []

    def add_status(advertiser: RunningAdvertiser, report: Report) -> None:
        statuses.append(f"{advertiser.name} {report['status']}")

    watch = Watch(connectors, add_status)
    name = next(iter(connectors.advertisers))  # any advertiser of the stack
    sample = next(each for each in samples(name) if each.status == "available")
    assert run_plan(watch, {name: [sample]}) == []
    assert statuses[-1] == f"{name} available"
    report = watch.reports[name, sample.key]
    assert report["audience"]["created"] is True
    assert report["tiktok"]["matched"] == len(sample.people)
    assert all(advertiser.invocations for advertiser in connectors.advertisers.values())

    advertiser = connectors.advertisers[name]
    url = advertiser.outputs["queue_url"]
    connectors.cloud.client("sqs").send_message(QueueUrl=url, MessageBody="not an event")
    deadline = time.monotonic() + 30
    while not any("message refused" in line for line in list(advertiser.log.lines)):
        assert time.monotonic() < deadline
        time.sleep(0.05)
    assert connectors.depth(url) == 1  # in back-off for a minute


def test_the_console_finds_outputs_endpoints_and_the_log_of_the_function(connectors: Connectors) -> None:
    with connectors.published():
        content = json.loads(OUTPUTS_FILE.read_text())
    assert not OUTPUTS_FILE.exists()
    assert content["advertisers"] == connectors.cloud.outputs["advertisers"]
    assert (content["aws_url"], content["tiktok_url"]) == (connectors.cloud.url, connectors.tiktok_url)
    os.kill(content["pid"], 0)

    advertiser = next(iter(connectors.advertisers.values()))
    connectors.upload(advertiser, "tiktok/x/emails/for-the-log.csv", b"")
    logs = connectors.cloud.client("logs")
    (group,) = {
        function.logging["logGroup"]
        for function in connectors.cloud.functions()
        if function.name == advertiser.outputs["function_name"]
    }
    deadline = time.monotonic() + 30
    while not logs.filter_log_events(logGroupName=group, filterPattern="INFO")["events"]:
        assert time.monotonic() < deadline
        time.sleep(0.1)


def test_the_sandbox_reports_every_difference_from_the_expected_results(connectors: Connectors) -> None:
    watch = Watch(connectors, lambda *_: None)
    name = [*connectors.advertisers][-1]  # not the advertiser of the first test, so that the order does not matter
    wrong = Sample("tiktok/x/emails/x.csv", b"", "available", "available", (7, 0), frozenset({"nobody"}))
    differences = "\n".join(run_plan(watch, {name: [wrong]}))
    assert f"{name}: tiktok/x/emails/x.csv is rejected (unknown_identifier_type)" in differences
    assert f"{name}: tiktok/x/emails/x.csv has None accepted and" in differences
    assert f"{name}: TikTok has the audiences [" in differences


def test_every_version_of_a_key_is_shown(connectors: Connectors) -> None:
    shown: list[tuple[str, str]] = []
    watch = Watch(connectors, lambda _, report: shown.append((report["file"]["key"], report["code"])))
    advertiser = next(iter(connectors.advertisers.values()))
    key = "tiktok/y/emails/y.csv"
    for count in (1, 2):
        connectors.upload(advertiser, key, b"")
        deadline = time.monotonic() + 30
        while shown.count((key, "unknown_identifier_type")) < count:
            assert time.monotonic() < deadline
            watch.poll()


def test_a_failure_to_start_the_sandbox_is_printed_as_an_error() -> None:
    command = "import sandbox.processes as p, runpy, pathlib, sys; p.ROOT = pathlib.Path('/nonexistent')"
    run = subprocess.run(
        [
            sys.executable,
            "-c",
            f"{command}; sys.argv = ['s', '--json']; runpy.run_module('sandbox', run_name='__main__')",
        ],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert run.returncode == 1
    assert list(json.loads(run.stdout)) == ["error"]
    assert "The sandbox failed.\nFileNotFoundError" in run.stderr
