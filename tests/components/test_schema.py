"""The component as other languages see it: its schema, from Pulumi's own analyzer."""

from __future__ import annotations

import json
from typing import Any

import pytest
from pulumi.provider.experimental.component import ComponentProvider

from components import TikTokActivationConnector
from components.checks import CHECKS
from tests.components.harness import CONNECTOR


@pytest.fixture(scope="module")
def schema() -> dict[str, Any]:
    provider = ComponentProvider([TikTokActivationConnector], "tiktok-activation", version="0.1.0")
    found: dict[str, Any] = json.loads(provider.schema or "")
    return found


@pytest.fixture(scope="module")
def component(schema: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = schema["resources"][CONNECTOR]
    return found


def test_inputs_are_the_options_and_none_is_required(component: dict[str, Any]) -> None:
    assert component["inputProperties"].keys() == {"package", *CHECKS}
    assert component.get("requiredInputs", []) == []


def test_every_input_and_output_has_a_description(schema: dict[str, Any], component: dict[str, Any]) -> None:
    upload_role = schema["types"]["tiktok-activation:index:UploadRoleArgs"]
    for properties in (component["inputProperties"], component["properties"], upload_role["properties"]):
        assert [name for name, each in properties.items() if not each.get("description")] == []


def test_only_the_upload_role_may_be_absent_from_the_outputs(component: dict[str, Any]) -> None:
    assert component["properties"].keys() - set(component["required"]) == {"uploadRoleArn"}
