"""Fault injection for the emulated TikTok: error codes, HTTP errors, lost connections, delays and killed callers."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

CALLS = ("upload", "create", "update", "list", "get", "delete", "apply_log")
_EFFECTS = ("code", "http", "cut", "kill", "slow")


@dataclass
class InjectedFault:
    """A fault that affects some calls.

    Attributes:
        call: one of `CALLS`, or "any".
        kind: `code` and `http` return another code or HTTP status, `cut` closes the connection without a response,
            `kill` does so after sending SIGKILL to a process, and `slow` delays the response. With the suffix `_after`,
            the call is executed before the fault. Otherwise only `slow` executes it, after the delay.
        code, message: the code and the message, for a `code` fault.
        status: the HTTP status, for an `http` fault.
        seconds: the delay, for a `slow` fault.
        pid: the id of the process, for a `kill` fault.
        after: the number of calls that are not affected before the first one that is.
        times: the number of calls that are affected; None means all.
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
            raise ValueError(f"call must be one of {', '.join(CALLS)}, any.")
        if self.effect not in _EFFECTS or when not in {"", "before", "after"}:
            raise ValueError(f"kind must be one of {', '.join(_EFFECTS)}, with an optional suffix _before or _after.")
        if self.effect == "kill" and self.pid <= 1:
            raise ValueError("kill needs the pid of a process.")


def next_fault(faults: Iterable[InjectedFault], call: str) -> InjectedFault | None:
    """Return the first fault that applies to this call, or None, and update the counts of the faults."""
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
