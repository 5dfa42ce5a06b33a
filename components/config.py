"""Stack configuration to advertisers: everything checked, every fault told at once."""

import difflib
import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import pulumi

from components.checks import CHECKS, name_fault, setting_faults


class ConfigError(pulumi.RunError):
    """The stack's configuration is wrong; the message has one line per fault. Pulumi shows only the message."""


@dataclass(frozen=True)
class Advertiser:
    """One advertiser of the stack: a name, and the settings given for it, checked and named as the component does."""

    name: str
    settings: Mapping[str, Any] = field(default_factory=dict, repr=False)  # may hold a token


def read_advertisers(configured: object) -> list[Advertiser]:
    """Check the configured list and return its advertisers.

    Args:
        configured: the value of `tiktok-activation:advertisers` as parsed from JSON; None if there is none.

    Raises:
        ConfigError: with all faults. A token is never part of the message.
    """
    if not isinstance(configured, list):
        raise ConfigError(
            "tiktok-activation:advertisers must be a list of advertisers, each at least with a name, such as\n"
            "  tiktok-activation:advertisers:\n    - name: acme"
        )
    faults = [
        f"{_label(entry, number)}: {fault}" for number, entry in enumerate(configured, 1) for fault in _faults(entry)
    ]
    faults += [
        f"advertiser {name!r} is listed {times} times; a name may be used once in a stack."
        for name, times in _repeated(configured, "name")
    ]
    # In us-east-1 S3 does not refuse to make a bucket that its owner has already: two advertisers would share it.
    faults += [
        f"bucketName {name!r} is given to {times} advertisers; each has a bucket of its own."
        for name, times in _repeated(configured, "bucketName")
    ]
    if faults:
        raise ConfigError("The configuration tiktok-activation:advertisers is wrong:\n  " + "\n  ".join(faults))
    return [
        Advertiser(entry["name"], {_snake(setting): value for setting, value in entry.items() if setting != "name"})
        for entry in configured
    ]


def _repeated(configured: list[Any], setting: str) -> list[tuple[str, int]]:
    values = [entry.get(setting) for entry in configured if isinstance(entry, dict)]
    counts = Counter(value for value in values if isinstance(value, str))
    return [(value, times) for value, times in counts.items() if times > 1]


def _label(entry: object, number: int) -> str:
    name = entry.get("name") if isinstance(entry, dict) else None
    return f"advertiser {name!r}" if isinstance(name, str) and name.strip() else f"advertiser number {number}"


def _faults(entry: object) -> list[str]:
    if not isinstance(entry, dict):
        return ["is not a map of settings; write it as '- name: acme'."]
    fault = name_fault(entry["name"]) if "name" in entry else "it has no name."
    known = {setting: value for setting, value in entry.items() if setting in CHECKS}
    unknown = [_unknown(str(setting)) for setting in entry if setting not in CHECKS and setting != "name"]
    return [*([fault] if fault else []), *unknown, *setting_faults(known)]


def _unknown(setting: str) -> str:
    letters = re.sub(r"[^a-z]", "", setting.lower())  # memory_size, memorysize, memory-size
    spelled = {known.lower(): known for known in ("name", *CHECKS)}
    close = difflib.get_close_matches(letters, spelled, n=1)
    advice = f"did you mean {spelled[close[0]]}?" if close else f"there are {', '.join(('name', *CHECKS))}."
    return f"{setting} is not a setting; {advice}"


def _snake(setting: str) -> str:
    return re.sub(r"[A-Z]", lambda match: f"_{match[0].lower()}", setting)
