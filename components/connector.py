"""TikTokActivationConnector: the connector of one advertiser as one Pulumi component."""

from collections.abc import Awaitable, Mapping, Sequence
from typing import Any, NotRequired, TypedDict, Unpack

import pulumi

from .alarms import make_alarms
from .checks import CHECKS, NAME, option_faults, unknown_option
from .dashboard import Signals
from .delivery import make_delivery
from .function import make_worker
from .names import UPLOADS, camel
from .roles import make_upload_role
from .scope import Options, Scope
from .storage import make_storage


class OptionError(pulumi.RunError, ValueError):
    """The name or the options of a connector are wrong; the message says how. Pulumi shows only the message."""


# No `from __future__ import annotations`, and no unions: Pulumi reads these annotations to offer the component to other
# languages. An option that decides whether a resource exists is plain, and so are numbers. The others may come from
# other resources. Numbers from other languages arrive as floats.


class UploadRoleArgs(TypedDict):
    """The role that a vendor assumes to upload."""

    principals: Sequence[str]
    """ARNs of the IAM roles and users, or account roots, that may assume the role."""

    external_id: NotRequired[str]
    """The external id that they have to name; a vendor gives you one. Needed with an account root."""


class TikTokActivationConnectorArgs(TypedDict):
    """The options of a connector. Every one has a default."""

    package: NotRequired[str]
    """Directory with the function's code and libraries. Default: built from the code that comes with the component."""

    bucket_name: NotRequired[pulumi.Input[str]]
    """Name of the bucket, which the connector creates; an existing bucket is refused. Changing it replaces the bucket.
    Default: a unique name that begins with the connector's."""

    file_retention_days: NotRequired[int]
    """Days until an uploaded file is deleted, and again as many for its old versions. Default 45."""

    report_retention_days: NotRequired[int]
    """Days until a report is deleted after its last change; not less than the files. Default 400, or as long as
    files."""

    log_retention_days: NotRequired[int]
    """Days until a line of the function's log is deleted. Default 90."""

    memory_size: NotRequired[int]
    """The function's memory in MB. Default 512."""

    maximum_concurrency: NotRequired[int]
    """Invocations that the queue starts at the same time at most. Default 5."""

    sweep_minutes: NotRequired[int]
    """Minutes between two sweeps, which start what has settled and finish what TikTok has processed. Default 5."""

    settle_seconds: NotRequired[float]
    """Seconds without a new upload after which the uploads of an audience are sent together. A replace waits for twelve
    times as long. 0 sends every file at once, and takes each file under `replace/` for a whole list. Default 300."""

    max_rejected_ratio: NotRequired[float]
    """Share of faulty rows above which a whole file, or a whole list, is rejected. Default 0.1."""

    max_shrink: NotRequired[float]
    """Share of its rows that a list may lose against the last one before it waits for a person. 1 turns that off.
    Default 0.5."""

    alarm_topic_arns: NotRequired[pulumi.Input[Sequence[pulumi.Input[str]]]]
    """ARNs of SNS topics in the stack's region that alarms go to. Default none."""

    alarm_email: NotRequired[pulumi.Input[str]]
    """Email address that alarms go to, through an encrypted topic created for it. Its owner has to confirm once.
    Default none."""

    outcome_events: NotRequired[bool]
    """Puts the outcome of every upload on the account's default event bus, with source `tiktok-activation`.
    Default false."""

    uploaders: NotRequired[pulumi.Input[Sequence[pulumi.Input[str]]]]
    """ARNs of IAM roles and users, of other accounts too, that may upload. Default none: only those of this account
    that its IAM policies allow."""

    upload_role: NotRequired[UploadRoleArgs]
    """Creates a role that others assume to upload, and that can do nothing else. Default none."""

    readers: NotRequired[pulumi.Input[Sequence[pulumi.Input[str]]]]
    """ARNs of IAM roles and users, of other accounts too, that may list and read reports. Default none."""

    event_archive_days: NotRequired[int]
    """Days that EventBridge keeps the bucket's events for a replay; not more than reports live. Default none: no
    archive."""

    tiktok_api_url: NotRequired[pulumi.Input[str]]
    """Base address of the TikTok API for Business. Default https://business-api.tiktok.com."""

    access_token: NotRequired[pulumi.Input[str]]
    """The TikTok access token, if Pulumi is to write the secret; with advertiser_id. Default none: a person writes
    it."""

    advertiser_id: NotRequired[pulumi.Input[str]]
    """TikTok's id of the advertiser; with access_token or credentials_secret_arn. Default none: the secret has it."""

    credentials_secret_arn: NotRequired[pulumi.Input[str]]
    """ARN of an existing secret with ACCESS_TOKEN, which several connectors may share; with advertiser_id. It is
    encrypted with the account's key for Secrets Manager, or with kms_key_arn. Default none: the connector creates
    a secret."""

    kms_key_arn: NotRequired[pulumi.Input[str]]
    """ARN of an existing KMS key in the stack's region, in place of a key of the connector's own. Choose it when the
    connector is created: what another key encrypted cannot be read afterwards. Default none: the connector
    creates a key."""

    permissions_boundary: NotRequired[pulumi.Input[str]]
    """ARN of the permissions boundary of every role. Default none."""

    role_path: NotRequired[pulumi.Input[str]]
    """Path of every role. Changing it replaces the roles. Default none: `/`."""

    retain_data: NotRequired[bool]
    """Keeps bucket, key and log in AWS when the connector is destroyed. Default true."""

    tags: NotRequired[Mapping[str, pulumi.Input[str]]]
    """Tags of every resource that takes tags, besides `Advertiser`. Default none."""


