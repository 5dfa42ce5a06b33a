"""An emulator of TikTok's API for customer-file audiences, with its rules, limits, delays and errors.

As a process, `python -m sandbox.tiktok.emulator` prints {"url": ...} and serves until SIGTERM or SIGINT. In a test:

    with TikTokEmulator(accounts={"7000000000000000001": "token"}, processing_seconds=60) as emulator:
        ...                     # use a client with emulator.url
        emulator.advance(60)    # moves the emulator's clock, so that the test does not sleep

Each control is a method of this class, and a path below /_emulator/ for other processes (`sandbox.tiktok.server`).
"""

from __future__ import annotations

import json
import os
import signal
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from itertools import count
from threading import Event, RLock
from typing import Any, Self

from sandbox.processes import stop_with_parent
from sandbox.tiktok import refusals
from sandbox.tiktok.account import AdvertiserAccount
from sandbox.tiktok.audience import EmulatedAudience, timestamp
from sandbox.tiktok.faults import InjectedFault, next_fault
from sandbox.tiktok.fields import checked
from sandbox.tiktok.platform import Platform
from sandbox.tiktok.refusals import PARTIAL_SUCCESS, Refusal
from sandbox.tiktok.seed import seeded
from sandbox.tiktok.server import Call, Reply, Server
from sandbox.tiktok.settings import EmulatorSettings

_STOP_SIGNALS = {signal.SIGTERM, signal.SIGINT}


