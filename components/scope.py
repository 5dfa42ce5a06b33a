"""Everything that the parts of one connector share: its name, options with their defaults, tags, resource options."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import pulumi

from .names import own_names

_FRACTIONS = {"max_rejected_ratio", "max_shrink", "settle_seconds"}


@dataclass(frozen=True)
class Options:
    """A connector's options: the fields of `TikTokActivationConnectorArgs`, each with its default."""

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

    @classmethod
    def of(cls, args: Mapping[str, Any]) -> "Options":
        """Return the options for a component's args; an arg that is None counts as not given.

        Other languages send every number as a float, so whole numbers are made integers again.
        """
        given = {name: value for name, value in args.items() if value is not None}
        whole = {
            name: int(value) for name, value in given.items() if isinstance(value, float) and name not in _FRACTIONS
        }
        options = cls(**{**given, **whole})
        if "report_retention_days" in given:
            return options
        # A report is the proof that a file was sent, so it lives at least as long.
        return replace(options, report_retention_days=max(options.report_retention_days, options.file_retention_days))


@dataclass(frozen=True)
class Scope:
    """One connector, for the functions that create its resources."""

    connector: pulumi.ComponentResource
    name: str
    options: Options

    @property
    def own_names(self) -> str:
        """The prefix of the names of log group and alarms, to which policies refer."""
        return own_names(self.name, pulumi.get_stack())

    @property
    def label(self) -> str:
        """The label of this connector in logs and metrics: `<advertiser>/<stack>`."""
        return self.own_names.rstrip("/")

    @property
    def tags(self) -> dict[str, pulumi.Input[str]]:
        """The tags of every resource that takes tags. The provider adds its default tags itself."""
        return {**self.options.tags, "Advertiser": self.name}

    def child(self, *after: pulumi.Resource) -> pulumi.ResourceOptions:
        """Return the resource options of a child that is created after `after`."""
        return pulumi.ResourceOptions(parent=self.connector, depends_on=list(after))

    def kept(self, *after: pulumi.Resource) -> pulumi.ResourceOptions:
        """Return the same for a child that stays in AWS at a destroy unless `retain_data` is false."""
        return pulumi.ResourceOptions(
            parent=self.connector, depends_on=list(after), retain_on_delete=self.options.retain_data
        )
