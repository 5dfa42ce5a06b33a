"""What tells a person before anybody notices: the alarms of a connector."""

from dataclasses import dataclass

import pulumi
from pulumi_aws import cloudwatch

from components.delivery import Delivery
from components.function import Worker
from components.scope import Scope


@dataclass(frozen=True)
class _Alarm:
    suffix: str
    description: str
    namespace: str
    metric: str
    dimensions: dict[str, pulumi.Input[str]]
    statistic: str = "Sum"
    above: int = 0
    period: int = 300
    within: int = 1


def make_alarms(scope: Scope, delivery: Delivery, worker: Worker) -> None:
    """Create the alarms."""
    dead_letters = {"QueueName": delivery.dead_letters.name}
    function = {"FunctionName": worker.function.name}
    for alarm in (
        _Alarm(
            "dead-letters",
            f"Messages of {scope.name} failed for good; they wait in the dead-letter queue",
            "AWS/SQS",
            "ApproximateNumberOfMessagesVisible",
            dead_letters,
            statistic="Maximum",
        ),
        _Alarm("errors", f"The function of {scope.name} failed or ran out of time", "AWS/Lambda", "Errors", function),
    ):
        cloudwatch.MetricAlarm(
            f"{scope.own_names}{alarm.suffix}",
            alarm_description=alarm.description,
            namespace=alarm.namespace,
            metric_name=alarm.metric,
            dimensions=alarm.dimensions,
            statistic=alarm.statistic,
            comparison_operator="GreaterThanThreshold",
            threshold=alarm.above,
            period=alarm.period,
            evaluation_periods=alarm.within,
            datapoints_to_alarm=1,
            treat_missing_data="notBreaching",
            alarm_actions=scope.settings.alarm_topic_arns,
            ok_actions=scope.settings.alarm_topic_arns,
            tags=scope.tags,
            opts=scope.child(),
        )
