"""Names that several modules share, and conversions between the two spellings of an option."""

import re

UPLOADS = "tiktok/"
REPORTS = "reports/"
AUDIENCES = "audiences/"
PENDING = "pending/"
# The prefixes of the objects in which the function stores its state.
STATE = (REPORTS, AUDIENCES, PENDING)

# The CloudWatch namespace in which the function publishes its metrics.
NAMESPACE = "TikTokActivation"


def name_prefix(name: str, stack: str) -> str:
    """Return the prefix of the names of a connector's log group and alarms.

    The policies of the key and the topic refer to this prefix, because they are created before the log group and the
    alarms. The names of advertisers and stacks have no slashes, so the prefix of `acme` does not match `acme-b`.
    """
    return f"{name}/{stack}/"


def camel(name: str) -> str:
    """Return the camel case spelling of an option, which the stack's configuration uses.

    Example:
        >>> camel("alarm_email")
        'alarmEmail'
    """
    return re.sub(r"_([a-z])", lambda match: match[1].upper(), name)


def snake(name: str) -> str:
    """Return the snake case spelling of an option, which Python programs use.

    Example:
        >>> snake("kmsKeyArn")
        'kms_key_arn'
    """
    return re.sub(r"[A-Z]", lambda match: f"_{match[0].lower()}", name)
