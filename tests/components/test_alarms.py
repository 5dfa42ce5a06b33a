"""Alarms and dashboard: their metrics exist, belong to this connector, and are printed by the packaged function."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from components.aws_location import AwsLocation
from components.dashboard import MAX_ADVERTISERS, console_url, dashboard_body
from sandbox.aws.lambda_instance import FunctionSpec
from sandbox.aws.lambda_service import LambdaFunction
from sandbox.tiktok.emulator import TikTokEmulator
from tests.components.harness import Program, Resource, run_program
from tests.handler.world import ADVERTISER_ID, World, lines, people
from tests.privacy import TOKEN, assert_nothing_personal

pytestmark = pytest.mark.processes

OURS = "TikTokActivation"
FROM_LOG = "TikTokActivation/Log"
# The metrics of AWS and the dimension of each. An alarm with other or additional dimensions gets no data.
# https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-available-cloudwatch-metrics.html
# https://docs.aws.amazon.com/lambda/latest/dg/monitoring-metrics-types.html
# https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-monitoring.html
OF_AWS = {
    ("AWS/SQS", "ApproximateNumberOfMessagesVisible"): "QueueName",
    ("AWS/SQS", "ApproximateAgeOfOldestMessage"): "QueueName",
    ("AWS/Lambda", "Errors"): "FunctionName",
    ("AWS/Lambda", "Throttles"): "FunctionName",
    ("AWS/Lambda", "Duration"): "FunctionName",
    ("AWS/Events", "FailedInvocations"): "RuleName",
    ("AWS/Events", "InvocationsFailedToBeSentToDlq"): "RuleName",
}
Metric = tuple[str, str, tuple[tuple[str, str], ...]]  # namespace, name, dimensions


class PackagedWorld(World):
    """A world whose messages go to the function's package as the program declares it."""

    packaged_function: LambdaFunction

    def deliver(self, *bodies: str, receives: int = 1, seconds: float = 900) -> list[str]:
        records = [
            {
                "messageId": str(number),
                "receiptHandle": "none",
                "body": message,
                "attributes": {"ApproximateReceiveCount": str(receives)},
            }
            for number, message in enumerate(bodies)
        ]
        self.packaged_function.spec = replace(self.packaged_function.spec, timeout=seconds)
        done = self.packaged_function.invoke({"Records": records})
        assert done.error is None
        return [bodies[int(failure["itemIdentifier"])] for failure in done.result["batchItemFailures"]]


@pytest.fixture(scope="module")
def lines_printed(program: Program, aws_url: str) -> list[dict[str, Any]]:
    """Every JSON line that the packaged function prints while it processes some files."""
    out: list[str] = []
    with TikTokEmulator(accounts={ADVERTISER_ID: TOKEN}, processing_seconds=3600) as tiktok:
        world = PackagedWorld(aws_url, tiktok)
        declared = program.one("acme", "lambda/function:Function")
        variables = declared.inputs["environment"]["variables"]
        here = {name: value for name, value in world.environment.items() if name != "ADVERTISER"}
        spec = FunctionSpec(
            name=declared.outputs["name"],
            arn=declared.outputs["arn"],
            package=Path(declared.inputs["code"]),
            handler=declared.inputs["handler"],
            environment={**variables, **here},
            logging={"logFormat": "JSON", "applicationLogLevel": "INFO"},
        )
        world.packaged_function = LambdaFunction(spec, out.append)
        try:
            process_files(world)
        finally:
            world.packaged_function.close()
        assert_nothing_personal([*out, *world.written()])
    return [json.loads(line) for line in out if line.startswith("{")]


@pytest.fixture(scope="module")
def printed(lines_printed: list[dict[str, Any]]) -> set[Metric]:
    """Every metric in the printed lines."""
    return {metric for line in lines_printed if "_aws" in line for metric in metrics_of(line)}


def process_files(world: World) -> None:
    """Process files that reach every final status, and that wait for every reason that has a metric."""
    rows = lines(people(0, 2000))
    world.activate("tiktok/vip/email_sha256/first.csv", rows + b"jane@example.com\n")
    world.activate("tiktok/vip/email_sha256/second.csv", rows)
    world.activate("tiktok/misplaced.csv", rows)
    for code, name in ((40000, "failed"), (40105, "refused"), (40100, "throttled")):
        world.tiktok.fault("create" if name == "failed" else "any", "code", code=code, times=None)
        world.activate(f"tiktok/{name}/email_sha256/a.csv", rows)
        world.tiktok.clear_faults()
    assert world.deliver("nonsense") == ["nonsense"]
    world.activate("tiktok/vip/email_sha256/empty.csv", b"")
    world.tiktok.seed(ADVERTISER_ID, name="old", created_seconds_ago=360 * 24 * 3600)
    for _ in range(2):  # the second file has the same people as the first, so its append matches no new users
        world.sweep(hours=1)
    assert world.outcome("tiktok/vip/email_sha256/first.csv") == ("available", "available")


