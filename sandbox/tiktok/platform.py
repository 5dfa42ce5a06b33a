"""The part of the emulated TikTok that all advertisers share: clock, settings, tokens, rate limit and envelope."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from itertools import count
from threading import RLock
from typing import Any

from sandbox.tiktok import refusals
from sandbox.tiktok.account import AdvertiserAccount
from sandbox.tiktok.audience import EmulatedAudience
from sandbox.tiktok.fields import checked
from sandbox.tiktok.refusals import Refusal
from sandbox.tiktok.server import Call
from sandbox.tiktok.settings import EmulatorSettings


class Platform:
    """All accounts. Everything but `answer` and `envelope` is used under `lock`.

    Attributes:
        settings: may be replaced at any time.
        clock: seconds since 1970.
        clock_offset: seconds that the emulator's clock is ahead.
        accounts: by advertiser id.
        unmatched: identifiers that match no user.
    """

    def __init__(self, settings: EmulatorSettings, clock: Callable[[], float]) -> None:
        self.lock = RLock()
        self.settings = settings
        self.clock = clock
        self.clock_offset = 0.0
        self.accounts: dict[str, AdvertiserAccount] = {}
        self.unmatched: set[str] = set()
        self._executor = ThreadPoolExecutor(1, "tiktok-rows")
        self._audience_ids = count(7_400_000_000_000_000_019, 7_919)
        self._request_ids = count(1)

    def close(self) -> None:
        """Stop reading rows."""
        self._executor.shutdown(cancel_futures=True)

    def now(self) -> float:
        """Return seconds since 1970 on the emulator's clock."""
        return self.clock() + self.clock_offset

    def finish_changes(self) -> float:
        """End every change whose time is over, and return the current time."""
        now = self.now()
        for account in self.accounts.values():
            account.finish_changes(now, self.settings)
        return now

    def set_account(self, advertiser_id: str, access_token: str) -> None:
        """Add an advertiser, or replace its token."""
        new = AdvertiserAccount(advertiser_id, access_token, self._executor, self.new_audience_id, self.unmatched)
        self.accounts.setdefault(advertiser_id, new).access_token = access_token

    def new_audience_id(self) -> str:
        """Return an id that no other audience has."""
        return str(next(self._audience_ids))

    def audience(self, audience_id: str) -> tuple[AdvertiserAccount, EmulatedAudience]:
        """Return an audience and the account that lists it.

        Raises:
            KeyError: there is no such audience.
        """
        for account in self.accounts.values():
            if audience_id in account.audiences:
                return account, account.audiences[audience_id]
        raise KeyError(f"no audience {audience_id}")

    def answer(self, call: Call) -> dict[str, Any]:
        """Do a call and return its envelope."""
        try:
            with self.lock:
                data = self._do(call)
        except Refusal as refusal:
            return self.envelope(refusal.code, refusal.message)
        return self.envelope(0, "OK", data)

    def envelope(self, code: int, message: str, data: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """Return the form that every answer has."""
        moment = datetime.fromtimestamp(self.now(), UTC)
        request_id = f"{moment:%Y%m%d%H%M%S}{next(self._request_ids):018X}"
        return {"code": code, "message": message, "request_id": request_id, "data": data or {}}

    def _do(self, call: Call) -> dict[str, Any]:
        now = self.now()
        if not call.access_token:
            raise Refusal(*refusals.TOKEN_MISSING)
        if call.access_token not in {each.access_token for each in self.accounts.values()}:
            raise Refusal(*refusals.TOKEN_INVALID)
        if call.problem:
            raise call.problem
        given = checked(call.name, call.given)
        account = self.accounts.get(given["advertiser_id"])
        if account is None or account.access_token != call.access_token:
            raise Refusal(*refusals.NO_PERMISSION)
        account.finish_changes(now, self.settings)
        calls = {
            "upload": account.upload,
            "create": account.create,
            "update": account.update,
            "list": account.list,
            "get": account.get,
            "delete": account.delete,
            "apply_log": account.apply_log,
        }
        return calls[call.name](given, now, self.settings)
