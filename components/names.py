"""Names that several parts of a connector share, and the two spellings of an option."""

import re

UPLOADS = "tiktok/"
REPORTS = "reports/"
AUDIENCES = "audiences/"
PENDING = "pending/"
# The prefixes under which the function keeps its own objects.
STATE = (REPORTS, AUDIENCES, PENDING)

# The CloudWatch namespace in which the function publishes its metrics.
NAMESPACE = "TikTokActivation"


def own_names(name: str, stack: str) -> str:
    """Return the prefix of the names of a connector's log group and alarms.

    The policies of key and topic are written before the log group and the alarms exist, so they refer to this prefix.
    Neither an advertiser nor a stack has a slash in its name: the prefix of `acme` never covers `acme-b`.
    """
    return f"{name}/{stack}/"


def camel(name: str) -> str:
    """Return the spelling of an option in the stack's configuration: `file_retention_days` -> `fileRetentionDays`.

    Example:
        >>> camel("alarm_email")
        'alarmEmail'
    """
    return re.sub(r"_([a-z])", lambda match: match[1].upper(), name)


def snake(name: str) -> str:
    """Return the spelling of an option in Python: `fileRetentionDays` -> `file_retention_days`.

    Example:
        >>> snake("kmsKeyArn")
        'kms_key_arn'
    """
    return re.sub(r"[A-Z]", lambda match: f"_{match[0].lower()}", name)
