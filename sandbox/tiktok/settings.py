"""Settings of the emulated TikTok: where the real one varies or its behavior is not known."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from typing import Any, Literal

from sandbox.tiktok.refusals import WRONG_REQUEST


@dataclass(frozen=True)
class EmulatorSettings:
    """Behavior that a test or the demo can change. Times are seconds of the emulator's clock.

    Attributes:
        processing_seconds: from an accepted create or update to its end.
        match_rate: share of the people, 0 to 1, that TikTok matches to users.
        accepts_empty_fields: whether a row of a MULTIPLE_TYPES file may have empty fields; TikTok does not say.
        stays_valid: whether `is_valid` stays true while an update is processed.
        history_at: when the history shows a change.
        size_rule_at: whether a change that leaves fewer than 1,000 users is refused at once or fails at its end.
        says_too_small: whether `msg` of an audience that matched fewer than 1,000 users says so.
        list_lag_seconds: time during which `list` omits a new audience; `get` never does.
        lists_calculate_type: whether `list` shows the identifier type; `get` always does.
        one_replace_a_day: whether a second REPLACE within 24 hours is refused.
        wrong_request_code: code of the refusals that are 40002 by default.
        max_file_bytes: size limit of one uploaded file.
        calls_per_second: limit for all advertisers together, counted per developer app; None is no limit.
    """

    processing_seconds: float = 2.0
    match_rate: float = 1.0
    accepts_empty_fields: bool = True
    stays_valid: bool = False
    history_at: Literal["end", "submit", "never"] = "end"
    size_rule_at: Literal["processing", "call"] = "processing"
    says_too_small: bool = True
    list_lag_seconds: float = 0.0
    lists_calculate_type: bool = True
    one_replace_a_day: bool = True
    wrong_request_code: int = WRONG_REQUEST
    max_file_bytes: int = 250_000_000
    calls_per_second: int | None = None


_CHOICES = {"history_at": {"end", "submit", "never"}, "size_rule_at": {"processing", "call"}}


def merged(settings: EmulatorSettings, changes: Mapping[str, Any]) -> EmulatorSettings:
    """Return the settings with some of them changed.

    Raises:
        ValueError: unknown setting or wrong kind of value.
    """
    names = [field.name for field in fields(EmulatorSettings)]
    for name, value in changes.items():
        if name not in names:
            raise ValueError(f"unknown setting {name}; use one of {', '.join(names)}")
        if name in _CHOICES:
            valid = value in _CHOICES[name]
        elif isinstance(getattr(EmulatorSettings, name), bool):
            valid = isinstance(value, bool)
        else:
            number = isinstance(value, int | float) and not isinstance(value, bool) and value >= 0
            valid = number or (value is None and name == "calls_per_second")
        if not valid:
            raise ValueError(f"setting {name} cannot be {value!r}")
    return replace(settings, **changes)
