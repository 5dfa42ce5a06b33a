"""The stack's configuration: one message lists every error in a sentence, and never includes a token."""

from __future__ import annotations

from typing import Any

import pulumi
import pytest

from components import OptionError, TikTokActivationConnector
from components.checks import CHECKS, NAME
from components.config import ConfigError, read_advertisers
from tests.components.conftest import EVERYTHING
from tests.components.harness import run_program

HEAD = "The configuration tiktok-activation:advertisers has errors:\n  "
NOT_A_LIST = (
    "tiktok-activation:advertisers must be a list of advertisers, each with at least a name, such as\n"
    "  tiktok-activation:advertisers:\n    - name: acme"
)
NAMES = f"it must be {NAME.allowed}."
TOKEN = "not.this-text"


def message(configured: object) -> str:
    with pytest.raises(ConfigError) as raised:
        read_advertisers(configured)
    return str(raised.value)


@pytest.mark.parametrize("configured", [None, {}, "acme", 7])
def test_a_value_that_is_not_a_list_is_refused_with_an_example(configured: object) -> None:
    assert message(configured) == NOT_A_LIST


@pytest.mark.parametrize(
    ("entry", "fault"),
    [
        ("acme", "advertiser number 1: the entry is not a map of options; write it as '- name: acme'."),
        ({}, "advertiser number 1: the entry has no name; add one, such as 'name: acme'."),
        ({"name": ""}, f"advertiser number 1: name is ''; {NAMES}"),
        ({"name": None}, f"advertiser number 1: name is None; {NAMES}"),
        ({"name": 7}, f"advertiser number 1: name is 7; {NAMES}"),
        ({"name": "Acme"}, f"advertiser 'Acme': name is 'Acme'; {NAMES}"),
        ({"name": "acme-"}, f"advertiser 'acme-': name is 'acme-'; {NAMES}"),
        ({"name": "acme\n"}, f"advertiser 'acme\\n': name is 'acme\\n'; {NAMES}"),
        ({"name": "a" * 31}, f"advertiser '{'a' * 31}': name is '{'a' * 31}'; {NAMES}"),
        (
            {"name": "sthree-acme"},
            f"advertiser 'sthree-acme': name is 'sthree-acme'; {NAMES}",
        ),
        (
            {"name": "acme", "memory_size": 512},
            "advertiser 'acme': memory_size is not an option; did you mean memorySize?",
        ),
        (
            {"name": "acme", "acessToken": TOKEN},
            "advertiser 'acme': acessToken is not an option; did you mean accessToken?",
        ),
        (
            {"name": "acme", "zzz": 1},
            f"advertiser 'acme': zzz is not an option; the options are name, {', '.join(CHECKS)}.",
        ),
    ],
)
def test_an_invalid_advertiser_gets_a_message(entry: object, fault: str) -> None:
    assert message([entry]) == HEAD + fault


ROLES = [f"arn:aws:iam::111122223333:role/{number}" for number in range(51)]
ROOT = "arn:aws:iam::111122223333:root"
SECRET = "arn:aws:secretsmanager:us-east-1:111122223333:secret:app-AbCdEf"
KEY = "arn:aws:kms:us-east-1:111122223333:key/1234abcd"
ALLOWED = {
    "fileRetentionDays": "an integer from 45 to 3650",
    "memorySize": "an integer from 256 to 10240",
    "logRetentionDays": "one of 1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, "
    "2922, 3288, 3653",
    "settleSeconds": "a number from 0 to 900",
    "maxShrink": "a number from 0 to 1",
    "alarmEmail": "one email address",
    "uploaders": "a list of up to 50 different entries, each the ARN of an IAM role or user, such as "
    "arn:aws:iam::111122223333:role/exporter",
    "rolePath": "a path of letters, digits and + = , . @ _ - that starts and ends with a slash, such as /delivery/",
}


@pytest.mark.parametrize("option", ALLOWED)
def test_the_allowed_values_are_described(option: str) -> None:
    assert CHECKS[option].allowed == ALLOWED[option]


@pytest.mark.parametrize("option", CHECKS)
def test_every_option_refuses_an_invalid_value(option: str) -> None:
    fault = CHECKS[option].fault(object())
    assert fault is not None
    assert fault.endswith(f"; it must be {CHECKS[option].allowed}.")


