"""The AWS partition, region and account of a connector, read from an ARN."""

from dataclasses import dataclass


@dataclass(frozen=True)
class AwsLocation:
    """Partition, region and account, taken from an ARN, so that they are correct for any provider and partition."""

    partition: str
    region: str
    account: str

    @classmethod
    def of(cls, arn: str) -> "AwsLocation":
        """Return the location in an ARN that has all three parts, such as that of a queue or a key."""
        _, partition, _, region, account, _ = arn.split(":", 5)
        return cls(partition, region, account)

    def arn(self, service: str, resource: str) -> str:
        """Return the ARN of a resource in this partition, region and account."""
        return f"arn:{self.partition}:{service}:{self.region}:{self.account}:{resource}"

    @property
    def account_root(self) -> str:
        """The ARN of the account as a principal."""
        return f"arn:{self.partition}:iam::{self.account}:root"

    @property
    def event_bus(self) -> str:
        """The ARN of the account's default event bus, to which S3 sends its events."""
        return self.arn("events", "event-bus/default")

    def service(self, name: str) -> str:
        """Return the name of a regional service, as a principal or for `kms:ViaService`. China has its own suffix."""
        return f"{name}.{self.region}.{'amazonaws.com.cn' if self.partition == 'aws-cn' else 'amazonaws.com'}"
