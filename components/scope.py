"""The name, options, tags and resource options of one connector, which its modules share."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import pulumi

from .names import name_prefix

_FRACTIONS = {"max_rejected_ratio", "max_shrink", "settle_seconds"}


@dataclass(frozen=True)
class Options:
    """The options of a connector: the fields of `TikTokActivationConnectorArgs` with their defaults."""

    package: str | None = None
    bucket_name: pulumi.Input[str] | None = None
    file_retention_days: int = 45
    report_retention_days: int = 400
    log_retention_days: int = 90
    memory_size: int = 512
    maximum_concurrency: int = 5
    sweep_minutes: int = 5
    settle_seconds: float = 300
    max_rejected_ratio: float = 0.1
    max_shrink: float = 0.5
    alarm_topic_arns: pulumi.Input[Sequence[pulumi.Input[str]]] = ()
    alarm_email: pulumi.Input[str] | None = None
    outcome_events: bool = False
    uploaders: pulumi.Input[Sequence[pulumi.Input[str]]] = ()
    upload_role: Mapping[str, Any] | None = None
    readers: pulumi.Input[Sequence[pulumi.Input[str]]] = ()
    event_archive_days: int | None = None
    tiktok_api_url: pulumi.Input[str] | None = None
    access_token: pulumi.Input[str] | None = field(default=None, repr=False)
    advertiser_id: pulumi.Input[str] | None = None
    credentials_secret_arn: pulumi.Input[str] | None = None
    kms_key_arn: pulumi.Input[str] | None = None
    permissions_boundary: pulumi.Input[str] | None = None
    role_path: pulumi.Input[str] | None = None
    retain_data: bool = True
    tags: Mapping[str, pulumi.Input[str]] = field(default_factory=dict)

    @property
    def id_outside_secret(self) -> pulumi.Input[str] | None:
        """TikTok's id of the advertiser if connectors share the secret, None if the id is in the secret."""
        return self.advertiser_id if self.credentials_secret_arn is not None else None

    @classmethod
    def of(cls, args: Mapping[str, Any]) -> "Options":
        """Return the options for the arguments of a component. An argument that is None gets its default.

        Other languages send every number as a float, so the numbers of integer options are converted back.
        """
        given = {name: value for name, value in args.items() if value is not None}
        integers = {
            name: int(value) for name, value in given.items() if isinstance(value, float) and name not in _FRACTIONS
        }
        options = cls(**{**given, **integers})
        if "report_retention_days" in given:
            return options
        # A report records that its file was sent, so it must exist at least as long as the file.
        return replace(options, report_retention_days=max(options.report_retention_days, options.file_retention_days))


@dataclass(frozen=True)
class Scope:
    """The connector to which the created resources belong."""

    connector: pulumi.ComponentResource
    name: str
    options: Options

    @property
    def name_prefix(self) -> str:
        """The prefix of the names of the log group and the alarms, to which policies refer."""
        return name_prefix(self.name, pulumi.get_stack())

    @property
    def label(self) -> str:
        """The label of the connector in logs and metrics: `<advertiser>/<stack>`."""
        return self.name_prefix.rstrip("/")

    @property
    def tags(self) -> dict[str, pulumi.Input[str]]:
        """The tags for every resource that supports tags. The provider adds its default tags to them."""
        return {**self.options.tags, "Advertiser": self.name}

    def child(self, *after: pulumi.Resource) -> pulumi.ResourceOptions:
        """Return the resource options of a child that depends on the resources in `after`."""
        return pulumi.ResourceOptions(parent=self.connector, depends_on=list(after))

    def retained(self, *after: pulumi.Resource) -> pulumi.ResourceOptions:
        """Return the resource options of a child that `pulumi destroy` keeps in AWS unless `retain_data` is false."""
        return pulumi.ResourceOptions(
            parent=self.connector, depends_on=list(after), retain_on_delete=self.options.retain_data
        )
