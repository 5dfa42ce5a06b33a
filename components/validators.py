"""Kinds of checks: integers, numbers, strings, lists, and one of several values."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any


def show(value: Any) -> str:
    """Return a description of a value that includes the value itself."""
    return f"is {value!r}"


@dataclass(frozen=True)
class Check:
    """The allowed values of one option.

    Attributes:
        allowed: a description of the allowed values, which follows "it must be".
        accepts: returns whether a value is allowed.
        describe: describes a value that is not allowed. The description follows the option's name.
    """

    allowed: str
    accepts: Callable[[Any], bool]
    describe: Callable[[Any], str] = show

    def fault(self, value: Any) -> str | None:
        """Return the rest of a sentence that starts with the option's name; None if the value is allowed."""
        return None if self.accepts(value) else f"{self.describe(value)}; it must be {self.allowed}."


def is_number(value: object) -> bool:
    """Return whether a value is a number. In Python, booleans are integers; here they are not numbers."""
    return isinstance(value, int | float) and not isinstance(value, bool)


def integer(minimum: int, maximum: int) -> Check:
    """Return a check for an integer. It accepts 45.0, because other languages send every number as a float."""
    return Check(
        f"an integer from {minimum} to {maximum}",
        lambda value: is_number(value) and value in range(minimum, maximum + 1),
    )


def number(minimum: float, maximum: float) -> Check:
    """Return a check for a number in a range."""
    return Check(
        f"a number from {minimum} to {maximum}", lambda value: is_number(value) and minimum <= value <= maximum
    )


def one_of(values: Sequence[int]) -> Check:
    """Return a check for a number that is one of the given values."""
    return Check(f"one of {', '.join(map(str, values))}", lambda value: is_number(value) and value in values)


def string(pattern: str, allowed: str, describe: Callable[[Any], str] = show) -> Check:
    """Return a check for a string that fully matches a regular expression."""
    return Check(allowed, lambda value: isinstance(value, str) and re.fullmatch(pattern, value) is not None, describe)


def list_of(entry: Check, maximum: int) -> Check:
    """Return a check for a list without duplicates. Its message names the invalid entries."""

    def wrong(value: list[Any]) -> list[Any]:
        return [each for each in value if not entry.accepts(each)]

    def accepts(value: Any) -> bool:
        return isinstance(value, list) and not wrong(value) and len(set(value)) == len(value) <= maximum

    def describe(value: Any) -> str:
        if not isinstance(value, list):
            return show(value)
        if wrong(value):
            return f"has {', '.join(map(repr, wrong(value)))}"
        return f"has {len(value)} entries" if len(value) > maximum else "has duplicate entries"

    return Check(f"a list of up to {maximum} different entries, each {entry.allowed}", accepts, describe)
