"""The stack's program in the real engine, from the first preview to the destroy."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.engine.conftest import MakeStack
from tests.engine.provider import StandInProvider
from tests.engine.stacks import Engine, Stack
from tests.privacy import TOKEN

ALARMED = {"alarmEmail": "data@acme.example"}
ADVERTISERS = [{"name": "acme", **ALARMED}, {"name": "globex", **ALARMED, "retainData": False}]


def exists(provider: StandInProvider, outputs: dict[str, Any]) -> set[str]:
    """Return the kinds of a connector's resources that still exist in the embedded AWS."""
    looks: dict[str, Callable[[], Any]] = {
        "bucket": lambda: provider.client("s3").head_bucket(Bucket=outputs["bucket"]),
        "key": lambda: provider.client("kms").describe_key(KeyId=outputs["key_arn"])["KeyMetadata"]["Enabled"],
        "queue": lambda: provider.client("sqs").get_queue_attributes(QueueUrl=outputs["queue_url"]),
        "function": lambda: provider.client("lambda").get_function(FunctionName=outputs["function_name"]),
        "role": lambda: provider.client("iam").get_role(RoleName=outputs["role_arn"].rpartition("/")[2]),
        "log group": lambda: provider.client("logs").describe_log_groups(logGroupNamePrefix=outputs["log_group_name"])[
            "logGroups"
        ],
    }
    found = set()
    for name, look in looks.items():
        try:
            if look():
                found.add(name)
        except ClientError:
            continue
    return found


def test_a_stack_can_be_previewed_deployed_and_destroyed(make_stack: MakeStack, engine: Engine) -> None:
    stack = make_stack()
    stack.configure(ADVERTISERS)
    preview = stack.preview()
    assert (preview.error, preview.warnings, preview.operations()) == (None, [], {"create"})
    up = stack.up()
    assert (up.error, up.operations(), len(up.steps)) == (None, {"create"}, len(preview.steps))
    again = stack.up()
    assert (again.error, again.steps, again.same) == (None, [], len(up.steps))
    outputs = stack.outputs()["advertisers"]
    everything = {"bucket", "key", "queue", "function", "role", "log group"}
    assert {name: exists(engine.provider, each) for name, each in outputs.items()} == {
        "acme": everything,
        "globex": everything,
    }
    uploaded = {"Bucket": outputs["globex"]["bucket"], "Key": "tiktok/a.csv", "Body": b""}
    engine.provider.client("s3").put_object(**uploaded)
    assert stack.destroy().error is None
    assert stack.resources() == []
    # The bucket, the key and the log group are retained unless `retainData` is false.
    assert {name: exists(engine.provider, each) for name, each in outputs.items()} == {
        "acme": {"bucket", "key", "log group"},
        "globex": set(),
    }


def test_missing_alarm_targets_cause_one_warning(make_stack: MakeStack) -> None:
    stack = make_stack()
    stack.configure([{"name": "acme"}, {"name": "globex"}])
    (warning,) = stack.preview().warnings
    assert "Nobody is notified when an upload of acme, globex fails" in warning


def test_an_invalid_configuration_causes_a_message_without_a_traceback(make_stack: MakeStack) -> None:
    stack = make_stack()
    stack.configure([{"name": "acme", "alarmEmial": "data@acme.example"}])
    error = stack.preview().error
    assert error is not None
    assert "alarmEmial is not an option; did you mean alarmEmail?" in error
    assert "Traceback" not in error


def test_advertisers_can_be_added_removed_and_reordered(make_stack: MakeStack) -> None:
    acme, globex, initech = ({"name": name, **ALARMED} for name in ("acme", "globex", "initech"))
    stack = make_stack()
    stack.configure([acme, globex])
    assert stack.up().error is None

    stack.configure([globex, acme])
    turned = stack.preview()
    assert (turned.error, [str(step) for step in turned.steps]) == (
        None,
        ["update Dashboard dashboard ['dashboardBody']"],
    )

    stack.configure([acme, initech])
    changed = stack.up()
    assert changed.error is None
    assert {(step.operation, step.name.partition("-")[0].partition("/")[0]) for step in changed.steps} == {
        ("create", "initech"),
        ("delete", "globex"),
        ("update", "dashboard"),
    }


def test_a_changed_option_reaches_aws(make_stack: MakeStack, engine: Engine) -> None:
    stack = make_stack()
    stack.configure([{"name": "acme", **ALARMED}])
    assert stack.up().error is None
    stack.configure(
        [{"name": "acme", **ALARMED, "settleSeconds": 60, "logRetentionDays": 30, "rolePath": "/delivery/"}]
    )
    assert stack.up().error is None
    outputs = stack.outputs()["advertisers"]["acme"]
    function = engine.provider.client("lambda").get_function_configuration(FunctionName=outputs["function_name"])
    assert function["Environment"]["Variables"]["SETTLE_SECONDS"] == "60"
    # The role was replaced, and the function uses the new one.
    assert function["Role"] == outputs["role_arn"]
    assert ":role/delivery/" in outputs["role_arn"]


@pytest.fixture
def with_token(make_stack: MakeStack) -> Stack:
    stack = make_stack()
    stack.configure([{"name": "acme", **ALARMED, "advertiserId": "7100000000000000001"}])
    stack.configure_secret("advertisers[0].accessToken", TOKEN)
    return stack


def test_a_token_is_encrypted_in_the_state(with_token: Stack) -> None:
    up = with_token.up()
    assert (up.error, up.warnings) == (None, [])
    state = with_token.state()
    assert TOKEN not in json.dumps(state)
    assert sum(resource["type"].endswith("SecretVersion") for resource in state["resources"]) == 1


def test_a_plain_text_token_causes_a_warning(make_stack: MakeStack) -> None:
    stack = make_stack()
    stack.configure([{"name": "acme", **ALARMED, "advertiserId": "7100000000000000001", "accessToken": TOKEN}])
    (warning,) = stack.preview().warnings
    assert "The accessToken of acme is in the configuration as plain text." in warning
    assert TOKEN not in warning
