"""The allowed values of every option, and the message for a value that is not allowed.

The messages and the table in the documentation are both generated from a check's `allowed`.
"""

import re
from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from difflib import get_close_matches
from typing import Any
from urllib.parse import urlsplit

from .scope import Options
from .validators import Check, integer, is_number, list_of, number, one_of, show, string

MAX_NAME_LENGTH = 30
# S3 and Lambda accept 50 tags. The connector itself sets one of them.
MAX_TAGS = 49
# https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_PutMetricAlarm.html
MAX_ALARM_ACTIONS = 5
# A bucket policy can be up to 20 KB long. It lists the ARN of each uploader and reader twice, with about 60
# characters each time.
MAX_UPLOADERS = 50
MAX_READERS = 50
# A trust policy can have up to 2,048 characters, unless the account's quota was raised.
MAX_PRINCIPALS = 5
# https://docs.aws.amazon.com/general/latest/gr/aws_tagging.html
_MAX_TAG_KEY = 128
_MAX_TAG_VALUE = 256

# https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html
_RESERVED_PREFIXES = ("xn--", "sthree-", "amzn-s3-demo-")
_RESERVED_SUFFIXES = ("-s3alias", "--ol-s3", ".mrap", "--x-s3", "--table-s3")
# https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_PutRetentionPolicy.html
_LOG_RETENTION_DAYS = (
    *(1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731),
    *(1096, 1827, 2192, 2557, 2922, 3288, 3653),
)
# The names of roles and users can include a path, such as role/team/exporter.
_PRINCIPAL = r"arn:aws[a-z-]*:iam::\d{12}:(role|user)/[A-Za-z0-9+=,.@_/-]{1,512}"
_ACCOUNT_ROOT = r"arn:aws[a-z-]*:iam::\d{12}:root"
_EXAMPLE_ROLE = "arn:aws:iam::111122223333:role/exporter"


def _is_name(value: Any) -> bool:
    return (
        isinstance(value, str)
        and len(value) <= MAX_NAME_LENGTH
        and re.fullmatch(r"[a-z0-9]([a-z0-9-]*[a-z0-9])?", value) is not None
        and value != "aws"  # the log group's name would start with `aws/`, which CloudWatch reserves
        and not value.startswith(_RESERVED_PREFIXES)  # the bucket's name starts with this name
    )


def _is_bucket_name(value: Any) -> bool:
    return (
        isinstance(value, str)
        # Dots are not allowed, because they break the verification of TLS certificates.
        and re.fullmatch(r"[a-z0-9][a-z0-9-]{1,61}[a-z0-9]", value) is not None
        and not value.startswith(_RESERVED_PREFIXES)
        and not value.endswith(_RESERVED_SUFFIXES)
    )


def _is_api_url(value: Any) -> bool:
    try:
        parts = urlsplit(value if isinstance(value, str) else "")
        host, _ = parts.hostname, parts.port
    except ValueError:
        return False
    if not host or parts.query or parts.fragment or parts.username or re.search(r"\s", value):
        return False
    return parts.scheme == "https" or (parts.scheme == "http" and host in {"localhost", "127.0.0.1", "::1"})


_TAG = re.compile(r"[\w .:/=+@-]*")


def _wrong_tag(value: Mapping[Any, Any]) -> str | None:
    keys = Counter(key.casefold() for key in value if isinstance(key, str))
    for key, tag in value.items():
        if not isinstance(key, str) or not 1 <= len(key) <= _MAX_TAG_KEY or not _TAG.fullmatch(key):
            return f"has the key {key!r}"
        # IAM treats tag keys that differ only in case as the same key.
        if key.casefold().startswith("aws:") or key.casefold() == "advertiser" or keys[key.casefold()] > 1:
            return f"has the key {key!r}"
        if not isinstance(tag, str) or len(tag) > _MAX_TAG_VALUE or not _TAG.fullmatch(tag):
            return f"has the value {tag!r} for {key!r}"
    return None


def _describe_tags(value: Any) -> str:
    if not isinstance(value, dict):
        return show(value)
    return f"has {len(value)} tags" if len(value) > MAX_TAGS else str(_wrong_tag(value))


def _describe_advertiser_id(value: Any) -> str:
    if is_number(value):
        return "is a number, and long numbers lose digits"
    return "is not a string of digits"


