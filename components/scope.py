"""What the parts of one connector have in common: its name, settings with their defaults, tags, resource options."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import pulumi

from components.place import own_names


@dataclass(frozen=True)
class Settings:
    """A connector's settings: the fields of `TikTokActivationConnectorArgs`, each with its default."""

    package: str
    bucket_name: pulumi.Input[str] | None = None
    file_retention_days: int = 45
    report_retention_days: int = 400
    log_retention_days: int = 90
    memory_size: int = 512
    maximum_concurrency: int = 5
    sweep_minutes: int = 10
    max_rejected_ratio: float = 0.1
    alarm_topic_arns: pulumi.Input[Sequence[pulumi.Input[str]]] = ()
    alarm_email: pulumi.Input[str] | None = None
    uploaders: pulumi.Input[Sequence[pulumi.Input[str]]] = ()
    event_archive_days: int | None = None
    tiktok_api_url: pulumi.Input[str] | None = None
    access_token: pulumi.Input[str] | None = field(default=None, repr=False)
    advertiser_id: pulumi.Input[str] | None = None
    retain_data: bool = True
    tags: Mapping[str, pulumi.Input[str]] = field(default_factory=dict)

    @classmethod
    def of(cls, args: Mapping[str, Any]) -> "Settings":
        """The settings of a connector's args. Other languages send every number as a float."""
        whole = {
            name: int(value)
            for name, value in args.items()
            if isinstance(value, float) and name != "max_rejected_ratio"
        }
        settings = cls(**{**args, **whole})
        if "report_retention_days" in args:
            return settings
        return replace(
            settings, report_retention_days=max(settings.report_retention_days, settings.file_retention_days)
        )


@dataclass(frozen=True)
class Scope:
    """A connector as seen by the functions that make its resources."""

    connector: pulumi.ComponentResource
    name: str
    settings: Settings

    @property
    def own_names(self) -> str:
        """The beginning of the names of log group and alarms, by which policies know them."""
        return own_names(self.name, pulumi.get_stack())

    @property
    def label(self) -> str:
        """What tells this connector from the same advertiser's in another stack, in logs and metrics."""
        return self.own_names.rstrip("/")

    @property
    def tags(self) -> dict[str, pulumi.Input[str]]:
        """The tags of everything that can have them; the provider adds its default tags itself."""
        return {**self.settings.tags, "Advertiser": self.name}

    def child(self, *after: pulumi.Resource) -> pulumi.ResourceOptions:
        """Options of a child that is made after `after`."""
        return pulumi.ResourceOptions(parent=self.connector, depends_on=list(after))

    def kept(self, *after: pulumi.Resource) -> pulumi.ResourceOptions:
        """As `child`, for what stays in AWS at a destroy unless `retain_data` is false."""
        return pulumi.ResourceOptions(
            parent=self.connector, depends_on=list(after), retain_on_delete=self.settings.retain_data
        )
