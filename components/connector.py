"""TikTokActivationConnector, the Pulumi component with the connector of one advertiser."""

from collections.abc import Awaitable, Mapping, Sequence
from typing import Any, NotRequired, TypedDict, Unpack

import pulumi

from .alarms import make_alarms
from .checks import CHECKS, NAME, option_faults, unknown_option
from .dashboard import Signals
from .delivery import make_delivery
from .function import make_compute
from .names import UPLOADS, camel
from .roles import make_upload_role
from .scope import Options, Scope
from .storage import make_storage


class OptionError(pulumi.RunError, ValueError):
    """The name or an option of a connector is invalid. The message says why. Pulumi shows it without a traceback."""


# Pulumi reads these annotations to make the component available to other languages. Therefore this module has no
# `from __future__ import annotations`, and options have no unions. Numbers, Booleans, `package` and `upload_role` are
# plain values; other options, and the values of tags, can also be outputs of other resources. Numbers from other
# languages arrive as floats.


class UploadRoleArgs(TypedDict):
    """The role that a vendor assumes to upload files."""

    principals: Sequence[str]
    """ARNs of the IAM roles, users or account roots that may assume the role."""

    external_id: NotRequired[str]
    """The external id that the principals must send. The vendor tells you its value. Required if a principal is an
    account root."""


class TikTokActivationConnectorArgs(TypedDict):
    """The options of a connector. Each has a default."""

    package: NotRequired[str]
    """Directory with the function's code and libraries. Default: built from the component's own sources."""

    bucket_name: NotRequired[pulumi.Input[str]]
    """Name of the bucket that the connector creates. An existing bucket cannot be used. Changing the name replaces the
    bucket. Default: a unique name that starts with the connector's name."""

    file_retention_days: NotRequired[int]
    """Days until an uploaded file is deleted. A deleted or overwritten version is kept for the same number of days.
    Default: 45."""

    report_retention_days: NotRequired[int]
    """Days until a report is deleted after its last change; at least file_retention_days. Default: 400, or the
    number for files if that is higher."""

    log_retention_days: NotRequired[int]
    """Days until entries in the function's log are deleted. Default: 90."""

    memory_size: NotRequired[int]
    """The function's memory in MB. Default: 512."""

    maximum_concurrency: NotRequired[int]
    """Maximum number of concurrent invocations for messages of the queue. Default: 5."""

    sweep_minutes: NotRequired[int]
    """Minutes between two sweeps. A sweep starts settled uploads and finishes changes that TikTok has processed.
    Default: 5."""

    settle_seconds: NotRequired[float]
    """Seconds without a new upload after which the uploads of an audience are sent together. A replace waits twelve
    times as long. With 0, every file is sent immediately, and each file under `replace/` is a complete list.
    Default: 300."""

    max_rejected_ratio: NotRequired[float]
    """Share of invalid rows above which the entire file or list is rejected. Default: 0.1."""

    max_shrink: NotRequired[float]
    """Share of its rows that a list may lose compared with the previous list. A list that shrinks more waits until a
    person confirms it. 1 turns this off. Default: 0.5."""

    alarm_topic_arns: NotRequired[pulumi.Input[Sequence[pulumi.Input[str]]]]
    """ARNs of SNS topics in the stack's region that receive the alarms. Default: none."""

    alarm_email: NotRequired[pulumi.Input[str]]
    """Email address that receives the alarms, through an encrypted topic that the connector creates. The owner of the
    address must confirm the subscription once. Default: none."""

    outcome_events: NotRequired[bool]
    """Sends an event with the outcome of every upload to the account's default event bus, with the source
    `tiktok-activation`. Default: false."""

    uploaders: NotRequired[pulumi.Input[Sequence[pulumi.Input[str]]]]
    """ARNs of the IAM roles and users, of any account, that may upload files. Default: none, so only roles and users
    of this account whose IAM policies allow it can upload."""

    upload_role: NotRequired[UploadRoleArgs]
    """Creates a role that others can assume to upload files. The role allows nothing else. Default: none."""

    readers: NotRequired[pulumi.Input[Sequence[pulumi.Input[str]]]]
    """ARNs of the IAM roles and users, of any account, that may list and read reports. Default: none."""

    event_archive_days: NotRequired[int]
    """Days that EventBridge archives upload events for a replay; at most report_retention_days. Default: none, so there
    is no archive."""

    tiktok_api_url: NotRequired[pulumi.Input[str]]
    """Base URL of the TikTok API for Business. Default: https://business-api.tiktok.com."""

    access_token: NotRequired[pulumi.Input[str]]
    """The TikTok access token that Pulumi writes to the secret; requires advertiser_id. Default: none, so a person
    fills in the secret."""

    advertiser_id: NotRequired[pulumi.Input[str]]
    """TikTok's id of the advertiser; requires access_token or credentials_secret_arn. Default: none, if the id is
    in the secret."""

    credentials_secret_arn: NotRequired[pulumi.Input[str]]
    """ARN of an existing secret with ACCESS_TOKEN, which several connectors can share; requires advertiser_id. It must
    be encrypted with the account's default key for Secrets Manager or with kms_key_arn. Default: none, so the connector
    creates a secret."""

    kms_key_arn: NotRequired[pulumi.Input[str]]
    """ARN of an existing KMS key in the stack's region. Set it only when you create the connector: data that is
    encrypted with the previous key cannot be read after a change. Default: none, so the connector creates a key."""

    permissions_boundary: NotRequired[pulumi.Input[str]]
    """ARN of the permissions boundary of every role. Default: none."""

    role_path: NotRequired[pulumi.Input[str]]
    """IAM path of every role. Changing it replaces the roles. Default: `/`."""

    retain_data: NotRequired[bool]
    """Keeps the bucket, the key and the log in AWS when the connector is destroyed. Default: true."""

    tags: NotRequired[Mapping[str, pulumi.Input[str]]]
    """Tags for every resource that supports tags, in addition to `Advertiser`. Default: none."""


