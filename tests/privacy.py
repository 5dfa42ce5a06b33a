"""The one check that nothing personal and no token is in what the connector writes."""

from __future__ import annotations

import re
from collections.abc import Iterable

TOKEN = "act.example-token-of-acme"
# A hash of any length the project knows, in any case, or an address. ETags and digests of ours are not 32 or 64 long
# where they stand alone: the scan looks only where people's data could be.
_PERSONAL = re.compile(r"(?<![0-9A-Za-z])(?:[0-9a-fA-F]{64}|[\w.+-]+@[\w-]+\.[a-z]+)(?![0-9A-Za-z])")


def assert_nothing_personal(texts: Iterable[str], token: str = TOKEN) -> None:
    """Fail if one of these log lines, reports, states, messages or metrics holds an identifier or the token."""
    for text in texts:
        assert token not in text
        found = _PERSONAL.search(text)
        assert not found, found