def metrics_of(emf: dict[str, Any]) -> Iterator[Metric]:
    for directive in emf["_aws"]["CloudWatchMetrics"]:
        for dimensions in directive["Dimensions"]:
            for metric in directive["Metrics"]:
                yield directive["Namespace"], metric["Name"], tuple((name, emf[name]) for name in dimensions)


def alarms(program: Program, advertiser: str) -> dict[str, Resource]:
    """Return the alarms of a connector by the last part of their names."""
    found = [resource for resource in program.children(advertiser) if resource.type.endswith("MetricAlarm")]
    return {resource.name.rpartition("/")[2]: resource for resource in found}


def watched(alarm: Resource) -> Metric:
    inputs = alarm.inputs
    return inputs["namespace"], inputs["metricName"], tuple(inputs["dimensions"].items())


def charted(program: Program) -> Iterator[Metric]:
    (dashboard,) = program.of_type("Dashboard")
    for widget in dashboard.document("dashboardBody")["widgets"]:
        for metric in widget["properties"].get("metrics", []):
            texts = [part for part in metric if isinstance(part, str)]
            if texts:
                namespace, name, *dimensions = texts
                yield namespace, name, tuple(zip(dimensions[::2], dimensions[1::2], strict=True))


def test_the_packaged_function_prints_every_metric_that_alarms_and_charts_use(
    program: Program, printed: set[Metric]
) -> None:
    used = {watched(alarm) for alarm in alarms(program, "acme").values()} | set(charted(program))
    acme = {metric for metric in used if metric[0] == OURS and metric[2] == (("Advertiser", "acme/dev"),)}
    assert acme <= printed
    # All other charts belong to the other advertiser.
    globex = {metric for metric in set(charted(program)) if metric[0] == OURS} - acme
    assert {dimensions for _, _, dimensions in globex} == {(("Advertiser", "globex/dev"),)}


def test_the_packaged_function_prints_metrics_only_in_its_own_namespace_and_dimension(printed: set[Metric]) -> None:
    assert {(namespace, dimensions) for namespace, _, dimensions in printed} == {(OURS, (("Advertiser", "acme/dev"),))}


def test_two_stacks_share_no_metrics(program: Program) -> None:
    prod = run_program([{"name": "acme"}], stack_name="prod")
    assert {watched(alarm) for alarm in alarms(program, "acme").values()}.isdisjoint(
        watched(alarm) for alarm in alarms(prod, "acme").values()
    )
    assert set(charted(program)).isdisjoint(charted(prod))


def test_metrics_of_aws_have_their_dimension_and_belong_to_this_connector(program: Program) -> None:
    for advertiser in ("acme", "globex"):
        names = {
            *(program.one(advertiser, kind).outputs["name"] for kind in ("EventRule", "lambda/function:Function")),
            *(r.outputs["name"] for r in program.children(advertiser) if r.type.endswith("sqs/queue:Queue")),
        }
        for alarm in alarms(program, advertiser).values():
            namespace, name, dimensions = watched(alarm)
            if namespace == FROM_LOG:
                counted = [r.inputs["metricTransformation"] for r in program.children(advertiser) if _is_filter(r)]
                assert name in [each["name"] for each in counted]
                assert {each["namespace"] for each in counted} == {FROM_LOG}
                assert [each["dimensions"] for each in counted] == 2 * [{"Advertiser": "$.advertiser"}]
                assert dimensions == (("Advertiser", f"{advertiser}/dev"),)
            elif namespace != OURS:
                ((dimension, value),) = dimensions
                assert OF_AWS[namespace, name] == dimension
                assert value in names
    for namespace, name, ((dimension, _),) in charted(program):
        assert namespace == OURS or OF_AWS[namespace, name] == dimension


def _is_filter(resource: Resource) -> bool:
    return resource.type.endswith("LogMetricFilter")


@pytest.mark.parametrize(
    ("suffix", "metric", "queue"),
    [
        ("dead-letters", "ApproximateNumberOfMessagesVisible", "acme-dead-letters"),
        ("oldest-message", "ApproximateAgeOfOldestMessage", "acme-queue"),
    ],
)
def test_an_alarm_watches_the_right_queue(program: Program, suffix: str, metric: str, queue: str) -> None:
    name = program.one("acme", "sqs/queue:Queue", queue).outputs["name"]
    assert watched(alarms(program, "acme")[suffix]) == ("AWS/SQS", metric, (("QueueName", name),))


def test_there_is_an_alarm_for_everything_that_needs_a_person(program: Program) -> None:
    assert {suffix: alarm.inputs["threshold"] for suffix, alarm in alarms(program, "acme").items()} == {
        "dead-letters": 0,
        "function-errors": 0,
        "function-throttles": 0,
        "messages-failed": 0,
        "credentials-rejected": 0,
        "files-rejected": 0,
        "files-failed": 0,
        "file-waiting": 3 * 24 * 3600,
        "oldest-message": 2 * 3600,
        "event-delivery": 0,
        "events-lost": 0,
        "no-sweep": 1,
        "files-withdrawn": 0,
        "files-need-person": 0,
        "audiences-unmatched": 0,
        "audiences-expiring": 0,
        "audiences-limit": 380,
    }