NO_OPTIONS: TikTokActivationConnectorArgs = {}


class TikTokActivationConnector(pulumi.ComponentResource):
    """Files in a bucket become custom audiences in the TikTok Ads account of one advertiser."""

    bucket: pulumi.Output[str]
    """Name of the bucket."""

    upload_location: pulumi.Output[str]
    """Location for uploads: `s3://<bucket>/tiktok/`."""

    queue_url: pulumi.Output[str]
    """URL of the queue that feeds the function."""

    dead_letter_queue_url: pulumi.Output[str]
    """URL of the queue for messages that failed for good."""

    secret_name: pulumi.Output[str]
    """Name of the secret with ACCESS_TOKEN and ADVERTISER_ID."""

    function_name: pulumi.Output[str]
    """Name of the function."""

    key_arn: pulumi.Output[str]
    """ARN of the key that encrypts everything."""

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
    """ARN of the role that others assume to upload; null without upload_role."""

    def __init__(
        self,
        name: str,
        args: TikTokActivationConnectorArgs = NO_OPTIONS,
        opts: pulumi.ResourceOptions | None = None,
        **options: Unpack[TikTokActivationConnectorArgs],
    ) -> None:
        """Declare the connector.

        Args:
            name: the advertiser's name: lower case letters, digits, inner hyphens; at most 30 characters.
            args: the options as a dict.
            opts: resource options of the component; its children inherit provider and protection from it.
            options: the options as keyword arguments; they win over `args`.

        Raises:
            OptionError: the name is wrong, an option does not exist or has a value that is not allowed.
        """
        super().__init__("tiktok-activation:index:TikTokActivationConnector", name, {}, opts)
        given: dict[str, Any] = {**(args or {}), **options}
        _check(name, given)
        scope = Scope(self, name, Options.of(given))
        storage = make_storage(scope)
        delivery = make_delivery(scope, storage)
        worker = make_worker(scope, storage, delivery)
        make_alarms(scope, storage, delivery, worker)

        self.bucket = storage.bucket.bucket
        self.upload_location = pulumi.Output.concat("s3://", storage.bucket.bucket, "/", UPLOADS)
        self.queue_url = delivery.queue.url
        self.dead_letter_queue_url = delivery.dead_letters.url
        self.secret_name = worker.secret_name
        self.function_name = worker.function.name
        self.key_arn = storage.key_arn
        self.queue_arn = delivery.queue.arn
        self.dead_letter_queue_arn = delivery.dead_letters.arn
        self.secret_arn = worker.secret_arn
        self.role_arn = worker.role.arn
        self.log_group_name = worker.log_group.name
        self.upload_role_arn = make_upload_role(scope, storage, delivery.queue.arn)
        self.signals = Signals(
            name,
            scope.label,
            delivery.queue.arn,
            delivery.dead_letters.name,
            worker.function.name,
            worker.log_group.name,
        )
        self.register_outputs(self.summary())

    def summary(self) -> dict[str, pulumi.Output[Any]]:
        """Return the outputs by name, as the stack shows them."""
        return {name: getattr(self, name) for name in TikTokActivationConnector.__annotations__}


def _check(name: str, given: Mapping[str, Any]) -> None:
    """Refuse a wrong name, unknown options and wrong values; values that come from other resources are left to AWS."""
    known = TikTokActivationConnectorArgs.__annotations__
    options = {camel(option): value for option, value in given.items() if option in known and value is not None}
    checked = {option: _configured(option, value) for option, value in options.items() if option in CHECKS}
    name_fault = NAME.fault(name)
    faults = [
        *([f"name {name_fault}"] if name_fault else []),
        *(unknown_option(option, known) for option in given if option not in known),
        *option_faults({option: value for option, value in checked.items() if not _comes_later(value)}, options),
    ]
    if faults:
        raise OptionError(f"The connector {name!r} cannot be created: {' '.join(faults)}")


def _configured(option: str, value: Any) -> Any:
    """Return a value as the stack's configuration would write it."""
    if option == "uploadRole" and isinstance(value, Mapping):
        return {camel(name): _configured("", each) for name, each in value.items()}
    return list(value) if isinstance(value, tuple) else value


def _comes_later(value: Any) -> bool:
    """Return whether a value comes from another resource, or holds one that does."""
    if isinstance(value, Mapping):
        return any(map(_comes_later, value.values()))
    if isinstance(value, list):
        return any(map(_comes_later, value))
    return isinstance(value, pulumi.Output | Awaitable)
