"""The lease on one audience: the time-limited right to change it at TikTok."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import cast

from handler.clock import iso, parse_iso
from handler.errors import Conflict, Missing
from handler.model import AudienceKey
from handler.state.audience_state import State, new_state
from handler.state.objects import ObjectStore

LEASE_MARGIN = timedelta(seconds=30)  # past the holder's own deadline: by then Lambda has stopped it


class Lease:
    """The right to change one audience, as long as its state was last written by the holder."""

    def __init__(self, store: ObjectStore, key: AudienceKey, state: State, etag: str) -> None:
        self.key = key
        self.state = state
        self._store = store
        self._etag = etag

    def save(self) -> None:
        """Write the state down.

        Raises:
            Conflict: the lease ran out and another function has taken it.
        """
        self._etag = self._store.write(_place(self.key), self.state, etag=self._etag)

    def release(self) -> None:
        """Give the lease back; if another function has taken it, it is not ours to give."""
        self.state["holder"] = self.state["held_until"] = None
        try:
            self.save()
        except Conflict:
            return


def take_lease(
    store: ObjectStore, key: AudienceKey, holder: str, remaining_seconds: float, now: Callable[[], datetime]
) -> Lease | None:
    """Take the lease on an audience until 30 seconds after the holder's deadline; None if another function has it."""
    try:
        stored = store.read(_place(key))
        state, etag = cast("State", {**new_state(key), **stored.content}), stored.etag
    except Missing:
        state, etag = new_state(key), None
    if state["held_until"] and parse_iso(state["held_until"]) > now():
        return None
    state["holder"] = holder
    # Written in whole seconds: one more, so that it is never early.
    state["held_until"] = iso(now() + timedelta(seconds=remaining_seconds + 1) + LEASE_MARGIN)
    try:
        return Lease(store, key, state, store.write(_place(key), state, etag=etag))
    except Conflict:
        return None


def _place(key: AudienceKey) -> str:
    return f"audiences/{key.path}.json"
