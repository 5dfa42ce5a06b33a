"""Rules that all registered resources must follow, checked in the registration requests."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest

from tests.components.evaluator import as_list, matches
from tests.components.harness import CONNECTOR, REGION, Program, Resource, run_program, strings
from tests.components.provider_types import class_of, faults

# Kind of resource -> the path of the input with the key that encrypts it.
ENCRYPTED_BY = {
    "aws:s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration": (
        "rules",
        0,
        "applyServerSideEncryptionByDefault",
        "kmsMasterKeyId",
    ),
    "aws:sqs/queue:Queue": ("kmsMasterKeyId",),
    "aws:sns/topic:Topic": ("kmsMasterKeyId",),
    "aws:secretsmanager/secret:Secret": ("kmsKeyId",),
    "aws:cloudwatch/logGroup:LogGroup": ("kmsKeyId",),
    "aws:cloudwatch/eventArchive:EventArchive": ("kmsKeyIdentifier",),
    "aws:scheduler/schedule:Schedule": ("kmsKeyArn",),
    "aws:lambda/function:Function": ("kmsKeyArn",),
}
# Resources that `pulumi destroy` keeps, because they have personal data, protect it, or record its processing.
RETAINED = {
    "aws:kms/key:Key",
    "aws:kms/keyPolicy:KeyPolicy",
    "aws:cloudwatch/logGroup:LogGroup",
    "aws:s3/bucket:Bucket",
    "aws:s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration",
    "aws:s3/bucketOwnershipControls:BucketOwnershipControls",
    "aws:s3/bucketPolicy:BucketPolicy",
    "aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock",
    "aws:s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration",
    "aws:s3/bucketVersioning:BucketVersioning",
}
UNTAGGABLE = {  # AWS does not support tags for these
    "aws:cloudwatch/dashboard:Dashboard",
    "aws:cloudwatch/eventArchive:EventArchive",
    "aws:cloudwatch/eventTarget:EventTarget",
    "aws:cloudwatch/logMetricFilter:LogMetricFilter",
    "aws:iam/rolePolicy:RolePolicy",
    "aws:kms/alias:Alias",
    "aws:kms/keyPolicy:KeyPolicy",
    "aws:lambda/functionRecursionConfig:FunctionRecursionConfig",
    "aws:s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration",
    "aws:s3/bucketNotification:BucketNotification",
    "aws:s3/bucketOwnershipControls:BucketOwnershipControls",
    "aws:s3/bucketPolicy:BucketPolicy",
    "aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock",
    "aws:s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration",
    "aws:s3/bucketVersioning:BucketVersioning",
    "aws:scheduler/schedule:Schedule",
    "aws:secretsmanager/secretVersion:SecretVersion",
    "aws:sns/topicPolicy:TopicPolicy",
    "aws:sns/topicSubscription:TopicSubscription",
    "aws:sqs/queuePolicy:QueuePolicy",
    "aws:sqs/redriveAllowPolicy:RedriveAllowPolicy",
}


def named(resources: list[Resource]) -> list[str]:
    """Return the types and names of resources, for the messages of failing tests."""
    return [f"{resource.type} {resource.name}" for resource in resources]


@pytest.mark.parametrize("advertiser", ["acme", "acme-b"])
def test_everything_is_encrypted_with_the_connectors_own_key(everything: Program, advertiser: str) -> None:
    key = everything.one(advertiser, "kms/key:Key").outputs["arn"]
    seen = set()
    for resource in everything.children(advertiser):
        if resource.type in ENCRYPTED_BY:
            value: Any = resource.inputs
            for step in ENCRYPTED_BY[resource.type]:
                value = value[step]
            assert value == key, named([resource])
            seen.add(resource.type)
    assert seen == ENCRYPTED_BY.keys()
    assert everything.one(advertiser, "kms/key:Key").inputs["enableKeyRotation"] is True


# Key arguments that do not have to encrypt anything with the connector's key, each with the reason.
NO_KEY_FOR = {
    "aws:kms/alias:Alias": {"target_key_id", "target_key_arn"},  # the key to which the alias refers
    "aws:kms/key:Key": {"key_id", "xks_key_id"},  # the key itself
    "aws:kms/keyPolicy:KeyPolicy": {"key_id"},  # the key to which the policy applies
    "aws:lambda/eventSourceMapping:EventSourceMapping": {"kms_key_arn"},  # would encrypt filters, but there are none
    # The package is public code, and the required statement of the key's policy could not be limited to one function.
    "aws:lambda/function:Function": {"source_kms_key_arn"},
}


def test_every_input_for_a_key_is_set_or_has_a_reason(everything: Program) -> None:
    used = {kind: {_snake(str(path[-1]))} for kind, path in ENCRYPTED_BY.items() if len(path) == 1}
    takes = {kind: _key_arguments(kind) for kind in {r.type for r in everything.resources} - {CONNECTOR}}
    assert {kind: names - used.get(kind, set()) for kind, names in takes.items() if names} == {
        kind: NO_KEY_FOR.get(kind, set()) for kind in {*used, *NO_KEY_FOR}
    }


def _key_arguments(kind: str) -> set[str]:
    return {name for name in vars(class_of(kind)) if re.search("key_(id|arn|identifier)$", name)}


def _snake(name: str) -> str:
    return re.sub(r"[A-Z]", lambda match: f"_{match[0].lower()}", name)


@pytest.mark.parametrize("advertiser", ["acme", "acme-b"])
def test_bucket_queues_and_topic_deny_connections_without_tls(everything: Program, advertiser: str) -> None:
    for owner, policy in (("bucket:Bucket", "BucketPolicy"), ("queue:Queue", "QueuePolicy"), ("Topic", "TopicPolicy")):
        owners = [r.outputs["arn"] for r in everything.children(advertiser) if r.type.endswith(owner)]
        refusing = {
            resource
            for r in everything.children(advertiser)
            if r.type.endswith(policy)
            for statement in r.document()["Statement"]
            if statement["Effect"] == "Deny"
            and statement["Principal"] == "*"
            and statement["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}
            for resource in as_list(statement["Resource"])
        }
        assert owners
        assert set(owners) <= refusing


def test_no_connector_refers_to_resources_of_another(everything: Program) -> None:
    for advertiser, other in (("acme", "acme-b"), ("acme-b", "acme")):
        theirs = {
            text
            for r in everything.children(other)
            for name, text in r.outputs.items()
            if name in {"arn", "url", "name", "bucket", "keyId"}
        }
        mine = {text for r in everything.children(advertiser) for text in _texts(r)}
        assert mine & theirs == set()


@pytest.mark.processes
def test_no_wildcard_of_one_connector_matches_resources_of_another() -> None:
    """Some names start or end like others, and one is used in two stacks."""
    names = ["acme", "acme-b", "acme-function", "acme-dead-letters", "b-acme"]
    advertisers = [{"name": name, "alarmEmail": "a@b.example", "eventArchiveDays": 1} for name in names]
    dev, prod = run_program(advertisers), run_program(advertisers[:1], stack_name="dev-prod")
    connectors = [(dev, name) for name in names] + [(prod, "acme")]
    patterns = {id(p) + hash(n): {t for r in p.children(n) for t in _texts(r) if "*" in t[1:]} for p, n in connectors}
    for program, name in connectors:
        arns = {r.outputs["arn"] for r in program.children(name) if "arn" in r.outputs and "arn:" in r.outputs["arn"]}
        arns |= {f"{arn}/tiktok/x" for arn in arns} | {f"{arn}:x" for arn in arns}
        for other_program, other in connectors:
            covered = {
                (pattern, arn)
                for pattern in patterns[id(other_program) + hash(other)]
                for arn in arns
                if matches(pattern, arn)
            }
            assert bool(covered) == ((program, name) == (other_program, other)), (name, other, covered)


def _texts(resource: Resource) -> Iterator[str]:
    """Yield every string in a resource's inputs, including those in JSON documents."""
    for text in strings(dict(resource.inputs)):
        if text.startswith(('{"', "[")):
            yield from strings(json.loads(text))
        else:
            yield text