@pytest.mark.parametrize(
    ("option", "value", "description"),
    [
        *(
            ("bucketName", name, f"is '{name}'")
            for name in ("Acme", "ac", "a.b.c", "acme-", "xn--acme", "acme-s3alias", "a" * 64)
        ),
        ("fileRetentionDays", 44, "is 44"),
        ("fileRetentionDays", 45.5, "is 45.5"),
        ("reportRetentionDays", 3651, "is 3651"),
        ("logRetentionDays", 8, "is 8"),
        ("memorySize", 255, "is 255"),
        ("memorySize", True, "is True"),
        ("maximumConcurrency", 1, "is 1"),
        ("sweepMinutes", 2.5, "is 2.5"),
        ("sweepMinutes", "5", "is '5'"),
        ("settleSeconds", -1, "is -1"),
        ("settleSeconds", 901, "is 901"),
        ("maxRejectedRatio", 1.1, "is 1.1"),
        ("maxShrink", 1.5, "is 1.5"),
        ("alarmTopicArns", "arn", "is 'arn'"),
        ("alarmTopicArns", ["x", 1], "has 'x', 1"),
        ("alarmEmail", "nobody", "is 'nobody'"),
        ("alarmEmail", "a@b.example, c@d.example", "is 'a@b.example, c@d.example'"),
        ("outcomeEvents", "true", "is 'true'"),
        ("uploaders", ["*"], "has '*'"),
        ("uploaders", [ROOT], f"has '{ROOT}'"),
        ("uploaders", ROLES[:1] * 2, "has duplicate entries"),
        ("uploaders", ROLES, "has 51 entries"),
        ("uploadRole", {}, "is {}"),
        ("uploadRole", {"principals": []}, "is {'principals': []}"),
        ("uploadRole", {"principals": [ROOT]}, f"is {{'principals': ['{ROOT}']}}"),
        ("uploadRole", {"principals": ["*"], "externalId": "ab"}, "is {'principals': ['*'], 'externalId': 'ab'}"),
        (
            "uploadRole",
            {"principals": [ROOT], "externalId": "a"},
            f"is {{'principals': ['{ROOT}'], 'externalId': 'a'}}",
        ),
        ("uploadRole", {"principals": ROLES[:1], "other": 1}, f"is {{'principals': ['{ROLES[0]}'], 'other': 1}}"),
        ("readers", [ROOT], f"has '{ROOT}'"),
        ("eventArchiveDays", 0, "is 0"),
        ("tiktokApiUrl", "http://tiktok.example", "is 'http://tiktok.example'"),
        ("tiktokApiUrl", "tiktok.example", "is 'tiktok.example'"),
        ("tiktokApiUrl", "https://tiktok.example:x", "is 'https://tiktok.example:x'"),
        ("tiktokApiUrl", "https://[", "is 'https://['"),
        ("advertiserId", "seven", "is not a string of digits"),
        ("advertiserId", 7000000000000000001, "is a number, and long numbers lose digits"),
        ("credentialsSecretArn", SECRET.removesuffix("-AbCdEf"), f"is '{SECRET.removesuffix('-AbCdEf')}'"),
        ("kmsKeyArn", "alias/mine", "is 'alias/mine'"),
        ("kmsKeyArn", KEY.replace("key/", "alias/"), f"is '{KEY.replace('key/', 'alias/')}'"),
        ("permissionsBoundary", "boundary", "is 'boundary'"),
        ("rolePath", "delivery", "is 'delivery'"),
        ("rolePath", "/deli very/", "is '/deli very/'"),
        ("retainData", "no", "is 'no'"),
        ("tags", ["a"], "is ['a']"),
        ("tags", {str(number): "" for number in range(50)}, "has 50 tags"),
        ("tags", {"aws:x": ""}, "has the key 'aws:x'"),
        ("tags", {"Advertiser": ""}, "has the key 'Advertiser'"),
        ("tags", {"ADVERTISER": ""}, "has the key 'ADVERTISER'"),
        ("tags", {"Team": "", "team": ""}, "has the key 'Team'"),
        ("tags", {"team": 7}, "has the value 7 for 'team'"),
    ],
)
def test_an_invalid_value_gets_a_message(option: str, value: object, description: str) -> None:
    others = {
        "advertiserId": {"accessToken": TOKEN},
        "credentialsSecretArn": {"advertiserId": "7"},
    }.get(option, {})
    fault = f"{option} {description}; it must be {CHECKS[option].allowed}."
    assert message([{"name": "acme", option: value, **others}]) == f"{HEAD}advertiser 'acme': {fault}"


