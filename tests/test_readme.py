"""The README's tables are what the code says, and so are its figures."""

from __future__ import annotations

import pytest

from components.checks import CHECKS
from tests import tables
from tests.components.harness import run_program


@pytest.mark.parametrize("name", tables.TABLES)
def test_a_table_is_what_the_code_says(name: str) -> None:
    text = tables.README.read_text()
    assert f"<!-- {name}:start -->" in text
    assert tables.written(text, name, tables.TABLES[name]()) == text, "run: python -m tests.tables"


def test_the_component_has_exactly_the_options_that_the_configuration_has() -> None:
    assert list(tables.descriptions()) == list(CHECKS)


@pytest.mark.parametrize("option", CHECKS)
def test_a_described_default_is_the_default(option: str) -> None:
    described = tables.descriptions()[option].partition(" Default")[2].strip(" :.")
    default = tables.default(option)
    if isinstance(default, bool | int | float):
        assert described.partition(",")[0] == str(default).lower()
    else:
        assert not default
        assert described


def test_a_statement_of_one_name_has_one_reason() -> None:
    reasons: dict[str, set[str]] = {}
    for policy in tables.all_policies().values():
        for statement in policy:
            reasons.setdefault(statement.sid, set()).add(statement.why)
    assert {sid: why for sid, why in reasons.items() if len(why) > 1} == {}
    assert "" not in {why for each in reasons.values() for why in each}


def test_the_number_of_resources_is_the_number_of_resources() -> None:
    advertisers: list[dict[str, object]] = [
        {"name": "plain"},
        {"name": "mailed", "alarmEmail": "data@acme.example"},
        {"name": "archived", "eventArchiveDays": 1},
        {"name": "with-token", "accessToken": "t", "advertiserId": "7"},
    ]
    program = run_program(advertisers)
    plain, *others = (len(program.children(str(advertiser["name"]))) for advertiser in advertisers)
    alarms = [resource for resource in program.children("plain") if resource.type.endswith("MetricAlarm")]
    assert len(alarms) == 17
    assert others == [plain + 3, plain + 1, plain + 1]
    text = " ".join(tables.README.read_text().split())
    assert f"A connector is {plain} resources in AWS, seventeen of them alarms; {others[0]} with `alarmEmail`" in text


@pytest.mark.parametrize(
    "sentence",
    [
        "run one `pulumi up` before the `pulumi destroy`",
        "A replay does nothing for versions already sent",
        "`s3:PutObject` and `s3:AbortMultipartUpload` on",
        "`kms:GenerateDataKey` and `kms:Decrypt` on the key",
    ],
)
def test_the_readme_says_what_surprises(sentence: str) -> None:
    assert sentence in " ".join(tables.README.read_text().split())
