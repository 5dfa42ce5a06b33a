"""Kinds of checks: whole numbers, numbers, strings, lists, one of a few values."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any


def shown(value: Any) -> str:
    """Return the description of a value that shows it."""
    return f"is {value!r}"


@dataclass(frozen=True)
class Check:
    """The allowed values of one option.

    Attributes:
        allowed: the allowed values in words.
        accepts: returns whether a value is allowed.
        describe: describes a value that is not allowed, to be read after the option's name.
    """

    allowed: str
    accepts: Callable[[Any], bool]
    describe: Callable[[Any], str] = shown

    def fault(self, value: Any) -> str | None:
        """Return the sentence for a value, to be read after the option's name; None if the value is allowed."""
        return None if self.accepts(value) else f"{self.describe(value)}; allowed is {self.allowed}."


def is_number(value: object) -> bool:
    """Return whether a value is a number; true and false are none."""
    return isinstance(value, int | float) and not isinstance(value, bool)


def whole(minimum: int, maximum: int) -> Check:
    """Return the check of a whole number. Other languages send every number as a float, so 45.0 is one."""
    return Check(
        f"a whole number from {minimum} to {maximum}",
        lambda value: is_number(value) and value in range(minimum, maximum + 1),
    )


def number(minimum: float, maximum: float) -> Check:
    """Return the check of a number."""
    return Check(
        f"a number from {minimum} to {maximum}", lambda value: is_number(value) and minimum <= value <= maximum
    )


def one_of(values: Sequence[int]) -> Check:
    """Return the check of a number that is one of a few."""
    return Check(f"one of {', '.join(map(str, values))}", lambda value: is_number(value) and value in values)


def text(pattern: str, allowed: str, describe: Callable[[Any], str] = shown) -> Check:
    """Return the check of a string that matches a regular expression as a whole."""
    return Check(allowed, lambda value: isinstance(value, str) and re.fullmatch(pattern, value) is not None, describe)


def list_of(entry: Check, maximum: int) -> Check:
    """Return the check of a list without duplicates; the sentence names the entries at fault."""

    def wrong(value: list[Any]) -> list[Any]:
        return [each for each in value if not entry.accepts(each)]

    def accepts(value: Any) -> bool:
        return isinstance(value, list) and not wrong(value) and len(set(value)) == len(value) <= maximum

    def describe(value: Any) -> str:
        if not isinstance(value, list):
            return shown(value)
        if wrong(value):
            return f"has {', '.join(map(repr, wrong(value)))}"
        return f"has {len(value)} entries" if len(value) > maximum else "has an entry twice"

    return Check(f"a list of up to {maximum} different entries, each {entry.allowed}", accepts, describe)
