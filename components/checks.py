"""What is allowed in a connector's settings, and the sentence for what is not."""

import re
from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any
from urllib.parse import urlsplit

from components.scope import Settings

# What is wrong with a value, to be read after the setting's name; None if nothing is.
Check = Callable[[Any], str | None]

MAX_NAME_LENGTH = 30
_NAME = re.compile(r"[a-z0-9]([a-z0-9-]*[a-z0-9])?")
# https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html
_RESERVED_PREFIXES = ("xn--", "sthree-", "amzn-s3-demo-")
_RESERVED_SUFFIXES = ("-s3alias", "--ol-s3", ".mrap", "--x-s3", "--table-s3")
# https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_PutRetentionPolicy.html
_LOG_RETENTION_DAYS = (
    *(1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731),
    *(1096, 1827, 2192, 2557, 2922, 3288, 3653),
)
_MOST_TAGS = 49  # S3 and Lambda take 50; one is ours
_MOST_ACTIONS = 5  # of a CloudWatch alarm
_MOST_UPLOADERS = 50  # a bucket's policy holds 20 KB, and a role's ARN up to 560 characters


def name_fault(name: object) -> str | None:
    """What is wrong with a connector's name, in a sentence; None if nothing is."""
    if not isinstance(name, str) or len(name) > MAX_NAME_LENGTH or not _NAME.fullmatch(name):
        return (
            f"name is {name!r}; allowed are lower case letters, digits and inner hyphens, "
            f"at most {MAX_NAME_LENGTH} characters."
        )
    if name == "aws":  # the log group's name begins with it and a slash
        return "name is 'aws'; CloudWatch reserves log groups of that name."
    if name.startswith(_RESERVED_PREFIXES):  # the bucket's name begins with it
        return f"name is {name!r}; S3 reserves names that begin with {', '.join(_RESERVED_PREFIXES)}."
    return None


def _whole(lowest: int, highest: int) -> Check:
    def check(value: Any) -> str | None:
        if _is_number(value) and value in range(lowest, highest + 1):
            return None
        return f"is {value!r}; allowed is a whole number from {lowest} to {highest}."

    return check


def _one_of(allowed: Sequence[int]) -> Check:
    def check(value: Any) -> str | None:
        if _is_number(value) and value in allowed:
            return None
        return f"is {value!r}; allowed are {', '.join(map(str, allowed))}."

    return check


def _list_of(pattern: str, allowed: str, most: int) -> Check:
    def check(value: Any) -> str | None:
        if not isinstance(value, list):
            return f"is {value!r}; allowed is a list, each entry {allowed}."
        wrong = [entry for entry in value if not isinstance(entry, str) or not re.fullmatch(pattern, entry)]
        if wrong:
            return f"has {', '.join(map(repr, wrong))}; each entry must be {allowed}."
        if len(set(value)) != len(value):
            return "has an entry twice."
        if len(value) > most:
            return f"has {len(value)} entries; allowed are {most}."
        return None

    return check


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _ratio(value: Any) -> str | None:
    if _is_number(value) and 0 <= value <= 1:
        return None
    return f"is {value!r}; allowed is a number from 0 to 1."


def _switch(value: Any) -> str | None:
    return None if isinstance(value, bool) else f"is {value!r}; allowed is true or false."


def _email(value: Any) -> str | None:
    if isinstance(value, str) and re.fullmatch(r"[^@\s]+@[^@\s]+\.[^@\s]+", value):
        return None
    return f"is {value!r}; allowed is one e-mail address."


def _bucket_name(value: Any) -> str | None:
    if (
        isinstance(value, str)
        and re.fullmatch(r"[a-z0-9][a-z0-9-]{1,61}[a-z0-9]", value)  # no dots: they break TLS names
        and not value.startswith(_RESERVED_PREFIXES)
        and not value.endswith(_RESERVED_SUFFIXES)
    ):
        return None
    return (
        f"is {value!r}; allowed are 3 to 63 lower case letters, digits and inner hyphens, "
        "without the beginnings and endings that S3 reserves."
    )


def _api_url(value: Any) -> str | None:
    try:
        parts = urlsplit(value if isinstance(value, str) else "")
        host, _ = parts.hostname, parts.port
    except ValueError:
        host = None
    if not host or parts.query or parts.fragment or parts.username or re.search(r"\s", value):
        return f"is {value!r}; allowed is an https address, or one of this machine."
    if parts.scheme == "https" or (parts.scheme == "http" and host in {"localhost", "127.0.0.1", "::1"}):
        return None
    return f"is {value!r}; the token travels with every call, so that only https is allowed."


def _token(value: Any) -> str | None:
    if isinstance(value, str) and re.fullmatch(r"[!-~]+", value):
        return None
    return "is not a text of printable characters without blanks; its value is not shown here."


