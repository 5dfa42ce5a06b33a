"""The stack's configuration: every fault in its sentence, all of them at once, and never a token."""

from __future__ import annotations

from typing import Any

import pulumi
import pytest

from components.checks import CHECKS
from components.config import ConfigError, read_advertisers
from components.connector import TikTokActivationConnector
from tests.components.conftest import EVERYTHING
from tests.components.harness import run_program

HEAD = "The configuration tiktok-activation:advertisers is wrong:\n  "
NOT_A_LIST = (
    "tiktok-activation:advertisers must be a list of advertisers, each at least with a name, such as\n"
    "  tiktok-activation:advertisers:\n    - name: acme"
)
NAMES = "allowed are lower case letters, digits and inner hyphens, at most 30 characters."
ADDRESS = "allowed is an https address, or one of this machine."
TAGS = "allowed are 1 to 128 letters, digits, blanks and . : / = + @ - _, not aws:."
TAG_VALUES = "allowed are up to 256 letters, digits, blanks, . : / = + @ - _."
TOPIC = "the ARN of an SNS topic, such as arn:aws:sns:us-east-1:111122223333:alarms."
ROLE = "the ARN of an IAM role, such as arn:aws:iam::111122223333:role/exporter."
BUCKETS = (
    "allowed are 3 to 63 lower case letters, digits and inner hyphens, "
    "without the beginnings and endings that S3 reserves."
)
LOG_DAYS = [1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731]
LOG_DAYS += [1096, 1827, 2192, 2557, 2922, 3288, 3653]
TOKEN = "not.this-text"


def message(configured: object) -> str:
    with pytest.raises(ConfigError) as raised:
        read_advertisers(configured)
    return str(raised.value)


@pytest.mark.parametrize("configured", [None, {}, "acme", 7])
def test_what_is_no_list_is_answered_with_an_example(configured: object) -> None:
    assert message(configured) == NOT_A_LIST


@pytest.mark.parametrize(
    ("entry", "fault"),
    [
        ("acme", "advertiser number 1: is not a map of settings; write it as '- name: acme'."),
        ({}, "advertiser number 1: it has no name."),
        ({"name": ""}, f"advertiser number 1: name is ''; {NAMES}"),
        ({"name": None}, f"advertiser number 1: name is None; {NAMES}"),
        ({"name": 7}, f"advertiser number 1: name is 7; {NAMES}"),
        ({"name": "Acme"}, f"advertiser 'Acme': name is 'Acme'; {NAMES}"),
        ({"name": "acme-"}, f"advertiser 'acme-': name is 'acme-'; {NAMES}"),
        ({"name": "acme\n"}, f"advertiser 'acme\\n': name is 'acme\\n'; {NAMES}"),
        ({"name": "a" * 31}, f"advertiser '{'a' * 31}': name is '{'a' * 31}'; {NAMES}"),
        (
            {"name": "sthree-acme"},
            "advertiser 'sthree-acme': name is 'sthree-acme'; "
            "S3 reserves names that begin with xn--, sthree-, amzn-s3-demo-.",
        ),
        (
            {"name": "acme", "memory_size": 512},
            "advertiser 'acme': memory_size is not a setting; did you mean memorySize?",
        ),
        (
            {"name": "acme", "acessToken": TOKEN},
            "advertiser 'acme': acessToken is not a setting; did you mean accessToken?",
        ),
        (
            {"name": "acme", "zzz": 1},
            f"advertiser 'acme': zzz is not a setting; there are name, {', '.join(CHECKS)}.",
        ),
    ],
)
def test_a_wrong_advertiser_is_told_in_a_sentence(entry: object, fault: str) -> None:
    assert message([entry]) == HEAD + fault


