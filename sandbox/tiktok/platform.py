"""What all advertisers of the emulated TikTok share: clock, settings, tokens, the limit of calls, and the envelope."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from itertools import count
from threading import RLock
from typing import Any

from sandbox.tiktok import rules
from sandbox.tiktok.account import Account
from sandbox.tiktok.http import Call
from sandbox.tiktok.rules import Refusal, Settings, checked


class Platform:
    """The accounts and what they have in common. Everything but `answer` and `envelope` is used under `lock`.

    Attributes:
        lock: held while anything is read or changed.
        settings: may be exchanged at any time.
        offset: seconds that the emulator's clock is ahead.
        accounts: by advertiser id.
    """

    def __init__(self, settings: Settings) -> None:
        self.lock = RLock()
        self.settings = settings
        self.offset = 0.0
        self.accounts: dict[str, Account] = {}
        self._reader = ThreadPoolExecutor(1, "tiktok-rows")
        self._audience_ids = count(7_400_000_000_000_000_019, 7_919)
        self._request_ids = count(1)
        self._recent: deque[float] = deque()

    def close(self) -> None:
        """Stop reading rows."""
        self._reader.shutdown(cancel_futures=True)

    def now(self) -> float:
        """Seconds since 1970 on the emulator's clock."""
        return time.time() + self.offset

    def settle(self) -> float:
        """End every change that is due, and tell the time of that."""
        now = self.now()
        for account in self.accounts.values():
            account.settle(now, self.settings)
        return now

    def open_account(self, advertiser_id: str, access_token: str) -> None:
        """Add an advertiser, or give it another token."""
        account = self.accounts.setdefault(
            advertiser_id, Account(advertiser_id, access_token, self._reader, self.new_audience_id)
        )
        account.access_token = access_token

    def new_audience_id(self) -> str:
        """An id that no other audience has."""
        return str(next(self._audience_ids))

    def answer(self, call: Call) -> dict[str, Any]:
        """Do what is asked and give the envelope."""
        try:
            with self.lock:
                data = self._do(call)
        except Refusal as refusal:
            return self.envelope(refusal.code, refusal.message)
        return self.envelope(0, "OK", data)

    def envelope(self, code: int, message: str, data: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """What every answer looks like."""
        moment = datetime.fromtimestamp(self.now(), UTC)
        request_id = f"{moment:%Y%m%d%H%M%S}{next(self._request_ids):018X}"
        return {"code": code, "message": message, "request_id": request_id, "data": data or {}}

    def _do(self, call: Call) -> dict[str, Any]:
        now = self.now()
        self._throttle(now)
        if not call.access_token:
            raise Refusal(*rules.TOKEN_MISSING)
        if call.access_token not in {each.access_token for each in self.accounts.values()}:
            raise Refusal(*rules.TOKEN_INVALID)
        if call.problem:
            raise call.problem
        given = checked(call.name, call.given)
        account = self.accounts.get(given["advertiser_id"])
        if account is None or account.access_token != call.access_token:
            raise Refusal(*rules.NOT_PERMITTED)
        account.settle(now, self.settings)
        if call.name == "upload":
            return account.upload(given, call.file, now, self.settings)
        do = {
            "create": account.create,
            "update": account.update,
            "list": account.listing,
            "get": account.get,
            "delete": account.delete,
        }[call.name]
        return do(given, now, self.settings)

    def _throttle(self, now: float) -> None:
        limit = self.settings.calls_per_second
        if limit is None:
            return
        while self._recent and not now - 1 < self._recent[0] <= now:
            self._recent.popleft()
        if len(self._recent) >= limit:
            raise Refusal(*rules.TOO_FREQUENT)
        self._recent.append(now)
