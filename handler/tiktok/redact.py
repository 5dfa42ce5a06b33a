"""Functions that remove identifiers and tokens from TikTok's messages before they get into reports and logs."""

from __future__ import annotations

import re

MAX_MESSAGE = 300  # characters of a message that are kept in a report
MAX_READ = 2000  # characters of a message that are searched; limits the run time
REMOVED = "[removed]"

# TikTok may quote any part of a request. The patterns also remove TikTok's own long ids and dates, but keep codes and
# numbers such as 1,000.
_PERSONAL = re.compile(
    r"""
    \S+\s?(?:@|%40)\s?\S+                     # an email address
    | [0-9a-f-]{16,}                           # a hash or a device id, complete or cut off
    | \+?\d(?:[\s()./\u2013-]{0,3}\d){7,}      # a phone number: eight digits or more, grouped or not
    | \bact\.\S+                              # the usual prefix of TikTok's access tokens
    | (?=(?:[^\s\d]*\d){4})\S{20,}             # a token of another form, or a Base64 hash
    | [\w.!~+/=-]{32,}                       # any other long token
    """,
    re.IGNORECASE | re.VERBOSE,
)


def redact(message: str) -> str:
    """Return TikTok's message without identifiers and tokens, truncated to 300 characters."""
    return _PERSONAL.sub(REMOVED, message[:MAX_READ])[:MAX_MESSAGE]


def redact_token(text: str, token: str) -> str:
    """Return a text without this access token, whatever its letter case.

    `redact` may miss a token, because tokens have no fixed form.
    """
    return re.sub(re.escape(token), REMOVED, text, flags=re.IGNORECASE)