_PRINCIPALS = list_of(
    string(f"{_PRINCIPAL}|{_ACCOUNT_ROOT}", f"the ARN of a role, a user or an account root, such as {_EXAMPLE_ROLE}"),
    MAX_PRINCIPALS,
)
# https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html
_EXTERNAL_ID = re.compile(r"[\w+=,.@:/-]{2,1224}")


def _is_upload_role(value: Any) -> bool:
    if not isinstance(value, dict) or not {"principals"} <= value.keys() <= {"principals", "externalId"}:
        return False
    principals, external_id = value["principals"], value.get("externalId")
    if not _PRINCIPALS.accepts(principals) or not principals:
        return False
    # With an account root, another customer of the vendor could make the vendor use this role. The external id prevents
    # that.
    if external_id is None:
        return not any(re.fullmatch(_ACCOUNT_ROOT, principal) for principal in principals)
    return isinstance(external_id, str) and _EXTERNAL_ID.fullmatch(external_id) is not None


NAME = Check(
    f"a string of up to {MAX_NAME_LENGTH} lowercase letters, digits and hyphens that starts and ends with a letter or "
    f"digit; it must not be aws or start with {', '.join(_RESERVED_PREFIXES[:-1])} or {_RESERVED_PREFIXES[-1]}",
    _is_name,
)

CHECKS: Mapping[str, Check] = {
    "bucketName": Check(
        "a string of 3 to 63 lowercase letters, digits and hyphens that starts and ends with a letter or digit, "
        "without the prefixes and suffixes that S3 reserves",
        _is_bucket_name,
    ),
    "fileRetentionDays": integer(45, 3650),
    "reportRetentionDays": integer(45, 3650),
    "logRetentionDays": one_of(_LOG_RETENTION_DAYS),
    "memorySize": integer(256, 10240),
    "maximumConcurrency": integer(2, 1000),
    "sweepMinutes": integer(1, 60),
    "settleSeconds": number(0, 900),
    "maxRejectedRatio": number(0, 1),
    "maxShrink": number(0, 1),
    "alarmTopicArns": list_of(
        string(
            r"arn:aws[a-z-]*:sns:[a-z0-9-]+:\d{12}:[A-Za-z0-9_-]{1,256}",
            "the ARN of an SNS topic, such as arn:aws:sns:us-east-1:111122223333:alarms",
        ),
        MAX_ALARM_ACTIONS,
    ),
    "alarmEmail": string(r"[^@\s,;]+@[^@\s,;]+\.[^@\s,;]+", "one email address"),
    "outcomeEvents": Check("true or false", lambda value: isinstance(value, bool)),
    "uploaders": list_of(string(_PRINCIPAL, f"the ARN of an IAM role or user, such as {_EXAMPLE_ROLE}"), MAX_UPLOADERS),
    "uploadRole": Check(
        f"a map with principals ({_PRINCIPALS.allowed}) and externalId (2 to 1224 characters: letters, digits and "
        "+ = , . @ : / - _); externalId is optional if no principal is an account root",
        _is_upload_role,
    ),
    "readers": list_of(string(_PRINCIPAL, f"the ARN of an IAM role or user, such as {_EXAMPLE_ROLE}"), MAX_READERS),
    "eventArchiveDays": integer(1, 3650),
    "tiktokApiUrl": Check(
        "an https URL (http is allowed only for localhost, because every call carries the token)", _is_api_url
    ),
    "accessToken": string(
        r"[!-~]+",
        "a string of printable ASCII characters without spaces",
        lambda _: "has an invalid value (not shown, because it is a secret)",
    ),
    "advertiserId": string(r"[0-9]+", "a string of digits, in quotes", _describe_advertiser_id),
    "credentialsSecretArn": string(
        r"arn:aws[a-z-]*:secretsmanager:[a-z0-9-]+:\d{12}:secret:[A-Za-z0-9/_+=.@-]{1,512}-[A-Za-z0-9]{6}",
        "the complete ARN of a secret, including its six random characters, such as "
        "arn:aws:secretsmanager:us-east-1:111122223333:secret:tiktok-app-AbCdEf",
    ),
    "kmsKeyArn": string(
        r"arn:aws[a-z-]*:kms:[a-z0-9-]+:\d{12}:key/[A-Za-z0-9-]{1,128}",
        "the ARN of a KMS key, not of an alias, such as "
        "arn:aws:kms:us-east-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab",
    ),
    "permissionsBoundary": string(
        r"arn:aws[a-z-]*:iam::(\d{12}|aws):policy/[A-Za-z0-9+=,.@_/-]{1,512}",
        "the ARN of an IAM policy, such as arn:aws:iam::111122223333:policy/boundary",
    ),
    "rolePath": string(
        r"/([A-Za-z0-9+=,.@_-]+/){0,8}",
        "a path of letters, digits and + = , . @ _ - that starts and ends with a slash, such as /delivery/",
    ),
    "retainData": Check("true or false", lambda value: isinstance(value, bool)),
    "tags": Check(
        f"a map of up to {MAX_TAGS} strings; keys have 1 to 128 letters, digits, spaces and . : / = + @ - _, values "
        "have up to 256 of these; keys must differ in more than case, must not start with aws:, and must not be "
        "Advertiser, which the connector sets itself",
        lambda value: isinstance(value, dict) and len(value) <= MAX_TAGS and _wrong_tag(value) is None,
        _describe_tags,
    ),
}
"""The check of every option of an advertiser except its name, by the option's spelling in the stack's configuration."""


