"""The tables of the documentation, generated from the code; `python -m tests.tables` updates them in the pages."""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, get_args, get_origin, get_type_hints, is_typeddict

import typer.main

from components import TikTokActivationConnectorArgs, policies, role_policies
from components.checks import CHECKS, NAME
from components.names import camel, snake
from components.scope import Options
from components.statements import Policy, document
from console import permissions
from console.cli import build
from handler.report_codes import Code
from handler.state.reports import Report
from tests.components.conftest import EVERYTHING
from tests.components.harness import run_program
from tests.docs import ready_policies
from tests.docs.sentences import sentences

ROOT = Path(__file__).parents[1]
DOCS = ROOT / "docs"
# Placeholders for ARNs and names that AWS assigns. The policies take partition, region and account from the key's ARN.
REGION_AND_ACCOUNT = "<region>:<account>"
KEY, TOPIC, BUCKET, QUEUE = (
    f"arn:aws:kms:{REGION_AND_ACCOUNT}:key/<key>",
    f"arn:aws:sns:{REGION_AND_ACCOUNT}:<topic>",
    "<bucket>",
    f"arn:aws:sqs:{REGION_AND_ACCOUNT}:<queue>",
)
OWN = "<advertiser>/<stack>/"
# Struct fields whose names are reserved words in Hive: Athena uses Hive's grammar for table definitions.
_HIVE_RESERVED = {"column", "rows"}
ROLES, READERS, VENDOR = ["<uploaders>"], ["<readers>"], ["<principals>"]


def codes() -> str:
    """Return every code with its status and its meaning."""
    return _table(
        ["code", "status", "meaning"],
        ([f"[`{code.value}`](#{code.value})", code.status, code.meaning] for code in Code),
    )


def code_sentences() -> str:
    """Return a section for each code, with example sentences from its reports."""
    return "\n".join(
        f"### {code.value}\n\n" + "".join(f"- {_escaped(sentence)}\n" for sentence in sentences()[code])
        for code in Code
    )


def _escaped(sentence: str) -> str:
    return re.sub(r"<[^>]*>", r"`\g<0>`", re.sub(r"[*_]", r"\\\g<0>", sentence))


def commands() -> str:
    """Return every command of the console and its description."""
    found = typer.main.get_group(build()).commands
    first = {name: (each.help or "").strip().partition("\n\n")[0] for name, each in found.items()}
    return _table(["command", "description"], ([f"`{name}`", " ".join(text.split())] for name, text in first.items()))


def athena() -> str:
    """Return the definition of an Athena table over `reports/`."""
    columns = ",\n".join(f"  `{name}` {_athena_type(kind)}" for name, kind in get_type_hints(Report).items())
    return f"""```sql
CREATE EXTERNAL TABLE tiktok_reports (
{columns}
)
ROW FORMAT SERDE 'org.openx.data.jsonserde.JsonSerDe'
LOCATION 's3://<bucket>/reports/';
```
"""


def _quoted(name: str) -> str:
    return f"`{name}`" if name in _HIVE_RESERVED else name


def _athena_type(kind: Any) -> str:
    if is_typeddict(kind):
        fields = ", ".join(f"{_quoted(name)}: {_athena_type(each)}" for name, each in get_type_hints(kind).items())
        return f"struct<{fields}>"
    inner = [each for each in get_args(kind) if each is not type(None)]
    if get_origin(kind) is list:
        return f"array<{_athena_type(inner[0])}>"
    if get_origin(kind) is dict:
        return f"map<string, {_athena_type(inner[1])}>"
    if inner:  # `X | None`, or a literal
        return _athena_type(inner[0] if isinstance(inner[0], type) or get_args(inner[0]) else type(inner[0]))
    return {str: "string", int: "bigint", float: "double", bool: "boolean"}[kind]


def key_policy() -> str:
    """Return the statements that the policy of an existing key (`kmsKeyArn`) needs besides those of its owner."""
    statements = [each for each in all_policies()["key"] if each.sid != "AccountGoverns"]
    return _ready(document(statements))


