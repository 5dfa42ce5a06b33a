"""Fault injection at the emulated TikTok: other codes, HTTP errors, lost connections, slow answers, a killed caller."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from http import HTTPStatus
from threading import Lock
from typing import Any

CALLS = ("upload", "create", "update", "list", "get", "delete", "apply_log")
_EFFECTS = {
    "code": "answers with another code",
    "http": "answers with another HTTP status",
    "cut": "closes the connection without an answer",
    "kill": "sends SIGKILL to a process, then closes the connection",
    "slow": "waits, then goes on as usual",
}


@dataclass
class InjectedFault:
    """A fault of some calls.

    Attributes:
        call: one of `CALLS`, or "any".
        kind: `code`, `http`, `cut`, `kill` or `slow`; with `_after` it happens once the call's work is done, with
            `_before` or neither it happens instead of the work (`slow`: before it).
        code, message: of a `code` fault; any code and any words.
        status: of an `http` fault.
        seconds: of a `slow` fault.
        pid: of a `kill` fault.
        after: number of these calls that pass first.
        times: number of calls that fail; None is all from there on.
        advertiser_id: only calls for this advertiser.
    """

    call: str
    kind: str
    code: int = 50000
    message: str = "System error."
    status: int = 500
    seconds: float = 2.0
    pid: int = 0
    after: int = 0
    times: int | None = 1
    advertiser_id: str | None = None

    def __post_init__(self) -> None:
        if self.call not in {*CALLS, "any"}:
            raise ValueError(f"call is one of {', '.join(CALLS)}, any")
        self.effect, _, when = self.kind.partition("_")
        self.after_work = when == "after"
        if self.effect not in _EFFECTS or when not in {"", "before", "after"}:
            raise ValueError(f"kind is one of {', '.join(_EFFECTS)}, each with or without _before or _after")
        HTTPStatus(self.status)
        numbers = (self.code, self.seconds, self.pid, self.after, 0 if self.times is None else self.times)
        if not all(isinstance(number, int | float) for number in numbers):
            raise ValueError("code, seconds, pid, after and times are numbers")
        if self.effect == "kill" and self.pid <= 1:
            raise ValueError("kill needs the pid of a process")


class Faults:
    """The faults that are switched on. The first that fits a call applies."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._faults: list[InjectedFault] = []

    def add(self, given: Mapping[str, Any]) -> None:
        """Switch a fault on.

        Raises:
            ValueError: a field is missing, unknown or wrong.
        """
        unknown = given.keys() - {field.name for field in fields(InjectedFault)}
        if unknown or not {"call", "kind"} <= given.keys():
            raise ValueError(f"a fault has {', '.join(field.name for field in fields(InjectedFault))}")
        fault = InjectedFault(**given)
        with self._lock:
            self._faults.append(fault)

    def clear(self) -> None:
        """Switch all faults off."""
        with self._lock:
            self._faults.clear()

    def take(self, call: str, advertiser_id: str) -> InjectedFault | None:
        """Return the fault that applies to this call, if any, and use it up once."""
        with self._lock:
            for fault in self._faults:
                if fault.call not in {call, "any"} or fault.advertiser_id not in {advertiser_id, None}:
                    continue
                if fault.after > 0:
                    fault.after -= 1
                elif fault.times is None or fault.times > 0:
                    if fault.times is not None:
                        fault.times -= 1
                    return fault
        return None