def option_faults(options: Mapping[str, Any], given: Collection[str] | None = None) -> list[str]:
    """Return a sentence for each error in known options. A token is never part of a message.

    Args:
        options: the values by option name, without values that are known only after deployment.
        given: the names of all configured options. Default: those in `options`.
    """
    wrong = {option: fault for option, value in options.items() if (fault := CHECKS[option].fault(value))}
    good = {option: value for option, value in options.items() if option not in wrong}
    return [f"{option} {fault}" for option, fault in wrong.items()] + _contradictions(
        good, options if given is None else given
    )


def unknown_option(option: str, known: Iterable[str]) -> str:
    """Return the message for an option that does not exist. It names the closest option or, if none is close, all."""
    letters = re.sub(r"[^a-z]", "", option.lower())  # memory_size, memorysize and memory-size are treated alike
    spelled = {re.sub(r"[^a-z]", "", name.lower()): name for name in known}
    close = get_close_matches(letters, spelled, n=1)
    advice = f"did you mean {spelled[close[0]]}?" if close else f"the options are {', '.join(spelled.values())}."
    return f"{option} is not an option; {advice}"


def _contradictions(good: Mapping[str, Any], given: Collection[str]) -> list[str]:
    faults = []
    files = good.get("fileRetentionDays", Options.file_retention_days)
    reports = good.get("reportRetentionDays", max(files, Options.report_retention_days))
    if reports < files:  # the report records that its file was sent
        faults.append(f"reportRetentionDays is {reports}; it must be at least fileRetentionDays, which is {files}.")
    if good.get("eventArchiveDays", 0) > reports:  # a replay would send a file without a report again
        faults.append(
            f"eventArchiveDays is {good['eventArchiveDays']}; "
            f"it must be at most reportRetentionDays, which is {reports}."
        )
    topics = len(good.get("alarmTopicArns", ())) + ("alarmEmail" in given)
    if topics > MAX_ALARM_ACTIONS:
        faults.append(
            f"alarmTopicArns has {topics} topics, including the one that is created for alarmEmail; "
            f"an alarm accepts up to {MAX_ALARM_ACTIONS}."
        )
    return faults + _credential_faults(given)


def _credential_faults(given: Collection[str]) -> list[str]:
    """Return a sentence for each error in the combination of the credential options.

    The configuration has the token, or the ARN of a secret with the token, each together with the advertiser id. With
    neither of them, a person fills in the secret that the connector creates.
    """
    ways = [option for option in ("accessToken", "credentialsSecretArn") if option in given]
    if len(ways) > 1:
        return ["accessToken and credentialsSecretArn are both set; set only one, because the secret has the token."]
    if ways and "advertiserId" not in given:
        return [f"{ways[0]} is set without advertiserId; set both, or set neither and fill in the secret yourself."]
    if not ways and "advertiserId" in given:
        return [
            "advertiserId is set without accessToken or credentialsSecretArn; "
            "set one of them too, or remove advertiserId and fill in the secret yourself."
        ]
    return []
