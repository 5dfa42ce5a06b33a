"""The advertiser's audiences as TikTok has them: one listing for an invocation, details only where they are needed."""

from __future__ import annotations

from collections.abc import Iterable

from handler.messages import AudienceKey
from handler.tiktok import TikTokClient
from handler.tiktok_answers import CUSTOMER_FILE, Audience, UnknownAudience

MOST_AUDIENCES = 400  # of one advertiser, TikTok's limit
DETAILS_AT_ONCE = 100


class Account:
    """What TikTok knows, read once per invocation and forgotten where this invocation changes it."""

    def __init__(self, client: TikTokClient) -> None:
        self._client = client
        self._listing: dict[str, Audience] | None = None
        self._details: dict[str, Audience | None] = {}

    def listing(self) -> dict[str, Audience]:
        """All audiences by id.

        Raises:
            Waiting: the listing could not be had; this never counts as "there is none".
        """
        if self._listing is None:
            self._listing = {audience.id: audience for audience in self._client.list_audiences()}
        return self._listing

    def details(self, audience_id: str, also: Iterable[str] = ()) -> Audience | None:
        """One audience with its history, or None if TikTok does not know it; `also` are ids worth asking with it."""
        if audience_id not in self._details:
            wanted = dict.fromkeys([audience_id, *(each for each in also if each not in self._details)])
            ids = list(wanted)[:DETAILS_AT_ONCE]
            try:
                found = self._client.get_audiences(ids)
            except UnknownAudience:
                # Whether an unknown id is left out of the answer or refused is not documented: right either way.
                if len(ids) > 1:
                    return self.details(audience_id)
                found = {}
            self._details |= {**dict.fromkeys(ids), **found}
        return self._details[audience_id]

    def is_full(self) -> bool:
        """Whether TikTok's limit of audiences is reached, so that a create cannot go through."""
        return sum(audience.is_creator for audience in self.listing().values()) >= MOST_AUDIENCES

    def find(self, key: AudienceKey, registered: str | None) -> list[Audience]:
        """The advertiser's own customer-file audiences of exactly this name and identifier type, best first.

        The one that was registered comes first, then the oldest. An audience that was registered and is not listed
        is asked for by id: a new one may not be listed yet.

        Raises:
            Waiting: TikTok could not be asked.
        """
        candidates = [audience for audience in self.listing().values() if _is_own(audience, key.name)]
        untyped = [audience.id for audience in candidates if audience.calculate_type is None]
        matches = []
        for audience in candidates:
            known = self.details(audience.id, also=untyped) if audience.calculate_type is None else audience
            if known and known.calculate_type == key.identifier_type.calculate_type:
                matches.append(audience)
        if registered and registered not in self.listing():
            unlisted = self.details(registered)
            # `get` may leave out what `list` tells; an id that was registered is of the type it was made with.
            if unlisted and unlisted.name in {"", key.name}:
                matches.append(unlisted)
        return sorted(
            matches,
            key=lambda each: (each.id != registered, each.created_at.timestamp() if each.created_at else 0.0, each.id),
        )


def _is_own(audience: Audience, name: str) -> bool:
    return audience.name == name and audience.is_creator and CUSTOMER_FILE in audience.kind.lower()
