"""The whole connector: the real program in the embedded AWS, events by EventBridge, the package under AWS's client."""

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


def test_a_file_goes_from_the_bucket_to_an_audience_and_a_foreign_message_stays(connectors: Connectors) -> None:
    told: list[str] = []

    def tell(advertiser: RunningAdvertiser, report: Report) -> None:
        told.append(f"{advertiser.name} {report['status']}")

    watch = Watch(connectors, tell)
    name = next(iter(connectors.advertisers))  # whatever the stack is configured for
    sample = next(each for each in samples(name) if each.status == "available")
    assert run_plan(watch, {name: [sample]}) == []
    assert told[-1] == f"{name} available"
    report = watch.reports[name, sample.key]
    assert report["audience"]["created"] is True
    assert report["tiktok"]["matched"] == len(sample.people)
    assert all(advertiser.invocations for advertiser in connectors.advertisers.values())

    advertiser = connectors.advertisers[name]
    url = advertiser.outputs["queue_url"]
    connectors.cloud.client("sqs").send_message(QueueUrl=url, MessageBody="not an event")
    give_up = time.monotonic() + 30
    while not any("message refused" in line for line in list(advertiser.log.lines)):
        assert time.monotonic() < give_up
        time.sleep(0.05)
    assert connectors.depth(url) == 1  # hidden for a minute


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
    give_up = time.monotonic() + 30
    while not logs.filter_log_events(logGroupName=group, filterPattern="INFO")["events"]:
        assert time.monotonic() < give_up
        time.sleep(0.1)


def test_the_sandbox_says_what_is_not_as_it_should_be(connectors: Connectors) -> None:
    watch = Watch(connectors, lambda *_: None)
    name = [*connectors.advertisers][-1]  # another if there is one, so that it does not matter which test is first
    wrong = Sample("tiktok/x/emails/x.csv", b"", "available", "available", (7, 0), frozenset({"nobody"}))
    told = "\n".join(run_plan(watch, {name: [wrong]}))
    assert f"{name}: tiktok/x/emails/x.csv is rejected (unknown_identifier_type)" in told
    assert f"{name}: tiktok/x/emails/x.csv has None accepted and" in told
    assert f"{name}: TikTok has the audiences [" in told


def test_every_upload_is_told_of_and_every_reason_for_waiting(connectors: Connectors) -> None:
    told: list[tuple[str, str]] = []
    watch = Watch(connectors, lambda _, report: told.append((report["file"]["key"], report["code"])))
    advertiser = next(iter(connectors.advertisers.values()))
    key = "tiktok/y/emails/y.csv"
    for count in (1, 2):
        connectors.upload(advertiser, key, b"")
        give_up = time.monotonic() + 30
        while told.count((key, "unknown_identifier_type")) < count:
            assert time.monotonic() < give_up
            watch.poll()


def test_what_cannot_be_brought_up_is_said_in_a_sentence() -> None:
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