NO_OPTIONS: TikTokActivationConnectorArgs = {}


class TikTokActivationConnector(pulumi.ComponentResource):
    """A bucket whose files become custom audiences in the TikTok Ads account of one advertiser."""

    bucket: pulumi.Output[str]
    """Name of the bucket."""

    upload_location: pulumi.Output[str]
    """S3 location for uploads: `s3://<bucket>/tiktok/`."""

    queue_url: pulumi.Output[str]
    """URL of the queue that invokes the function."""

    dead_letter_queue_url: pulumi.Output[str]
    """URL of the queue for messages that failed permanently."""

    secret_name: pulumi.Output[str]
    """Name of the secret with ACCESS_TOKEN and ADVERTISER_ID."""

    advertiser_id: pulumi.Output[str | None]
    """TikTok's id of the advertiser with credentials_secret_arn; null if the id is in the secret."""

    function_name: pulumi.Output[str]
    """Name of the function."""

    key_arn: pulumi.Output[str]
    """ARN of the key that encrypts the connector's data."""

    queue_arn: pulumi.Output[str]
    """ARN of the queue."""

    dead_letter_queue_arn: pulumi.Output[str]
    """ARN of the dead-letter queue."""

    secret_arn: pulumi.Output[str]
    """ARN of the secret."""

    role_arn: pulumi.Output[str]
    """ARN of the function's role."""

    log_group_name: pulumi.Output[str]
    """Name of the function's log group."""

    upload_role_arn: pulumi.Output[str | None]
    """ARN of the role that others assume to upload files; null without upload_role."""

    def __init__(
        self,
        name: str,
        args: TikTokActivationConnectorArgs = NO_OPTIONS,
        opts: pulumi.ResourceOptions | None = None,
        **options: Unpack[TikTokActivationConnectorArgs],
    ) -> None:
        """Declare the connector.

        Args:
            name: the advertiser's name: up to 30 lowercase letters, digits and inner hyphens.
            args: the options as a dict.
            opts: the resource options of the component. Its children inherit the provider and the protection.
            options: the options as keyword arguments, which override `args`.

        Raises:
            OptionError: the name is invalid, an option does not exist or has an invalid value, or options contradict
                each other.
            PackageError: the function's package cannot be built.
        """
        super().__init__("tiktok-activation:index:TikTokActivationConnector", name, {}, opts)
        given: dict[str, Any] = {**(args or {}), **options}
        _check_options(name, given)
        scope = Scope(self, name, Options.of(given))
        storage = make_storage(scope)
        delivery = make_delivery(scope, storage)
        compute = make_compute(scope, storage, delivery)
        make_alarms(scope, storage, delivery, compute)

        self.bucket = storage.bucket.bucket
        self.upload_location = pulumi.Output.concat("s3://", storage.bucket.bucket, "/", UPLOADS)
        self.queue_url = delivery.queue.url
        self.dead_letter_queue_url = delivery.dead_letters.url
        self.secret_name = compute.secret_name
        self.advertiser_id = pulumi.Output.from_input(scope.options.id_outside_secret)
        self.function_name = compute.function.name
        self.key_arn = storage.key_arn
        self.queue_arn = delivery.queue.arn
        self.dead_letter_queue_arn = delivery.dead_letters.arn
        self.secret_arn = compute.secret_arn
        self.role_arn = compute.role.arn
        self.log_group_name = compute.log_group.name
        self.upload_role_arn = make_upload_role(scope, storage, delivery.queue.arn)
        # An argument for `make_dashboard` in Python programs. It is not an output.
        self.signals = Signals(
            name,
            scope.label,
            delivery.queue.arn,
            delivery.dead_letters.name,
            compute.function.name,
            compute.log_group.name,
        )
        self.register_outputs(self.summary())

    def summary(self) -> dict[str, pulumi.Output[Any]]:
        """Return the outputs by name, as the stack exports them."""
        return {name: getattr(self, name) for name in TikTokActivationConnector.__annotations__}


def _check_options(name: str, given: Mapping[str, Any]) -> None:
    """Raise OptionError for an invalid name, unknown options, invalid values and contradictions.

    AWS checks the values that come from other resources.
    """
    known = TikTokActivationConnectorArgs.__annotations__
    options = {camel(option): value for option, value in given.items() if option in known and value is not None}
    checked = {option: _as_configured(option, value) for option, value in options.items() if option in CHECKS}
    name_fault = NAME.fault(name)
    faults = [
        *([f"name {name_fault}"] if name_fault else []),
        *(unknown_option(option, known) for option in given if option not in known),
        *option_faults({option: value for option, value in checked.items() if not _is_output(value)}, options),
    ]
    if faults:
        raise OptionError(f"The connector {name!r} cannot be created: {' '.join(faults)}")


def _as_configured(option: str, value: Any) -> Any:
    """Return a value in the form that it has in the stack's configuration."""
    if option == "uploadRole" and isinstance(value, Mapping):
        return {camel(name): _as_configured("", each) for name, each in value.items()}
    return list(value) if isinstance(value, tuple) else value


def _is_output(value: Any) -> bool:
    """Return whether a value comes from another resource, or includes a value that does."""
    if isinstance(value, Mapping):
        return any(map(_is_output, value.values()))
    if isinstance(value, list):
        return any(map(_is_output, value))
    return isinstance(value, pulumi.Output | Awaitable)
