"""The order in which resources are created, so that the first `pulumi up` succeeds and no event is lost."""

from __future__ import annotations

import pytest

from tests.components.harness import Program

BEFORE = [
    ("KeyPolicy", "LogGroup", "CloudWatch Logs needs permission to use the key to create an encrypted log group"),
    ("KeyPolicy", "queue:Queue", "senders need permission to use the key of the queue"),
    ("KeyPolicy", "secret:Secret", "the value of the secret is encrypted with the key"),
    ("KeyPolicy", "topic:Topic", "CloudWatch needs permission to use the key of the topic"),
    ("KeyPolicy", "EventArchive", "EventBridge checks its permission to use the key"),
    ("KeyPolicy", "Schedule", "Scheduler checks its permission to use the key"),
    ("KeyPolicy", "ServerSideEncryptionConfiguration", "the first upload is encrypted with the key"),
    ("KeyPolicy", "EventTarget", "the first event of the rule is encrypted with the key"),
    ("PublicAccessBlock", "BucketPolicy", "S3 returns 409 for concurrent changes"),
    ("OwnershipControls", "BucketPolicy", "S3 returns 409 for concurrent changes"),
    ("BucketVersioning", "LifecycleConfiguration", "lifecycle rules for noncurrent versions need versioning"),
    ("BucketPolicy", "BucketNotification", "no event is sent before the bucket is protected"),
    ("QueuePolicy", "EventTarget", "the queue accepts the first event of the rule"),
    ("RolePolicy", "EventSourceMapping", "Lambda checks that the role may read from the queue"),
    ("RolePolicy", "Schedule", "Scheduler sends messages with the role"),
    ("RolePolicy", "lambda/function:Function", "the first invocation can write its log"),
    ("TopicPolicy", "MetricAlarm", "the first alarm can be published"),
]


@pytest.mark.parametrize(("first", "second", "why"), BEFORE, ids=[f"{a} before {b}" for a, b, _ in BEFORE])
def test_a_resource_is_created_after_those_that_it_needs(
    everything: Program, first: str, second: str, why: str
) -> None:
    by_urn = {resource.urn: resource for resource in everything.resources}

    def all_before(urn: str) -> set[str]:
        found: set[str] = set()
        left = [urn]
        while left:
            for dependency in by_urn[left.pop()].after:
                if dependency not in found and dependency in by_urn:
                    found.add(dependency)
                    left.append(dependency)
        return found

    for advertiser in ("acme", "acme-b"):
        family = everything.children(advertiser)
        own = {r.urn for r in family if r.type.endswith(first) and _belongs_to(first, second, r.name)}
        seconds = [r for r in family if r.type.endswith(second)]
        assert own
        assert seconds
        for resource in seconds:
            assert own <= all_before(resource.urn), why


def _belongs_to(first: str, second: str, name: str) -> bool:
    """Return true unless the first resource is the policy of a role that the second resource does not use."""
    return first != "RolePolicy" or name.endswith("-schedule" if second == "Schedule" else "-function")