class TikTokEmulator:
    """A context manager that serves TikTok's API on 127.0.0.1.

    Its methods raise TypeError or ValueError for invalid arguments, and KeyError for an unknown advertiser or audience.

    Args:
        accounts: advertiser id -> access token.
        clock: returns the seconds since 1970.
        settings: fields of `sandbox.tiktok.settings.EmulatorSettings`.
    """

    def __init__(
        self, accounts: Mapping[str, str] | None = None, clock: Callable[[], float] = time.time, **settings: Any
    ) -> None:
        self._lock = RLock()
        self._platform = Platform(EmulatorSettings(**settings))
        self._clock, self._clock_offset = clock, 0.0
        self._accounts: dict[str, AdvertiserAccount] = {}
        self._faults: list[InjectedFault] = []
        self._calls: list[dict[str, Any]] = []
        self._request_ids = count(1)
        self._closing = Event()
        for advertiser_id, access_token in (accounts or {}).items():
            self.set_account(advertiser_id, access_token)
        self._server = Server(self)

    @property
    def url(self) -> str:
        """The base URL for a client, without a trailing slash."""
        return f"http://{self._server.address}"

    def __enter__(self) -> Self:
        self._server.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._closing.set()
        self._server.stop()

    def set_account(self, advertiser_id: str, access_token: str) -> None:
        """Add an advertiser, or replace its token. The old token is then rejected."""
        with self._lock:
            new = AdvertiserAccount(advertiser_id, access_token, self._platform)
            self._accounts.setdefault(advertiser_id, new).access_token = access_token

    def configure(self, **settings: Any) -> None:
        """Change settings. A change in progress still ends at its original time."""
        with self._lock:
            self._platform.settings = replace(self._platform.settings, **settings)

    def advance(self, seconds: float) -> None:
        """Move the emulator's clock forward, or back if `seconds` is negative."""
        with self._lock:
            self._clock_offset += seconds

    def set_unmatched(self, identifiers: Iterable[str]) -> None:
        """Set the hashes or device ids, in lower case, that match no user. They replace the previous ones."""
        with self._lock:
            self._platform.unmatched = frozenset(identifiers)

    def audiences(self, advertiser_id: str | None = None) -> list[dict[str, Any]]:
        """Return every audience, oldest first, with more fields than TikTok shows."""
        with self._lock:
            self._finish_changes()
            return [
                {"advertiser_id": account.advertiser_id, **audience.description()}
                for account in self._accounts.values()
                if advertiser_id in {None, account.advertiser_id}
                for audience in account.audiences.values()
            ]

    def members(self, audience_id: str) -> set[str]:
        """Return the people with known identifiers in an audience: hashes in lower case, or rows as in `PersonRows`."""
        with self._lock:
            return set(self._audience(audience_id).members)

    def rename(self, audience_id: str, name: str) -> None:
        """Rename an audience in any state, as a person does in Ads Manager. The name is not normalized."""
        with self._lock:
            self._audience(audience_id).name = name

    def apply(self, audience_id: str, adgroup_id: str, adgroup_name: str, usage_mode: str = "Include") -> None:
        """Apply an audience that has not expired to an ad group, as a person does in Ads Manager."""
        if usage_mode not in {"Include", "Exclude"}:
            raise ValueError('usage_mode must be "Include" or "Exclude".')
        with self._lock:
            audience = self._audience(audience_id)
            audience.renew()
            audience.applied.append(
                {
                    "adgroup_id": adgroup_id,
                    "adgroup_name": adgroup_name,
                    "usage_mode": usage_mode,
                    "editor": "a person",
                    "action_timestamp": timestamp(self._platform.now),
                }
            )

    def delete(self, audience_id: str) -> None:
        """Delete an audience in any state, as a person does in Ads Manager."""
        with self._lock:
            self._audience(audience_id)
            for account in self._accounts.values():
                account.audiences.pop(audience_id, None)

    def seed(self, advertiser_id: str, count: int = 1, name: str | None = None, **fields: Any) -> list[str]:
        """Add audiences to an account, and return their ids. All have `name`, or else numbered names.

        `sandbox.tiktok.seed.seeded` describes the other fields.
        """
        with self._lock:
            self._finish_changes()
            names = [name or f"seeded {number}" for number in range(1, count + 1)]
            made = {audience.id: audience for audience in (seeded(self._platform, each, **fields) for each in names)}
            self._accounts[advertiser_id].audiences |= made
            return list(made)

    def forget_files(self) -> None:
        """Delete all uploaded files. Calls with the `file_path` of a deleted file then fail (40905)."""
        with self._lock:
            for account in self._accounts.values():
                account.files.clear()

    def calls(self) -> list[dict[str, Any]]:
        """Return the calls so far, in the order in which they finished. `code` is None if no JSON envelope was sent."""
        with self._lock:
            return [dict(each) for each in self._calls]

    def clear_calls(self) -> None:
        """Delete the record of calls."""
        with self._lock:
            self._calls.clear()

    def fault(self, call: str, kind: str, **fields: Any) -> None:
        """Add a fault, which `sandbox.tiktok.faults.InjectedFault` describes."""
        with self._lock:
            self._faults.append(InjectedFault(call, kind, **fields))

    def clear_faults(self) -> None:
        """Remove all faults."""
        with self._lock:
            self._faults.clear()

    def respond(self, call: Call) -> Reply | None:
        """Return the reply to a call, or fail as a fault requires. None closes the connection without a response."""
        with self._lock:
            fault = next_fault(self._faults, call.name)
        if fault is None:
            reply: Reply | None = self._execute(call)
        else:
            done = self._execute(call) if fault.after_work else None
            reply = self._apply_fault(fault, done)
            if fault.effect == "slow":
                reply = done or self._execute(call)
        file_paths = call.given.get("file_paths")
        with self._lock:
            self._calls.append(
                {
                    "call": call.name,
                    "code": reply[1].get("code") if reply else None,
                    "fault": fault.kind if fault else None,
                    "action": call.given.get("action"),
                    "files": len(file_paths) if isinstance(file_paths, list) else 0,
                }
            )
        return reply

    def _execute(self, call: Call) -> Reply:
        try:
            with self._lock:
                return 200, self._envelope(0, "OK", self._dispatch(call))
        except Refusal as refusal:
            return 200, self._envelope(refusal.code, refusal.message)

    def _dispatch(self, call: Call) -> dict[str, Any]:
        if not call.access_token:
            raise Refusal(*refusals.TOKEN_MISSING)
        if call.access_token not in {each.access_token for each in self._accounts.values()}:
            raise Refusal(*refusals.TOKEN_INVALID)
        if call.problem:
            raise call.problem
        given = checked(call.name, call.given)
        account = self._accounts.get(given["advertiser_id"])
        if account is None or account.access_token != call.access_token:
            raise Refusal(*refusals.NO_PERMISSION)
        self._finish_changes()
        data: dict[str, Any] = getattr(account, call.name)(given)
        return data

    def _apply_fault(self, fault: InjectedFault, done: Reply | None) -> Reply | None:
        """Apply a fault, and return the reply that replaces the normal one; None if there is no such reply."""
        match fault.effect:
            case "code":
                data = done[1]["data"] if done and fault.code == PARTIAL_SUCCESS else {}
                return 200, self._envelope(fault.code, fault.message, data)
            case "http":
                return fault.status, {"error": "no envelope"}
            case "slow":
                self._closing.wait(fault.seconds)
            case "kill":
                os.kill(fault.pid, signal.SIGKILL)
        return None

    def _envelope(self, code: int, message: str, data: Mapping[str, Any] | None = None) -> dict[str, Any]:
        now = datetime.fromtimestamp(self._now(), UTC)
        request_id = f"{now:%Y%m%d%H%M%S}{next(self._request_ids):018X}"
        return {"code": code, "message": message, "request_id": request_id, "data": data or {}}

    def _audience(self, audience_id: str) -> EmulatedAudience:
        self._finish_changes()
        for account in self._accounts.values():
            if audience_id in account.audiences:
                return account.audiences[audience_id]
        raise KeyError(f"There is no audience {audience_id}.")

    def _now(self) -> float:
        return self._clock() + self._clock_offset

    def _finish_changes(self) -> None:
        """Finish the changes that are due. Every call and control that uses audiences calls this first."""
        self._platform.now = self._now()
        for account in self._accounts.values():
            for audience in account.audiences.values():
                audience.finish_change()


def main() -> None:
    """Serve until SIGTERM or SIGINT. Other processes add accounts with /_emulator/accounts."""
    # The signals are blocked in every thread, so that only `sigwait` receives them and the server stops in order.
    signal.pthread_sigmask(signal.SIG_BLOCK, _STOP_SIGNALS)
    stop_with_parent()
    with TikTokEmulator() as emulator:
        print(json.dumps({"url": emulator.url}), flush=True)
        signal.sigwait(_STOP_SIGNALS)


if __name__ == "__main__":
    main()
