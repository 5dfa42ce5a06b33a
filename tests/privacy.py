"""The check that no personal data and no token is in anything that the connector writes."""

from __future__ import annotations

import re
from collections.abc import Iterable

TOKEN = "act.example-token-of-acme"
# A SHA-256 hash in upper or lower case, or an email address. It skips MD5 hashes, because ETags look the same.
_PERSONAL = re.compile(r"(?<![0-9A-Za-z])(?:[0-9a-fA-F]{64}|[\w.+-]+@[\w-]+\.[a-z]+)(?![0-9A-Za-z])")


def assert_nothing_personal(texts: Iterable[str], token: str = TOKEN) -> None:
    """Fail if one of these texts contains a SHA-256 hash, an email address or the token."""
    for text in texts:
        assert token not in text
        found = _PERSONAL.search(text)
        assert not found, found