def _ready(policy: Mapping[str, Any]) -> str:
    return f"```json\n{json.dumps(policy, indent=2)}\n```\n"


def deploy_policy() -> str:
    """Return the policy that deploying a stack with every option needs."""
    everything = run_program(EVERYTHING)
    return _ready(ready_policies.deploy_policy(each.type for each in everything.resources))


def alarms() -> str:
    """Return every alarm of a connector and the text of its notification."""
    found = [each for each in run_program([{"name": "acme"}]).children("acme") if each.type.endswith("MetricAlarm")]
    says = {each.name.rpartition("/")[2]: each.inputs["alarmDescription"].partition(" Log group")[0] for each in found}
    says = {name: text.replace("acme", "…") for name, text in says.items()}
    return _table(["alarm", "message"], ([f"[`{name}`](#{name})", says[name]] for name in sorted(says)))


def options() -> str:
    """Return every option of an advertiser, from the component's docstrings and its checks."""

    def row(option: str, description: str) -> list[str]:
        what, _, unless_given = description.rstrip(".").partition(" Default")
        what = re.sub(r"[a-z]+_[a-z_]+", lambda match: f"`{camel(match[0])}`", what)
        return [f"`{option}`", what.rstrip("."), unless_given.strip(" :"), CHECKS[option].allowed]

    rows = [
        [
            "`name`",
            "Name of the advertiser. With the stack's name, it is part of the name of every resource in AWS",
            "none: required",
            NAME.allowed,
        ]
    ]
    rows += [row(option, description) for option, description in descriptions().items()]
    return _table(["option", "description", "default", "allowed values"], rows)


def descriptions() -> dict[str, str]:
    """Return the component's description of each option, by the option's name in camel case."""
    module = ast.parse((ROOT / "components" / "connector.py").read_text())
    name = TikTokActivationConnectorArgs.__name__
    (args,) = [each for each in module.body if isinstance(each, ast.ClassDef) and each.name == name]
    found = {}
    for field, described in zip(args.body, args.body[1:], strict=False):
        if isinstance(field, ast.AnnAssign) and isinstance(field.target, ast.Name) and isinstance(described, ast.Expr):
            found[camel(field.target.id)] = " ".join(ast.literal_eval(described.value).split())
    del found["package"]  # set by the program, not by the configuration
    return found


def default(option: str) -> Any:
    """Return the default of an option, or None if it has none."""
    return getattr(Options, snake(option), None)


def rights() -> str:
    """Return every permission that any policy grants: principal, actions, resource, conditions and reason."""
    return _table(["principal", "actions", "resources", "condition", "reason"], _statements("Allow"))


def refusals() -> str:
    """Return everything that the policies deny, which is always denied to every principal."""
    return _table(["denied actions", "resources", "condition", "reason"], (row[1:] for row in _statements("Deny")))


def all_policies() -> dict[str, Policy]:
    """Return every policy of a connector with all options, by its principal or resource."""
    return {
        "the function": role_policies.function_role(
            bucket_arn=BUCKET,
            queue_arn=QUEUE,
            key_arn="<key>",
            secret_arn="<secret>",
            log_group_arn="<log group>",
            outcome_events=True,
        ),
        "the schedule": role_policies.schedule_role(queue_arn=QUEUE, key_arn="<key>"),
        "the upload role": role_policies.upload_role(bucket_arn=BUCKET, key_arn="<key>", queue_arn=QUEUE),
        "role of the function": role_policies.function_trust(),
        "role of the schedule": role_policies.schedule_trust(queue_arn=QUEUE),
        "role for uploads": role_policies.upload_trust(principals=VENDOR, external_id="<externalId>"),
        "key": policies.key(
            key_arn=KEY, bucket_arn=BUCKET, name_prefix=OWN, alarms=True, archive=True, uploaders=ROLES, readers=READERS
        ),
        "bucket": policies.bucket(bucket_arn=BUCKET, key_arn="<key>", uploaders=ROLES, readers=READERS),
        "queues": policies.queue(queue_arn="<queue or dead-letter queue>", rule_arn="<rule>"),
        "topic": policies.topic(topic_arn=TOPIC, name_prefix=OWN),
    }