def test_missing_data_raises_only_the_alarm_for_sweeps(program: Program) -> None:
    for suffix, alarm in alarms(program, "acme").items():
        for_sweeps = suffix == "no-sweep"
        assert alarm.inputs["treatMissingData"] == ("breaching" if for_sweeps else "notBreaching")
        assert alarm.inputs["comparisonOperator"] == ("LessThanThreshold" if for_sweeps else "GreaterThanThreshold")


@pytest.mark.parametrize(("minutes", "alarm_after"), [(1, 45), (5, 45), (15, 45), (20, 60), (60, 180)])
def test_a_stopped_schedule_raises_an_alarm_after_three_intervals_and_45_minutes(
    minutes: int, alarm_after: int
) -> None:
    inputs = alarms(run_program([{"name": "acme", "sweepMinutes": minutes}]), "acme")["no-sweep"].inputs
    assert inputs["evaluationPeriods"] * inputs["period"] == alarm_after * 60
    assert inputs["datapointsToAlarm"] == inputs["evaluationPeriods"]
    assert f"has run for {alarm_after} minutes" in inputs["alarmDescription"]


def test_an_alarm_names_the_advertiser_the_next_step_and_the_log_group(program: Program) -> None:
    log_group = program.one("acme", "LogGroup").outputs["name"]
    for alarm in alarms(program, "acme").values():
        text = alarm.inputs["alarmDescription"]
        assert " acme" in f" {text}"
        assert re.search(r"Run 'tiktok-activation (doctor|status|credentials|audiences) acme'|Check the ", text)
        assert text.endswith(f" Log group: {log_group}.")
        assert len(re.findall(r"[.]( |$)", text)) >= 4  # happened, affected, next, log group


def test_the_log_lines_of_outcomes_have_the_fields_that_the_metric_filters_use(
    lines_printed: list[dict[str, Any]],
) -> None:
    outcomes = [line for line in lines_printed if "status" in line]
    assert {"available", "rejected", "waiting"} <= {line["status"] for line in outcomes}
    assert {line["advertiser"] for line in outcomes} == {"acme/dev"}
    assert all(line["code"] for line in outcomes)


@pytest.mark.parametrize("minutes", [1, 10, 60])
def test_an_alarm_stays_on_while_every_sweep_finds_the_same_problem(minutes: int) -> None:
    """An alarm covers at least the time from the start of one sweep to the end of the next, and needs one datapoint."""
    program = run_program([{"name": "acme", "sweepMinutes": minutes}])
    for suffix in ("credentials-rejected", "file-waiting", "audiences-expiring", "audiences-limit"):
        inputs = alarms(program, "acme")[suffix].inputs
        assert inputs["evaluationPeriods"] * inputs["period"] >= minutes * 60 + 900
        assert inputs["datapointsToAlarm"] == 1
        # CloudWatch allows at most one day for periods of this length.
        assert inputs["evaluationPeriods"] * inputs["period"] <= 24 * 3600


def test_every_alarm_notifies_the_topics_and_the_email_address(everything: Program, program: Program) -> None:
    for alarm in alarms(everything, "acme").values():
        topic = everything.one("acme", "topic:Topic").outputs["arn"]
        assert alarm.inputs["alarmActions"] == ["arn:aws:sns:us-east-1:111122223333:on-call", topic]
    assert all(alarm.inputs["alarmActions"] == [] for alarm in alarms(program, "acme").values())


def test_the_dashboard_has_a_row_for_every_advertiser_and_its_url_is_an_output(program: Program) -> None:
    (dashboard,) = program.of_type("Dashboard")
    widgets = dashboard.document("dashboardBody")["widgets"]
    titles = [widget["properties"]["title"] for widget in widgets]
    of_one = ["files", "rows and people", "waiting, running, dead letters", "memory"]
    assert titles == [f"{advertiser}: {title}" for advertiser in ("acme", "globex") for title in of_one]
    assert len({(widget["x"], widget["y"]) for widget in widgets}) == len(widgets)
    name = dashboard.inputs["dashboardName"]
    home = "https://us-east-1.console.aws.amazon.com/cloudwatch/home?region=us-east-1"
    assert program.outputs["dashboard"] == f"{home}#dashboards/dashboard/{name}"


def test_a_dashboard_shows_as_many_advertisers_as_cloudwatch_allows_and_names_the_others() -> None:
    row = {"label": "l", "region": "eu-west-1", "dead_letter_queue": "d", "function": "f", "log_group": "l"}
    rows = [{**row, "advertiser": f"a{number}"} for number in range(MAX_ADVERTISERS + 2)]
    widgets = dashboard_body(rows)["widgets"]
    assert len(widgets) <= 500  # https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/cloudwatch_limits.html
    assert widgets[-1]["properties"]["markdown"].endswith("a124, a125")
    assert len(dashboard_body(rows[:MAX_ADVERTISERS])["widgets"]) == 4 * MAX_ADVERTISERS


def test_the_dashboard_url_is_in_the_console_of_its_partition() -> None:
    url = console_url(AwsLocation("aws-cn", "cn-north-1", "1"), "d")
    assert url.startswith("https://cn-north-1.console.amazonaws.cn/")
