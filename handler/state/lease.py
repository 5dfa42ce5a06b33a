"""The lease on one audience: the time-limited right to change it at TikTok."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import datetime, timedelta

from handler.clock import iso, parse_iso
from handler.errors import Conflict, Missing
from handler.model import AudienceKey
from handler.state.audience_state import State, new_state, state_key, upgraded_state
from handler.state.objects import ObjectStore

# Added to the holder's own deadline. By then, Lambda has stopped the holder.
LEASE_MARGIN = timedelta(seconds=30)


class Lease:
    """The right to change one audience. It is lost when another function writes the audience's state.

    Attributes:
        audience: the audience.
        state: the audience's state. The holder changes it in place, and `save` writes it.
    """

    def __init__(self, store: ObjectStore, audience: AudienceKey, state: State, etag: str) -> None:
        self.audience = audience
        self.state = state
        self._store = store
        self._etag = etag

    def save(self) -> None:
        """Write the state.

        Raises:
            Conflict: the lease expired and another function has taken it, or a person changed or deleted the state.
        """
        self._etag = self._store.write(state_key(self.audience), self.state, etag=self._etag)

    def release(self) -> None:
        """Release the lease, unless another function has already taken it."""
        self.state["holder"] = self.state["held_until"] = None
        with suppress(Conflict):
            self.save()


@contextmanager
def lease_on(
    store: ObjectStore, audience: AudienceKey, holder: str, remaining_seconds: float, now: Callable[[], datetime]
) -> Iterator[Lease | None]:
    """Hold the lease on an audience within a `with` block, and release it afterward.

    The lease expires about 30 seconds after the holder's deadline.

    Args:
        store: the bucket.
        audience: the audience.
        holder: the request id of the invocation.
        remaining_seconds: seconds until the holder's deadline.
        now: returns the current time in UTC.

    Yields:
        The lease, or None if another function holds it.

    Raises:
        Damaged: the audience's state cannot be read.
    """
    lease = _take(store, audience, holder, remaining_seconds, now)
    try:
        yield lease
    finally:
        if lease:
            lease.release()


def _take(
    store: ObjectStore, audience: AudienceKey, holder: str, remaining_seconds: float, now: Callable[[], datetime]
) -> Lease | None:
    try:
        stored = store.read(state_key(audience))
        state, etag = upgraded_state(audience, stored.content), stored.etag
    except Missing:
        state, etag = new_state(audience), None
    if state["held_until"] and parse_iso(state["held_until"]) > now():
        return None
    state["holder"] = holder
    # The time is stored in whole seconds, so one second is added to keep the lease from ending early.
    state["held_until"] = iso(now() + timedelta(seconds=remaining_seconds + 1) + LEASE_MARGIN)
    try:
        return Lease(store, audience, state, store.write(state_key(audience), state, etag=etag))
    except Conflict:
        return None