def _statements(effect: str) -> Iterator[list[str]]:
    for subject, policy in all_policies().items():
        for statement in policy:
            elements = statement.elements
            if elements["Effect"] == effect:
                resource = elements.get("Resource", f"<{subject}>")
                if subject in {"key", "topic"}:
                    resource = f"<{subject}>"  # `*` in the policy of a key or topic means that key or topic
                yield [
                    _who(elements.get("Principal"), subject),
                    _code(elements["Action"]),
                    _code("<queue>" if resource == QUEUE else resource),
                    _conditions(elements.get("Condition", {})),
                    statement.why,
                ]


def _who(principal: Any, subject: str) -> str:
    if isinstance(principal, Mapping):
        (name,) = principal.values()
        if name in (ROLES, READERS, VENDOR):
            return {"<uploaders>": "`uploaders`", "<readers>": "`readers`"}.get(name[0], "`uploadRole.principals`")
        return "the account, through its IAM policies" if str(name).endswith(":root") else f"`{name}`"
    return subject


def _code(texts: str | list[str]) -> str:
    return " ".join(f"`{text}`" for text in ([texts] if isinstance(texts, str) else texts))


def _conditions(condition: Mapping[str, Mapping[str, str | list[str]]]) -> str:
    words = {"StringNotEquals": "is not", "StringLike": "matches", "ArnLike": "matches"}
    return "; ".join(
        f"`{key}` is {'absent' if values == 'true' else 'present'}"
        if operator == "Null"
        else f"`{key}` {words.get(operator, 'is')} {_code(values)}"
        for operator, keys in condition.items()
        for key, values in keys.items()
    )


def _table(head: list[str], rows: Iterable[list[str]]) -> str:
    lines = [f"| {' | '.join(head)} |", "|---" * len(head) + "|", *(f"| {' | '.join(cells)} |" for cells in rows)]
    return "".join(f"{line.replace('|  |', '| |')}\n" for line in lines)


@dataclass(frozen=True)
class Table:
    """A table and the page that contains it."""

    page: Path
    make: Callable[[], str]


TABLES = {
    "options": Table(DOCS / "configuration.md", options),
    "codes": Table(DOCS / "codes.md", codes),
    "sentences": Table(DOCS / "codes.md", code_sentences),
    "athena": Table(DOCS / "reports.md", athena),
    "commands": Table(DOCS / "console.md", commands),
    "alarms": Table(DOCS / "operations.md", alarms),
    "permissions": Table(DOCS / "permissions.md", permissions.table),
    "rights": Table(DOCS / "permissions.md", rights),
    "refusals": Table(DOCS / "permissions.md", refusals),
    "key-policy": Table(DOCS / "permissions.md", key_policy),
    "upload-policy": Table(DOCS / "permissions.md", lambda: _ready(ready_policies.upload_policy())),
    "read-policy": Table(DOCS / "permissions.md", lambda: _ready(ready_policies.read_policy())),
    "operator-policy": Table(DOCS / "permissions.md", lambda: _ready(ready_policies.operator_policy())),
    "deploy-policy": Table(DOCS / "permissions.md", deploy_policy),
}


def with_table(text: str, name: str, table: str) -> str:
    """Return the text of a page with a table inserted between its markers.

    Raises:
        ValueError: the text has no markers for the table.
    """
    start, end = f"<!-- {name}:start -->\n", f"<!-- {name}:end -->"
    if start not in text or end not in text:
        raise ValueError(f"The page has no markers for the table {name}.")
    before, _, rest = text.partition(start)
    _, _, after = rest.partition(end)
    return f"{before}{start}{table}{end}{after}"


def main() -> None:
    """Update all tables."""
    for name, table in TABLES.items():
        table.page.write_text(with_table(table.page.read_text(), name, table.make()))


if __name__ == "__main__":
    main()
