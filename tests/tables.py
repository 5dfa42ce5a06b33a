"""The README's tables, made from the code; `python -m tests.tables` puts them in their places."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from components import checks, policies
from components.scope import Settings
from handler.report_codes import Code
from tests.components.harness import run_program

README = Path(__file__).parents[1] / "README.md"
# Stand-ins for what AWS makes up. The key's ARN tells partition, region and account.
HERE = "<region>:<account>"
KEY, TOPIC, BUCKET, QUEUE = f"arn:aws:kms:{HERE}:key/<key>", f"arn:aws:sns:{HERE}:<topic>", "<bucket>", "<queue>"
OWN = "<advertiser>/<stack>/"
ROLES = ["<uploaders>"]


def codes() -> str:
    """Every code, the status it goes with, and its meaning."""
    return _table(
        ["code", "status", "what happened"], ([f"`{code.value}`", code.status, code.meaning] for code in Code)
    )


def alarms() -> str:
    """Every alarm of a connector and what its notification says."""
    found = [each for each in run_program([{"name": "acme"}]).children("acme") if each.type.endswith("MetricAlarm")]
    says = {each.name.rpartition("/")[2]: each.inputs["alarmDescription"].replace("acme", "…") for each in found}
    return _table(["alarm", "what it says"], ([f"`{name}`", says[name]] for name in sorted(says)))


def options() -> str:
    """Every option of an advertiser: from the component's own descriptions and the sentences of its checks."""

    def row(option: str, description: str) -> list[str]:
        what, _, unless_given = description.rstrip(".").partition(" Default")
        what = re.sub(r"[;,] (\d+ to \d+|\d+ or more)", "", what)  # that is in the last column
        what = re.sub(r"[a-z]+_[a-z_]+", lambda match: f"`{_option(match[0])}`", what)
        return [f"`{option}`", what.rstrip("."), unless_given.strip(" :"), _allowed(option)]

    rows = [
        [
            "`name`",
            "the advertiser's name: with the stack's, that of everything in AWS",
            "none: it must be given",
            _allowed_name(),
        ]
    ]
    rows += [row(option, description) for option, description in descriptions().items()]
    return _table(["option", "what it is", "default", "allowed"], rows)


def descriptions() -> dict[str, str]:
    """Return what the component says about each of its settings, by the option's name."""
    module = ast.parse((README.parent / "components" / "connector.py").read_text())
    (args,) = [each for each in module.body if isinstance(each, ast.ClassDef) and each.name.endswith("Args")]
    found = {}
    for field, described in zip(args.body, args.body[1:], strict=False):
        if isinstance(field, ast.AnnAssign) and isinstance(field.target, ast.Name) and isinstance(described, ast.Expr):
            found[_option(field.target.id)] = " ".join(ast.literal_eval(described.value).split())
    del found["package"]  # the program's own business
    return found


def _option(field: str) -> str:
    return re.sub(r"_([a-z])", lambda match: match[1].upper(), field)


def default(option: str) -> Any:
    """The value that an option has when it is not given."""
    return getattr(Settings, re.sub(r"[A-Z]", lambda match: f"_{match[0].lower()}", option), None)


def _allowed(option: str) -> str:
    sentence = checks.CHECKS[option](object()) or ""
    return re.sub(r"^.*?(allowed (is|are)|is not) ", "", sentence).partition(";")[0].rstrip(".")


def _allowed_name() -> str:
    return (checks.name_fault(None) or "").partition("allowed are ")[2].rstrip(".")


def rights() -> str:
    """Every right that any policy gives: to whom, on what, on which condition, and why."""
    return _table(["who", "may", "on", "if", "why"], _statements("Allow"))


def refusals() -> str:
    """Everything that is refused to everybody, whatever else allows it."""
    return _table(["refused", "on", "if", "why"], (row[1:] for row in _statements("Deny")))


def documents() -> dict[str, policies.Document]:
    """Every policy document of a connector with all options, by whom it speaks of, or of what."""
    return {
        "the function": policies.function_role(
            bucket_arn=BUCKET, queue_arn=QUEUE, key_arn="<key>", secret_arn="<secret>", log_group_arn="<log group>"
        ),
        "the schedule": policies.schedule_role(queue_arn=QUEUE, key_arn="<key>"),
        "role of the function": policies.function_trust(),
        "role of the schedule": policies.schedule_trust(key_arn=KEY),
        "key": policies.key(key_arn=KEY, bucket_arn=BUCKET, own=OWN, alarms=True, archive=True, uploaders=ROLES),
        "bucket": policies.bucket(bucket_arn=BUCKET, key_arn="<key>", uploaders=ROLES),
        "queues": policies.queue(queue_arn="<queue or dead letters>", rule_arn="<rule>"),
        "topic": policies.topic(topic_arn=TOPIC, own=OWN),
    }


def _statements(effect: str) -> Iterator[list[str]]:
    for subject, document in documents().items():
        for statement in document["Statement"]:
            if statement["Effect"] == effect:
                resource = statement.get("Resource", f"<{subject}>")
                if subject in {"key", "topic"}:
                    resource = f"<{subject}>"  # `*` in a key's policy means that key
                yield [
                    _who(statement.get("Principal"), subject),
                    _code(statement["Action"]),
                    _code(resource),
                    _conditions(statement.get("Condition", {})),
                    policies.REASONS[statement["Sid"]],
                ]


def _who(principal: Any, subject: str) -> str:
    if isinstance(principal, Mapping):
        (name,) = principal.values()
        if name == ROLES:
            return "`uploaders`"
        return "the account, as its IAM policies say" if str(name).endswith(":root") else f"`{name}`"
    return subject


def _code(texts: str | list[str]) -> str:
    return " ".join(f"`{text}`" for text in ([texts] if isinstance(texts, str) else texts))


def _conditions(condition: Mapping[str, Mapping[str, str | list[str]]]) -> str:
    words = {"StringNotEquals": "is not", "StringLike": "is like", "ArnLike": "is like"}
    return "; ".join(
        f"`{key}` is {'absent' if values == 'true' else 'given'}"
        if operator == "Null"
        else f"`{key}` {words.get(operator, 'is')} {_code(values)}"
        for operator, keys in condition.items()
        for key, values in keys.items()
    )


def _table(head: list[str], rows: Iterable[list[str]]) -> str:
    lines = [f"| {' | '.join(head)} |", "|---" * len(head) + "|", *(f"| {' | '.join(cells)} |" for cells in rows)]
    return "".join(f"{line.replace('|  |', '| |')}\n" for line in lines)


TABLES = {"codes": codes, "alarms": alarms, "options": options, "rights": rights, "refusals": refusals}


def written(text: str, name: str, table: str) -> str:
    """The text with a table between its markers."""
    start, end = f"<!-- {name}:start -->\n", f"<!-- {name}:end -->"
    before, _, rest = text.partition(start)
    _, _, after = rest.partition(end)
    return f"{before}{start}{table}{end}{after}"


def main() -> None:
    """Bring the README's tables up to date."""
    text = README.read_text()
    for name, table in TABLES.items():
        text = written(text, name, table())
    README.write_text(text)


if __name__ == "__main__":
    main()
