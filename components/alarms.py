"""The alarms of a connector, and the topic that sends them by email."""

from __future__ import annotations

from functools import partial

import pulumi
from pulumi_aws import cloudwatch, sns

from . import policies
from .alarm_table import LOG_METRICS, LOG_NAMESPACE, PERIOD, alarms
from .delivery import Delivery
from .function import Compute
from .scope import Scope
from .statements import render
from .storage import Storage


def make_alarms(scope: Scope, storage: Storage, delivery: Delivery, compute: Compute) -> None:
    """Create the alarms, and the filters that count log lines for some of them.

    The alarms notify the configured topics. If an email address is configured, they also notify a topic that is created
    for it.
    """
    _make_log_metrics(scope, compute)
    actions: pulumi.Input[list[str]] = pulumi.Output.all(
        given=scope.options.alarm_topic_arns, own=_email_topic(scope, storage)
    ).apply(lambda topics: [*topics["given"], *([topics["own"]] if topics["own"] else [])])
    for alarm in alarms(scope, delivery, compute):
        cloudwatch.MetricAlarm(
            f"{scope.name_prefix}{alarm.suffix}",
            alarm_description=compute.log_group.name.apply(partial("{} Log group: {}.".format, alarm.text)),
            namespace=alarm.namespace,
            metric_name=alarm.metric,
            dimensions=alarm.dimensions,
            statistic=alarm.statistic,
            comparison_operator=alarm.comparison,
            threshold=alarm.threshold,
            period=PERIOD,
            evaluation_periods=alarm.periods,
            datapoints_to_alarm=alarm.datapoints,
            treat_missing_data=alarm.missing,
            alarm_actions=actions,
            tags=scope.tags,
            opts=scope.child(),
        )


def _make_log_metrics(scope: Scope, compute: Compute) -> None:
    for metric, (status, codes) in LOG_METRICS.items():
        any_code = " || ".join(f'($.code = "{code}")' for code in codes)
        cloudwatch.LogMetricFilter(
            f"{scope.name_prefix}{metric}",
            log_group_name=compute.log_group.name,
            pattern=f'{{ ($.status = "{status}") && ({any_code} || ($.alarm IS TRUE)) }}',
            metric_transformation={
                "name": metric,
                "namespace": LOG_NAMESPACE,
                "value": "1",
                "dimensions": {"Advertiser": "$.advertiser"},  # this field of the log line has the connector's label
            },
            opts=scope.child(),
        )


def _email_topic(scope: Scope, storage: Storage) -> pulumi.Output[str] | None:
    """Create a topic for the email address and return its ARN, or return None if no address is configured.

    The owner of the address has to confirm the subscription.
    """
    if scope.options.alarm_email is None:
        return None
    topic = sns.Topic(
        f"{scope.name}-alarms",
        kms_master_key_id=storage.key_arn,
        tags=scope.tags,
        opts=scope.child(*storage.key_ready),
    )
    policy = sns.TopicPolicy(
        f"{scope.name}-alarms",
        arn=topic.arn,
        policy=render(policies.topic, topic_arn=topic.arn, name_prefix=scope.name_prefix),
        opts=scope.child(),
    )
    sns.TopicSubscription(
        f"{scope.name}-alarms",
        topic=topic.arn,
        protocol="email",
        endpoint=scope.options.alarm_email,
        opts=scope.child(),
    )
    # The topic's ARN is read from the policy, so that every alarm is created after the policy that lets it publish.
    return policy.arn
