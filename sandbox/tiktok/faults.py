"""Fault injection at the emulated TikTok: other codes, HTTP errors, lost connections, slow answers, a killed caller."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

CALLS = ("upload", "create", "update", "list", "get", "delete", "apply_log")
_EFFECTS = ("code", "http", "cut", "kill", "slow")


@dataclass
class InjectedFault:
    """A fault of some calls.

    Attributes:
        call: one of `CALLS`, or "any".
        kind: `code` and `http` answer with another code or HTTP status, `cut` closes the connection without an answer,
            `kill` sends SIGKILL to a process first, `slow` waits and goes on as usual. With `_after` it happens once
            the call's work is done, with `_before` or neither instead of the work (`slow`: before it).
        code, message: of a `code` fault; any code and any words.
        status: of an `http` fault.
        seconds: of a `slow` fault.
        pid: of a `kill` fault.
        after: number of these calls that pass first.
        times: number of calls that fail; None is all from there on.
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

    def __post_init__(self) -> None:
        self.effect, _, when = self.kind.partition("_")
        self.after_work = when == "after"
        if self.call not in {*CALLS, "any"}:
            raise ValueError(f"call is one of {', '.join(CALLS)}, any")
        if self.effect not in _EFFECTS or when not in {"", "before", "after"}:
            raise ValueError(f"kind is one of {', '.join(_EFFECTS)}, each with or without _before or _after")
        if self.effect == "kill" and self.pid <= 1:
            raise ValueError("kill needs the pid of a process")


def next_fault(faults: Iterable[InjectedFault], call: str) -> InjectedFault | None:
    """Return the first fault that applies to this call, if any, and use it up once."""
    for fault in faults:
        if fault.call not in {call, "any"} or fault.times == 0:
            continue
        if fault.after > 0:
            fault.after -= 1
            continue
        if fault.times is not None:
            fault.times -= 1
        return fault
    return None
