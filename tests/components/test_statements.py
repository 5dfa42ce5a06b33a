"""Rules for every statement of every policy: exact actions, conditions for services, and this connector's resources."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

import pytest

from components import policies, role_policies
from components.names import name_prefix
from components.statements import document
from tests.components.conftest import EVERYTHING
from tests.components.evaluator import as_list
from tests.components.harness import ACCOUNT, REGION, Program

DOCUMENTS = ("policy", "assumeRolePolicy")
# Lambda assumes a role only for a function of the same account, because a role cannot be passed to another account.
UNBOUND = {"LambdaTakesRole"}
# Resources that exist once in an account and that connectors use.
SHARED = {
    f"arn:aws:events:{REGION}:{ACCOUNT}:event-bus/default",
    f"arn:aws:scheduler:{REGION}:{ACCOUNT}:schedule-group/default",
}


@dataclass(frozen=True)
class Found:
    """A statement, its connector, and the kind of resource that has it."""

    advertiser: str
    kind: str
    statement: dict[str, Any]

    def __str__(self) -> str:
        return f"{self.advertiser} {self.kind} {self.statement['Sid']}"


@pytest.fixture(scope="session")
def statements(everything: Program) -> list[Found]:
    return [
        Found(connector.name, resource.type.partition(":")[2], statement)
        for connector in everything.connectors()
        for resource in everything.children(connector.name)
        for name in DOCUMENTS
        if name in resource.inputs
        for statement in resource.document(name)["Statement"]
    ]


def test_no_other_input_has_a_policy_document(everything: Program) -> None:
    """The tests of this module would miss a policy in another input."""
    hidden = [
        f"{resource.type} {name}"
        for resource in everything.resources
        for name, value in resource.inputs.items()
        if name not in DOCUMENTS and isinstance(value, str) and value.startswith("{") and "Statement" in value
    ]
    assert hidden == []


def test_every_statement_has_a_unique_name_in_its_document(statements: list[Found], everything: Program) -> None:
    assert len(statements) > 2 * 25
    for resource in everything.resources:
        for name in DOCUMENTS:
            if name in resource.inputs:
                sids = [statement["Sid"] for statement in resource.document(name)["Statement"]]
                assert len(sids) == len(set(sids)), resource.urn


def test_no_statement_uses_negated_elements(statements: list[Found]) -> None:
    assert [
        str(each) for each in statements if each.statement.keys() & {"NotAction", "NotResource", "NotPrincipal"}
    ] == []


def test_only_the_statement_for_the_account_has_a_wildcard_action(statements: list[Found]) -> None:
    wild = {
        (each.kind, each.statement["Sid"], each.statement["Action"])
        for each in statements
        if each.statement["Effect"] == "Allow"
        and any("*" in action or "?" in action for action in as_list(each.statement["Action"]))
    }
    assert wild == {("kms/keyPolicy:KeyPolicy", "AccountGoverns", "kms:*")}


def test_resources_belong_to_this_connector_and_have_wildcards_only_as_suffixes_of_its_arns(
    statements: list[Found], everything: Program
) -> None:
    for each in statements:
        own = own_arns(everything, each.advertiser)
        resources = as_list(each.statement.get("Resource", []))
        if each.kind.startswith("kms/"):
            assert resources == ["*"], each
            continue
        assert resources or "assume" in each.statement["Action"].lower(), each
        for resource in resources:
            if resource in SHARED:
                assert each.statement["Sid"] == "SendOutcomes", each
                continue
            (arn,) = [arn for arn in own if resource == arn or resource.startswith((f"{arn}/", f"{arn}:"))]
            below = resource.removeprefix(arn)
            assert below.rstrip("*").count("*") == 0, each
            assert "?" not in below, each


def own_arns(program: Program, advertiser: str) -> set[str]:
    """Return the ARNs of the resources of a connector."""
    outputs = (resource.outputs.get("arn", "") for resource in program.children(advertiser))
    return {arn for arn in outputs if arn.startswith("arn:")}


def test_only_the_account_configured_principals_and_services_have_permissions(statements: list[Found]) -> None:
    configured = {
        entry["name"]: [entry["uploaders"], entry["readers"], entry["uploadRole"]["principals"]] for entry in EVERYTHING
    }
    for each in statements:
        principal = each.statement.get("Principal")
        if each.statement["Effect"] == "Deny":
            assert principal == "*", each
        elif principal is None:
            assert each.kind == "iam/rolePolicy:RolePolicy", each
        elif "AWS" in principal:
            assert list(principal) == ["AWS"], each
            assert principal["AWS"] in (f"arn:aws:iam::{ACCOUNT}:root", *configured[each.advertiser]), each
        else:
            assert list(principal) == ["Service"], each
            assert principal["Service"].endswith(".amazonaws.com"), each


def test_a_service_is_limited_to_this_account_or_this_connector(statements: list[Found], everything: Program) -> None:
    unbound = set()
    for each in statements:
        if "Service" not in (each.statement.get("Principal") or {}) or each.statement["Principal"] == "*":
            continue
        bound = [
            (key, value)
            for operator in ("StringEquals", "ArnEquals", "ArnLike")
            for key, values in each.statement.get("Condition", {}).get(operator, {}).items()
            for value in as_list(values)
        ]
        for key, value in bound:
            assert key in {
                "aws:SourceAccount",
                "aws:SourceArn",
                "kms:EncryptionContext:aws:logs:arn",
                "kms:EncryptionContext:aws:events:event-bus:arn",
            }, each
            assert value in own_values(everything, each.advertiser), each
        if not bound:
            unbound.add(each.statement["Sid"])
    assert unbound == UNBOUND


def own_values(program: Program, advertiser: str) -> set[str]:
    """Return the allowed values of conditions: the account, and the ARNs and name prefixes of the connector."""
    own = name_prefix(advertiser, "dev")
    by_prefix = {
        f"arn:aws:logs:{REGION}:{ACCOUNT}:log-group:{own}*",
        f"arn:aws:cloudwatch:{REGION}:{ACCOUNT}:alarm:{own}*",
    }
    return {ACCOUNT} | SHARED | by_prefix | own_arns(program, advertiser)


def test_the_names_of_log_groups_and_alarms_have_the_prefix_in_the_policies(everything: Program) -> None:
    for connector in everything.connectors():
        own = name_prefix(connector.name, "dev")
        for kind in ("LogGroup", "MetricAlarm"):
            names = [r.outputs["name"] for r in everything.children(connector.name) if r.type.endswith(kind)]
            assert names
            assert [name for name in names if not name.startswith(own)] == []


def test_policies_have_the_arns_and_service_names_of_their_partition() -> None:
    in_china, in_govcloud = _documents("aws-cn", "cn-north-1"), _documents("aws-us-gov", "us-gov-west-1")
    assert "logs.cn-north-1.amazonaws.com.cn" in in_china
    assert "logs.us-gov-west-1.amazonaws.com" in in_govcloud
    assert "arn:aws:" not in in_china + in_govcloud
    assert ".cn" not in in_govcloud


def _documents(partition: str, region: str) -> str:
    def arn(service: str, rest: str) -> str:
        return f"arn:{partition}:{service}:{region}:{ACCOUNT}:{rest}"

    key, bucket, queue = arn("kms", "key/k"), f"arn:{partition}:s3:::b", arn("sqs", "q")
    return json.dumps(
        [
            document(policy)
            for policy in (
                policies.key(
                    key_arn=key,
                    bucket_arn=bucket,
                    name_prefix="a/b/",
                    alarms=True,
                    archive=True,
                    uploaders=["r"],
                    readers=["r"],
                ),
                policies.bucket(bucket_arn=bucket, key_arn=key, uploaders=["r"], readers=["r"]),
                policies.queue(queue_arn=queue, rule_arn=arn("events", "rule/r")),
                policies.topic(topic_arn=arn("sns", "t"), name_prefix="a/b/"),
                role_policies.schedule_trust(queue_arn=queue),
                role_policies.schedule_role(queue_arn=queue, key_arn=key),
                role_policies.upload_role(bucket_arn=bucket, key_arn=key, queue_arn=queue),
                role_policies.function_role(
                    bucket_arn=bucket,
                    queue_arn=queue,
                    key_arn=key,
                    secret_arn=arn("secretsmanager", "secret:s"),
                    log_group_arn=arn("logs", "log-group:l"),
                    outcome_events=True,
                ),
            )
        ]
    )
