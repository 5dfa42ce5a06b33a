"""Where a connector lives in AWS, and how it is known there before all of it exists."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Place:
    """Partition, region and account, read from an ARN: so they hold with any provider and in any partition."""

    partition: str
    region: str
    account: str

    @classmethod
    def of(cls, arn: str) -> "Place":
        """The place of an ARN that has all three, such as a key's."""
        _, partition, _, region, account, _ = arn.split(":", 5)
        return cls(partition, region, account)

    def arn(self, service: str, resource: str) -> str:
        """The ARN of something in this place."""
        return f"arn:{self.partition}:{service}:{self.region}:{self.account}:{resource}"

    @property
    def account_root(self) -> str:
        """The account as a principal."""
        return f"arn:{self.partition}:iam::{self.account}:root"

    @property
    def event_bus(self) -> str:
        """The account's default event bus, to which S3 sends."""
        return self.arn("events", "event-bus/default")

    def service(self, name: str) -> str:
        """The name of a regional service, as principal or in kms:ViaService; China has its own suffix."""
        return f"{name}.{self.region}.{'amazonaws.com.cn' if self.partition == 'aws-cn' else 'amazonaws.com'}"


def own_names(name: str, stack: str) -> str:
    """The beginning of the names of a connector's log group and alarms.

    Key and topic policies are written before there is a log group or an alarm, so they bind by this. Neither an
    advertiser nor a stack has a slash in its name: `acme` never covers `acme-b`, nor one stack another.
    """
    return f"{name}/{stack}/"
