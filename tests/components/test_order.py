"""The order of creation: a first `pulumi up` cannot fail because of it, nor lose anything."""

from __future__ import annotations

import pytest

from tests.components.harness import Program

BEFORE = [
    ("KeyPolicy", "LogGroup", "AWS makes an encrypted log group only if the key's policy already lets it"),
    ("KeyPolicy", "queue:Queue", "nothing can be sent to a queue whose key refuses"),
    ("KeyPolicy", "secret:Secret", "the secret is encrypted when its value is put"),
    ("KeyPolicy", "topic:Topic", "alarms are encrypted on their way"),
    ("KeyPolicy", "EventArchive", "EventBridge checks that it may use the key"),
    ("KeyPolicy", "Schedule", "Scheduler checks that it may use the key"),
    ("KeyPolicy", "ServerSideEncryptionConfiguration", "uploads are encrypted from the first on"),
    ("KeyPolicy", "EventTarget", "what the rule sends is encrypted from the first on"),
    ("PublicAccessBlock", "BucketPolicy", "S3 answers parallel changes with 409"),
    ("OwnershipControls", "BucketPolicy", "S3 answers parallel changes with 409"),
    ("BucketVersioning", "LifecycleConfiguration", "rules for old versions need versions"),
    ("BucketPolicy", "BucketNotification", "no file is taken before the bucket is protected"),
    ("QueuePolicy", "EventTarget", "the queue lets the rule send from the first on"),
    ("RolePolicy", "EventSourceMapping", "Lambda checks that the role may read the queue"),
    ("RolePolicy", "Schedule", "Scheduler sends with the role"),
    ("RolePolicy", "lambda/function:Function", "the first invocation can write its log"),
    ("TopicPolicy", "MetricAlarm", "the first alarm is heard"),
]


@pytest.mark.parametrize(("first", "second", "why"), BEFORE, ids=[f"{a} before {b}" for a, b, _ in BEFORE])
def test_a_resource_waits_for_what_it_needs(everything: Program, first: str, second: str, why: str) -> None:
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
        own = {r.urn for r in family if r.type.endswith(first) and _same_job(first, second, r.name)}
        seconds = [r for r in family if r.type.endswith(second)]
        assert own
        assert seconds
        for resource in seconds:
            assert own <= all_before(resource.urn), why


def _same_job(first: str, second: str, name: str) -> bool:
    """Return the policy of the role that the second resource works with."""
    return first != "RolePolicy" or name.endswith("-schedule" if second == "Schedule" else "-function")