@pytest.mark.parametrize(
    ("setting", "value", "fault"),
    [
        *(
            ("bucketName", name, f"is '{name}'; {BUCKETS}")
            for name in ("Acme", "ac", "a.b.c", "acme-", "xn--acme", "acme-s3alias", "a" * 64)
        ),
        ("fileRetentionDays", 44, "is 44; allowed is a whole number from 45 to 3650."),
        ("reportRetentionDays", 3651, "is 3651; allowed is a whole number from 45 to 3650."),
        ("logRetentionDays", 8, f"is 8; allowed are {', '.join(map(str, LOG_DAYS))}."),
        ("memorySize", 255, "is 255; allowed is a whole number from 256 to 10240."),
        ("memorySize", True, "is True; allowed is a whole number from 256 to 10240."),
        ("maximumConcurrency", 1, "is 1; allowed is a whole number from 2 to 1000."),
        ("sweepMinutes", 2.5, "is 2.5; allowed is a whole number from 1 to 60."),
        ("sweepMinutes", "5", "is '5'; allowed is a whole number from 1 to 60."),
        ("maxRejectedRatio", 1.1, "is 1.1; allowed is a number from 0 to 1."),
        ("alarmTopicArns", "arn", f"is 'arn'; allowed is a list, each entry {TOPIC}"),
        ("alarmTopicArns", ["x", 1], f"has 'x', 1; each entry must be {TOPIC}"),
        ("alarmEmail", "nobody", "is 'nobody'; allowed is one e-mail address."),
        ("alarmEmail", "a@b.example, c@d.example", "is 'a@b.example, c@d.example'; allowed is one e-mail address."),
        ("uploaders", ["*"], f"has '*'; each entry must be {ROLE}"),
        (
            "uploaders",
            ["arn:aws:iam::111122223333:root"],
            f"has 'arn:aws:iam::111122223333:root'; each entry must be {ROLE}",
        ),
        ("uploaders", ["arn:aws:iam::111122223333:role/a"] * 2, "has an entry twice."),
        ("uploaders", [f"arn:aws:iam::111122223333:role/{n}" for n in range(51)], "has 51 entries; allowed are 50."),
        ("eventArchiveDays", 0, "is 0; allowed is a whole number from 1 to 3650."),
        (
            "tiktokApiUrl",
            "http://tiktok.example",
            "is 'http://tiktok.example'; the token travels with every call, so that only https is allowed.",
        ),
        ("tiktokApiUrl", "tiktok.example", f"is 'tiktok.example'; {ADDRESS}"),
        ("tiktokApiUrl", "https://tiktok.example:x", f"is 'https://tiktok.example:x'; {ADDRESS}"),
        ("tiktokApiUrl", "https://[", f"is 'https://['; {ADDRESS}"),
        ("advertiserId", "seven", "is not a text of digits."),
        (
            "advertiserId",
            7000000000000000001,
            "is a number; put it in quotes, because a number that long loses digits on its way.",
        ),
        ("retainData", "no", "is 'no'; allowed is true or false."),
        ("tags", ["a"], "is ['a']; allowed is a map of texts, such as {team: media}."),
        ("tags", {str(number): "" for number in range(50)}, "has 50 tags; allowed are 49."),
        ("tags", {"aws:x": ""}, f"has the key 'aws:x'; {TAGS}"),
        ("tags", {"Advertiser": ""}, "has the key 'Advertiser'; the connector sets Advertiser itself."),
        ("tags", {"ADVERTISER": ""}, "has the key 'ADVERTISER'; the connector sets Advertiser itself."),
        ("tags", {"Team": "", "team": ""}, "has the key 'team' twice; to IAM upper and lower case are the same."),
        ("tags", {"team": 7}, f"has the value 7 for 'team'; {TAG_VALUES}"),
    ],
)
def test_a_wrong_setting_is_told_in_a_sentence(setting: str, value: object, fault: str) -> None:
    others = {"accessToken": TOKEN} if setting == "advertiserId" else {}
    assert message([{"name": "acme", setting: value, **others}]) == f"{HEAD}advertiser 'acme': {setting} {fault}"


