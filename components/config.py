"""The stack's configuration: all of it is checked, and one message lists every error."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import pulumi

from .checks import CHECKS, NAME, option_faults, unknown_option
from .names import snake


class ConfigError(pulumi.RunError):
    """The stack's configuration has errors. The message has one line for each. Pulumi shows it without a traceback."""


@dataclass(frozen=True)
class Advertiser:
    """One advertiser of the stack: its name, and its checked options by the names of the component's arguments."""

    name: str
    options: Mapping[str, Any] = field(default_factory=dict, repr=False)  # may include a token


def read_advertisers(configured: object) -> list[Advertiser]:
    """Check the configured list and return its advertisers.

    Args:
        configured: the value of `tiktok-activation:advertisers`, parsed from JSON; None if it is not set.

    Raises:
        ConfigError: the configuration has errors; the message lists all of them. It never includes a token.
    """
    if not isinstance(configured, list):
        raise ConfigError(
            "tiktok-activation:advertisers must be a list of advertisers, each with at least a name, such as\n"
            "  tiktok-activation:advertisers:\n    - name: acme"
        )
    faults = [
        f"{_label(entry, number)}: {fault}" for number, entry in enumerate(configured, 1) for fault in _faults(entry)
    ]
    faults += [
        f"advertiser {name!r} is listed {times} times; use each name only once in a stack."
        for name, times in _repeated(configured, "name")
    ]
    # In us-east-1, creating a bucket that the account already owns succeeds, so two advertisers would share the bucket.
    faults += [
        f"bucketName {name!r} is set for {times} advertisers; each needs a separate bucket."
        for name, times in _repeated(configured, "bucketName")
    ]
    if faults:
        raise ConfigError("The configuration tiktok-activation:advertisers has errors:\n  " + "\n  ".join(faults))
    return [
        Advertiser(
            entry["name"], {snake(option): _option_value(option, entry[option]) for option in entry if option != "name"}
        )
        for entry in configured
    ]


def warnings(configured: Any, *, secret: bool) -> list[str]:
    """Return the warnings about a valid configuration.

    Args:
        configured: the checked value of `tiktok-activation:advertisers`.
        secret: whether Pulumi encrypts any part of it.
    """
    found = []
    without_alarms = [
        entry["name"] for entry in configured if not entry.get("alarmEmail") and not entry.get("alarmTopicArns")
    ]
    if without_alarms:
        found.append(
            f"Nobody is notified when an upload of {', '.join(without_alarms)} fails, because the alarms have no "
            "target. Set alarmEmail or alarmTopicArns."
        )
    if not secret:
        found += [
            f"The accessToken of {entry['name']} is in the configuration as plain text. Replace the token at TikTok, "
            "and set the new one with 'pulumi config set --secret --path "
            f'"tiktok-activation:advertisers[{number}].accessToken"\'.'
            for number, entry in enumerate(configured)
            if "accessToken" in entry
        ]
    return found


def _option_value(option: str, value: Any) -> Any:
    # uploadRole is the only option whose value is a map of options. The keys of tags are chosen by the user.
    return {snake(name): each for name, each in value.items()} if option == "uploadRole" else value


def _repeated(configured: list[Any], option: str) -> list[tuple[str, int]]:
    values = [entry.get(option) for entry in configured if isinstance(entry, dict)]
    counts = Counter(value for value in values if isinstance(value, str))
    return [(value, times) for value, times in counts.items() if times > 1]


def _label(entry: object, number: int) -> str:
    name = entry.get("name") if isinstance(entry, dict) else None
    return f"advertiser {name!r}" if isinstance(name, str) and name.strip() else f"advertiser number {number}"


def _faults(entry: object) -> list[str]:
    if not isinstance(entry, dict):
        return ["the entry is not a map of options; write it as '- name: acme'."]
    name = NAME.fault(entry["name"]) if "name" in entry else None
    return [
        *([] if "name" in entry else ["the entry has no name; add one, such as 'name: acme'."]),
        *([f"name {name}"] if name else []),
        *(unknown_option(str(option), ("name", *CHECKS)) for option in entry if option not in {"name", *CHECKS}),
        *option_faults({option: value for option, value in entry.items() if option in CHECKS}),
    ]