def test_a_destroy_keeps_data_and_the_resources_that_protect_it(everything: Program) -> None:
    assert {r.type for r in everything.resources if r.retained} == RETAINED
    assert [r for r in everything.resources if r.type in RETAINED and not r.retained] == []
    assert [r.inputs["forceDestroy"] for r in everything.of_type("bucket:Bucket")] == [False, False]
    assert named([r for r in everything.resources if r.protected]) == []


def test_without_retention_a_destroy_deletes_everything() -> None:
    program = run_program([{"name": "acme", "retainData": False}])
    assert named([r for r in program.resources if r.retained]) == []
    assert program.one("acme", "bucket:Bucket").inputs["forceDestroy"] is True


def test_every_resource_is_a_child_of_its_connector(everything: Program) -> None:
    connectors = {r.urn for r in everything.connectors()}
    strays = [r for r in everything.resources if r.type != CONNECTOR and r.parent not in connectors]
    assert named(strays) == ["aws:cloudwatch/dashboard:Dashboard dashboard"]


def test_every_resource_that_supports_tags_has_them(everything: Program) -> None:
    for advertiser, tags in (
        ("acme", {"Advertiser": "acme", "team": "media"}),
        ("acme-b", {"Advertiser": "acme-b"}),
    ):
        for resource in everything.children(advertiser):
            expected = None if resource.type in UNTAGGABLE else tags
            assert resource.inputs.get("tags") == expected, named([resource])


