"""The removal of identifiers and tokens from TikTok's messages, before a report or a log holds them."""

from __future__ import annotations

import re

MAX_MESSAGE = 300  # characters of a message that a report keeps
MAX_READ = 2000  # characters of a message that are looked at; bounds the time
REMOVED = "[removed]"

# TikTok may quote any part of a request. Its own long ids and dates are removed as well; codes and figures such as
# 1,000 stay.
_PERSONAL = re.compile(
    r"""
    \S+\s?(?:@|%40)\s?\S+                     # an email address
    | [0-9a-f-]{16,}                           # a hash, a device id, or the beginning of one
    | \+?\d(?:[\s()./\u2013-]{0,3}\d){7,}      # a phone number: eight digits, grouped or not
    | \bact\.\S+                              # the usual beginning of TikTok's access tokens
    | (?=(?:[^\s\d]*\d){4})\S{20,}             # a token of another form, or a hash in base 64
    | [\w.!~+/=-]{32,}
    """,
    re.IGNORECASE | re.VERBOSE,
)


def redact(message: str) -> str:
    """Return TikTok's message without identifiers and tokens, cut to 300 characters."""
    return _PERSONAL.sub(REMOVED, message[:MAX_READ])[:MAX_MESSAGE]


def redact_token(text: str, token: str) -> str:
    """Return a text without this access token, in any case. Tokens have no fixed form, so `redact` could miss one."""
    return re.sub(re.escape(token), REMOVED, text, flags=re.IGNORECASE)
