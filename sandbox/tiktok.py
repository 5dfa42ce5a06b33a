"""An emulator of TikTok's calls for customer-file audiences: its rules, limits, delays and faults included.

In a process of its own: `python -m sandbox.tiktok --port 0` prints {"url": ...} and serves until SIGTERM. In a test:

    with TikTokEmulator(accounts={"7000000000000000001": "token"}, processing_seconds=60) as emulator:
        ...                     # a client at emulator.url
        emulator.advance(60)    # the emulator's clock, so that nobody sleeps

Every control is a method here and a path below /_emulator/ for other processes (`sandbox.tiktok_control`).
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import time
from collections import deque
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from itertools import count
from threading import Event, RLock
from typing import Any, Self

from sandbox import tiktok_rules as rules
from sandbox.tiktok_account import Account
from sandbox.tiktok_control import control
from sandbox.tiktok_faults import Fault, Faults
from sandbox.tiktok_http import Call, Reply, Server
from sandbox.tiktok_rules import Refusal, Settings, checked, merged
from sandbox.tiktok_seed import seeded

_STOPPERS = {signal.SIGTERM, signal.SIGINT}


class TikTokEmulator:
    """TikTok on 127.0.0.1, from entering to leaving the `with`.

    Args:
        port: 0 takes a free one.
        accounts: advertiser id -> access token.
        settings: fields of `sandbox.tiktok_rules.Settings`.

    Raises:
        ValueError: an unknown setting, or a value of the wrong kind.
    """

    def __init__(self, port: int = 0, accounts: Mapping[str, str] | None = None, **settings: Any) -> None:
        self._lock = RLock()
        self._closing = Event()
        self._reader = ThreadPoolExecutor(1, "tiktok-rows")
        self._settings = merged(Settings(), settings)
        self._offset = 0.0
        self._faults = Faults()
        self._calls: list[dict[str, Any]] = []
        self._numbers = count(1)
        self._recent: deque[float] = deque()
        self._ids = count(7_400_000_000_000_000_019, 7_919)
        self._accounts: dict[str, Account] = {}
        for advertiser_id, access_token in (accounts or {}).items():
            self.set_account(advertiser_id, access_token)
        self._server = Server(
            port, self._answer, lambda *request: control(self, *request), lambda: self._settings.max_file_bytes
        )

    @property
    def url(self) -> str:
        """The base to give to a client, without a trailing slash."""
        return self._server.url

    def __enter__(self) -> Self:
        self._server.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._closing.set()
        self._server.stop()
        self._reader.shutdown(cancel_futures=True)

    def set_account(self, advertiser_id: str, access_token: str) -> None:
        """Add an advertiser, or give it another token: the old one is refused from now on."""
        with self._lock:
            account = self._accounts.get(advertiser_id)
            if account:
                account.access_token = access_token
            else:
                new_id = self._new_audience_id
                self._accounts[advertiser_id] = Account(advertiser_id, access_token, self._reader, new_id)

    def configure(self, **settings: Any) -> None:
        """Change settings; changes that are under way keep their end.

        Raises:
            ValueError: an unknown setting, or a value of the wrong kind.
        """
        with self._lock:
            self._settings = merged(self._settings, settings)

    def advance(self, seconds: float) -> None:
        """Move the emulator's clock, also back."""
        with self._lock:
            self._offset += seconds

    def audiences(self, advertiser_id: str | None = None) -> list[dict[str, Any]]:
        """Every audience, oldest first, with what TikTok would not tell; all rows have been read then."""
        with self._lock:
            now = self._settled()
            found = [
                audience
                for account in self._accounts.values()
                for audience in account.audiences.values()
                if advertiser_id in {None, account.advertiser_id}
            ]
            for audience in found:
                audience.wait_for_rows()
            return [audience.inside(now, self._settings) for audience in found]

    def members(self, audience_id: str) -> set[str]:
        """The identifiers in an audience, in lower case.

        Raises:
            KeyError: there is no such audience.
        """
        with self._lock:
            self._settled()
            for account in self._accounts.values():
                if audience_id in account.audiences:
                    return set(account.audiences[audience_id].members)
        raise KeyError(audience_id)

    def seed(self, advertiser_id: str, count: int = 1, name_prefix: str = "seeded ", **fields: Any) -> list[str]:
        """Put audiences into an account as if they had always been there; see `sandbox.tiktok_seed.seeded`.

        Returns:
            Their ids.
        """
        with self._lock:
            account = self._accounts[advertiser_id]
            made = []
            for number in range(1, count + 1):
                name = fields.get("name", f"{name_prefix}{number}")
                audience = seeded(
                    self._new_audience_id(), advertiser_id, {**fields, "name": name}, self._now(), self._settings
                )
                account.audiences[audience.id] = audience
                made.append(audience.id)
            return made

    def forget_files(self) -> None:
        """Drop every uploaded file: each `file_path` is unknown from now on (40905)."""
        with self._lock:
            for account in self._accounts.values():
                account.files.clear()

    def calls(self) -> list[dict[str, Any]]:
        """The calls answered so far, in order; `code` is None where no envelope was sent."""
        with self._lock:
            return [dict(each) for each in self._calls]

    def clear_calls(self) -> None:
        """Forget the calls so far."""
        with self._lock:
            self._calls.clear()

    def fault(self, call: str, kind: str, **fields: Any) -> None:
        """Switch a fault on; see `sandbox.tiktok_faults.Fault`.

        Raises:
            ValueError: a field is unknown or wrong.
        """
        self._faults.add({"call": call, "kind": kind, **fields})

    def clear_faults(self) -> None:
        """Switch all faults off."""
        self._faults.clear()

    def _now(self) -> float:
        return time.time() + self._offset

    def _settled(self) -> float:
        now = self._now()
        for account in self._accounts.values():
            account.settle(now, self._settings)
        return now

    def _new_audience_id(self) -> str:
        return str(next(self._ids))

    def _answer(self, call: Call) -> Reply | None:
        fault = self._faults.take(call.name, str(call.given.get("advertiser_id")))
        reply = None
        if fault is None or fault.work_first or fault.what == "slow":
            if fault and fault.what == "slow" and not fault.work_first:
                self._closing.wait(fault.seconds)
            reply = self._work(call)
        if fault:
            reply = self._hit(fault, reply)
        self._note(call, reply, fault)
        return reply

    def _hit(self, fault: Fault, reply: Reply | None) -> Reply | None:
        match fault.what:
            case "code":
                return Reply(self._envelope(fault.code, fault.message))
            case "http":
                return Reply({"error": "no envelope"}, fault.status)
            case "kill":
                os.kill(fault.pid, signal.SIGKILL)
                return None
            case "cut":
                return None
            case _:
                if fault.work_first:
                    self._closing.wait(fault.seconds)
                return reply

    def _work(self, call: Call) -> Reply:
        with self._lock:
            try:
                data = self._do(call)
            except Refusal as refusal:
                return Reply(self._envelope(refusal.code, refusal.message))
            return Reply(self._envelope(0, "OK", data))

    def _do(self, call: Call) -> dict[str, Any]:
        now = self._now()
        self._throttle(now)
        if not call.access_token:
            raise Refusal(*rules.TOKEN_MISSING)
        if call.access_token not in {each.access_token for each in self._accounts.values()}:
            raise Refusal(*rules.TOKEN_INVALID)
        if call.problem:
            raise call.problem
        given = checked(call.name, call.given)
        account = self._accounts.get(given["advertiser_id"])
        if account is None or account.access_token != call.access_token:
            raise Refusal(*rules.NOT_PERMITTED)
        account.settle(now, self._settings)
        if call.name == "upload":
            return account.upload(given, call.file, now, self._settings)
        do = {
            "create": account.create,
            "update": account.update,
            "list": account.listing,
            "get": account.get,
            "delete": account.delete,
        }[call.name]
        return do(given, now, self._settings)

    def _throttle(self, now: float) -> None:
        limit = self._settings.calls_per_second
        if limit is None:
            return
        while self._recent and not now - 1 < self._recent[0] <= now:
            self._recent.popleft()
        if len(self._recent) >= limit:
            raise Refusal(*rules.TOO_FREQUENT)
        self._recent.append(now)

    def _envelope(self, code: int, message: str, data: Mapping[str, Any] | None = None) -> dict[str, Any]:
        moment = datetime.fromtimestamp(self._now(), UTC)
        request_id = f"{moment:%Y%m%d%H%M%S}{next(self._numbers):018X}"
        return {"code": code, "message": message, "request_id": request_id, "data": data or {}}

    def _note(self, call: Call, reply: Reply | None, fault: Fault | None) -> None:
        content = reply.content if reply else None
        with self._lock:
            self._calls.append(
                {
                    "n": len(self._calls) + 1,
                    "call": call.name,
                    "advertiser_id": call.given.get("advertiser_id"),
                    "code": content.get("code") if isinstance(content, dict) else None,
                    "fault": fault.kind if fault else None,
                    "action": call.given.get("action"),
                    "files": len(call.given.get("file_paths") or ()),
                    "at": datetime.fromtimestamp(self._now(), UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
                }
            )


def main(arguments: Sequence[str] | None = None) -> None:
    """Serve until SIGTERM or SIGINT; accounts come through /_emulator/accounts."""
    parser = argparse.ArgumentParser(prog="python -m sandbox.tiktok", description=main.__doc__)
    parser.add_argument("--port", type=int, default=0, help="0 takes a free one")
    port = parser.parse_args(arguments).port
    # Blocked in every thread from here on, so that they wait for `sigwait` and leaving is orderly.
    signal.pthread_sigmask(signal.SIG_BLOCK, _STOPPERS)
    with TikTokEmulator(port) as emulator:
        print(json.dumps({"url": emulator.url}), flush=True)
        signal.sigwait(_STOPPERS)


if __name__ == "__main__":
    main()
