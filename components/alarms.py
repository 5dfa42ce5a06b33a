"""What tells a person before anybody notices: the alarms of a connector, and the topic they go to."""

import math
from dataclasses import dataclass

import pulumi
from pulumi_aws import cloudwatch, sns

from components import policies
from components.delivery import Delivery
from components.function import Worker
from components.scope import Scope
from components.storage import Storage

NAMESPACE = "TikTokActivation"
_PERIOD = 300
_THREE_DAYS = 3 * 24 * 3600
# A function killed at its time-out gives its message back after an hour and a half: that is no standstill yet.
_OLD_MESSAGE = 2 * 3600


@dataclass(frozen=True)
class Alarm:
    """One alarm: above `threshold` in `datapoints` of the last `periods` times five minutes."""

    suffix: str
    meaning: str
    namespace: str
    metric: str
    dimensions: dict[str, pulumi.Input[str]]
    statistic: str = "Sum"
    threshold: int = 0
    datapoints: int = 1
    periods: int = 1


def make_alarms(scope: Scope, storage: Storage, delivery: Delivery, worker: Worker) -> None:
    """Create the alarms; to the topics that were given, and to one made for the e-mail address."""
    actions: pulumi.Input[list[str]] = pulumi.Output.all(
        given=scope.settings.alarm_topic_arns, made=_email_topic(scope, storage)
    ).apply(lambda topics: [*topics["given"], *([topics["made"]] if topics["made"] else [])])
    for alarm in _alarms(scope, delivery, worker):
        cloudwatch.MetricAlarm(
            f"{scope.own_names}{alarm.suffix}",
            alarm_description=alarm.meaning,
            namespace=alarm.namespace,
            metric_name=alarm.metric,
            dimensions=alarm.dimensions,
            statistic=alarm.statistic,
            comparison_operator="GreaterThanThreshold",
            threshold=alarm.threshold,
            period=_PERIOD,
            evaluation_periods=alarm.periods,
            datapoints_to_alarm=alarm.datapoints,
            treat_missing_data="notBreaching",  # a quiet function prints nothing
            alarm_actions=actions,
            tags=scope.tags,
            opts=scope.child(),
        )


def _alarms(scope: Scope, delivery: Delivery, worker: Worker) -> list[Alarm]:
    name = scope.name
    ours: dict[str, pulumi.Input[str]] = {"Advertiser": scope.label}
    function: dict[str, pulumi.Input[str]] = {"FunctionName": worker.function.name}
    rule: dict[str, pulumi.Input[str]] = {"RuleName": delivery.rule.name}
    queue: dict[str, pulumi.Input[str]] = {"QueueName": delivery.queue.name}
    dead_letters: dict[str, pulumi.Input[str]] = {"QueueName": delivery.dead_letters.name}
    # What a sweep finds it finds again at the next: an alarm that looks back two sweeps does not go off and on between.
    sweeps = math.ceil((2 * scope.settings.sweep_minutes * 60 + 900) / _PERIOD)
    return [
        Alarm(
            "dead-letters",
            f"Messages of {name} failed twelve times, or EventBridge could not deliver them, and wait in the "
            "dead-letter queue: read the function's log and the messages' attributes, then redrive them to the queue.",
            "AWS/SQS",
            "ApproximateNumberOfMessagesVisible",
            dead_letters,
            statistic="Maximum",
        ),
        Alarm(
            "function-errors",
            f"The function of {name} failed or ran out of time: read its log.",
            "AWS/Lambda",
            "Errors",
            function,
        ),
        # S3, SQS, KMS or our own code: the function itself ends well then. One failure may be no more than two
        # functions at once; the second try comes after a minute, the third after two more.
        Alarm(
            "messages-failed",
            f"Messages of {name} fail again and again: read the function's log. They are tried for six hours, then "
            "wait in the dead-letter queue.",
            NAMESPACE,
            "MessagesFailed",
            ours,
            datapoints=2,
            periods=3,
        ),
        Alarm(
            "function-throttles",
            f"Lambda has had no room for the function of {name} for a quarter of an hour: "
            "see the account's concurrency.",
            "AWS/Lambda",
            "Throttles",
            function,
            datapoints=3,
            periods=3,
        ),
        Alarm(
            "credentials-rejected",
            f"TikTok refuses the credentials of {name}, or the secret is empty or malformed: put a valid token in it, "
            "or grant the permission. Files wait and then go through by themselves.",
            NAMESPACE,
            "CredentialsRejected",
            ours,
            periods=sweeps,
        ),
        Alarm(
            "files-rejected",
            f"Files of {name} were rejected: their reports say why. Put them right and upload them again.",
            NAMESPACE,
            "FilesRejected",
            ours,
        ),
        Alarm(
            "files-failed",
            f"Files of {name} failed at TikTok: their reports say why.",
            NAMESPACE,
            "FilesFailed",
            ours,
        ),
        Alarm(
            "file-waiting",
            f"A file of {name} has waited more than three days: its report says for what.",
            NAMESPACE,
            "WaitingSeconds",
            ours,
            statistic="Maximum",
            threshold=_THREE_DAYS,
            periods=sweeps,
        ),
        Alarm(
            "oldest-message",
            f"A message of {name} has been in the queue for two hours: the function is stopped.",
            "AWS/SQS",
            "ApproximateAgeOfOldestMessage",
            queue,
            statistic="Maximum",
            threshold=_OLD_MESSAGE,
        ),
        Alarm(
            "event-delivery",
            f"EventBridge could not deliver uploads of {name} to the queue: see the policies of queue and key.",
            "AWS/Events",
            "FailedInvocations",
            rule,
        ),
        Alarm(
            "events-lost",
            f"EventBridge could deliver uploads of {name} neither to the queue nor to the dead-letter queue: "
            "upload them again.",
            "AWS/Events",
            "InvocationsFailedToBeSentToDlq",
            rule,
        ),
    ]


def _email_topic(scope: Scope, storage: Storage) -> pulumi.Output[str] | None:
    """The ARN of a topic for the e-mail address, if there is one; the address has to be confirmed by its owner."""
    if scope.settings.alarm_email is None:
        return None
    topic = sns.Topic(
        f"{scope.name}-alarms",
        kms_master_key_id=storage.key.arn,
        tags=scope.tags,
        opts=scope.child(storage.key_policy),
    )
    policy = sns.TopicPolicy(
        f"{scope.name}-alarms",
        arn=topic.arn,
        policy=policies.render(policies.topic, topic_arn=topic.arn, own=scope.own_names),
        opts=scope.child(),
    )
    sns.TopicSubscription(
        f"{scope.name}-alarms",
        topic=topic.arn,
        protocol="email",
        endpoint=scope.settings.alarm_email,
        opts=scope.child(),
    )
    return policy.arn  # the topic's; an alarm that is made after the policy may publish from the first on
