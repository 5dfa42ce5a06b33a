"""TikTokActivationConnector: everything that one advertiser's connector is in AWS, as one Pulumi component."""

import re
from collections.abc import Mapping, Sequence
from typing import NotRequired, TypedDict

import pulumi

from components.alarms import make_alarms
from components.checks import CHECKS, name_fault, setting_faults
from components.dashboard import Signals
from components.delivery import make_delivery
from components.function import make_worker
from components.scope import Scope, Settings
from components.storage import make_storage

# No `from __future__ import annotations`, no unions but Optional: Pulumi reads these annotations to offer the component
# to other languages. What decides whether a resource exists, or is counted with, is plain; the rest may come from
# other resources. Numbers from other languages arrive as floats.


class TikTokActivationConnectorArgs(TypedDict):
    """What a connector is told; everything but the package has a default."""

    package: str
    """Directory with the function's code and the libraries it needs."""

    bucket_name: NotRequired[pulumi.Input[str]]
    """The bucket's name. Default: made from the connector's name, and unique."""

    file_retention_days: NotRequired[int]
    """Days that an uploaded file lives, and that it goes on living when replaced or deleted; 45 or more. Default 45."""

    report_retention_days: NotRequired[int]
    """Days that a report lives after its last change; not less than the files. Default 400, or as long as files."""

    log_retention_days: NotRequired[int]
    """Days that the function's log lives; one of CloudWatch's values. Default 90."""

    memory_size: NotRequired[int]
    """The function's memory in MB, 256 to 10240. Default 512."""

    maximum_concurrency: NotRequired[int]
    """Invocations that the queue starts at most at a time, 2 to 1000. Default 5."""

    sweep_minutes: NotRequired[int]
    """Minutes between two sweeps, which take up what waits; 1 to 60. Default 10."""

    max_rejected_ratio: NotRequired[float]
    """The share of bad rows, 0 to 1, above which a whole file is refused. Default 0.1."""

    alarm_topic_arns: NotRequired[pulumi.Input[Sequence[pulumi.Input[str]]]]
    """ARNs of SNS topics in the stack's region that alarms go to. Default none."""

    alarm_email: NotRequired[pulumi.Input[str]]
    """An address that alarms go to, through an encrypted topic made for it. Default none."""

    uploaders: NotRequired[pulumi.Input[Sequence[pulumi.Input[str]]]]
    """ARNs of IAM roles, of other accounts too, that may upload. Default none: what IAM allows in this account."""

    event_archive_days: NotRequired[int]
    """Days that EventBridge keeps the bucket's events; at most as long as reports. Default: no archive."""

    tiktok_api_url: NotRequired[pulumi.Input[str]]
    """Base address of the TikTok API for Business. Default https://business-api.tiktok.com."""

    access_token: NotRequired[pulumi.Input[str]]
    """The TikTok access token, if Pulumi is to write the secret; with advertiser_id. Default: a person writes it."""

    advertiser_id: NotRequired[pulumi.Input[str]]
    """TikTok's id of the advertiser; with access_token. Default none."""

    retain_data: NotRequired[bool]
    """Whether bucket, key and log stay in AWS when the connector is destroyed. Default true."""

    tags: NotRequired[Mapping[str, pulumi.Input[str]]]
    """Tags on everything that can have them, besides `Advertiser`. Default none."""


class TikTokActivationConnector(pulumi.ComponentResource):
    """From files in a bucket to custom audiences in the TikTok Ads account of one advertiser."""

    bucket: pulumi.Output[str]
    """Name of the bucket."""

    upload_location: pulumi.Output[str]
    """Where files go: `s3://<bucket>/tiktok/`."""

    queue_url: pulumi.Output[str]
    """URL of the queue that feeds the function."""

    dead_letter_queue_url: pulumi.Output[str]
    """URL of the queue for messages that failed for good."""

    secret_name: pulumi.Output[str]
    """Name of the secret with ACCESS_TOKEN and ADVERTISER_ID."""

    function_name: pulumi.Output[str]
    """Name of the function."""

    def __init__(
        self, name: str, args: TikTokActivationConnectorArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        """Declare the connector.

        Args:
            name: the advertiser's name: lower case letters, digits, inner hyphens; at most 30 characters.
            args: the settings.
            opts: options of the component; its children inherit provider and protection from it.

        Raises:
            ValueError: the name or a setting is wrong.
        """
        super().__init__("tiktok-activation:index:TikTokActivationConnector", name, {}, opts)
        _check(name, args)
        scope = Scope(self, name, Settings.of(args))
        storage = make_storage(scope)
        delivery = make_delivery(scope, storage)
        worker = make_worker(scope, storage, delivery)
        make_alarms(scope, storage, delivery, worker)

        self.bucket = storage.bucket.bucket
        self.upload_location = pulumi.Output.concat("s3://", storage.bucket.bucket, "/tiktok/")
        self.queue_url = delivery.queue.url
        self.dead_letter_queue_url = delivery.dead_letters.url
        self.secret_name = worker.secret.name
        self.function_name = worker.function.name
        self.signals = Signals(
            name, scope.label, storage.key.arn, delivery.dead_letters.name, worker.function.name, worker.log_group.name
        )
        self.register_outputs(self.summary())

    def summary(self) -> dict[str, pulumi.Output[str]]:
        """The outputs by name, as the stack shows them."""
        return {
            "bucket": self.bucket,
            "upload_location": self.upload_location,
            "queue_url": self.queue_url,
            "dead_letter_queue_url": self.dead_letter_queue_url,
            "secret_name": self.secret_name,
            "function_name": self.function_name,
        }


def _check(name: str, args: Mapping[str, object]) -> None:
    """Refuse a wrong name and wrong numbers, which policies and alarms are made from; AWS checks the rest."""
    given = {setting: args.get(re.sub(r"[A-Z]", lambda match: f"_{match[0].lower()}", setting)) for setting in CHECKS}
    given = {setting: value for setting, value in given.items() if value is not None}
    numbers = {setting: value for setting, value in given.items() if isinstance(value, int | float)}
    faults = [fault for fault in (name_fault(name), *setting_faults(numbers, given)) if fault]
    if faults:
        raise ValueError(f"The connector {name!r} cannot be made: {' '.join(faults)}")
