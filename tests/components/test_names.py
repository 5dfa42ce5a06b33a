"""Names are within the limits of AWS, and no two resources of an account can have the same name."""

from __future__ import annotations

from collections import Counter
from itertools import product
from typing import Any

import pytest

from components.checks import MAX_NAME_LENGTH, NAME
from components.dashboard import dashboard_name
from tests.components.conftest import EVERYTHING
from tests.components.harness import SUFFIX_LENGTH, Program, Resource, run_program

LONGEST = "a-very-long-advertiser-name-30"
LONG_STACK = "s" * 100  # Pulumi's limit

# The maximum number of characters of a name, from the API references of AWS.
LIMITS = {
    "cloudwatch/dashboard:Dashboard": 255,
    "cloudwatch/eventArchive:EventArchive": 48,
    "cloudwatch/eventRule:EventRule": 64,
    "cloudwatch/logGroup:LogGroup": 512,
    "cloudwatch/logMetricFilter:LogMetricFilter": 512,
    "cloudwatch/metricAlarm:MetricAlarm": 255,
    "iam/role:Role": 64,
    "iam/rolePolicy:RolePolicy": 128,
    "kms/alias:Alias": 256,
    "lambda/function:Function": 64,
    "s3/bucket:Bucket": 63,
    "scheduler/schedule:Schedule": 64,
    "secretsmanager/secret:Secret": 512,
    "sns/topic:Topic": 256,
    "sqs/queue:Queue": 80,
}
NAMELESS = {
    "cloudwatch/eventTarget:EventTarget",
    "kms/key:Key",
    "kms/keyPolicy:KeyPolicy",
    "lambda/eventSourceMapping:EventSourceMapping",
    "lambda/functionRecursionConfig:FunctionRecursionConfig",
    "secretsmanager/secretVersion:SecretVersion",
    "sns/topicPolicy:TopicPolicy",
    "sns/topicSubscription:TopicSubscription",
    "sqs/queuePolicy:QueuePolicy",
    "sqs/redriveAllowPolicy:RedriveAllowPolicy",
}
# The maximum number of characters of a description.
DESCRIPTIONS = {"LogGroup": 0, "MetricAlarm": 1024, "EventArchive": 512, "EventRule": 512, "Schedule": 512}
DESCRIPTIONS |= {"Function": 256, "Role": 1000, "Secret": 2048, "Key": 8192}
# The maximum number of characters of a document.
DOCUMENTS = {"RolePolicy": 10_240, "Role": 2048, "KeyPolicy": 32_768, "BucketPolicy": 20_480, "Dashboard": 1_000_000}


def kind(resource: Resource) -> str:
    return resource.type.removeprefix("aws:")


def name(resource: Resource) -> str:
    found: str = resource.outputs["bucket" if "s3/" in kind(resource) else _key(resource)]
    return found


def _key(resource: Resource) -> str:
    return "dashboardName" if kind(resource).endswith("Dashboard") else "name"


def named(program: Program) -> list[Resource]:
    return [resource for resource in program.resources if kind(resource) in LIMITS]


@pytest.fixture(scope="module")
def long() -> Program:
    settings: dict[str, Any] = {key: value for key, value in EVERYTHING[0].items() if key != "bucketName"}
    return run_program([{**settings, "name": LONGEST}], stack_name=LONG_STACK)


def test_no_advertiser_name_can_be_longer_than_the_one_in_these_tests() -> None:
    assert len(LONGEST) == MAX_NAME_LENGTH
    assert NAME.accepts(LONGEST)
    assert not NAME.accepts(LONGEST + "x")


def test_every_name_is_within_the_limit_of_aws_for_the_longest_advertiser_and_stack(long: Program) -> None:
    too_long = [(kind(r), name(r)) for r in named(long) if len(name(r)) > LIMITS[kind(r)]]
    assert too_long == []
    others = {kind(r) for r in long.resources} - LIMITS.keys() - NAMELESS
    assert [other for other in others if not other.startswith(("s3/bucket", "tiktok-activation:"))] == []


def test_names_have_only_characters_that_aws_allows(long: Program) -> None:
    for resource in named(long):
        extra = {"kms/alias:Alias": "/", "cloudwatch/logGroup:LogGroup": "/", "cloudwatch/metricAlarm:MetricAlarm": "/"}
        extra["cloudwatch/logMetricFilter:LogMetricFilter"] = "/"
        allowed = extra.get(kind(resource), "") + "-_"
        assert all(character.isalnum() or character in allowed for character in name(resource)), resource.urn


def test_descriptions_and_documents_are_within_the_limits_of_aws(long: Program) -> None:
    for resource in long.resources:
        for property_name, value in resource.inputs.items():
            last = resource.type.rpartition(":")[2]
            if property_name.lower().endswith("description"):
                assert len(value) <= DESCRIPTIONS[last], resource.urn
            elif property_name in {"policy", "assumeRolePolicy", "dashboardBody"} and last in DOCUMENTS:
                assert len(value) <= DOCUMENTS[last], resource.urn


def without_suffix(resource: Resource) -> tuple[str, str]:
    """Return the type and the name without Pulumi's random suffix. Each pair must be unique in a stack."""
    return kind(resource), name(resource)[:-SUFFIX_LENGTH]


def test_the_resources_of_a_hundred_advertisers_have_different_names() -> None:
    """In the worst case, advertisers have the names of each other's resources."""
    acme = run_program([{**EVERYTHING[0], "name": "acme", "bucketName": "acme-audiences-0000000"}])
    found = [without_suffix(resource) for resource in named(acme) if name(resource).startswith(("acme", "alias/acme"))]
    words = sorted({word for _, text in found for word in text.replace("/", "-").split("-")})
    advertisers = {"-".join(("acme", *more)) for length in range(3) for more in product(words, repeat=length)}
    advertisers = {advertiser for advertiser in advertisers if NAME.accepts(advertiser)}
    assert len(advertisers) > 100
    # A name is the advertiser's name and an ending that is the same for all advertisers.
    names = Counter((kind_, text.replace("acme", advertiser, 1)) for advertiser in advertisers for kind_, text in found)
    assert [each for each, times in names.items() if times > 1] == []


def test_no_two_stacks_have_a_name_in_common() -> None:
    """Pulumi adds random suffixes to names. The dashboard's name has a hash of the stack instead."""
    names = {
        dashboard_name(organization, project, stack)
        for organization, project, stack in product(("a", "a-b"), ("c", "b-c"), ("dev", "dev.1", "dev-1"))
    }
    assert len(names) == 2 * 2 * 3
    dev, prod = (run_program([{"name": "acme"}], stack_name=stack) for stack in ("dev", "dev-b"))
    both = [(kind(r), name(r)) for program in (dev, prod) for r in named(program)]
    assert len(both) == len(set(both))
