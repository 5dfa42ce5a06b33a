"""The advertiser's audiences at TikTok: one snapshot per invocation, and details only when they are needed."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Collection, Iterable, Mapping
from datetime import datetime, timedelta
from typing import NamedTuple

from handler import reasons
from handler.clock import parse_iso
from handler.errors import UnknownAudience, Waiting
from handler.model import AudienceKey, IdentifierType
from handler.tiktok.client import TikTokClient
from handler.tiktok.responses import Audience

MAX_AUDIENCES = 400  # per advertiser, TikTok's limit
MAX_DETAILS = 100  # ids per call of `get`, TikTok's limit


class Snapshot(NamedTuple):
    """All audiences of the advertiser from one listing.

    Attributes:
        taken_at: the time just before the listing started.
        items: all audiences, including those without an id.
        by_id: the audiences with an id, by id.
    """

    taken_at: datetime
    items: tuple[Audience, ...]
    by_id: Mapping[str, Audience]


class Account:
    """The audiences of the advertiser, listed once per invocation unless a call may have changed them."""

    def __init__(self, client: TikTokClient, now: Callable[[], datetime]) -> None:
        self._client = client
        self._now = now
        self._snapshot: Snapshot | None = None
        self._unavailable: Waiting | None = None
        self._details: dict[str, tuple[datetime, Audience | None]] = {}

    @property
    def has_snapshot(self) -> bool:
        """True if this invocation has a listing of the audiences; false again after `clear`."""
        return self._snapshot is not None

    def snapshot(self) -> Snapshot:
        """Return the listing of all audiences.

        Raises:
            Waiting: TikTok returned no complete listing. An incomplete listing never counts as an empty one.
        """
        if self._unavailable:  # the client has already retried, so the other audiences of this invocation wait, too
            raise self._unavailable
        if self._snapshot is None:
            taken_at = self._now()
            try:
                items = tuple(self._client.list_audiences())
            except Waiting as reason:
                self._unavailable = reason
                raise
            self._snapshot = Snapshot(taken_at, items, {audience.id: audience for audience in items if audience.id})
        return self._snapshot

    def clear(self) -> None:
        """Discard all cached audiences, because a call whose response was lost may have changed them."""
        self._snapshot = None
        self._details.clear()

    def read_since(self, audience_id: str, time: str) -> Audience | None:
        """Return an audience that was read after the given time, or None if it does not exist at TikTok.

        During a long sweep, another function may have changed the audience, or seen it processing, after this
        invocation took its snapshot.

        Args:
            audience_id: TikTok's id.
            time: the time in the format of reports, such as `2026-01-31T12:00:00Z`.

        Raises:
            Waiting: a call to TikTok failed.
        """
        snapshot = self.snapshot()
        earliest = parse_iso(time) + timedelta(seconds=1)
        if audience_id in self._details and self._details[audience_id][0] < earliest:
            del self._details[audience_id]
        listed = snapshot.by_id.get(audience_id) if snapshot.taken_at >= earliest else None
        return listed or self.details(audience_id)

    def details(self, audience_id: str, also: Iterable[str] = ()) -> Audience | None:
        """Return an audience with its history, or None if it does not exist at TikTok.

        Args:
            audience_id: TikTok's id.
            also: ids to request in the same call, because the caller needs them next.

        Raises:
            Waiting: a call to TikTok failed.
        """
        if audience_id not in self._details:
            wanted = dict.fromkeys([audience_id, *(each for each in also if each not in self._details)])
            ids = list(wanted)[:MAX_DETAILS]
            read_at = self._now()
            try:
                found = self._client.get_audiences(ids)
            except UnknownAudience:
                # No source says whether TikTok omits an unknown id or refuses the call, so both cases are handled.
                if len(ids) > 1:
                    return self.details(audience_id)
                found = {}
            self._details |= {each: (read_at, found.get(each)) for each in ids}
        return self._details[audience_id][1]

    def find(
        self, key: AudienceKey, registered: str | None, registered_elsewhere: Callable[[], Collection[str]]
    ) -> list[Audience]:
        """Return the audiences that an upload can belong to, best first; an empty list if it needs a new audience.

        The registered audience comes first, even if it was renamed at TikTok. Without a registered audience, the result
        has only audiences that are not registered under another name, oldest first.

        Args:
            key: the name and identifier type from the upload's key.
            registered: the id that is registered for this name and type.
            registered_elsewhere: returns the ids that are registered for other names of the same type. It is called
                only if a name matches, because it reads S3.

        Raises:
            Waiting: a call to TikTok failed, or TikTok omits details of an audience that could be the right one.
        """
        if registered and (first := self._registered(key, registered)):
            # The others are only for a note in the report, so details that TikTok omits about them do not matter.
            same_name = [each for each in self._own() if each.name == _nfc(key.name) and _has_type(each, key)]
            return [first, *(each for each in _oldest_first(same_name) if each.id != registered)]
        named = [each for each in self._named(key) if each.id != registered]
        if not named:
            return []
        taken = registered_elsewhere()
        return [each for each in named if each.id not in taken]

    def types_with_name(self, name: str, except_type: IdentifierType) -> list[IdentifierType]:
        """Return the other identifier types for which the advertiser has a customer-file audience of this name.

        Raises:
            Waiting: a call to TikTok failed.
        """
        types = {each.calculate_type for each in self._own() if each.name == _nfc(name)}
        return [each for each in IdentifierType if each.calculate_type in types and each is not except_type]

    def count(self) -> int:
        """Return the total number of audiences, of all kinds, that the advertiser owns. TikTok limits this number.

        Raises:
            Waiting: a call to TikTok failed.
        """
        return sum(each.is_creator is True for each in self.snapshot().items)

    def count_expiring(self) -> int:
        """Return the number of the advertiser's customer-file audiences that expire soon.

        Raises:
            Waiting: a call to TikTok failed.
        """
        return sum(each.is_expiring for each in self._own())

    def _own(self) -> list[Audience]:
        return [each for each in self.snapshot().items if each.is_creator is True and each.is_customer_file]

    def _registered(self, key: AudienceKey, audience_id: str) -> Audience | None:
        # The listing may not contain a new audience yet.
        audience = self.snapshot().by_id.get(audience_id) or self.details(audience_id)
        if audience is None or audience.is_creator is False:
            return None
        # `get` may omit the type. A registered audience has the type that it was created with.
        return audience if audience.calculate_type is None or _has_type(audience, key) else None

    def _named(self, key: AudienceKey) -> list[Audience]:
        """Return the advertiser's customer-file audiences with this name and type, oldest first."""
        name = _nfc(key.name)
        candidates = [each for each in self.snapshot().items if _could_be(each, name)]
        undescribed = [each.id for each in candidates if each.id and not _is_described(each)]
        matches = []
        for audience in candidates:
            known = audience
            if not _is_described(audience) and audience.id and (details := self.details(audience.id, also=undescribed)):
                known = audience.completed_from(details)
            if not _could_be(known, name):  # checked before the type, because a lookalike audience may have none
                continue
            if not _is_described(known):
                raise reasons.unusable_response()
            if _has_type(known, key):
                matches.append(known)
        return _oldest_first(matches)


def _could_be(audience: Audience, name: str) -> bool:
    """Return false if the name, kind or owner rules out a customer-file audience of the advertiser with this name."""
    return (
        audience.name in {"", name}
        and audience.is_creator is not False
        and (not audience.kind or audience.is_customer_file)
    )


def _is_described(audience: Audience) -> bool:
    """Return true if TikTok returned every field that decides whether an upload belongs to an audience."""
    return bool(audience.id and audience.name and audience.kind and audience.calculate_type) and (
        audience.is_creator is not None
    )


def _has_type(audience: Audience, key: AudienceKey) -> bool:
    return audience.calculate_type == key.identifier_type.calculate_type


def _oldest_first(audiences: Iterable[Audience]) -> list[Audience]:
    return sorted(audiences, key=lambda each: (each.created_at.timestamp() if each.created_at else 0.0, each.id))


def _nfc(name: str) -> str:
    return unicodedata.normalize("NFC", name)
