"""The documentation: tables and numbers match the code, links resolve, and it is complete."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_type_hints, is_typeddict

import pytest
import typer.main

from components.alarm_table import LOG_METRICS
from components.checks import CHECKS
from console.cli import build
from console.errors import EXIT_CODES
from handler.activation.outcome_events import DETAIL_TYPE, SOURCE
from handler.cleaning.counts import RejectionReason
from handler.metrics import NAMESPACE, Metric
from handler.model import Action, IdentifierType
from handler.report_codes import Code
from handler.state.reports import Report
from tests import tables
from tests.components.harness import run_program
from tests.docs.pages import PAGES, ROOT, anchors, blocks, links, text_of
from tests.docs.sentences import EXAMPLES, outcome_functions

README = text_of(ROOT / "README.md")


def page(name: str) -> str:
    return (ROOT / "docs" / f"{name}.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("name", tables.TABLES)
def test_a_generated_table_is_up_to_date(name: str) -> None:
    table = tables.TABLES[name]
    text = table.page.read_text(encoding="utf-8")
    assert tables.with_table(text, name, table.make()) == text, "run: python -m tests.tables"


@pytest.mark.parametrize("path", PAGES, ids=lambda path: str(path.relative_to(ROOT)))
def test_links_resolve(path: Path) -> None:
    broken = []
    for link in links(path):
        file, _, anchor = link.partition("#")
        target = (path.parent / file).resolve() if file else path
        if not target.exists() or (anchor and anchor not in anchors(target)):
            broken.append(link)
    assert broken == []


def test_every_page_can_be_reached_from_the_readme() -> None:
    reached, todo = set(), [ROOT / "README.md"]
    while todo:
        path = todo.pop()
        if path not in reached:
            reached.add(path)
            todo += [(path.parent / link.partition("#")[0]).resolve() for link in links(path) if ".md" in link]
    assert {path for path in PAGES if path.parent.name in {"docs", "decisions"}} <= reached


def test_the_readme_fits_on_a_few_screens() -> None:
    assert len((ROOT / "README.md").read_text(encoding="utf-8").splitlines()) <= 120


def test_every_block_of_shell_commands_is_run_or_names_the_test_that_covers_it() -> None:
    marked = [block for path in PAGES for block in blocks(path) if block.mark]
    assert [block.mark for block in marked if not (ROOT / block.tested_by).is_file()] == []
    assert len(marked) > 5
    assert [
        str(path)
        for path in PAGES
        if re.search(r"^ *```(sh|shell|console|text)?$\n *(\$|make )", path.read_text(), re.M)
    ] == []


def test_every_block_of_shell_commands_is_found() -> None:
    assert {path: text.count("```bash") for path in PAGES if "```bash" in (text := path.read_text())} == {
        path: found for path in PAGES if (found := len(list(blocks(path))))
    }


def test_the_component_and_the_configuration_have_the_same_options() -> None:
    assert list(tables.descriptions()) == list(CHECKS)


@pytest.mark.parametrize("option", CHECKS)
def test_a_documented_default_is_the_actual_default(option: str) -> None:
    described = tables.descriptions()[option].partition(" Default")[2].strip(" :.")
    default = tables.default(option)
    if isinstance(default, bool | int | float):
        assert described.partition(",")[0] == str(default).lower()
    else:
        assert not default
        assert described


def test_statements_with_the_same_name_have_the_same_reason() -> None:
    reasons_by_sid: dict[str, set[str]] = {}
    for policy in tables.all_policies().values():
        for statement in policy:
            reasons_by_sid.setdefault(statement.sid, set()).add(statement.why)
    assert {sid: why for sid, why in reasons_by_sid.items() if len(why) > 1} == {}
    assert "" not in {why for each in reasons_by_sid.values() for why in each}


def test_the_readme_has_the_actual_number_of_resources_and_alarms() -> None:
    children = run_program([{"name": "plain"}]).children("plain")
    alarms = [resource for resource in children if resource.type.endswith("MetricAlarm")]
    assert f"A connector is {len(children)} AWS resources, and {len(alarms)} of them are alarms" in README


@pytest.mark.processes
def test_options_add_the_expected_number_of_resources() -> None:
    advertisers: list[dict[str, object]] = [
        {"name": "plain"},
        {"name": "mailed", "alarmEmail": "data@acme.example"},
        {"name": "archived", "eventArchiveDays": 1},
        {"name": "with-token", "accessToken": "t", "advertiserId": "7"},
    ]
    program = run_program(advertisers)
    plain, *others = (len(program.children(str(advertiser["name"]))) for advertiser in advertisers)
    assert others == [plain + 3, plain + 1, plain + 1]


def test_every_alarm_has_a_runbook() -> None:
    children = run_program([{"name": "acme"}]).children("acme")
    alarms = {each.name.rpartition("/")[2] for each in children if each.type.endswith("MetricAlarm")}
    runbooks = re.findall(r"^### ([a-z-]+)\n\n(.*?)(?=^##)", page("operations"), re.MULTILINE | re.DOTALL)
    assert {name for name, _ in runbooks} == alarms
    parts = ["Means", "First", "Usual causes", "Do", "Escalate"]
    assert [name for name, text in runbooks if re.findall(r"^- \*\*([\w ]+):\*\*", text, re.MULTILINE) != parts] == []


def test_every_metric_is_documented() -> None:
    text = page("operations")
    assert [metric for metric in [*Metric, *LOG_METRICS] if f"`{metric}`" not in text] == []
    assert f"`{NAMESPACE}`" in text


def test_every_code_and_every_outcome_function_has_an_example_sentence() -> None:
    assert outcome_functions() == set(EXAMPLES)
    assert [code for code in Code if f"### {code.value}\n" not in page("codes")] == []


def test_every_reason_to_reject_a_row_is_documented() -> None:
    listed = page("codes").partition("## Reasons for rejected rows")[2].partition("## ")[0]
    assert set(re.findall(r"^\| `(\w+)` \|", listed, re.MULTILINE)) == set(RejectionReason)


def test_every_identifier_type_and_action_is_documented() -> None:
    text = page("uploading")
    assert [name for name in [*IdentifierType, *Action] if f"`{name}`" not in text] == []


def test_every_command_and_exit_code_is_documented() -> None:
    text = page("console")
    commands = typer.main.get_group(build()).commands
    assert [name for name in commands if f"| `{name}` |" not in text] == []
    assert [int(code) for code in EXIT_CODES if not re.search(rf"\b{int(code)} \w", text)] == []


def test_the_names_in_outcome_events_are_documented() -> None:
    text = page("operations")
    assert f"`{SOURCE}`" in text
    assert f"`{DETAIL_TYPE}`" in text


def _fields(kind: Any, prefix: str = "") -> Iterator[str]:
    for name, each in get_type_hints(kind).items():
        inner = next((part for part in (each, *getattr(each, "__args__", ())) if is_typeddict(part)), None)
        if inner and each is not list and not str(each).startswith("list"):
            yield from _fields(inner, f"{name}.")
        else:
            yield prefix + name


def test_every_field_of_a_report_is_documented() -> None:
    assert [name for name in _fields(Report) if f"`{name}`" not in page("reports")] == []


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("operations", "run one `pulumi up` before the `pulumi destroy`"),
        ("operations", "A replay does nothing for versions already sent"),
        ("permissions", "`s3:PutObject` alone is not enough"),
        ("configuration", "Existing buckets are refused on purpose"),
    ],
)
def test_surprising_behavior_is_documented(name: str, sentence: str) -> None:
    assert sentence in " ".join(page(name).split())


def test_no_page_asks_the_reader_to_run_inline_python() -> None:
    assert [str(path) for path in PAGES if "python -c" in text_of(path) or "python3 -c" in text_of(path)] == []


def _costs(heading: str) -> list[list[str]]:
    """Return the rows of a table on the page about costs, as lists of cells."""
    table = page("costs").partition(f"## {heading}\n")[2].partition("\n## ")[0]
    rows = [[cell.strip(" *") for cell in line.strip("|").split("|")] for line in table.splitlines() if line[:1] == "|"]
    return rows[2:]


@pytest.mark.parametrize(("heading", "digits"), [("One connector, per month", 2), ("A million rows", 4)])
def test_the_costs_add_up(heading: str, digits: int) -> None:
    *items, total = _costs(heading)
    for item, quantity, price, cost in items:
        exact = float(quantity.replace(",", "")) * float(price)
        assert abs(exact - float(cost)) <= 10**-digits, item
    assert round(sum(float(cost) for *_, cost in items), digits) == float(total[3])


def test_the_costs_of_many_advertisers_are_computed_from_those_of_one() -> None:
    fixed, million = (float(_costs(heading)[-1][3]) for heading in ("One connector, per month", "A million rows"))
    for row in _costs("Several advertisers"):
        advertisers, cost, rows, dashboard, total = map(float, row)
        assert (cost, rows) == (round(advertisers * fixed, 2), round(advertisers * 10 * million + 1e-9, 2))
        assert total == round(cost + rows + dashboard, 2)


def test_the_costs_include_every_alarm_and_metric() -> None:
    quantities = {item.partition(",")[0]: quantity for item, quantity, *_ in _costs("One connector, per month")}
    alarms = [each for each in run_program([{"name": "acme"}]).children("acme") if each.type.endswith("MetricAlarm")]
    assert quantities["CloudWatch alarms"] == str(len(alarms))
    assert quantities["CloudWatch custom metrics"] == str(len(Metric) + len(LOG_METRICS))