def _advertiser_id(value: Any) -> str | None:
    if isinstance(value, str) and re.fullmatch(r"[0-9]+", value):
        return None
    if _is_number(value):
        return "is a number; put it in quotes, because a number that long loses digits on its way."
    return "is not a text of digits."


def _tags(value: Any) -> str | None:
    if not isinstance(value, dict):
        return f"is {value!r}; allowed is a map of texts, such as {{team: media}}."
    if len(value) > _MOST_TAGS:
        return f"has {len(value)} tags; allowed are {_MOST_TAGS}."
    keys = Counter(key.casefold() for key in value if isinstance(key, str))
    if twice := [key for key, times in keys.items() if times > 1]:
        return f"has the key {twice[0]!r} twice; to IAM upper and lower case are the same."
    for key, tag in value.items():
        if not isinstance(key, str) or not re.fullmatch(r"[\w .:/=+@-]{1,128}", key) or key.lower().startswith("aws:"):
            return f"has the key {key!r}; allowed are 1 to 128 letters, digits, blanks and . : / = + @ - _, not aws:."
        if key.casefold() == "advertiser":  # to IAM it is the same in any case
            return f"has the key {key!r}; the connector sets Advertiser itself."
        if not isinstance(tag, str) or not re.fullmatch(r"[\w .:/=+@-]{0,256}", tag):
            return f"has the value {tag!r} for {key!r}; allowed are up to 256 letters, digits, blanks, . : / = + @ - _."
    return None


CHECKS: Mapping[str, Check] = {
    "bucketName": _bucket_name,
    "fileRetentionDays": _whole(45, 3650),
    "reportRetentionDays": _whole(45, 3650),
    "logRetentionDays": _one_of(_LOG_RETENTION_DAYS),
    "memorySize": _whole(256, 10240),
    "maximumConcurrency": _whole(2, 1000),
    "sweepMinutes": _whole(1, 60),
    "maxRejectedRatio": _ratio,
    "alarmTopicArns": _list_of(
        r"arn:aws[a-z-]*:sns:[a-z0-9-]+:\d{12}:[A-Za-z0-9_-]{1,256}",
        "the ARN of an SNS topic, such as arn:aws:sns:us-east-1:111122223333:alarms",
        _MOST_ACTIONS,
    ),
    "alarmEmail": _email,
    "uploaders": _list_of(
        r"arn:aws[a-z-]*:iam::\d{12}:role/[A-Za-z0-9+=,.@_/-]{1,512}",
        "the ARN of an IAM role, such as arn:aws:iam::111122223333:role/exporter",
        _MOST_UPLOADERS,
    ),
    "eventArchiveDays": _whole(1, 3650),
    "tiktokApiUrl": _api_url,
    "accessToken": _token,
    "advertiserId": _advertiser_id,
    "retainData": _switch,
    "tags": _tags,
}
"""Every setting of an advertiser besides its name, as the stack's configuration writes it."""


def setting_faults(settings: Mapping[str, Any], given: Collection[str] | None = None) -> list[str]:
    """All that is wrong with known settings: each in itself, and between them. A token is never shown.

    Args:
        settings: by name.
        given: the names of all that are given, if that is more.
    """
    wrong = {setting: fault for setting, value in settings.items() if (fault := CHECKS[setting](value))}
    good = {setting: value for setting, value in settings.items() if setting not in wrong}
    return [f"{setting} {fault}" for setting, fault in wrong.items()] + _contradictions(
        good, settings if given is None else given
    )


def _contradictions(good: Mapping[str, Any], given: Collection[str]) -> list[str]:
    faults = []
    files = good.get("fileRetentionDays", Settings.file_retention_days)
    reports = good.get("reportRetentionDays", max(files, Settings.report_retention_days))
    if reports < files:  # a report is what tells that a file was sent
        faults.append(f"reportRetentionDays is {reports}; it may not be less than fileRetentionDays, which is {files}.")
    if good.get("eventArchiveDays", 0) > reports:  # a replayed event without its report would be sent again
        faults.append(
            f"eventArchiveDays is {good['eventArchiveDays']}; "
            f"it may not be more than reportRetentionDays, which is {reports}."
        )
    topics = len(good.get("alarmTopicArns", ())) + ("alarmEmail" in given)
    if topics > _MOST_ACTIONS:
        faults.append(
            f"alarmTopicArns has {topics} topics, the one made for alarmEmail included; "
            f"an alarm takes {_MOST_ACTIONS} at most."
        )
    if ("accessToken" in given) != ("advertiserId" in given):
        is_given, missing = sorted(("accessToken", "advertiserId"), key=lambda setting: setting not in given)
        faults.append(f"{is_given} is given without {missing}; give both, or neither and fill the secret yourself.")
    return faults