@pytest.mark.parametrize(
    ("settings", "fault"),
    [
        (
            {"fileRetentionDays": 500, "reportRetentionDays": 400},
            "reportRetentionDays is 400; it may not be less than fileRetentionDays, which is 500.",
        ),
        (
            {"eventArchiveDays": 401},
            "eventArchiveDays is 401; it may not be more than reportRetentionDays, which is 400.",
        ),
        (
            {
                "alarmTopicArns": [f"arn:aws:sns:us-east-1:111122223333:{n}" for n in range(5)],
                "alarmEmail": "a@b.example",
            },
            "alarmTopicArns has 6 topics, the one made for alarmEmail included; an alarm takes 5 at most.",
        ),
        (
            {"accessToken": TOKEN},
            "accessToken is given without advertiserId; give both, or neither and fill the secret yourself.",
        ),
        (
            {"advertiserId": "7"},
            "advertiserId is given without accessToken; give both, or neither and fill the secret yourself.",
        ),
    ],
)
def test_settings_that_contradict_each_other_are_told(settings: dict[str, Any], fault: str) -> None:
    assert message([{"name": "acme", **settings}]) == f"{HEAD}advertiser 'acme': {fault}"


def test_reports_outlive_files_that_live_long() -> None:
    program = run_program([{"name": "acme", "fileRetentionDays": 500}])
    rules = {rule["id"]: rule for rule in program.one("acme", "LifecycleConfiguration").inputs["rules"]}
    assert rules["reports"]["expiration"] == {"days": 500}


def test_what_may_be_once_in_a_stack_is_told_with_its_number() -> None:
    entry = {"name": "acme", "bucketName": "acme-people"}
    assert message([entry, entry, entry]) == (
        f"{HEAD}advertiser 'acme' is listed 3 times; a name may be used once in a stack.\n"
        "  bucketName 'acme-people' is given to 3 advertisers; each has a bucket of its own."
    )


def test_all_faults_are_told_at_once_and_no_token() -> None:
    told = message(
        [
            {"name": "Acme", "memorySize": 1, "accessToken": f"{TOKEN} with a blank", "advertiserId": "7"},
            {"name": "globex", "sweepMinutes": 0, "sweepMinuts": 1},
            {"accessToken": TOKEN},
        ]
    )
    assert [line.strip() for line in told.splitlines()][1:] == [
        f"advertiser 'Acme': name is 'Acme'; {NAMES}",
        "advertiser 'Acme': memorySize is 1; allowed is a whole number from 256 to 10240.",
        "advertiser 'Acme': accessToken is not a text of printable characters without blanks; "
        "its value is not shown here.",
        "advertiser 'globex': sweepMinuts is not a setting; did you mean sweepMinutes?",
        "advertiser 'globex': sweepMinutes is 0; allowed is a whole number from 1 to 60.",
        "advertiser number 3: it has no name.",
        "advertiser number 3: accessToken is given without advertiserId; "
        "give both, or neither and fill the secret yourself.",
    ]


def test_an_advertiser_does_not_show_its_token() -> None:
    assert "nobody-may-see" not in repr(read_advertisers(EVERYTHING))


def test_a_wrong_configuration_ends_the_program_with_its_sentences_alone() -> None:
    with pytest.raises(ConfigError) as raised:
        run_program([{"name": "acme"}, {"name": "acme"}])
    assert isinstance(raised.value, pulumi.RunError), "Pulumi shows a traceback for anything else"


def test_no_advertiser_is_a_stack_without_connectors() -> None:
    program = run_program([])
    assert program.resources == []
    assert program.outputs == {"advertisers": {}}


def test_a_connector_checks_its_numbers_itself() -> None:
    """Programs of other languages come without the stack's configuration."""

    def wrong() -> None:
        TikTokActivationConnector("Acme", {"package": ".", "memory_size": 1.0})  # type: ignore[typeddict-item]

    with pytest.raises(ValueError, match=r"cannot be made: name is 'Acme'.*memorySize is 1\.0"):
        run_program(None, program=wrong)