def test_only_the_value_of_the_secret_has_the_token_and_it_is_marked_as_secret(everything: Program) -> None:
    for resource in everything.resources:
        holds = [name for name, value in resource.inputs.items() if any("nobody-may-see" in t for t in strings(value))]
        assert holds == (["secretString"] if resource.type.endswith("SecretVersion") else []), named([resource])
        assert resource.secrets >= set(holds), named([resource])
    assert everything.secret_outputs == set()
    assert not any("nobody-may-see" in text for text in strings(everything.outputs))
    versions = [json.loads(r.inputs["secretString"]) for r in everything.of_type("SecretVersion")]
    assert {"ACCESS_TOKEN": "a-token-nobody-may-see", "ADVERTISER_ID": "7000000000000000001"} in versions


def test_without_a_token_pulumi_does_not_set_the_value_of_the_secret(program: Program) -> None:
    assert program.of_type("SecretVersion") == []


def test_the_provider_accepts_every_input_and_none_is_deprecated(everything: Program) -> None:
    found = [fault for r in everything.resources if r.type != CONNECTOR for fault in faults(r)]
    assert found == []
    assert everything.log == []


def test_no_output_was_formatted_as_a_string(everything: Program) -> None:
    formatted = [r for r in everything.resources if any("Output" in text and "__str__" in text for text in _texts(r))]
    assert named(formatted) == []


def test_no_two_resources_have_the_same_urn(everything: Program) -> None:
    urns = [r.urn for r in everything.resources]
    assert len(urns) == len(set(urns))


def test_only_the_bucket_can_have_a_configured_name(everything: Program) -> None:
    names = {"name", "namePrefix", "bucket", "bucketPrefix"}
    fixed = [
        (r.type, r.inputs[name])
        for r in everything.resources
        for name in names & r.inputs.keys()
        if not r.type.startswith("aws:s3/bucket") or r.type == "aws:s3/bucket:Bucket"
    ]
    assert fixed == [("aws:s3/bucket:Bucket", "acme-people-and-nothing-else")]


def test_the_region_is_not_hard_coded() -> None:
    """The program is the same for every region, except for the ARNs that AWS returns."""
    program = run_program([{"name": "acme"}], preview=True)
    assert [r.name for r in program.resources if any(REGION in text for text in _texts(r))] == []