@pytest.mark.parametrize(
    ("option", "value"),
    [
        ("settleSeconds", 0),
        ("settleSeconds", 900),
        ("maxShrink", 1),
        ("uploaders", ["arn:aws:iam::111122223333:user/team/vendor"]),
        ("uploadRole", {"principals": ROLES[:1]}),
        ("uploadRole", {"principals": [ROOT], "externalId": "acme-1"}),
        ("kmsKeyArn", KEY),
        ("permissionsBoundary", "arn:aws:iam::aws:policy/PowerUserAccess"),
        ("rolePath", "/"),
        ("rolePath", "/team/delivery/"),
    ],
)
def test_values_at_the_limits_are_allowed(option: str, value: object) -> None:
    (advertiser,) = read_advertisers([{"name": "acme", option: value}])
    assert len(advertiser.options) == 1


@pytest.mark.parametrize(
    ("options", "fault"),
    [
        (
            {"fileRetentionDays": 500, "reportRetentionDays": 400},
            "reportRetentionDays is 400; it must be at least fileRetentionDays, which is 500.",
        ),
        (
            {"eventArchiveDays": 401},
            "eventArchiveDays is 401; it must be at most reportRetentionDays, which is 400.",
        ),
        (
            {
                "alarmTopicArns": [f"arn:aws:sns:us-east-1:111122223333:{n}" for n in range(5)],
                "alarmEmail": "a@b.example",
            },
            "alarmTopicArns has 6 topics, including the one that is created for alarmEmail; an alarm accepts up to 5.",
        ),
        (
            {"accessToken": TOKEN},
            "accessToken is set without advertiserId; set both, or set neither and fill in the secret yourself.",
        ),
        (
            {"advertiserId": "7"},
            "advertiserId is set without accessToken or credentialsSecretArn; "
            "set one of them too, or remove advertiserId and fill in the secret yourself.",
        ),
        (
            {"credentialsSecretArn": SECRET},
            "credentialsSecretArn is set without advertiserId; "
            "set both, or set neither and fill in the secret yourself.",
        ),
        (
            {"credentialsSecretArn": SECRET, "accessToken": TOKEN, "advertiserId": "7"},
            "accessToken and credentialsSecretArn are both set; set only one, because the secret has the token.",
        ),
    ],
)
def test_options_that_contradict_each_other_get_a_message(options: dict[str, Any], fault: str) -> None:
    assert message([{"name": "acme", **options}]) == f"{HEAD}advertiser 'acme': {fault}"


def test_reports_are_retained_at_least_as_long_as_files() -> None:
    program = run_program([{"name": "acme", "fileRetentionDays": 500}])
    rules = {rule["id"]: rule for rule in program.one("acme", "LifecycleConfiguration").inputs["rules"]}
    assert rules["reports"]["expiration"] == {"days": 500}


def test_values_that_must_be_unique_in_a_stack_get_a_message_with_their_count() -> None:
    entry = {"name": "acme", "bucketName": "acme-people"}
    assert message([entry, entry, entry]) == (
        f"{HEAD}advertiser 'acme' is listed 3 times; use each name only once in a stack.\n"
        "  bucketName 'acme-people' is set for 3 advertisers; each needs a separate bucket."
    )


def test_one_message_lists_all_errors_and_no_token() -> None:
    text = message(
        [
            {"name": "Acme", "memorySize": 1, "accessToken": f"{TOKEN} with a space", "advertiserId": "7"},
            {"name": "globex", "sweepMinutes": 0, "sweepMinuts": 1},
            {"accessToken": TOKEN},
        ]
    )
    assert [line.strip() for line in text.splitlines()][1:] == [
        f"advertiser 'Acme': name is 'Acme'; {NAMES}",
        "advertiser 'Acme': memorySize is 1; it must be an integer from 256 to 10240.",
        "advertiser 'Acme': accessToken has an invalid value (not shown, because it is a secret); "
        "it must be a string of printable ASCII characters without spaces.",
        "advertiser 'globex': sweepMinuts is not an option; did you mean sweepMinutes?",
        "advertiser 'globex': sweepMinutes is 0; it must be an integer from 1 to 60.",
        "advertiser number 3: the entry has no name; add one, such as 'name: acme'.",
        "advertiser number 3: accessToken is set without advertiserId; "
        "set both, or set neither and fill in the secret yourself.",
    ]


