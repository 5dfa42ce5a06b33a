"""The advertiser's audiences as TikTok has them: one listing for an invocation, details only where they are needed."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime, timedelta

from handler import reasons
from handler.clock import parse_iso
from handler.errors import UnknownAudience, Waiting
from handler.model import AudienceKey
from handler.tiktok.client import TikTokClient
from handler.tiktok.responses import CUSTOMER_FILE, Audience

MOST_AUDIENCES = 400  # of one advertiser, TikTok's limit
DETAILS_AT_ONCE = 100


class Account:
    """What TikTok knows, read once per invocation and forgotten where this invocation changes it."""

    def __init__(self, client: TikTokClient, now: Callable[[], datetime]) -> None:
        self._client = client
        self._now = now
        self._listing: dict[str, Audience] | None = None
        self._no_listing: Waiting | None = None
        self._listed_at = now()
        self._details: dict[str, tuple[datetime, Audience | None]] = {}

    def listing(self) -> dict[str, Audience]:
        """All audiences by id.

        Raises:
            Waiting: the listing could not be had; this never counts as "there is none".
        """
        if self._no_listing:  # TikTok was asked, and asked again: the other audiences of this invocation wait, too
            raise self._no_listing
        if self._listing is None:
            self._listed_at = self._now()
            try:
                self._listing = {audience.id: audience for audience in self._client.list_audiences()}
            except Waiting as reason:
                self._no_listing = reason
                raise
        return self._listing

    def forget(self) -> None:
        """Ask anew from now on: what TikTok knows may have changed by a call whose answer was lost."""
        self._listing = None
        self._details.clear()

    def since(self, audience_id: str, seen_processing: str | None) -> Audience | None:
        """One audience as TikTok had it after it was seen processing.

        In a long sweep others may have seen that since the listing, which then shows it as it was before.

        Raises:
            Waiting: TikTok could not be asked.
        """
        listed = self.listing().get(audience_id)
        if seen_processing:
            moment = parse_iso(seen_processing) + timedelta(seconds=1)  # it is kept in whole seconds
            if self._listed_at < moment:
                listed = None
            if audience_id in self._details and self._details[audience_id][0] < moment:
                del self._details[audience_id]
        return listed or self.details(audience_id)

    def details(self, audience_id: str, also: Iterable[str] = ()) -> Audience | None:
        """One audience with its history, or None if TikTok does not know it; `also` are ids worth asking with it."""
        if audience_id not in self._details:
            wanted = dict.fromkeys([audience_id, *(each for each in also if each not in self._details)])
            ids = list(wanted)[:DETAILS_AT_ONCE]
            asked_at = self._now()
            try:
                found = self._client.get_audiences(ids)
            except UnknownAudience:
                # Whether an unknown id is left out of the answer or refused is not documented: right either way.
                if len(ids) > 1:
                    return self.details(audience_id)
                found = {}
            self._details |= {each: (asked_at, found.get(each)) for each in ids}
        return self._details[audience_id][1]

    def is_full(self) -> bool:
        """Whether TikTok's limit of audiences is reached, so that a create cannot go through."""
        return sum(bool(audience.is_creator) for audience in self.listing().values()) >= MOST_AUDIENCES

    def find(self, key: AudienceKey, registered: str | None) -> list[Audience]:
        """The advertiser's own customer-file audiences of exactly this name and identifier type, best first.

        The one that was registered comes first, then the oldest. An audience that was registered and is not listed
        is asked for by id: a new one may not be listed yet.

        Raises:
            Waiting: TikTok could not be asked.
        """
        candidates = [audience for audience in self.listing().values() if _may_be(audience, key.name, registered)]
        vague = [audience.id for audience in candidates if not audience.is_described()]
        matches = []
        for audience in candidates:
            details = self.details(audience.id, also=vague) if audience.id in vague else None
            known = audience.filled_in(details) if details else audience
            if not _may_be(known, key.name, registered):
                continue
            if known.id != registered and not known.calculate_type:  # nor may it count as another's
                raise reasons.unexpected_response()
            # An id that was registered is of the type it was made with.
            if known.id == registered or known.calculate_type == key.identifier_type.calculate_type:
                if not known.name and known.id != registered:  # it may be the one, and it may be another's
                    raise reasons.unexpected_response()
                matches.append(known)
        if registered and registered not in self.listing():
            unlisted = self.details(registered)
            # `get` may leave out what `list` tells; an id that was registered is of the type it was made with.
            if unlisted and unlisted.name in {"", key.name}:
                matches.append(unlisted)
        return sorted(
            matches,
            key=lambda each: (each.id != registered, each.created_at.timestamp() if each.created_at else 0.0, each.id),
        )


def _may_be(audience: Audience, name: str, registered: str | None) -> bool:
    """Whether nothing says that it is another's or of another kind: what neither call tells makes no twin."""
    if audience.name not in {"", name}:
        return False
    kind = audience.kind.lower().replace("_", " ")
    return audience.id == registered or (audience.is_creator is not False and (not kind or CUSTOMER_FILE in kind))