def test_the_repr_of_an_advertiser_does_not_show_its_token() -> None:
    assert "nobody-may-see" not in repr(read_advertisers(EVERYTHING))


def test_an_invalid_configuration_ends_the_program_with_only_its_message() -> None:
    with pytest.raises(ConfigError) as raised:
        run_program([{"name": "acme"}, {"name": "acme"}])
    assert isinstance(raised.value, pulumi.RunError), "Pulumi shows a traceback for anything else"


def test_an_empty_list_of_advertisers_is_a_stack_without_connectors() -> None:
    program = run_program([])
    assert program.resources == []
    assert program.outputs == {"advertisers": {}}


ARN = "arn:aws:sns:us-east-1:111122223333:alarms"


@pytest.mark.parametrize(
    ("name", "args", "options", "fault"),
    [
        ("Acme", {"memory_size": 1.0}, {}, f"name is 'Acme'; {NAMES} memorySize is 1.0; it must be an integer"),
        ("acme", {"alarm_emial": "a@b.example"}, {}, "alarm_emial is not an option; did you mean alarm_email?"),
        ("acme", {}, {"alarmEmail": "a@b.example"}, "alarmEmail is not an option; did you mean alarm_email?"),
        ("acme", {}, {"uploaders": ["x"]}, "uploaders has 'x'; it must be a list of"),
        ("acme", {}, {"access_token": f"{TOKEN} "}, "accessToken has an invalid value (not shown, "),
        ("acme", {"upload_role": {"principals": ["*"]}}, {}, "uploadRole is {'principals': ['*']};"),
        ("acme", {}, {"credentials_secret_arn": SECRET}, "credentialsSecretArn is set without advertiserId;"),
    ],
)
def test_a_connector_checks_its_options_itself(
    name: str, args: dict[str, Any], options: dict[str, Any], fault: str
) -> None:
    """Other programs use the component without this stack's configuration and its checks."""

    def wrong() -> None:
        TikTokActivationConnector(name, args, **options)  # type: ignore[arg-type]

    with pytest.raises(OptionError) as raised:
        run_program(None, program=wrong)
    assert str(raised.value).startswith(f"The connector {name!r} cannot be created: {fault}")
    assert TOKEN not in str(raised.value)


def test_options_can_be_keyword_arguments_or_a_dict() -> None:
    def program() -> None:
        TikTokActivationConnector("one", {"memory_size": 1024, "alarm_topic_arns": (ARN,)}, sweep_minutes=7)
        TikTokActivationConnector("two", memory_size=1024, alarm_topic_arns=[ARN], sweep_minutes=7)

    made = run_program(None, program=program)
    for name in ("one", "two"):
        assert made.one(name, "lambda/function:Function").inputs["memorySize"] == 1024
        assert made.one(name, "Schedule").inputs["scheduleExpression"] == "rate(7 minutes)"


def test_options_can_be_outputs_of_other_resources() -> None:
    def program() -> None:
        made = pulumi.Output.from_input("arn:aws:iam::111122223333:role/made-later")
        TikTokActivationConnector("acme", uploaders=[made], permissions_boundary=pulumi.Output.from_input("b"))

    made = run_program(None, program=program)
    assert "made-later" in made.one("acme", "BucketPolicy").inputs["policy"]


@pytest.mark.processes
def test_a_missing_alarm_target_and_a_plain_text_token_cause_warnings() -> None:
    token = {"accessToken": TOKEN, "advertiserId": "7"}
    advertisers = [{"name": "acme"}, {"name": "globex", "alarmEmail": "a@b.example", **token}, {"name": "initech"}]
    no_target, plain_token = run_program(advertisers, preview=True).log
    assert no_target.startswith("Nobody is notified when an upload of acme, initech fails")
    assert "'pulumi config set --secret --path \"tiktok-activation:advertisers[1].accessToken\"'" in plain_token
    assert TOKEN not in no_target + plain_token
    assert run_program(advertisers[1:2], secret=True).log == []
